"""The journal: its head, verification from the first event, and backups to keep elsewhere."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from fastapi import APIRouter, Response
from starlette.background import BackgroundTask
from starlette.responses import FileResponse

from clearway.records.transfer import backup
from clearway.records.verify import VerifyReport
from clearway.web.console.admin.common import admin_page, require_admin
from clearway.web.console.forms import Sent, Visit, Visitor

router = APIRouter(prefix="/console/admin")


@router.get("/journal")
def journal(visitor: Visitor) -> Response:
    """Head, role, and what can be done."""
    require_admin(visitor)
    return _page(visitor)


def _page(visitor: Visit, verified: VerifyReport | None = None) -> Response:
    house = visitor.house
    names = {account.id: account.name for account in house.access.accounts()}
    return admin_page(
        visitor,
        "journal",
        head=house.journal.head(),
        role=house.journal.role,
        verified=verified,
        taken=[one for one in house.access.audited(500) if one.verb in ("backup", "verify")][:12],
        names=names,
        database=house.journal.store.path is None,
        kinds=[(house.kinds[name], len(house.journal.list(name))) for name in house.kinds],
    )


@router.post("/verify")
def verify(visitor: Visitor, _: Sent) -> Response:
    """Check the journal from its first event."""
    require_admin(visitor)
    report = visitor.house.journal.verify()
    outcome = "good" if report.ok else f"{len(report.problems)} problems"
    detail = f"#{report.head.seq} {outcome}"
    visitor.house.access.audit(visitor.who.account.id, "verify", visitor.who.account.id, detail)
    return _page(visitor, report)


@router.post("/backup")
def make_backup(visitor: Visitor, form: Sent) -> Response:
    """A verified copy of the journal, or a copy of the accounts, to keep elsewhere."""
    require_admin(visitor, change=True)
    house, who = visitor.house, visitor.who.account
    if form.get("what") == "accounts":
        answer = _file("access.sqlite", house.access.copy_to)
        house.access.audit(who.id, "backup", who.id, "accounts")
        return answer
    head = house.journal.head()

    def copy(target: Path) -> None:
        backup(house.journal.store, target, house.journal.kinds)

    answer = _file(f"journal-{head.seq}.sqlite", copy)
    house.access.audit(who.id, "backup", who.id, f"journal #{head.seq} {head.hash[:16]}")
    return answer


def _file(name: str, write: Callable[[Path], None]) -> Response:
    """A file made for one download; it is removed afterwards, also when making it fails."""
    folder = Path(tempfile.mkdtemp(prefix="clearway-backup-"))
    target = folder / name

    def clean() -> None:
        target.unlink(missing_ok=True)
        folder.rmdir()

    try:
        write(target)
    except Exception:
        clean()
        raise
    return FileResponse(
        target,
        media_type="application/vnd.sqlite3",
        filename=name,
        headers={"Cache-Control": "no-store"},
        background=BackgroundTask(clean),
    )
