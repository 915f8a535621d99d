"""``clearway doctrine``: read the rules in force, where each number comes from, and what conflicts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Rules in force, their sources and conflicts.", no_args_is_help=True)

Packs = Annotated[list[str] | None, typer.Option("--pack", "-p", help="Pack name or path; may be repeated.")]
Override = Annotated[Path | None, typer.Option("--overrides", help="Local TOML file that overrides packs.")]


@app.command("show")
def show(prefix: str = "", pack: Packs = None, overrides: Override = None) -> None:
    """List rules below PREFIX with value, grade, source and layer."""
    from clearway.doctrine.loader import load_doctrine

    doctrine = load_doctrine(pack or ["cn"], overrides=overrides)
    for key, rule in sorted(doctrine.values.items()):
        if key.startswith(prefix):
            typer.echo(f"{key} = {rule.value!r}  [{rule.grade}] {rule.source} ({rule.layer})")


@app.command("check")
def check(pack: Packs = None, overrides: Override = None) -> None:
    """Load the packs; print the hash and every conflict with what won and why."""
    from clearway.doctrine.loader import load_doctrine

    doctrine = load_doctrine(pack or ["cn"], overrides=overrides)
    typer.echo(f"{len(doctrine.values)} rules from {', '.join(doctrine.layers)}; hash {doctrine.hash}")
    for conflict in doctrine.conflicts:
        typer.echo(
            f"conflict {conflict.key}: kept {conflict.kept.value!r} [{conflict.kept.grade}], "
            f"dropped {conflict.dropped.value!r} [{conflict.dropped.grade}] {conflict.dropped.source}: "
            f"{conflict.reason.en}"
        )
