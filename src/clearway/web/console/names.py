"""Names of things by id: corridors, areas, posts, units, accounts, verbs."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from clearway.kernel.language import Text, join
from clearway.network.model import Network
from clearway.network.store import content_hash
from clearway.web.finding import search_of
from clearway.web.services import Services

_SHOWN = 4


@lru_cache(maxsize=4)
def corridor_numbers(network: Network) -> dict[str, int]:
    """Index of every corridor id."""
    return {corridor.id: number for number, corridor in enumerate(network.corridors)}


@lru_cache(maxsize=4)
def network_hash(network: Network) -> str:
    """Content hash of the network."""
    return content_hash(network)


def indices(network: Network, ids: Iterable[object]) -> list[int]:
    """Indices of corridor ids that exist."""
    known = corridor_numbers(network)
    return [known[str(i)] for i in ids if str(i) in known]


def roads(network: Network, ids: Iterable[object], *, limit: int = _SHOWN) -> Text:
    """Corridors in words, the rest counted."""
    labels = [network.corridors[i].label for i in indices(network, ids)]
    return join(labels, limit=limit) if labels else Text("", "")


def find_roads(network: Network, text: str, *, limit: int = 20) -> list[int]:
    """Corridor indices for what somebody typed: an id, a name, a number."""
    known = corridor_numbers(network)
    if text in known:
        return [known[text]]
    return [match.corridor for match in search_of(network).find(text, limit=limit)]


def post_names(house: Services) -> dict[str, Text]:
    """Titles of posts by id."""
    return {row.id: Text.of(row.data.get("title") or row.id) for row in house.journal.list("post")}


def area_names(house: Services) -> dict[str, Text]:
    """Names of areas by id, grid cells left out."""
    rows = (row for row in house.journal.list("area") if row.data.get("level") != "cell")
    return {row.id: Text.of(row.data.get("name") or row.id) for row in rows}


def unit_names(house: Services) -> dict[str, Text]:
    """Names of units by id."""
    return {row.id: Text.of(row.data.get("name") or row.id) for row in house.journal.list("unit")}
