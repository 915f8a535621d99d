"""The inbox: read a proposal with everything it rests on, and decide."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from fastapi import APIRouter, Response

from clearway.kernel.clock import iso, parse_utc
from clearway.kernel.errors import ClearwayError, ConflictError, InputError
from clearway.kernel.language import Text
from clearway.operations.what_if import AddMeasure, AddTreatments, Change, EndMeasures, RenewMeasures
from clearway.picture.picture import Treatment
from clearway.records import Command, Event, RecordRow
from clearway.web.console.bodies import read_fields
from clearway.web.console.forms import Sent, Visit, Visitor, VisitorThen
from clearway.web.console.named import Namer
from clearway.web.console.names import indices, post_names, roads
from clearway.web.console.views.alarms import asked_to_confirm
from clearway.web.console.views.inbox import decided_just_now, needs_two, open_proposals, verb_label, waiting
from clearway.web.console.views.renewal import Renewal, renewal_of
from clearway.web.console.views.whatif import compared
from clearway.web.strong import SecondFactorNeededError
from clearway.web.submit import submit

router = APIRouter(include_in_schema=False)
_VERBS: Final = ("approve", "approve_changed", "refuse", "hand_over")
_CHANGED: Final = Text("it has changed since you read it", "您阅读之后该建议已有变化")
WORK_TAKES: Final = timedelta(hours=1)
"""A what-if supposes that a treatment is done so long after the cycle (grade D); the page says so."""
CHANGEABLE: Final = {
    "measure": ("kmh", "expiry", "review_at", "lift_condition", "detour"),
    "task": ("unit", "due", "rate_g_m2", "action", "instruction"),
    "notice": ("headline", "description", "instruction", "starts", "expires", "next_update_by"),
}
"""Fields of what a proposal would open that may be changed on approval."""
RENEWED: Final = ("expiry", "review_at")
"""Fields of a renewal that may be changed on approval."""


@router.get("/console/inbox")
def inbox(visitor: VisitorThen) -> Response:
    """All open proposals, what is lost by waiting first."""
    return _listed(visitor)


def _listed(
    visitor: Visit, approved: Sequence[Text] = (), not_done: Sequence[tuple[str, Text, Text]] = ()
) -> Response:
    house = visitor.house
    rows = open_proposals(house, visitor.at)
    authority = house.journal.authority()
    may = {r.id: authority.may(visitor.actor, "approve", r) for r in rows}
    by_rule: dict[str, int] = {}
    for row in rows:
        if not may[row.id].allowed:
            continue
        by_rule[rule_of(row)] = by_rule.get(rule_of(row), 0) + 1
    return visitor.page(
        "inbox.html",
        rows=rows,
        rule_of=rule_of,
        may=may,
        bulk={rule for rule, count in by_rule.items() if rule and count > 1},
        two={r.id: needs_two(house, r.data) for r in rows},
        roads_of=lambda row: roads(house.network, row.data.get("subjects") or (), limit=6),
        to_confirm=[] if visitor.at else waiting(house, authority, visitor.actor),
        asked={} if visitor.at else asked_to_confirm(house, account_names(visitor)),
        posts=post_names(house),
        decided=[] if visitor.at else decided_just_now(house, visitor.actor, visitor.now),
        keys={r.id: secrets.token_urlsafe(12) for r in rows},
        approved=approved,
        not_done=not_done,
    )


def rule_of(row: RecordRow) -> str:
    """Id of the rule a proposal follows from, empty where it follows from none."""
    return str((row.data.get("rule") or {}).get("id", ""))


@router.get("/console/inbox/bulk")
def after_bulk(visitor: Visitor) -> Response:
    """The answer to a bulk approval, asked for again: the inbox as it is now."""
    return visitor.done("/console/inbox")


@router.post("/console/inbox/bulk")
def bulk(visitor: Visitor, form: Sent) -> Response:
    """Approve proposals of one rule as they were read, each by itself; what was not done is named."""
    house = visitor.house
    asked = [str(i).partition(":") for i in form.getlist("proposal")]
    found = {i: row for i, _, _ in asked if (row := house.journal.find(i)) and row.kind == "proposal"}
    rules = {rule_of(row) for row in found.values()}
    if len(rules) != 1 or "" in rules:
        words = Text("choose proposals of one rule", "请选择同一规则下的建议")
        raise InputError(words.en, where="proposal", words=words)
    done: list[Text] = []
    not_done: list[tuple[str, Text, Text]] = []
    for record, _, version in asked:
        row = found.get(record)
        name = Text.of(row.data["headline"]) if row else Text(record, record)
        try:
            _approve_as_read(visitor, row, version)
        except SecondFactorNeededError:
            raise
        except ClearwayError as error:
            not_done.append((record if row else "", name, error.words or Text(error.what, error.what)))
        else:
            done.append(name)
    if not_done:
        return _listed(visitor, approved=done, not_done=not_done)
    return visitor.done("/console/inbox", Text(f"{len(done)} approved", f"已采纳{len(done)}项"))


def _approve_as_read(visitor: Visit, row: RecordRow | None, version: str) -> None:
    if row is None:
        words = Text("there is no such proposal", "没有这项建议")
        raise InputError(words.en, where="proposal", words=words)
    read = version_of(version)
    if read != row.version:
        raise ConflictError(_CHANGED.en, where=row.id, words=_CHANGED)
    submit(visitor.house, visitor.who, _decision(visitor, row, "approve", {}, "", read))


def version_of(sent: str) -> int:
    """Version of the record that a form was shown with.

    Raises:
        InputError: the form does not say.
    """
    if not (sent.isascii() and sent.isdigit() and len(sent) < 10):
        words = Text(
            "the form does not say which version was read; load the page again",
            "表单未注明所阅版本，请重新载入页面",
        )
        raise InputError(words.en, where="version", words=words)
    return int(sent)


@router.get("/console/inbox/{proposal}")
def proposal(visitor: VisitorThen, proposal: str, what_if: str = "") -> Response:
    """One proposal: rule, evidence, alternatives, consequences, and the decision."""
    return _page(visitor, proposal, what_if=bool(what_if))


def _page(visitor: Visit, proposal: str, *, what_if: bool = False) -> Response:
    house = visitor.house
    row = house.journal.get(proposal, as_of=visitor.at)
    if row.kind != "proposal":
        return visitor.done(f"/console/record/{proposal}")
    authority = house.journal.authority()
    kind = house.kinds[str(row.data["target_kind"])]
    payload = dict(row.data.get("payload") or {})
    here = row.state == "open" and visitor.at is None
    renewal = renewal_of(house, row, visitor.now) if here else None
    change = RenewMeasures(renewal.times) if renewal else change_of(visitor, row)
    answer: Any = None
    let_go: Any = None
    trouble = ""
    if what_if and change is not None and house.what_if is not None and visitor.at is None:
        try:
            answer = house.what_if(change)
            let_go = house.what_if(EndMeasures(tuple(renewal.times))) if renewal else None
        except ClearwayError as error:
            trouble = str(error)
    subjects = row.data.get("subjects") or ()
    latest = house.board()
    return visitor.page(
        "proposal.html",
        row=row,
        kind=kind,
        payload=payload,
        roads=roads(house.network, subjects, limit=200),
        roads_short=roads(house.network, subjects, limit=6),
        corridors=(on := indices(house.network, subjects)),
        compared=compared(house, answer, on) if answer is not None else [],
        least=next((a for a in row.data.get("alternatives") or () if a.get("least_restrictive")), None),
        board_at=latest.at if latest else None,
        work_at=latest.at + WORK_TAKES if latest and kind.name == "task" else None,
        d=Namer(house),
        verb_label=lambda event: verb_label(house.kinds["proposal"], event),
        two=needs_two(house, row.data),
        may={v: authority.may(visitor.actor, v, row) for v in _VERBS},
        fields=[kind.fields[n] for n in changeable(row) if n in kind.fields],
        given={**payload, **_times(renewal)},
        renewal=renewal,
        let_go=let_go,
        posts=post_names(house),
        history=history_of(visitor, row.id),
        can_ask=change is not None and house.what_if is not None,
        answer=answer,
        trouble=trouble,
        state=house.kinds["proposal"].state_label(row.state),
        key=secrets.token_urlsafe(12),
        target=house.journal.find(str(row.data.get("target") or ""), as_of=visitor.at),
    )  # fmt: skip


def changeable(row: RecordRow) -> tuple[str, ...]:
    """Fields of a proposal that may be changed on approval."""
    if (row.data.get("payload") or {}).get("renew"):
        return RENEWED
    return CHANGEABLE[str(row.data["target_kind"])] if row.data["act"] == "open" else ()


def _times(renewal: Renewal | None) -> dict[str, str]:
    return {"expiry": iso(renewal.until), "review_at": iso(renewal.review)} if renewal else {}


def history_of(visitor: Visit, record: str) -> list[Event]:
    """Events of a record up to the moment the reader looks at, oldest first."""
    events, at = visitor.house.journal.history(record), visitor.at
    return [e for e in events if at is None or e.recorded_at <= at]


def account_names(visitor: Visit) -> dict[str, Text]:
    """Display names of accounts by id, for histories."""
    return {account.id: account.name for account in visitor.house.access.accounts()}


def change_of(visitor: Visit, row: RecordRow) -> Change | None:
    """The change of the picture that approving would make, None where it cannot be computed."""
    if row.data["act"] != "open":
        return None
    payload, cycles = dict(row.data.get("payload") or {}), visitor.house.cycles
    if row.data["target_kind"] == "measure":
        return AddMeasure(payload)
    if row.data["target_kind"] == "task" and payload.get("type") == "treat" and cycles and cycles.fresh:
        at = cycles.fresh.picture.at + WORK_TAKES
        rate, action = float(payload.get("rate_g_m2") or 0), str(payload.get("action") or "salt")
        numbers = indices(visitor.house.network, payload.get("corridors") or ())
        return AddTreatments(tuple(Treatment(n, action, rate, at, "what-if") for n in numbers))
    return None


@router.post("/console/inbox/{proposal}")
def decide(visitor: Visitor, form: Sent, proposal: str) -> Response:
    """Approve, approve with changes, refuse, or hand over."""
    house = visitor.house
    row = house.journal.get(proposal)
    verb, reason = str(form.get("verb", "")), str(form.get("reason", "")).strip()
    if verb not in _VERBS:
        raise InputError(f"no such decision: {verb!r}", where="verb")
    data: dict[str, Any] = {}
    if verb == "approve_changed":
        kind = house.kinds[str(row.data["target_kind"])]
        names = [n for n in changeable(row) if n in kind.fields]
        before = {**(row.data.get("payload") or {}), **_times(renewal_of(house, row, visitor.now))}
        given = read_fields(visitor, form, kind, names, shown=before, needed=RENEWED)
        data["changes"] = {n: v for n, v in given.items() if not _same(v, before.get(n))}
        if not data["changes"]:
            words = Text("nothing was changed; approve it as it stands", "未作任何改动，请直接采纳")
            raise InputError(words.en, where="changes", words=words)
    if verb == "hand_over":
        data["post"] = str(form.get("post", ""))
    version = version_of(str(form.get("version", row.version)))
    submit(house, visitor.who, _decision(visitor, row, verb, data, reason, version))
    words = house.kinds["proposal"].verbs[verb].label
    return visitor.done("/console/inbox", Text("Done: {v}", "已完成：{v}").format(v=words))


def _same(value: Any, before: Any) -> bool:
    """Whether a form gave back what it showed; it shows times to the minute."""
    if value == before or not (isinstance(value, str) and isinstance(before, str)):
        return bool(value == before)
    try:
        one, other = (parse_utc(t).replace(second=0, microsecond=0) for t in (value, before))
    except InputError:
        return False
    return one == other


def _decision(
    visitor: Visit, row: RecordRow, verb: str, data: dict[str, Any], reason: str, version: int | None = None
) -> Command:
    key = f"{visitor.who.account.id}:console:{row.id}:{verb}:{row.version}"
    return Command("proposal", verb, data, visitor.actor, key, row.id, version or row.version, reason)
