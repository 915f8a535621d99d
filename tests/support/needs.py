"""What a test needs from the machine, and what happens when it is not there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NoReturn

import pytest

NO_PACKAGES = "the console's scripts were not built: npm packages unreachable"
"""Reason of the one skip that also CI accepts."""


def in_ci() -> bool:
    """Whether this run is the one that counts (``CI=true``): there nothing may be missing."""
    return os.environ.get("CI", "").lower() in {"1", "true", "yes"}


def missing(what: str) -> NoReturn:
    """Skip the test on somebody's own machine, fail it in CI."""
    if in_ci():
        pytest.fail(f"{what} (needed when CI=true)", pytrace=False)
    pytest.skip(what)


def bundle(folder: Path) -> None:
    """Need the built scripts in ``folder``; where the build could not reach npm, say so and skip."""
    if (folder / "console.js").is_file() and (folder / "map.js").is_file():
        return
    note = folder / "NOT_BUILT"
    why = note.read_text(encoding="utf-8") if note.is_file() else "no build has been tried"
    if why.startswith("unreachable"):
        pytest.skip(f"{NO_PACKAGES} ({why[-200:]})")
    missing(f"the console's scripts are not built: {why[-200:]}")
