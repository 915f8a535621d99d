"""``clearway log``: enter an incident, a word about a road or sensor, a measure or a task in one command."""

from __future__ import annotations

from collections.abc import Callable
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


@app.command("incident")
def incident(
    road: Road,
    kind: Annotated[str, typer.Argument(help="crash, breakdown, obstacle, blocked, slippery, …")],
    direction: Direction = "",
    km: Km = None,
    lanes: Annotated[int | None, typer.Option(help="Lanes blocked.", min=0)] = None,
    level: Annotated[str, typer.Option(help="blue, yellow, orange or red.")] = "yellow",
    happened: Annotated[str, typer.Option("--at", help="When it happened; now when left out.")] = "",
    data: Data = DATA,
    by: By = "",
    post: Post = "post-duty",
    server: Server = "",
    token: Token = "",
) -> None:
    """Report an incident."""
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
        road, direction, km, data, by, post, server, token,
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
) -> None:
    from clearway.kernel.clock import SystemClock
    from clearway.operations.entry import Teller, Where, find_road
    from clearway.operations.installation import read_settings

    settings = read_settings(data)
    where = find_road(_network(data), road, direction=direction, km=km) if road else Where(())
    teller = Teller(_actor(by, post, str(settings["area"])), str(settings["area"]), SystemClock().now())
    command = build(teller, where)
    said = _send(server, token, command) if server else _write(data, settings, command)
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


def _write(data: Path, settings: Any, command: Command) -> str:
    from clearway.doctrine import load_doctrine
    from clearway.kernel.clock import SystemClock
    from clearway.operations.storm import kinds_of_house
    from clearway.records import Journal

    doctrine = load_doctrine(settings.get("packs", ["cn"]))
    url = str(settings.get("journal") or f"sqlite:///{(data / 'journal.sqlite').resolve().as_posix()}")
    journal = Journal.open(url, kinds_of_house(), clock=SystemClock(), doctrine_hash=doctrine.hash)
    try:
        event = journal.submit(command)
    finally:
        journal.close()
    return f"{event.record_id} {event.state} (event {event.seq})"


def _send(server: str, token: str, command: Command) -> str:
    """Give the command to a running server, which alone may write its journal.

    Raises:
        InputError: no token, an address that is neither https nor this machine, or what the server refused.
    """
    import json
    import urllib.error
    import urllib.parse
    import urllib.request

    address = urllib.parse.urlsplit(server)
    local = address.hostname in ("127.0.0.1", "localhost", "::1")
    if address.scheme != "https" and not (address.scheme == "http" and local):
        raise InputError("a token goes over https only", where="--server")
    if not token:
        raise InputError("the server needs a token", where="--token", hint="Set CLEARWAY_TOKEN")
    body: dict[str, Any] = {
        "kind": command.kind,
        "verb": command.verb,
        "key": command.key,
        "data": dict(command.data),
        "reason": command.reason,
    }
    if command.at is not None:
        body["at"] = command.at.isoformat()
    request = urllib.request.Request(
        f"{server.rstrip('/')}/api/v1/commands",
        data=json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        method="POST",
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            done = json.load(answer)
    except urllib.error.HTTPError as error:
        told = json.loads(error.read() or b"{}").get("error", {})
        raise InputError(
            str(told.get("what") or error.reason),
            where=str(told.get("where") or server),
            hint=str(told.get("hint") or ""),
        ) from error
    except (urllib.error.URLError, TimeoutError) as error:
        raise InputError(f"no answer: {error}", where=server) from error
    return f"{done['record_id']} {done['state']} (event {done['seq']})"
