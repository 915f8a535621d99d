"""``clearway journal``: verify, export, import, back up, restore, read the journal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from clearway.kernel.errors import InputError

if TYPE_CHECKING:
    from clearway.records.events import Event, Head
    from clearway.records.kinds import Kinds
    from clearway.records.store import Store
    from clearway.records.verify import VerifyReport

EXIT_STALE: Final = 3
"""The chain verifies; its projections were made by an older build and could not be compared."""

app = typer.Typer(help="Verify, export, import, back up and restore the journal.", no_args_is_help=True)

StoreArg = Annotated[
    str,
    typer.Argument(envvar="CLEARWAY_STORE", help="File or URL of the store, e.g. journal.sqlite."),
]
Expect = Annotated[
    str,
    typer.Option("--expect-head", help="Head published earlier, HASH or SEQ:HASH; it must lie on the chain."),
]
KindFolders = Annotated[
    list[Path] | None,
    typer.Option("--kinds", help="Folder of kind declarations instead of those shipped; may be repeated."),
]


def store_url(store: str) -> str:
    """A URL, or the URL of a file path."""
    return store if "://" in store else f"sqlite:///{Path(store).resolve().as_posix()}"


def _kinds(folders: list[Path] | None) -> Kinds:
    from clearway.records.loader import load_kinds

    return load_kinds(folders or None)


def _head(text: str) -> Head | None:
    from clearway.records.events import Head

    if not text:
        return None
    try:
        return Head.parse(text)
    except ValueError as error:
        raise InputError(str(error), where="--expect-head", hint="Give HASH or SEQ:HASH") from error


@contextmanager
def _existing(store: str) -> Iterator[Store]:
    from clearway.records.store import Store, check_sqlite_file

    opened = Store(store_url(store))
    try:
        if opened.path is not None:
            if not opened.path.is_file():
                raise InputError("there is no such store", where=str(opened.path))
            check_sqlite_file(opened.path)
        yield opened
    finally:
        opened.close()


def _tell(report: VerifyReport) -> None:
    for problem in report.problems:
        typer.echo(f"WRONG  {problem}", err=True)
    typer.echo(f"{report.events} events; head {report.head}")


@app.command("verify")
def verify(
    store: StoreArg,
    expect_head: Expect = "",
    kinds: KindFolders = None,
    chain_only: Annotated[bool, typer.Option("--chain-only", help="Do not compare the projections.")] = False,
) -> None:
    """Check every hash, the order, the projections, and that a published head lies on the chain.

    Ends with 0 when all is well, 1 when something is wrong, and 3 when the chain is sound but the projections
    were made by an older build.
    """
    from clearway.records.verify import verify_store

    with _existing(store) as opened:
        report = verify_store(opened, _kinds(kinds), expect=_head(expect_head), projections=not chain_only)
    _tell(report)
    if not report.ok:
        typer.echo(f"the journal does NOT verify: {len(report.problems)} problems", err=True)
        raise typer.Exit(1)
    if report.stale:
        typer.echo("the chain verifies; its projections were made by an older build or other declarations")
        typer.echo("  → Run: clearway journal rebuild (opening the journal for writing does it too)")
        raise typer.Exit(EXIT_STALE)
    typer.echo("the journal verifies")


@app.command("export")
def export(store: StoreArg, out: Path) -> None:
    """Write the whole chain as lines of JSON to OUT (.gz compresses)."""
    from clearway.records.transfer import export_journal

    with _existing(store) as opened:
        head = export_journal(opened, out)
    typer.echo(f"{head.seq} events to {out}; head {head}")


@app.command("import")
def import_(source: Path, store: StoreArg, expect_head: Expect = "", kinds: KindFolders = None) -> None:
    """Read an export into a new, empty store; every hash is checked."""
    from clearway.records.transfer import import_journal

    head = import_journal(source, store_url(store), _kinds(kinds), expect=_head(expect_head))
    typer.echo(f"{head.seq} events from {source}; head {head}")


@app.command("backup")
def backup(store: StoreArg, out: Path, kinds: KindFolders = None) -> None:
    """Copy a live SQLite store to OUT while it is written to, and verify the copy."""
    from clearway.records.transfer import backup as back_up

    with _existing(store) as opened:
        report = back_up(opened, out, _kinds(kinds))
    typer.echo(f"{report.events} events in {out}; head {report.head}")


@app.command("restore")
def restore(backup: Path, store: StoreArg, expect_head: Expect = "", kinds: KindFolders = None) -> None:
    """Put a verified BACKUP in the place of STORE; an old store is kept as *.before-restore."""
    from clearway.records.transfer import restore as put_back

    report = put_back(backup, store_url(store), _kinds(kinds), expect=_head(expect_head))
    typer.echo(f"{report.events} events restored; head {report.head}")


@app.command("rebuild")
def rebuild(store: StoreArg, kinds: KindFolders = None) -> None:
    """Fold all events anew into the projections. The chain is not touched."""
    from clearway.records.rebuilding import rebuild_store

    with _existing(store) as opened:
        count = rebuild_store(opened, _kinds(kinds))
    typer.echo(f"projections rebuilt from {count} events")


@app.command("head")
def head(store: StoreArg) -> None:
    """Print the head: the number and hash to publish, and to verify against later."""
    from clearway.records import reads

    with _existing(store) as opened, opened.reading() as connection:
        typer.echo(str(reads.head(connection)))


@app.command("log")
def log(
    store: StoreArg,
    after: Annotated[int, typer.Option(help="Start after this event; -1 shows the last ones.")] = -1,
    limit: Annotated[int, typer.Option(min=1, max=100_000)] = 20,
    record: Annotated[str, typer.Option(help="Only events of this record.")] = "",
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """List events: number, time, who, what, to which record, why."""
    from clearway.records import reads

    with _existing(store) as opened, opened.reading() as connection:
        if record:
            found = reads.history(connection, record)[-limit:]
        else:
            start = after if after >= 0 else max(0, reads.head(connection).seq - limit)
            found = reads.events(connection, start, limit)
    for event in found:
        typer.echo(_json(event) if json else _line(event))


@app.command("show")
def show(
    store: StoreArg,
    record: str,
    as_of: Annotated[str, typer.Option(help="Time (ISO 8601 with zone) or event number.")] = "",
) -> None:
    """Print one record as JSON, now or as it stood at a moment."""
    from clearway.kernel.clock import iso, parse_utc
    from clearway.kernel.errors import NotFoundError
    from clearway.records import reads

    moment: reads.AsOf = None
    if as_of:
        moment = int(as_of) if as_of.isdecimal() else parse_utc(as_of, where="--as-of")
    with _existing(store) as opened, opened.reading() as connection:
        row = reads.find(connection, record, moment)
    if row is None:
        raise NotFoundError(f"there is no record {record!r}" + (" at that moment" if as_of else ""))
    fields = row.as_mapping()
    for name in ("created_at", "updated_at", "since"):
        fields[name] = iso(fields[name])
    typer.echo(_pretty(fields))


@app.command("purge")
def purge(store: StoreArg) -> None:
    """Delete sealed content whose time has run out: free text, photos, contacts. Their keys are destroyed."""
    from clearway.kernel.clock import SystemClock
    from clearway.records.sealed import SealedStore

    with _existing(store):
        sealed = SealedStore.beside(store_url(store), SystemClock())
    try:
        gone = sealed.purge()
    finally:
        sealed.close()
    typer.echo(f"{len(gone)} sealed items deleted")


@app.command("permissions")
def permissions(kinds: KindFolders = None) -> None:
    """Print the whole permission matrix as CSV: kind, verb, state, role, relation, allowed."""
    from clearway.records.areas import AreaTree
    from clearway.records.authority import Authority

    typer.echo("kind,verb,state,role,relation,allowed")
    for row in Authority(_kinds(kinds), AreaTree()).matrix():
        allowed = "yes" if row.allowed else "no"
        typer.echo(f"{row.kind},{row.verb},{row.state},{row.role},{row.relation},{allowed}")


@app.command("kinds")
def show_kinds(kinds: KindFolders = None) -> None:
    """Print the reference of all kinds as Markdown: states, verbs, who may, deadlines, fields."""
    from clearway.records.reference import reference

    typer.echo(reference(_kinds(kinds)), nl=False)


def _line(event: Event) -> str:
    from clearway.kernel.clock import iso

    reason = f" ({event.reason})" if event.reason else ""
    simulated = " simulated" if event.actor.simulated else ""
    who = f"{event.actor.id}{'@' + event.actor.post if event.actor.post else ''}{simulated}"
    what = f"{event.kind} {event.record_id}: {event.verb} → {event.state}"
    return f"{event.seq:>8} {iso(event.recorded_at)} {who}  {what}{reason}"


def _json(event: Event) -> str:
    import json

    return json.dumps(event.as_mapping(), ensure_ascii=False, sort_keys=True)


def _pretty(fields: dict[str, object]) -> str:
    import json

    return json.dumps(fields, ensure_ascii=False, indent=2, sort_keys=True)
