"""Small OpenStreetMap files made on the spot, and the shipped Beijing network imported once a process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from xml.sax.saxutils import quoteattr

from clearway.exchange.osm import import_roads
from clearway.kernel.language import Text
from clearway.network.model import Network

Nodes = Mapping[int, tuple[float, float]]
Way = tuple[int, Sequence[int], Mapping[str, str]]


def beijing_file() -> Path:
    """The extract that ships."""
    return Path(str(resources.files("clearway.data").joinpath("beijing", "beijing_roads.osm.pbf")))


@cache
def beijing() -> Network:
    """The shipped extract as a network; imported once in each test process."""
    return import_roads(beijing_file(), city=Text("Beijing", "北京"))


def osm_xml(
    nodes: Nodes,
    ways: Sequence[Way],
    restrictions: Sequence[tuple[int, str, int, int, int]] = (),
    *,
    node_tags: Mapping[int, Mapping[str, str]] | None = None,
    ways_first: bool = False,
) -> bytes:
    """An OSM XML document; nodes are id → (lon, lat), restrictions (id, kind, from way, via node, to way)."""
    tags = node_tags or {}
    node_lines = [
        f'<node id="{i}" lat="{lat}" lon="{lon}" version="1">{_tags(tags.get(i, {}))}</node>'
        for i, (lon, lat) in nodes.items()
    ]
    way_lines = [f'<way id="{i}" version="1">{_refs(refs)}{_tags(t)}</way>' for i, refs, t in ways]
    relation_lines = [
        f'<relation id="{i}" version="1"><member type="way" ref="{a}" role="from"/>'
        f'<member type="node" ref="{via}" role="via"/><member type="way" ref="{b}" role="to"/>'
        f"{_tags({'type': 'restriction', 'restriction': kind})}</relation>"
        for i, kind, a, via, b in restrictions
    ]
    body = [*way_lines, *node_lines] if ways_first else [*node_lines, *way_lines]
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<osm version="0.6">',
        *body,
        *relation_lines,
        "</osm>",
    ]
    return "\n".join(lines).encode()


def _refs(refs: Sequence[int]) -> str:
    return "".join(f'<nd ref="{r}"/>' for r in refs)


def _tags(tags: Mapping[str, str]) -> str:
    return "".join(f"<tag k={quoteattr(k)} v={quoteattr(v)}/>" for k, v in tags.items())


def network_of(
    folder: Path,
    nodes: Nodes,
    ways: Sequence[Way],
    restrictions: Sequence[tuple[int, str, int, int, int]] = (),
    *,
    region: str = "",
) -> Network:
    """The network of a small made-up file."""
    path = folder / "made.osm"
    path.write_bytes(osm_xml(nodes, ways, restrictions))
    return import_roads(path, region=region)


def grid(
    columns: int, rows: int, *, step_deg: float = 0.002, west: float = 116.3, south: float = 39.9
) -> Nodes:
    """Nodes of a regular grid, numbered 1.. from the south-west corner, row by row."""
    return {
        1 + r * columns + c: (round(west + c * step_deg, 7), round(south + r * step_deg, 7))
        for r in range(rows)
        for c in range(columns)
    }


def street_grid(columns: int, rows: int, **tags: str) -> tuple[Nodes, list[Way]]:
    """A chessboard of two-way streets, one way a row (ids 1..) and one a column (ids 101..)."""
    nodes = grid(columns, rows)
    base = {"highway": "residential", **tags}
    across: list[Way] = [
        (1 + r, [1 + r * columns + c for c in range(columns)], {**base, "name": f"第{r + 1}横街"})
        for r in range(rows)
    ]
    down: list[Way] = [
        (101 + c, [1 + r * columns + c for r in range(rows)], {**base, "name": f"第{c + 1}纵街"})
        for c in range(columns)
    ]
    return nodes, across + down
