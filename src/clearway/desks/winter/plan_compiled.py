"""One way to compile the loops of plans: cached on disk, without the interpreter's lock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """The function, compiled at its first call and kept for later runs."""
    made: Any = njit(cache=True, nogil=True)(function)
    return cast("F", made)


def compiled_inline(function: F) -> F:
    """Like :func:`compiled`, written out where it is called: no cost of a call."""
    made: Any = njit(cache=True, nogil=True, inline="always")(function)
    return cast("F", made)
