"""Large instances: plans by parts are fit, and instances out of Clearway's roads are sound."""

from __future__ import annotations

from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from clearway.exchange.carp import CarpInstance, read
from clearway.exchange.osm import import_roads
from clearway.kernel.errors import InputError
from clearway.network.model import Network
from clearway.operations.winter.routes import carp_large
from clearway.operations.winter.routes.carp_large import solve_large
from clearway.operations.winter.routes.carp_problem import labels_of, node_graph, pose_carp
from clearway.operations.winter.routes.check_carp import check_carp
from clearway.operations.winter.routes.from_network import carp_of_network
from clearway.operations.winter.routes.shortest import among, shortest
from clearway.operations.winter.routes.solving import Order, solve_file


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


def test_a_plan_by_parts_is_fit() -> None:
    """All roads are served once, no truck is overfull, the checker says."""
    instance = grid(24)
    found, spent, _ = solve_large(pose_carp(instance, problem=False), seconds=1, seed=1, rounds_a_road=3)
    verdict = check_carp(instance, found)
    assert [f.code for f in verdict.findings if f.grave] == []
    assert verdict.served == len(instance.required) == 1104
    assert spent > 0


def test_large_files_go_that_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Above the limit ``solve_file`` plans by parts, one-way roads in their direction."""
    monkeypatch.setattr(carp_large, "LARGE", 100)
    instance = grid(12)
    roads = tuple(replace(r, directed=k % 7 == 0 and 11 < k < 240) for k, r in enumerate(instance.roads))
    found = solve_file(replace(instance, roads=roads), Order(iterations=2_000, bound_s=0.1))
    assert found.verdict.ok
    assert found.verdict.served + len(found.left_out) == 264


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
