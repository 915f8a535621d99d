"""Turn restrictions of OSM as forbidden pairs of segments."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clearway.exchange.osm.read import RawRoads, Restriction


def banned_turns(
    raw: RawRoads,
    way_id: NDArray[np.int64],
    from_node: NDArray[np.int32],
    to_node: NDArray[np.int32],
    node_id: NDArray[np.int64],
) -> NDArray[np.int32]:
    """Pairs (segment, segment) that may not follow each other, shape (n, 2).

    ``no_*`` forbids the turn into the *to* way, ``only_*`` every other way on. Restrictions over a way, for
    some vehicles only, or on roads that were not imported are counted in ``raw.problems``.
    """
    arriving: dict[tuple[int, int], list[int]] = {}
    leaving: dict[int, list[int]] = {}
    wanted = {n for r in raw.restrictions for n in r.via_nodes}
    here = np.isin(node_id, np.array(sorted(wanted), np.int64)) if wanted else np.zeros(node_id.size, bool)
    for s in np.flatnonzero(here[to_node]).tolist():
        arriving.setdefault((int(way_id[s]), int(node_id[to_node[s]])), []).append(s)
    for s in np.flatnonzero(here[from_node]).tolist():
        leaving.setdefault(int(node_id[from_node[s]]), []).append(s)
    pairs: set[tuple[int, int]] = set()
    unused = 0
    for restriction in raw.restrictions:
        found = _pairs(restriction, way_id, arriving, leaving)
        unused += found is None
        pairs |= found or set()
    if unused:
        raw.problems.append(
            f"{unused} turn restrictions not used: over a way, incomplete, or on roads that were not imported"
        )
    return np.array(sorted(pairs), np.int32).reshape(-1, 2)


def _pairs(
    restriction: Restriction,
    way_id: NDArray[np.int64],
    arriving: dict[tuple[int, int], list[int]],
    leaving: dict[int, list[int]],
) -> set[tuple[int, int]] | None:
    """Forbidden pairs of one restriction, None when it cannot be applied."""
    if not restriction.via_nodes or restriction.via_ways or not restriction.kind:
        return None
    found: set[tuple[int, int]] = set()
    applied = False
    for via in restriction.via_nodes:
        before = [s for way in restriction.from_ways for s in arriving.get((way, via), ())]
        after = leaving.get(via, [])
        into = [s for s in after if int(way_id[s]) in restriction.to_ways]
        if not before or not into:
            continue
        applied = True
        banned = [s for s in after if s not in into] if restriction.kind.startswith("only_") else into
        found |= {(a, b) for a in before for b in banned}
    return found if applied else None
