"""Large instances: districts cover every road once, and instances out of Clearway's roads are sound."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from clearway.exchange.carp import CarpInstance, read
from clearway.exchange.osm import import_roads
from clearway.kernel.errors import InputError
from clearway.network.model import Network
from clearway.operations.winter.routes.carp_problem import labels_of, node_graph, pose_carp
from clearway.operations.winter.routes.check_carp import check_carp
from clearway.operations.winter.routes.districts import districts, solve_districts, tour_order
from clearway.operations.winter.routes.from_network import carp_of_network
from clearway.operations.winter.routes.shortest import among, shortest


@pytest.fixture(scope="module")
def network() -> Network:
    """The shipped roads of Beijing."""
    return import_roads(Path(str(files("clearway.data"))) / "beijing" / "beijing_roads.osm.pbf")


def grid(width: int) -> CarpInstance:
    """A grid of required roads of 10, depot in a corner, 40 roads a truck."""
    rows = [
        f"{y * width + x} {y * width + x + step} 10 1"
        for y in range(width)
        for x in range(width)
        for step, last in ((1, x), (width, y))
        if last < width - 1
    ]
    return read("\n".join([str(width * width), str(len(rows)), *rows, "9", "40"]))


def test_districts_cover_every_road_once() -> None:
    """Each task is in one district; all but the last hold whole truckloads, less a little."""
    instance = grid(15)
    parts = districts(pose_carp(instance, problem=False), 100)
    assert sorted(np.concatenate(parts).tolist()) == list(range(420))
    assert len(parts) > 3
    assert max(map(len, parts)) <= 120


def test_a_plan_by_districts_is_fit() -> None:
    """All roads are served once and no truck is overfull; progress is told."""
    instance = grid(15)
    told: list[tuple[int, int]] = []
    posed = pose_carp(instance, problem=False)
    found, spent, _ = solve_districts(
        posed, seconds=1, seed=1, iterations=300, size=100, say=lambda k, n: told.append((k, n))
    )
    verdict = check_carp(instance, found)
    assert [f.code for f in verdict.findings if f.grave] == []
    assert verdict.served == 420
    assert spent > 0
    assert told[-1][0] == told[-1][1] == len(told)


def test_the_walk_keeps_branches_together() -> None:
    """In a tree each branch is a stretch of the order, the nearest first."""
    before = np.array([-9999, 0, 1, 0, 3, 1], dtype=np.int32)
    distance = np.array([0.0, 1, 2, 5, 6, 3])
    assert tour_order(before, distance, 0).tolist() == [0, 1, 2, 4, 5, 3]


def test_bounded_searches_are_exact(shared_data: Path) -> None:
    """Ways among places with a hub apart equal plain ones."""
    instance = read(shared_data / "winter" / "carp" / "egl-s1-A.dat")
    node = labels_of(instance)
    graph = node_graph(instance, node)
    places = np.unique(np.array([node[instance.roads[k].tail] for k in instance.required] + [node[0]]))
    assert np.allclose(among(graph, places, node[0]), shortest(graph, places)[:, places])


def test_instances_of_clearways_roads(network: Network) -> None:
    """Major roads of Beijing: all reachable, demand is length, carried by the fleet."""
    instance = carp_of_network(network, name="beijing")
    posed = pose_carp(instance, problem=False)
    assert posed.findings == ()
    assert len(posed.roads) == len(instance.required) > 1_000
    assert all(r.demand == (r.cost if r.required else 0) for r in instance.roads)
    assert instance.vehicles * instance.capacity >= sum(r.demand for r in instance.roads)


def test_as_many_roads_as_wanted(network: Network) -> None:
    """The nearest ones, and no more than asked for."""
    instance = carp_of_network(network, most=300, depot=(116.4, 39.9))
    assert len(instance.required) == 300
    assert pose_carp(instance, problem=False).left_out == ()


def test_no_road_of_a_class(network: Network) -> None:
    """It is said."""
    with pytest.raises(InputError):
        carp_of_network(network, classes=())
