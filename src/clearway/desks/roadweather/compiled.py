"""How the engine is compiled, and when its cache on disk is stale.

Numba keeps a compiled function until its own file changes; a function that calls into another file would
go on with the old code of that file. Here the sources of all compiled modules are part of the cache key.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, TypeVar

from numba import njit
from numba.core.caching import FunctionCache

F = TypeVar("F", bound=Callable[..., Any])

FAST: Final = {"contract", "arcp", "nsz"}
"""Fast-math flags that keep NaN and infinity and do not reorder sums."""
MODULES: Final = (
    "chemistry", "compiled", "conditions", "constants", "engine_classes", "engine_flux",
    "engine_ground", "engine_kernel", "engine_stores", "engine_types", "friction",
)  # fmt: skip


def _sources() -> str:
    digest = sha256()
    for name in MODULES:
        digest.update(Path(__file__).with_name(f"{name}.py").read_bytes())
    return digest.hexdigest()


SOURCES: Final = _sources()


class _SourceCache(FunctionCache):
    """Numba's cache, keyed by the sources of all compiled modules as well."""

    def _index_key(self, sig: Any, codegen: Any) -> Any:
        key: Any = super()._index_key
        return (*key(sig, codegen), SOURCES)


def compiled(function: F) -> F:
    """Compile on first use, cache on disk, release the GIL, divide as IEEE does."""
    made: Any = njit(nogil=True, error_model="numpy", fastmath=FAST)(function)
    made._cache = _SourceCache(function)  # type: ignore[no-untyped-call]  # numba has no types
    kept: F = made
    return kept


def inlined(function: F) -> F:
    """Compiled into its caller: for parts of the time loop that take many arrays."""
    made: Any = njit(inline="always", error_model="numpy", fastmath=FAST)(function)
    kept: F = made
    return kept
