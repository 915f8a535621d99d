"""Arc routing instances out of Clearway's own roads, of any size: for benchmarks and for planning a round."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from clearway.exchange.carp.model import CarpInstance, CarpRoad
from clearway.kernel.errors import InputError
from clearway.network.model import Network, RoadClass
from clearway.operations.winter.routes.shortest import shortest

MAJOR: Final = (RoadClass.MOTORWAY, RoadClass.TRUNK, RoadClass.PRIMARY)


def carp_of_network(
    network: Network,
    *,
    classes: Collection[RoadClass] = MAJOR,
    most: int | None = None,
    depot: tuple[float, float] | None = None,
    capacity_m: float = 60_000.0,
    name: str = "network",
) -> CarpInstance:
    """A CARP instance: every segment of some classes must be served, all may be driven.

    A stretch with a twin is one edge, a one-way one an arc. Costs and demands are lengths in whole metres, so
    the capacity is metres of road a truck can serve with one filling. Only the greatest part of the network
    is used within which every node can be reached from every other.

    Args:
        network: roads.
        classes: functional classes to serve.
        most: serve only so many stretches, those nearest to the depot.
        depot: longitude and latitude; the middle of the roads when left out.
        capacity_m: of a truck [m].
        name: of the instance.

    Raises:
        InputError: there is no road of these classes in the part used.
    """
    edges, two_way = _stretches(network)
    inside = _greatest_part(network, edges, two_way)
    edges, two_way = edges[inside], two_way[inside]
    wanted = np.isin(network.road_class[edges], [int(c) for c in classes])
    if not wanted.any():
        raise InputError("no road of these classes can be reached and left again", where=name)
    cost = np.maximum(1.0, np.rint(network.length_m[edges].astype(float)))
    home = _depot(network, edges[wanted], depot)
    if most is not None and int(wanted.sum()) > most:
        wanted = _nearest(network, edges, two_way, cost, wanted, home, most)
    roads = tuple(
        CarpRoad(
            int(network.from_node[s]),
            int(network.to_node[s]),
            float(cost[k]),
            float(cost[k]) if wanted[k] else 0.0,
            bool(wanted[k]),
            not bool(two_way[k]),
            k + 1,
        )
        for k, s in enumerate(edges.tolist())
    )
    demand = float(cost[wanted].sum())
    vehicles = int(np.ceil(demand / capacity_m))
    return CarpInstance(name, "network", roads, home, vehicles, capacity_m, None, None)


def _stretches(network: Network) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """One segment of each stretch, and whether it can be driven both ways."""
    count = network.from_node.size
    twin = network.twin if network.twin.size == count else np.full(count, -1, dtype=np.int32)
    keep = np.flatnonzero((twin < 0) | (np.arange(count) < twin))
    return keep, twin[keep] >= 0


def _graph(
    network: Network, edges: NDArray[np.int64], two_way: NDArray[np.bool_], cost: NDArray[np.float64]
) -> csr_array:
    a, b = network.from_node[edges], network.to_node[edges]
    rows, columns = np.concatenate([a, b[two_way]]), np.concatenate([b, a[two_way]])
    values = np.concatenate([cost, cost[two_way]])
    order = np.lexsort((values, columns, rows))
    rows, columns, values = rows[order], columns[order], values[order]
    first = np.ones(rows.size, dtype=bool)
    first[1:] = (rows[1:] != rows[:-1]) | (columns[1:] != columns[:-1])
    size = network.node_lon.size
    return csr_array((values[first], (rows[first], columns[first])), shape=(size, size))


def _greatest_part(
    network: Network, edges: NDArray[np.int64], two_way: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    graph = _graph(network, edges, two_way, np.ones(edges.size))
    _, part = connected_components(graph, connection="strong")
    greatest = np.bincount(part[network.from_node[edges]]).argmax()
    inside: NDArray[np.bool_] = (part[network.from_node[edges]] == greatest) & (
        part[network.to_node[edges]] == greatest
    )
    return inside


def _depot(network: Network, wanted: NDArray[np.int64], at: tuple[float, float] | None) -> int:
    nodes = np.unique(network.from_node[wanted])
    lon, lat = network.node_lon[nodes], network.node_lat[nodes]
    x, y = at if at is not None else (float(np.median(lon)), float(np.median(lat)))
    shrink = np.cos(np.radians(y))
    return int(nodes[np.argmin(((lon - x) * shrink) ** 2 + (lat - y) ** 2)])


def _nearest(
    network: Network,
    edges: NDArray[np.int64],
    two_way: NDArray[np.bool_],
    cost: NDArray[np.float64],
    wanted: NDArray[np.bool_],
    home: int,
    most: int,
) -> NDArray[np.bool_]:
    far = shortest(_graph(network, edges, two_way, cost), [home])[0][network.from_node[edges]]
    far[~wanted] = np.inf
    chosen = np.zeros(edges.size, dtype=bool)
    chosen[np.argsort(far, kind="stable")[:most]] = True
    return chosen
