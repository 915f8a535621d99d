"""``clearway demo``: a real winter storm through the whole loop, then its report, page and feed."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from clearway.operations.archive import CycleArchive
    from clearway.operations.storm import Storm

app = typer.Typer(help="Play a real winter storm through the whole loop.")

Out = Annotated[Path, typer.Option("--out", help="Folder for everything the run writes.")]
When = Annotated[str | None, typer.Option(help="ISO time with zone, for example 2015-11-20T00:00+08:00.")]


@app.command("demo")
def demo(
    headless: Annotated[bool, typer.Option("--headless", help="Write the files and stop.")] = False,
    out: Out = Path("demo-out"),
    start: Annotated[str | None, typer.Option("--from", help="First hour, ISO time with zone.")] = None,
    end: Annotated[
        str | None, typer.Option("--to", help="Last hour, ISO time with zone; then the console opens.")
    ] = None,
    whole: Annotated[bool, typer.Option("--whole", help="The whole storm, 18 to 26 November.")] = False,
    members: Annotated[int, typer.Option(help="Members of the forecast ensemble.", min=1, max=50)] = 10,
    crews: Annotated[int, typer.Option(help="Ploughs of the simulated fleet.", min=1, max=500)] = 60,
    port: Annotated[int, typer.Option(help="Port of the page on loopback.", min=0, max=65535)] = 8310,
    speed: Annotated[
        float,
        typer.Option(help="Afterwards, at the console: how many times faster than real.", min=0, max=600),
    ] = 30.0,
    fresh: Annotated[bool, typer.Option("--fresh", help="Empty the folder first.")] = False,
) -> None:
    """Run the storm of November 2015 over Beijing's roads with simulated posts and crews."""
    from clearway.cli.serving import keep_cycles
    from clearway.kernel.clock import parse_utc
    from clearway.operations.storm import DEFAULT_FROM, DEFAULT_TO, FIRST, LAST, OPENS_AT, open_storm

    first = FIRST + timedelta(hours=8) if whole else DEFAULT_FROM
    last = LAST if whole else DEFAULT_TO if headless else OPENS_AT
    begin = parse_utc(start, where="--from") if start else first
    finish = parse_utc(end, where="--to") if end else min(max(last, begin), LAST)
    if fresh or out == Path("demo-out"):
        _empty(out)
    _say("Importing roads and weather …")
    storm = open_storm(out, begin, members=members, crews=crews)
    cycles = keep_cycles(storm.session)
    try:
        _run(storm, begin, finish)
        paths = _write_results(storm, out, finish)
        for words, path in paths:
            _say(f"{words}: {path}")
        if not headless:
            _serve(storm, cycles, out, port, speed)
    finally:
        storm.close()


def _empty(out: Path) -> None:
    """Remove an earlier run; a folder that is not one of ours is left alone.

    Raises:
        InputError: the folder holds something else.
    """
    from clearway.kernel.errors import InputError

    if not out.exists() or not any(out.iterdir()):
        return
    if not (out / "keys" / "demo-key.pem").is_file():
        raise InputError("this folder is not an earlier demo run; nothing was removed", where=str(out))
    shutil.rmtree(out)


def _say(words: str) -> None:
    typer.echo(words, err=True)


def _run(storm: Storm, begin: datetime, finish: datetime) -> None:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from clearway.kernel.levels import Level

    hours = int((finish - begin) / timedelta(hours=1)) + 1
    if hours < 1:
        raise typer.BadParameter("--to lies before --from")
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total} h"))
    with Progress(*columns, TimeRemainingColumn(), console=Console(file=sys.stderr)) as progress:
        task = progress.add_task("storm", total=hours)
        for report in storm.session.run(begin, finish):
            worst = Level(max(report.trace.levels.values(), default=0))
            local = f"{report.at.astimezone():%d %b %H:%M}"
            words = f"{local} {worst.shape} {worst.label.en}, {report.trace.restrictions} restrictions"
            progress.update(task, advance=1, description=words)
            if not sys.stderr.isatty() and report.at.hour % 6 == 0:
                _say(f"{report.at:%Y-%m-%d %H:%MZ} {worst.label.en}; {report.seconds:.1f} s a cycle")


def _write_results(storm: Storm, out: Path, finish: datetime) -> list[tuple[str, Path]]:
    from clearway.operations.summary import summarise
    from clearway.web.report.storm import write_report

    traces = storm.session.traces
    summary = summarise(
        storm.journal,
        traces,
        segments=storm.network.count,
        corridors=len(storm.network.corridors),
        end=storm.session.clock.now(),
        deliveries=storm.delivery.counts(),
    )
    files = {
        "Figures": (out / "summary.json", json.dumps(summary, indent=1, ensure_ascii=False).encode()),
        "Trace of cycles": (out / "cycles.jsonl", b"".join(_line(t.as_dict()) for t in traces)),
        "Feed": (out / "feed.atom", storm.newsroom.feed("atom", storm.session.clock.now())),
    }
    for path, body in files.values():
        path.write_bytes(body)
    report = write_report(storm, out, finish)
    return [("Report", report), *((words, path) for words, (path, _) in files.items())]


def _line(value: object) -> bytes:
    return (json.dumps(value, ensure_ascii=False, sort_keys=True) + "\n").encode()


def _serve(storm: Storm, cycles: CycleArchive, out: Path, port: int, speed: float) -> None:
    """The console goes on where the run ended: crews are simulated, decisions are the visitor's."""
    from clearway.cli.serving import demo_accounts, free_port, listen, serve_on, storm_services
    from clearway.operations.apart import CycleProcess
    from clearway.operations.pace import Pace, attention_of
    from clearway.operations.storm import LAST
    from clearway.web.app import create_app

    listener = listen("127.0.0.1", free_port(port))
    chosen = int(listener.getsockname()[1])
    storm.session.runner = worker = CycleProcess(storm.session.ground)
    worker.start()
    house = storm_services(storm, out, chosen, cycles, worker, speed=speed)
    demo_accounts(house.access, storm.deployment.area)
    storm.people_decide()
    last = storm.session.picture.at if storm.session.picture else None
    pace = Pace(storm.session, speed=speed, until=LAST, attention=attention_of(storm.session), last_good=last)
    if speed > 0:
        house = replace(house, pulse=lambda: pace.pulse)
    _say(f"Console, take a seat: http://127.0.0.1:{chosen}/demo/{house.demo_door}")
    _say(f"Public page: http://127.0.0.1:{chosen}/   feed: http://127.0.0.1:{chosen}/feed.atom")
    _say("Stop with Ctrl-C.")
    if speed > 0:
        pace.start()
    try:
        serve_on(create_app(house), listener)
    finally:
        if speed > 0:
            pace.stop()
        worker.close()
