"""Projections of an older build are told apart from tampering, and are folded anew."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from clearway.cli.journal import EXIT_STALE, app
from clearway.kernel.ids import canonical_json
from clearway.records import Journal, Kinds
from clearway.records.fold import FOLD_VERSION, Marks, fold_data, fold_marks
from clearway.records.store import Store
from clearway.records.verify import VerifyReport, verify_store
from tests.records.conftest import OpenJournal
from tests.records.world import CREW, DUTY, do, evidence, measure


def closed(journal: Journal) -> None:
    """Some life, then closed."""
    order = do(journal, DUTY, "measure", "order", data=measure())
    do(journal, CREW, "measure", "place", order.record_id, evidence())
    journal.close()


def path_of(url: str) -> Path:
    """File of an SQLite URL."""
    return Path(url.removeprefix("sqlite:///"))


def alter(url: str, *statements: str) -> None:
    """Somebody with a database tool."""
    with closing(sqlite3.connect(path_of(url))) as raw, raw:
        for statement in statements:
            raw.execute(statement)


def verified(url: str, kinds: Kinds) -> VerifyReport:
    """Verify a store nobody writes to."""
    store = Store(url)
    try:
        return verify_store(store, kinds)
    finally:
        store.close()


OLDER = (
    "UPDATE journal_row SET data = replace(data, '60', '61')",
    "UPDATE journal_meta SET value = replace(value, '\"fold\":', '\"old\":') WHERE name = 'kinds'",
)
"""Rows as another fold made them, in a store that notes no fold."""


def test_older_projections_are_not_tampering(
    journal: Journal, sqlite_url: str, kinds: Kinds, open_journal: OpenJournal
) -> None:
    """They are stale with a sound chain; without the older note the same rows are tampering."""
    closed(journal)
    assert not verified(sqlite_url, kinds).stale
    alter(sqlite_url, OLDER[0])
    tampered = verified(sqlite_url, kinds)
    assert not tampered.stale
    assert any("does not follow" in p.what for p in tampered.problems)
    alter(sqlite_url, OLDER[1])
    older = verified(sqlite_url, kinds)
    assert older.stale
    assert older.ok
    open_journal(sqlite_url).close()
    healed = verified(sqlite_url, kinds)
    assert healed.ok
    assert not healed.stale


def test_tampering_with_the_chain_shows_in_an_older_store(
    journal: Journal, sqlite_url: str, kinds: Kinds
) -> None:
    """The note of an older build excuses rows, never events."""
    closed(journal)
    alter(sqlite_url, *OLDER, "UPDATE journal_event SET body = replace(body, '60', '80') WHERE seq > 2")
    report = verified(sqlite_url, kinds)
    assert report.stale
    assert not report.ok


def test_the_command_says_so_and_rebuild_heals(journal: Journal, sqlite_url: str) -> None:
    """Its own exit code and the command to run; after it all is well."""
    closed(journal)
    alter(sqlite_url, *OLDER)
    path = str(path_of(sqlite_url))
    said = CliRunner().invoke(app, ["verify", path])
    assert said.exit_code == EXIT_STALE == 3
    assert "older build" in said.stdout
    assert "clearway journal rebuild" in said.stdout
    assert CliRunner().invoke(app, ["rebuild", path]).exit_code == 0
    assert CliRunner().invoke(app, ["verify", path]).exit_code == 0


@pytest.mark.parametrize(("version", "digest"), [(2, "866dff54e041ae3c")])
def test_a_changed_fold_needs_a_new_version(version: int, digest: str) -> None:
    """The fold of fixed events is pinned; whoever changes it raises FOLD_VERSION and pins both anew."""
    due: dict[str, Any] = {"deadline": "expiry", "due_us": 7, "due": "2015-11-22T06:00:00Z", "stage": 1}
    story: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
        ("order", {"kmh": 60, "area": "a"}, {"expiry": "2015-11-22T06:00:00Z"}),
        ("warn_deadline", {**due, "stage": 0}, {}),
        ("escalate", {**due, "escalated_to": "post-b"}, {}),
        ("expire", due, {"end_reason": "expired"}),
        ("lift", {"kmh": None}, {"end_reason": "lifted"}),
    ]
    body: dict[str, Any] = {}
    marks: Marks = {}
    rows: list[Any] = []
    for verb, data, sets in story:
        body = fold_data(body, data, sets, verb)
        marks = fold_marks(marks, verb, data, f"who-{verb}", "post-a")
        rows.append([body, marks])
    assert (FOLD_VERSION, sha256(canonical_json(rows)).hexdigest()[:16]) == (version, digest)
