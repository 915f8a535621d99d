"""``clearway exercise``: the shipped storm with injected events; decisions and crews are simulated."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Run an exercise with injected events.")


@app.command("exercise")
def exercise(
    scenario: Annotated[Path, typer.Argument(help="Scenario file (TOML), see docs of operations.exercise.")],
    out: Annotated[Path, typer.Option("--out", help="New folder for what the run writes.")],
    start: Annotated[str, typer.Option("--from", help="First hour.")] = "2015-11-21T20:00+08:00",
    hours: Annotated[int, typer.Option(help="Hours to play.", min=1, max=240)] = 24,
) -> None:
    """Play a scenario over the storm of November 2015 and say what every injection led to."""
    from clearway.kernel.clock import iso, parse_utc
    from clearway.operations.exercise import Exercise, load_scenario
    from clearway.operations.storm import open_storm

    plan = load_scenario(scenario)
    begin = parse_utc(start, where="--from")
    storm = open_storm(out, begin)
    try:
        umpire = storm.deployment.actor("post-duty", account="umpire", simulated=True)
        play = Exercise(storm.session, plan, begin, umpire)
        typer.echo(f"{plan.name.en} / {plan.name.zh}", err=True)
        for hour in range(hours):
            report = play.step(begin + timedelta(hours=hour))
            worst = max(report.trace.levels.values(), default=0)
            typer.echo(f"{iso(report.at)} level {worst}, {report.trace.restrictions} restrictions", err=True)
        for at, injection, outcome in play.done:
            typer.echo(f"{iso(at)}  {injection.kind}: {outcome}")
        head = storm.journal.head()
        typer.echo(f"{head.seq} events; head {head}")
    finally:
        storm.close()
