"""``clearway replay``: play the shipped storm again at any speed; pause, jump ahead, and ask what if."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from clearway.operations.playback import Playback
    from clearway.operations.session import Session
    from clearway.operations.what_if import Change, Difference

app = typer.Typer(help="Play a past period again, at any speed.")

HELP = (
    "p pause or go on · s SPEED (seconds of storm a second, 0: as fast as it goes) · j TIME jump ahead · "
    "w warmer K | wetter FACTOR | later HOURS | salt ROAD G/M2: what if, asked of the last hour · q end"
)


@app.command("replay")
def replay(
    out: Annotated[Path, typer.Option("--out", help="New folder for what the run writes.")],
    start: Annotated[str, typer.Option("--from", help="First hour.")] = "2015-11-21T20:00+08:00",
    end: Annotated[str, typer.Option("--to", help="Last hour.")] = "2015-11-22T19:00+08:00",
    speed: Annotated[float, typer.Option(help="Seconds of storm per second; 0: as fast as it goes.")] = 0.0,
) -> None:
    """Play the storm of November 2015; lines on standard input control it (``?`` lists them)."""
    from clearway.kernel.clock import iso, parse_utc
    from clearway.operations.playback import Playback
    from clearway.operations.storm import open_storm

    begin, finish = parse_utc(start, where="--from"), parse_utc(end, where="--to")
    storm = open_storm(out, begin)
    try:
        play = Playback(storm.session, begin, finish, speed=speed)
        listener = threading.Thread(target=_listen, args=(play, storm.session, sys.stdin), daemon=True)
        listener.start()
        for report in play:
            levels = ", ".join(f"{h} {level}" for h, level in sorted(report.trace.levels.items())) or "quiet"
            typer.echo(f"{iso(report.at)}  {levels}; {report.trace.restrictions} restrictions")
        listener.join(timeout=0.5)
        typer.echo(f"{storm.journal.head().seq} events; head {storm.journal.head()}")
    finally:
        storm.close()


def _listen(play: Playback, session: Session, lines: Iterable[str]) -> None:
    for line in lines:
        typer.echo(answer(line, play, session), err=True)


def answer(line: str, play: Playback, session: Session) -> str:
    """Do what one control line says; returns what to tell. A line that makes no sense changes nothing."""
    from clearway.kernel.clock import parse_utc
    from clearway.kernel.errors import ClearwayError

    verb, _, rest = line.strip().partition(" ")
    acts: dict[str, Callable[[], str]] = {
        "p": lambda: _pause(play),
        "s": lambda: _told(play.set_speed, float(rest), f"speed {rest}"),
        "j": lambda: _told(play.jump, parse_utc(rest), f"playing on to {rest}"),
        "w": lambda: ask(rest, session),
        "q": lambda: _stop(play),
    }
    if verb not in acts:
        return HELP
    try:
        return acts[verb]()
    except ValueError:
        return f"not understood: {line.strip()!r}. {HELP}"
    except ClearwayError as error:
        return str(error)


def _pause(play: Playback) -> str:
    if play.paused:
        play.resume()
        return "going on"
    play.pause()
    return "paused"


def _stop(play: Playback) -> str:
    play.stop()
    return "ending"


def _told(act: Callable[[float], None] | Callable[[datetime], None], value: object, words: str) -> str:
    act(value)  # type: ignore[arg-type]  # each act gets the value made for it one line above
    return words


def ask(words: str, session: Session) -> str:
    """What one change of the last hour's picture would do.

    Raises:
        ValueError: the question is not understood.
    """
    from clearway.operations.what_if import what_if

    if session.last is None or session.picture is None:
        return "no hour has been played yet"
    ground = session.ground
    change = change_of(words, session)
    found = what_if(
        session.picture, session.state_before, ground.doctrine, ground.desks, change, session.last
    )
    return told(found.difference)


def change_of(words: str, session: Session) -> Change:
    """The change a question names.

    Raises:
        ValueError: the question is not understood.
    """
    from clearway.network.search import CorridorSearch
    from clearway.operations.what_if import AddTreatments, WeatherShift
    from clearway.picture.picture import Treatment

    kind, _, rest = words.strip().partition(" ")
    if kind == "warmer":
        return WeatherShift(temperature_k=float(rest))
    if kind == "wetter":
        return WeatherShift(precipitation_factor=float(rest))
    if kind == "later":
        return WeatherShift(later_h=int(rest))
    if kind == "salt" and session.picture is not None:
        road, _, rate = rest.rpartition(" ")
        found = CorridorSearch(session.ground.network).find(road, limit=4)
        if found:
            at = session.picture.at
            doses = tuple(Treatment(m.corridor, "salt", float(rate), at, "what if") for m in found)
            return AddTreatments(doses)
    raise ValueError(words)


def told(difference: Difference) -> str:
    """A difference in a few lines."""
    lines = [f"what if: {difference.change.en} (desks run again: {', '.join(difference.reran)})"]
    for name, keys in (
        ("situations gone", difference.situations_lost),
        ("situations new", difference.situations_gained),
        ("situations changed", difference.situations_changed),
        ("proposals gone", difference.proposals_lost),
        ("proposals new", difference.proposals_gained),
        ("proposals changed", difference.proposals_changed),
    ):
        if keys:
            lines.append(f"  {name}: {', '.join(keys)}")
    for field in difference.fields:
        if field.name in ("rst_c", "friction", "ice_mm", "snow_mm", "p_slippery"):
            lines.append(f"  {field.name}: mean change {field.mean_change:+.3f} {field.unit}")
    return "\n".join(lines)
