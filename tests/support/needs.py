"""What a test needs from the machine, and what happens when it is not there."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def in_ci() -> bool:
    """Whether this run is the one that counts (``CI=true``): there nothing may be missing."""
    return os.environ.get("CI", "").lower() in {"1", "true", "yes"}


def missing(what: str) -> NoReturn:
    """Skip the test on somebody's own machine, fail it in CI."""
    if in_ci():
        pytest.fail(f"{what} (needed when CI=true)", pytrace=False)
    pytest.skip(what)
