"""Routes, detours, turn bans; forcing columns, areas, sky and views."""

from __future__ import annotations

import heapq
from functools import cache
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from clearway.exchange.osm import import_roads
from clearway.kernel.errors import InputError
from clearway.kernel.language import Text
from clearway.network.areas import grid_areas
from clearway.network.columns import build_columns, class_group, grid_cells, is_main_road, site_cells
from clearway.network.model import Deck, Network
from clearway.network.routing import Router, free_flow_s
from clearway.network.smallgraph import Pieces, adjacency, distances
from clearway.network.view import corridors_json, km_range, segments_json, stretch_text
from clearway.picture.picture import Columns
from tests.support.roads import Way, beijing, network_of, street_grid


@cache
def router() -> Router:
    """Router of the shipped network."""
    return Router(beijing())


def plain_dijkstra(network: Network, start: int, cost: NDArray[np.float64], closed: set[int]) -> list[float]:
    """Seconds to every segment by a textbook search over the node graph, U-turns only at dead ends."""
    leaving: dict[int, list[int]] = {}
    for s in range(network.count):
        leaving.setdefault(int(network.from_node[s]), []).append(s)
    best = [float("inf")] * network.count
    best[start] = 0.0
    queue = [(0.0, start)]
    banned = {tuple(pair) for pair in network.banned_turns.tolist()}
    while queue:
        t, s = heapq.heappop(queue)
        if t > best[s]:
            continue
        options = leaving.get(int(network.to_node[s]), [])
        for n in options:
            back = n == network.twin[s]
            if n in closed or (s, n) in banned or (back and len(options) > 1):
                continue
            further = t + float(cost[n]) + 60.0 * back
            if further < best[n]:
                best[n] = further
                heapq.heappush(queue, (further, n))
    return best


@settings(max_examples=5)
@given(st.integers(0, 2**32 - 1))
def test_routes_are_shortest(seed: int) -> None:
    """Random costs and closures on the real network: times equal a textbook search, paths are drivable."""
    network = beijing()
    rng = np.random.default_rng(seed)
    cost = free_flow_s(network) * rng.uniform(1, 3, network.count)
    closed = set(rng.choice(network.count, 500, replace=False).tolist())
    start = int(rng.integers(network.count))
    expected = plain_dijkstra(network, start, cost, closed)
    reach = router().reach_s(start, cost_s=cost, closed=closed)
    assert np.allclose(reach, expected, rtol=1e-6, atol=0.1)
    end = int(rng.integers(network.count))
    route = router().route(start, end, cost_s=cost, closed=closed)
    if route is None:
        assert np.isinf(expected[end])
        return
    assert route.seconds == pytest.approx(expected[end], abs=0.1)
    assert (network.to_node[route.segments[:-1]] == network.from_node[route.segments[1:]]).all()
    assert not closed & set(route.segments[1:].tolist())


TURN_NODES = {1: (10.0, 50.0), 2: (10.005, 50.0), 3: (10.01, 50.0), 4: (10.005, 50.005)}
TURN_WAYS: list[Way] = [
    (1, [1, 2], {"highway": "primary"}), (2, [2, 3], {"highway": "primary"}),
    (3, [2, 4], {"highway": "primary"}),
]  # fmt: skip


def way_pairs(network: Network) -> set[tuple[int, int]]:
    """Turn bans as pairs of ways."""
    return {(int(network.way_id[a]), int(network.way_id[b])) for a, b in network.banned_turns}


def test_no_turn_is_banned(tmp_path: Path) -> None:
    """no_left_turn forbids exactly that turn and the route avoids it."""
    network = network_of(tmp_path, TURN_NODES, TURN_WAYS, [(9, "no_left_turn", 1, 2, 3)])
    assert way_pairs(network) == {(1, 3)}
    start = int(np.flatnonzero((network.way_id == 1) & (network.node_id[network.to_node] == 2))[0])
    end = int(np.flatnonzero((network.way_id == 3) & (network.node_id[network.to_node] == 4))[0])
    route = Router(network).route(start, end)
    assert route is not None
    assert 2 in network.way_id[route.segments]
    free = Router(network_of(tmp_path, TURN_NODES, TURN_WAYS)).route(start, end)
    assert free is not None
    assert free.segments.tolist() == [start, end]


def test_only_turn_bans_the_others(tmp_path: Path) -> None:
    """only_straight_on forbids all other ways on, the way back included."""
    network = network_of(tmp_path, TURN_NODES, TURN_WAYS, [(9, "only_straight_on", 1, 2, 2)])
    assert way_pairs(network) == {(1, 3), (1, 1)}


def test_restrictions_that_do_not_fit_are_counted(tmp_path: Path) -> None:
    """A restriction on roads that are not there is told, not lost."""
    network = network_of(tmp_path, TURN_NODES, TURN_WAYS, [(9, "no_left_turn", 77, 2, 3)])
    assert not network.banned_turns.size
    assert any("1 turn restrictions not used" in p for p in network.problems)


def test_detour_leaves_before_and_rejoins_after() -> None:
    """Round a closed stretch of the third ring: off upstream, on downstream, none of it driven."""
    network = beijing()
    ring = next(c for c in network.corridors if c.name.zh == "三环路")
    closed = ring.segments[40:46]
    detour = router().detour(closed)
    assert detour is not None
    assert not set(closed.tolist()) & set(detour.route.segments.tolist())
    assert detour.route.segments[0] == detour.leaves_at
    assert detour.route.segments[-1] == detour.rejoins_at
    place = {int(s): i for i, s in enumerate(ring.segments)}
    assert place[detour.leaves_at] < 40
    assert place[detour.rejoins_at] > 45
    assert detour.extra_s > -60


def test_no_detour_from_a_dead_end(tmp_path: Path) -> None:
    """A road with no other way round has no detour."""
    nodes = {n: (10.0 + n / 100, 50.0) for n in range(4)}
    tags = {"highway": "primary", "oneway": "yes"}
    network = network_of(tmp_path, nodes, [(n, [n, n + 1], tags) for n in range(3)])
    assert Router(network).detour(np.array([1], np.int32)) is None
    assert Router(network).route(2, 0) is None


def test_costs_must_fit() -> None:
    """Costs of another size, negative or not finite are refused; a route to itself costs nothing."""
    count = beijing().count
    for cost in (np.ones(3), np.full(count, np.nan), np.full(count, -1.0)):
        with pytest.raises(InputError, match="costs"):
            router().route(0, 1, cost_s=cost)
    here = router().route(5, 5)
    assert here is not None
    assert here.seconds == 0


def test_turn_bans_of_oslo_hold(shared_data: Path) -> None:
    """Every banned pair of a real extract meets at a node and is not in the router's graph."""
    network = import_roads(shared_data / "network" / "oslo-east-filtered.osm.pbf")
    a, b = network.banned_turns.T
    assert a.size > 30
    assert (network.to_node[a] == network.from_node[b]).all()
    turns = Router(network)
    arcs = set(zip(turns._from.tolist(), turns._to.tolist(), strict=True))
    assert not arcs & {tuple(pair) for pair in network.banned_turns.tolist()}


@given(
    st.integers(2, 12).flatmap(
        lambda n: st.tuples(
            st.just(n),
            st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1), st.floats(0, 100)), max_size=20),
        )
    )
)
def test_small_graph_search(case: tuple[int, list[tuple[int, int, float]]]) -> None:
    """Distances and pieces of small graphs equal those of Floyd and Warshall."""
    size, edges = case
    table = np.full((size, size), np.inf)
    np.fill_diagonal(table, 0)
    pieces = Pieces(size)
    for a, b, length in edges:
        table[a, b] = table[b, a] = min(table[a, b], length)
        pieces.join(a, b)
    for k in range(size):
        table = np.minimum(table, table[:, [k]] + table[[k], :])
    assert np.allclose(distances(adjacency(size, edges), 0), table[0])
    labels = pieces.labels()
    assert np.array_equal(np.isfinite(table), labels[:, None] == labels[None, :])


def test_columns_cover_every_segment() -> None:
    """Each segment's column has its cell, class group and deck; lengths add up; the picture takes them."""
    network = beijing()
    cells = site_cells(network, [116.2, 116.35, 116.5], [39.9, 39.95, 39.85])
    columns = build_columns(network, cells)
    of = columns.segment_column
    assert np.array_equal(columns.cell[of], cells.segment_cell)
    assert np.array_equal(columns.class_group[of], class_group(network.road_class))
    assert np.array_equal(columns.deck[of], network.deck)
    assert columns.length_m.sum() == pytest.approx(float(network.length_m.sum(dtype=float)))
    assert len({*zip(columns.cell, columns.class_group, columns.deck, strict=True)}) == columns.cell.size
    low, high = network.sky_view.min(), network.sky_view.max()
    assert ((columns.sky_view >= low - 1e-6) & (columns.sky_view <= high + 1e-6)).all()
    assert Columns(**columns.as_dict()).count == columns.cell.size  # type: ignore[arg-type]  # same names


def test_columns_can_be_kept_apart() -> None:
    """Segments of a label share columns with nobody else; the others stay as they were."""
    network = beijing()
    cells = grid_cells(network, 0.1)
    label = np.where(network.corridor < 3, network.corridor, -1).astype(np.int32)
    plain, apart = build_columns(network, cells), build_columns(network, cells, apart=label)
    of = apart.segment_column
    for one in range(3):
        assert not set(of[label == one]) & set(of[label != one])
    assert np.array_equal(apart.cell[of], cells.segment_cell)
    assert np.array_equal(apart.class_group[of], class_group(network.road_class))
    assert np.array_equal(apart.deck[of], network.deck)
    assert apart.cell.size > plain.cell.size


def test_grid_cells_hold_their_segments() -> None:
    """Every segment lies in its cell; cells without roads do not exist."""
    network = beijing()
    cells = grid_cells(network, 0.1)
    assert (np.abs(cells.lon[cells.segment_cell] - network.lon) <= 0.05 + 1e-6).all()
    assert (np.abs(cells.lat[cells.segment_cell] - network.lat) <= 0.05 + 1e-6).all()
    assert np.array_equal(np.unique(cells.segment_cell), np.arange(cells.count))


def test_cells_that_cannot_be_are_refused() -> None:
    """No sites, uneven lists, a grid of no size, cells of another network."""
    network = beijing()
    with pytest.raises(InputError):
        site_cells(network, [], [])
    with pytest.raises(InputError):
        site_cells(network, [116.0], [39.0, 40.0])
    with pytest.raises(InputError):
        grid_cells(network, 0.0)
    cells = grid_cells(network, 0.1)
    cells.segment_cell.resize(5, refcheck=False)
    with pytest.raises(InputError):
        build_columns(network, cells)


def test_areas_are_aligned_and_named() -> None:
    """Grid areas lie on multiples of the step, hold their segments, and the city comes last."""
    network = beijing()
    *cells, city = network.areas
    assert (city.kind, city.name) == ("city", Text("Beijing", "北京"))
    assert all(c.kind == "grid" for c in cells)
    assert len({c.id for c in network.areas}) == len(network.areas)
    west = np.array([c.west for c in cells])[network.area]
    south = np.array([c.south for c in cells])[network.area]
    assert ((network.lon >= west - 1e-6) & (network.lon < west + 0.05 + 1e-6)).all()
    assert ((network.lat >= south - 1e-6) & (network.lat < south + 0.05 + 1e-6)).all()
    named = {c.id: c.name for c in cells}
    assert named["grid-116.40-39.90"] == Text("Grid 116.40 E 39.90 N", "网格 116.40E 39.90N")
    assert city.west <= network.coords[:, 0].min()


def test_areas_of_the_other_hemispheres() -> None:
    """West and south are said as such and keep distinct ids."""
    areas, index = grid_areas(np.array([-8.61, 8.61]), np.array([41.16, -41.16]), 0.05, Text("x", "x"))
    assert [a.name.en for a in areas[:2]] == ["Grid 8.60 E 41.20 S", "Grid 8.65 W 41.15 N"]
    assert index.tolist() == [1, 0]
    with pytest.raises(InputError):
        grid_areas(np.array([0.0]), np.array([0.0]), 0.0, Text("x", "x"))


def test_sky_view_depends_on_class_and_surroundings() -> None:
    """Motorways see more sky than alleys of the old town; nothing leaves 0 to 1."""
    network = beijing()
    assert ((network.sky_view > 0) & (network.sky_view <= 1)).all()
    assert network.sky_view[network.road_class == 0].mean() > 0.9
    old_town = (
        (network.road_class >= 6)
        & (np.abs(network.lon - 116.40) < 0.02)
        & (np.abs(network.lat - 39.93) < 0.02)
    )
    assert network.sky_view[old_town].mean() < 0.8


def test_corridor_json_has_all_columns() -> None:
    """Rows decode, one for each corridor, with boxes that hold the chain and kilometres that make sense."""
    network = beijing()
    data = msgspec.json.decode(corridors_json(network))
    assert len(data["rows"]) == len(network.corridors)
    assert "OpenStreetMap" in data["attribution"]
    row = dict(zip(data["columns"], data["rows"][0], strict=True))
    first = network.corridors[0]
    assert row["label_zh"] == first.label.zh
    assert row["box"][0] <= network.lon[first.segments].min() <= row["box"][2]
    assert row["km"][1] == pytest.approx(first.length_m / 1000, rel=0.1)
    arrays = msgspec.json.decode(segments_json(network))
    assert len(arrays["corridor"]) == arrays["count"] == network.count


def test_stretch_is_said_with_kilometres() -> None:
    """Part of a road is said with its kilometres, the whole without."""
    network = beijing()
    number = next(i for i, c in enumerate(network.corridors) if c.label.zh == "G6 京藏高速由东南向西北")
    chain = network.corridors[number].segments
    assert stretch_text(network, number, chain) == network.corridors[number].label
    text = stretch_text(network, number, chain[5:12])
    assert "K" in text.zh
    assert "km" in text.en
    span = km_range(network, chain[5:12])
    assert span is not None
    assert span[0] < span[1] < 16
    assert km_range(network, chain[:0]) is None


def test_main_roads_are_marked(tmp_path: Path) -> None:
    """Main roads are motorway to primary without ramps, never residential streets."""
    network = beijing()
    main = is_main_road(network)
    assert main.any()
    assert not (main & network.is_link).any()
    nodes, ways = street_grid(3, 3)
    small = network_of(tmp_path, nodes, ways)
    assert not is_main_road(small).any()
    assert set(small.deck.tolist()) == {int(Deck.GROUND)}
