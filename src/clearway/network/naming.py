"""Road names: what is a bridge, and how a Chinese name reads in Latin letters."""

from __future__ import annotations

import re
from typing import Final

_BRIDGE_ZH: Final = re.compile(r"(?:立交)?桥(?:[（(].*[)）])?$")
_BRIDGE_LATIN: Final = re.compile(r"\b(?:flyover|viaduct|overpass|bridge)$", re.IGNORECASE)


def is_bridge_name(name: str) -> bool:
    """Whether a name is that of a bridge or interchange (…桥, … Bridge), not of a road named after one.

    >>> is_bridge_name("天宁寺桥"), is_bridge_name("卢沟桥南路"), is_bridge_name("Marco Polo Bridge")
    (True, False, True)
    """
    return bool(_BRIDGE_ZH.search(name.strip()) or _BRIDGE_LATIN.search(name.strip()))
