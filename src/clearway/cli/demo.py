"""``clearway demo``: a real winter storm through the whole loop, then its report, page and feed."""

from __future__ import annotations

import json
import shutil
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from clearway.operations.storm import Storm

app = typer.Typer(help="Play a real winter storm through the whole loop.")

Out = Annotated[Path, typer.Option("--out", help="Folder for everything the run writes.")]
When = Annotated[str | None, typer.Option(help="ISO time with zone, for example 2015-11-20T00:00+08:00.")]


@app.command("demo")
def demo(
    headless: Annotated[bool, typer.Option("--headless", help="Write the files and stop.")] = False,
    out: Out = Path("demo-out"),
    start: Annotated[str | None, typer.Option("--from", help="First hour, ISO time with zone.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="Last hour, ISO time with zone.")] = None,
    whole: Annotated[bool, typer.Option("--whole", help="The whole storm, 18 to 26 November.")] = False,
    members: Annotated[int, typer.Option(help="Members of the forecast ensemble.", min=1, max=50)] = 10,
    crews: Annotated[int, typer.Option(help="Ploughs of the simulated fleet.", min=1, max=500)] = 24,
    port: Annotated[int, typer.Option(help="Port of the page on loopback.", min=0, max=65535)] = 8310,
    fresh: Annotated[bool, typer.Option("--fresh", help="Empty the folder first.")] = False,
) -> None:
    """Run the storm of November 2015 over Beijing's roads with simulated posts and crews."""
    from clearway.kernel.clock import parse_utc
    from clearway.operations.storm import DEFAULT_FROM, DEFAULT_TO, FIRST, LAST, open_storm

    first = FIRST + timedelta(hours=8) if whole else DEFAULT_FROM
    last = LAST if whole else DEFAULT_TO
    begin = parse_utc(start, where="--from") if start else first
    finish = parse_utc(end, where="--to") if end else min(max(last, begin), LAST)
    if fresh or (out == Path("demo-out") and out.exists()):
        shutil.rmtree(out, ignore_errors=True)
    _say("Importing roads and weather …")
    storm = open_storm(out, begin, members=members, crews=crews)
    try:
        _run(storm, begin, finish)
        paths = _write_results(storm, out, finish)
        for words, path in paths:
            _say(f"{words}: {path}")
        if not headless:
            _serve(storm, out, port)
    finally:
        storm.close()


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


def _serve(storm: Storm, out: Path, port: int) -> None:
    import uvicorn

    from clearway.cli.serving import free_port, storm_services
    from clearway.web.app import create_app

    chosen = free_port(port)
    app_ = create_app(storm_services(storm, out, chosen))
    _say(f"Public page: http://127.0.0.1:{chosen}/   feed: http://127.0.0.1:{chosen}/feed.atom")
    _say("Stop with Ctrl-C.")
    uvicorn.run(app_, host="127.0.0.1", port=chosen, log_level="warning")
