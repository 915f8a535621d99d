"""``clearway winter solve``: arc routing of benchmark and municipal files, bounded and checked."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from clearway.kernel.language import Text
    from clearway.operations.winter.routes.solving import Outcome


def solve(
    file: Annotated[Path, typer.Argument(help="CARP text (either dialect) or salt-spreading JSON.")],
    seconds: Annotated[float, typer.Option(help="Time for bound and search.", min=0, max=86400)] = 10.0,
    seed: Annotated[int, typer.Option(help="Seed of the search.", min=0)] = 1,
    iterations: Annotated[
        int | None, typer.Option(help="Search by iterations instead of time: repeats exactly.", min=1)
    ] = None,
    processes: Annotated[int, typer.Option(help="Searches beside each other.", min=1, max=256)] = 1,
    vehicles: Annotated[
        int | None, typer.Option(help="Most vehicles (CARP); as many as it takes when left out.", min=1)
    ] = None,
    bound_seconds: Annotated[
        float | None,
        typer.Option(help="Of these seconds for the lower bound; a tenth when left out.", min=0),
    ] = None,
    check: Annotated[
        Path | None, typer.Option("--check", help="Only judge this solution; nothing is planned.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="File for the solution.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Everything as JSON.")] = False,
) -> None:
    """Plan routes for a file, or judge a solution of it.

    Faults of single roads are named and the rest is planned. Exit code 0: the checker finds the plan fit; 1:
    it does not (for example because no plan can keep the time limit), or nothing can be planned; 2: the file
    cannot be used.
    """
    from clearway.operations.winter.routes.solving import Order, check_file, open_file, solve_file

    instance = open_file(file)
    if check is not None:
        found = check_file(instance, check, bound_s=bound_seconds)
    else:
        order = Order(seconds, seed, iterations, processes, vehicles, bound_seconds)
        found = solve_file(instance, order, _progress)
        if out is not None:
            out.write_text(found.solution, encoding="utf-8")
    if as_json:
        typer.echo(json.dumps(found.as_dict(), ensure_ascii=False))
    else:
        _show(found, planned=check is None)
    if not (found.verdict.ok and found.planned):
        raise typer.Exit(1)


def _progress(text: Text) -> None:
    print(f"{text.en} / {text.zh}", file=sys.stderr, flush=True)


def _show(found: Outcome, *, planned: bool) -> None:
    from clearway.kernel.language import Text

    def line(en: str, zh: str) -> None:
        typer.echo(f"{en} / {zh}")

    verdict, cost = found.verdict, found.cost
    size = f"{cost / 1000:.3f} km" if found.unit == "m" else f"{cost:g}"
    line(
        f"{found.name}: {size}, {len(verdict.routes)} vehicles, {verdict.served} roads served",
        f"{found.name}：{size}，{len(verdict.routes)}辆车，作业{verdict.served}条路段",
    )
    for base, en, zh in (
        (found.best_known, "best known", "已知最优"),
        (found.lower_bound, "lower bound", "下界"),
    ):
        if base and found.planned:
            share = f"{100 * (cost - base) / base:+.2f} %" if found.comparable else "–"
            value = f"{base / 1000:.3f} km" if found.unit == "m" else f"{base:g}"
            line(f"{en} {value}: {share}", f"{zh}{value}：{share}")
    if planned:
        line(
            f"{found.iterations} iterations in {found.search_s:.1f} s, seed {found.order.seed}",
            f"{found.search_s:.1f}秒内迭代{found.iterations}次，种子{found.order.seed}",
        )
    for text in found.words:
        line(text.en, text.zh)
    if verdict.routes:
        line(
            "routes: '=' before a node reached serving, a blank where only driven",
            "路线：“=”表示沿途作业至该节点，空格表示仅行驶",
        )
    for route in verdict.routes:
        way = (
            f"{route.cost / 1000:.3f} km, {route.time_min:.1f} min"
            if found.unit == "m"
            else f"{route.cost:g}"
        )
        loads = " + ".join(f"{load:g}" for load in route.loads)
        typer.echo(f"  {route.name}: {way}; {loads}; {route.way}")
    fit = Text("fit", "合格") if verdict.ok else Text("NOT fit", "不合格")
    if not found.planned:
        fit = Text("nothing planned", "未规划任何路段")
    elif found.not_planned:
        n = found.not_planned
        fit = Text(f"{fit.en}, {n} road{'s' if n > 1 else ''} not planned", f"{fit.zh}，{n}条路段未规划")
    line(f"Checker: {fit.en}", f"校验：{fit.zh}")
    for finding in (*found.findings, *verdict.findings):
        typer.echo(f"  {finding.where}: {finding.text.en} / {finding.text.zh}")


def add_to(group: typer.Typer) -> None:
    """Put the command into a group."""
    group.command("solve")(solve)
