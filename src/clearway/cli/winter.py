"""``clearway winter``: plough and salt plans."""

from __future__ import annotations

import typer

from clearway.cli.winter_plan import add_to

app = typer.Typer(help="Treatment need, plough and salt routes.")
add_to(app)
