"""How the engine is compiled: IEEE division without Python's checks, multiply-add allowed, NaN respected."""

from __future__ import annotations

from typing import Final

FAST: Final = {"contract", "arcp", "nsz"}
"""Fast-math flags that keep NaN and infinity and do not reorder sums."""
