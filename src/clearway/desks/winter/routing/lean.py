"""How the loops of the search are compiled: kept on disk, without the interpreter's lock, counting nothing.

Nothing here makes an array, so that numba need not count who holds which: that took a third of the time. A
function that makes one is refused by the compiler at its first call.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

from numba import njit

F = TypeVar("F", bound=Callable[..., Any])
OPTIONS: Final[Any] = {"cache": True, "nogil": True, "error_model": "numpy", "_nrt": False}


def compiled(function: F) -> F:
    """The function, compiled at its first call and kept for later runs; it makes no arrays."""
    made: Any = njit(**OPTIONS)(function)
    return cast("F", made)
