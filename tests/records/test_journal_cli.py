"""``clearway journal``: every command as a person uses it."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from clearway.cli.journal import app, store_url
from clearway.kernel.clock import ManualClock
from clearway.kernel.errors import InputError, NotFoundError
from clearway.records import Head, Journal
from clearway.records.sealed import SealedStore
from tests.records.world import CREW, DUTY, START, do, evidence, measure

Run = Callable[..., Result]


@pytest.fixture
def run() -> Run:
    """Run ``clearway journal …``; errors meant for a person come out as they are."""

    def running(*arguments: object) -> Result:
        result = CliRunner().invoke(app, [str(a) for a in arguments])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return running


@pytest.fixture
def store(journal: Journal, sqlite_url: str) -> tuple[Path, str, Head]:
    """A closed store, the id of a measure in it, and its head."""
    order = do(journal, DUTY, "measure", "order", data=measure(), reason="black ice")
    do(journal, CREW, "measure", "place", order.record_id, evidence())
    head = journal.head()
    journal.close()
    return Path(sqlite_url.removeprefix("sqlite:///")), order.record_id, head


def test_verify_says_yes_with_the_head_and_no_with_a_code(run: Run, store: tuple[Path, str, Head]) -> None:
    """Exit 0 and the head when all is well; exit 1 and the reason when not."""
    path, _, head = store
    good = run("verify", path, "--expect-head", head)
    assert (good.exit_code, str(head) in good.stdout, "verifies" in good.stdout) == (0, True, True)
    assert run("verify", path, "--expect-head", head.hash, "--chain-only").exit_code == 0
    lost = run("verify", path, "--expect-head", f"{head.seq + 5}:{'0' * 64}")
    assert lost.exit_code == 1
    assert "cut off" in lost.stderr
    with closing(sqlite3.connect(path)) as raw, raw:
        raw.execute("UPDATE journal_event SET body = replace(body, 'black', 'white')")
    altered = run("verify", path)
    assert altered.exit_code == 1
    assert "hash" in altered.stderr


def test_head_log_and_show_read_the_store(run: Run, store: tuple[Path, str, Head]) -> None:
    """The head to publish; who did what and why; a record now and as it stood."""
    path, record, head = store
    assert run("head", path).stdout.strip() == str(head)
    lines = run("log", path, "--limit", 2).stdout.splitlines()
    assert len(lines) == 2
    assert "(black ice)" in lines[0]
    assert "crew-7@post-crew" in lines[1]
    one = run("log", path, "--record", record, "--json").stdout.splitlines()
    assert [json.loads(line)["verb"] for line in one] == ["order", "place"]
    assert run("log", path, "--after", 0, "--limit", 1).stdout.split()[0] == "1"
    assert json.loads(run("show", path, record).stdout)["state"] == "in_force"
    assert json.loads(run("show", path, record, "--as-of", head.seq - 1).stdout)["state"] == "ordered"
    assert (
        json.loads(run("show", path, record, "--as-of", "2015-11-22T14:00:00+08:00").stdout)["version"] == 2
    )
    with pytest.raises(NotFoundError, match="at that moment"):
        run("show", path, record, "--as-of", 1)


def test_export_import_backup_restore_rebuild(
    run: Run, store: tuple[Path, str, Head], tmp_path: Path
) -> None:
    """There and back again; each prints the head."""
    path, _, head = store
    out, copy, kept = tmp_path / "out.jsonl.gz", tmp_path / "copy.sqlite", tmp_path / "kept.sqlite"
    for arguments in (
        ("export", path, out),
        ("import", out, copy, "--expect-head", head),
        ("backup", copy, kept),
        ("restore", kept, copy, "--expect-head", head.hash),
    ):
        result = run(*arguments)
        assert result.exit_code == 0
        assert str(head) in result.stdout
    assert f"{head.seq} events" in run("rebuild", copy).stdout
    assert run("verify", copy).exit_code == 0


def test_what_is_not_there_is_said(run: Run, tmp_path: Path, store: tuple[Path, str, Head]) -> None:
    """No such store, no head hash: an error meant for a person."""
    with pytest.raises(InputError, match="no such store"):
        run("verify", tmp_path / "absent.sqlite")
    with pytest.raises(InputError, match="head hash"):
        run("verify", store[0], "--expect-head", "junk")


def test_the_permission_matrix_is_a_table(run: Run) -> None:
    """Every cell of it, as CSV."""
    table = list(csv.DictReader(io.StringIO(run("permissions").stdout)))
    wanted = {
        "kind": "measure",
        "verb": "lift",
        "state": "in_force",
        "role": "duty_officer",
        "relation": "own",
    }
    [cell] = [row for row in table if wanted.items() <= row.items()]
    assert cell["allowed"] == "yes"
    assert len(table) > 10_000


def test_purge_deletes_what_has_run_out(run: Run, store: tuple[Path, str, Head]) -> None:
    """Sealed long ago for a day, it is gone; sealed for a hundred years, it stays."""
    path, record, _ = store
    with closing(SealedStore.beside(store_url(str(path)), ManualClock(START))) as sealed:
        sealed.seal_text(record, "words", keep=timedelta(days=1))
        kept = sealed.seal_text(record, "words", keep=timedelta(days=36_500))
        assert run("purge", path).stdout == "1 sealed items deleted\n"
        assert sealed.listed(record) == [kept.sealed]


def test_urls_and_paths_both_name_a_store(tmp_path: Path) -> None:
    """A URL is taken as it is, a path becomes one."""
    assert store_url("postgresql+psycopg://host/db") == "postgresql+psycopg://host/db"
    assert store_url(str(tmp_path / "x.sqlite")) == f"sqlite:///{(tmp_path / 'x.sqlite').as_posix()}"
