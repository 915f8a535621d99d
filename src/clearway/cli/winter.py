"""``clearway winter``: the group; commands on plans live in ``winter_plan``, others add themselves here."""

from __future__ import annotations

import typer

from clearway.cli.winter_plan import add_to
from clearway.cli.winter_solve import add_to as add_solve

app = typer.Typer(help="Treatment need, plough and salt routes.")
add_to(app)
add_solve(app)
