"""Ramps and unnamed roundabouts: which road they belong to."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from clearway.network.model import Corridor

if TYPE_CHECKING:
    from clearway.network.build import Draft

_STEPS: Final = 12
"""Ramps further than this many segments from any named road stay without one."""
_NONE: Final = np.iinfo(np.int64).max


def attach_ramps(corridors: list[Corridor], corridor: NDArray[np.int32], draft: Draft) -> list[Corridor]:
    """Give ramps and unnamed roundabouts to the most important corridor they touch, then spread along ramps.

    ``corridor`` is filled in place; the corridors come back with their ``links``.
    """
    loose = (corridor < 0) & (draft.is_link | draft.roundabout)
    rank = np.array([int(c.road_class) for c in corridors], np.int64) * (1 << 32)
    code = np.where(corridor >= 0, rank[np.maximum(corridor, 0)] + corridor, _NONE) if corridors else None
    if code is None:
        return corridors
    node = np.full(draft.node_id.size, _NONE)
    for ends in (draft.from_key, draft.to_key):
        np.minimum.at(node, ends, np.where(loose, _NONE, code))
    open_links = np.flatnonzero(loose)
    for _ in range(_STEPS):
        reach = np.minimum(node[draft.from_key[open_links]], node[draft.to_key[open_links]])
        hit = reach < _NONE
        if not hit.any():
            break
        taken = open_links[hit]
        code[taken] = reach[hit]
        open_links = open_links[~hit]
        fresh = np.full(node.size, _NONE)
        for ends in (draft.from_key, draft.to_key):
            np.minimum.at(fresh, ends[taken], code[taken])
        node = np.where(node < _NONE, node, fresh)
    given = loose & (code < _NONE)
    corridor[given] = (code[given] & 0xFFFFFFFF).astype(np.int32)
    order = np.flatnonzero(given)
    order = order[np.argsort(corridor[order], kind="stable")]
    bounds = np.searchsorted(corridor[order], np.arange(len(corridors) + 1))
    return [
        replace(c, links=np.concatenate([c.links, order[bounds[i] : bounds[i + 1]]]).astype(np.int32))
        if bounds[i + 1] > bounds[i]
        else c
        for i, c in enumerate(corridors)
    ]
