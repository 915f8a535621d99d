"""``clearway log``: enter an incident, a word about a road or sensor, a measure or a task in one command."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from clearway.kernel.errors import InputError

if TYPE_CHECKING:
    from clearway.network.model import Network
    from clearway.operations.entry import Teller, Where
    from clearway.records import Command

app = typer.Typer(
    help="Enter an incident, a reading, a measure or a task by hand, in one line.", no_args_is_help=True
)

Road = Annotated[str, typer.Argument(help="Road by name (any language), number, pinyin or id.")]
Direction = Annotated[str, typer.Option(help="N, NE … NW, clockwise or anticlockwise; both when left out.")]
Km = Annotated[float | None, typer.Option(help="Kilometre from the beginning of the road.", min=0)]
Data = Annotated[Path, typer.Option("--data", envvar="CLEARWAY_DATA", help="Folder of the installation.")]
By = Annotated[str, typer.Option("--by", envvar="CLEARWAY_BY", help="Your account's name, for the record.")]
Post = Annotated[str, typer.Option("--post", envvar="CLEARWAY_POST", help="Post from which you act.")]
Server = Annotated[
    str, typer.Option("--server", envvar="CLEARWAY_SERVER", help="Send to this running server instead.")
]
Token = Annotated[str, typer.Option("--token", envvar="CLEARWAY_TOKEN", help="Access token for --server.")]
Because = Annotated[str, typer.Option("--because", help="Reason, for the record.")]

DATA = Path("clearway-data")
Told = tuple[str, bytes, str]
"""Sealed field, content and media type."""


@app.command("incident")
def incident(
    road: Road,
    kind: Annotated[str, typer.Argument(help="crash, breakdown, obstacle, blocked, slippery, …")],
    direction: Direction = "",
    km: Km = None,
    lanes: Annotated[int | None, typer.Option(help="Lanes blocked.", min=0)] = None,
    level: Annotated[str, typer.Option(help="blue, yellow, orange or red.")] = "yellow",
    note: Annotated[str, typer.Option(help="Words of the caller; sealed, never in the chain.")] = "",
    photo: Annotated[
        list[Path] | None, typer.Option(help="Photo (JPEG, PNG); sealed, without metadata; may be repeated.")
    ] = None,
    happened: Annotated[str, typer.Option("--at", help="When it happened; now when left out.")] = "",
    data: Data = DATA,
    by: By = "",
    post: Post = "post-duty",
    server: Server = "",
    token: Token = "",
) -> None:
    """Report an incident. What callers said and sent is sealed and can be deleted; the chain has its hash."""
    from clearway.kernel.clock import parse_utc
    from clearway.kernel.levels import Level
    from clearway.operations import entry

    try:
        colour = Level.named(level)
    except KeyError as error:
        raise InputError(f"{level!r} is no level", where="--level") from error
    when = parse_utc(happened, where="--at") if happened else None
    _enter(
        lambda teller, where: entry.incident(
            teller, where, kind, level=colour, happened=when, lanes_blocked=lanes
        ),
        road, direction, km, data, by, post, server, token, _told(note, photo or ()),
    )  # fmt: skip


@app.command("reading")
def reading(
    road: Road,
    value: Annotated[str, typer.Argument(help="ice, snow, wet, dry … or a number for --what.")],
    because: Because,
    what: Annotated[str, typer.Option(help="condition, rst_c or visibility_m.")] = "condition",
    hours: Annotated[float, typer.Option(help="How long it holds against model and sensor.")] = 3.0,
    direction: Direction = "",
    km: Km = None,
    data: Data = DATA,
    by: By = "",
    post: Post = "post-duty",
    server: Server = "",
    token: Token = "",
) -> None:
    """Say what a road is like; it beats model and sensor until it expires."""
    from clearway.operations import entry

    _enter(
        lambda teller, where: entry.reading(teller, where, what, value, because, hours=hours),
        road, direction, km, data, by, post, server, token,
    )  # fmt: skip


@app.command("sensor")
def sensor(
    station: Annotated[str, typer.Argument(help="Station to leave out.")],
    because: Because,
    hours: Annotated[float, typer.Option(help="For how long.")] = 3.0,
    data: Data = DATA,
    by: By = "",
    post: Post = "post-duty",
    server: Server = "",
    token: Token = "",
) -> None:
    """Leave a station out that lies, until then."""
    from clearway.operations import entry

    _enter(
        lambda teller, _: entry.sensor(teller, station, because, hours=hours),
        "", "", None, data, by, post, server, token,
    )  # fmt: skip


@app.command("measure")
def measure(
    road: Road,
    kind: Annotated[str, typer.Argument(help="SPEED, INFO, TYPE, SPACED, CLOSE …")],
    kmh: Annotated[float | None, typer.Option(help="Limit for SPEED.", min=5, max=120)] = None,
    basis: Annotated[str, typer.Option("--basis", help="Legal basis; a restriction needs one.")] = "",
    hours: Annotated[float, typer.Option(help="Expires after so many hours.")] = 6.0,
    done: Annotated[str, typer.Option("--done-at", help="Already done on scene at this time.")] = "",
    because: Because = "",
    direction: Direction = "",
    km: Km = None,
    data: Data = DATA,
    by: By = "",
    post: Post = "post-duty",
    server: Server = "",
    token: Token = "",
) -> None:
    """Order a measure that no desk proposed, or record one already done on scene."""
    from clearway.kernel.clock import parse_utc
    from clearway.operations import entry

    when = parse_utc(done, where="--done-at") if done else None
    restricts = kind.upper() not in ("INFO", "GAP", "CLEAR", "ROLL")

    def build(teller: Teller, where: Where) -> Command:
        return entry.measure(
            teller, where, kind.upper(), restrictive=restricts, legal_basis=basis, kmh=kmh, hours=hours,
            done_at=when, reason=because,
        )  # fmt: skip

    _enter(build, road, direction, km, data, by, post, server, token)


@app.command("task")
def task(
    road: Road,
    kind: Annotated[str, typer.Argument(help="treat, inspect, place_sign, direct, recover, supply …")],
    words: Annotated[str, typer.Option(help="What is to be done, in words.")] = "",
    due: Annotated[float, typer.Option(help="Due in so many hours.")] = 1.0,
    action: Annotated[str, typer.Option(help="salt, plough, plough_salt, abrasive …")] = "",
    rate: Annotated[float | None, typer.Option(help="g/m².", min=0, max=200)] = None,
    unit: Annotated[str, typer.Option(help="Unit that shall do it.")] = "",
    direction: Direction = "",
    km: Km = None,
    data: Data = DATA,
    by: By = "",
    post: Post = "post-dispatch",
    server: Server = "",
    token: Token = "",
) -> None:
    """Give a task that no desk proposed."""
    from clearway.operations import entry

    def build(teller: Teller, where: Where) -> Command:
        return entry.task(
            teller, where, kind, due_h=due, action=action, rate_g_m2=rate, unit=unit, words=words
        )

    _enter(build, road, direction, km, data, by, post, server, token)


def _enter(
    build: Callable[[Teller, Where], Command],
    road: str,
    direction: str,
    km: float | None,
    data: Path,
    by: str,
    post: str,
    server: str,
    token: str,
    told: Sequence[Told] = (),
) -> None:
    from clearway.kernel.clock import SystemClock
    from clearway.operations.entry import Teller, Where, find_road
    from clearway.operations.installation import read_settings

    settings = read_settings(data)
    where = find_road(_network(data), road, direction=direction, km=km) if road else Where(())
    teller = Teller(_actor(by, post, str(settings["area"])), str(settings["area"]), SystemClock().now())
    command = build(teller, where)
    said = _send(server, token, command, told) if server else _write(data, settings, command, told)
    for corridor in where.corridors:
        typer.echo(f"{corridor.label.zh} / {corridor.label.en}", err=True)
    typer.echo(said)


def _network(data: Path) -> Network:
    from clearway.network.store import holds_network, load

    folder = data / "network"
    if not holds_network(folder):
        raise InputError("no roads yet", where=str(folder), hint=f"clearway import roads FILE --out {folder}")
    return load(folder)


def _actor(by: str, post: str, area: str) -> Any:
    from clearway.operations.deployment import POSTS
    from clearway.records import Actor, Role

    if not by:
        raise InputError("say who you are", where="--by", hint="Give --by NAME or set CLEARWAY_BY")
    found = next((p for p in POSTS if p.id == post), None)
    if found is None:
        raise InputError(f"there is no post {post!r}", where="--post", hint=", ".join(p.id for p in POSTS))
    return Actor(by, (Role(found.role, area),), post)


def _write(data: Path, settings: Any, command: Command, told: Sequence[Told]) -> str:
    from clearway.doctrine import load_doctrine
    from clearway.kernel.clock import SystemClock
    from clearway.operations.installation import journal_url, open_sealer
    from clearway.operations.storm import kinds_of_house
    from clearway.records import Journal

    doctrine = load_doctrine(settings.get("packs", ["cn"]))
    url, clock = journal_url(data, settings), SystemClock()
    journal = Journal.open(url, kinds_of_house(), clock=clock, doctrine_hash=doctrine.hash)
    try:
        event = journal.submit(command)
        if told:
            sealer = open_sealer(journal, url, settings, clock)
            try:
                for number, (field, content, media_type) in enumerate(told):
                    row, key = journal.get(event.record_id), f"{command.key}:told:{number}"
                    event = sealer.attach(row, field, content, media_type, command.actor, key)
            finally:
                sealer.store.close()
    finally:
        journal.close()
    return f"{event.record_id} {event.state} (event {event.seq})"


def _send(server: str, token: str, command: Command, told: Sequence[Told]) -> str:
    """Give the command and what goes with it to a running server.

    Raises:
        InputError: what the server refused.
    """
    from urllib.parse import urlencode

    from clearway.cli.remote import Remote

    remote = Remote(server, token)
    done = remote.submit(command)
    for number, (field, content, media_type) in enumerate(told):
        query = urlencode({"field": field, "key": f"{command.key}:told:{number}"})
        path = f"/api/v1/records/{command.kind}/{done['record_id']}/sealed?{query}"
        done = remote.post(path, content, media_type)
    return f"{done['record_id']} {done['state']} (event {done['seq']})"


def _told(note: str, photos: Sequence[Path]) -> list[Told]:
    """Words and photos for the sealed store; a photo leaves this machine without its metadata.

    Raises:
        InputError: a photo that cannot be read or is none.
    """
    from clearway.records.sealed import strip_metadata

    told: list[Told] = [("description", note.encode(), "text/plain")] if note else []
    for path in photos:
        try:
            told.append(("photos", *strip_metadata(path.read_bytes())))
        except OSError as error:
            raise InputError(f"cannot be read: {error.strerror}", where=str(path)) from error
    return told
