"""Road import, tiles, searches: beside a bare libosmium pass and a plain pyosmium reading of the same file.

Files: the Beijing extract that ships and, where the shared data lie beside the repository, Porto (146,000
directed edges). Peers in the same run: ``osmium.FileProcessor`` over ways with places, touching nothing (the
floor), and a straightforward pyosmium loop that collects node references and places, which is what any import
in Python must do at least. Routing: our router beside ``scipy.sparse.csgraph`` on the plain node graph.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness import ROOT, Row


def _timed(work: Callable[[], Any], repeat: int = 1) -> tuple[float, float, Any]:
    """Best wall and CPU seconds of some runs, and the last result."""
    best_wall = best_cpu = float("inf")
    result = None
    for _ in range(repeat):
        wall, cpu = time.perf_counter(), time.process_time()
        result = work()
        best_cpu = min(best_cpu, time.process_time() - cpu)
        best_wall = min(best_wall, time.perf_counter() - wall)
    return best_wall, best_cpu, result


def _bare_pass(path: Path) -> int:
    """Ways with node places through libosmium, looked at no closer."""
    import osmium

    source: Any = osmium.FileProcessor(str(path), osmium.osm.NODE | osmium.osm.WAY).with_locations()
    return sum(1 for _ in source.with_filter(osmium.filter.EntityFilter(osmium.osm.WAY)))


def _plain_reading(path: Path) -> int:
    """The usual pyosmium loop: tags, node references and places of every road way."""
    import osmium

    source: Any = osmium.FileProcessor(str(path), osmium.osm.NODE | osmium.osm.WAY).with_locations()
    source = source.with_filter(osmium.filter.EntityFilter(osmium.osm.WAY))
    kept = []
    for way in source.with_filter(osmium.filter.KeyFilter("highway")):
        nodes = [(n.ref, n.lon, n.lat) for n in way.nodes if n.location.valid()]
        kept.append((dict(way.tags), nodes))
    return len(kept)


def _peak_mib(path: Path) -> float:
    """Peak memory of one import in a process of its own."""
    code = (
        "import resource,sys\n"
        "from clearway.exchange.osm import import_roads\n"
        "import_roads(sys.argv[1])\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True, timeout=600
    )
    return int(done.stdout) / (1024.0 if sys.platform != "darwin" else 1024.0**2)


def _import_rows(name: str, path: Path, target_s: float, repeat: int) -> tuple[list[Row], Any]:
    from clearway.exchange.osm import import_roads
    from clearway.exchange.osm.read import read_roads

    floor, _, _ = _timed(lambda: _bare_pass(path), repeat)
    plain, _, _ = _timed(lambda: _plain_reading(path), repeat)
    read, _, raw = _timed(lambda: read_roads(path), repeat)
    wall, cpu, network = _timed(lambda: import_roads(path), repeat)
    size = f"{raw.way_id.size} ways, {network.count} segments, {len(network.corridors)} corridors"
    rows = [
        Row(f"{name}: import, wall", wall, unit="s", target=f"<= {target_s:g}", note=size),
        Row(f"{name}: import, CPU", cpu, unit="s", better="lower", note="one process"),
        Row(f"{name}: reading alone", read, plain, "s", better="lower", note="peer: plain pyosmium loop"),
        Row(
            f"{name}: reading alone",
            read,
            floor,
            "s",
            better="lower",
            note="peer: bare libosmium pass, the floor",
        ),
        Row(
            f"{name}: peak memory",
            _peak_mib(path),
            unit="MiB",
            better="lower",
            note="import in its own process",
        ),
    ]
    return rows, network


def _tile_rows(name: str, network: Any, folder: Path) -> list[Row]:
    from clearway.network.store import load, save
    from clearway.network.tiles import TileStore, build_tiles

    wall, cpu, report = _timed(lambda: build_tiles(network, folder / "roads.pmtiles"))
    note = f"{report.tiles} tiles, {report.features} features, {report.bytes / 1e6:.1f} MB, CPU {cpu:.1f} s"
    store = TileStore(folder / "roads.pmtiles")
    places = [(z, x, y) for z in (10, 12, 14) for x, y in _over(network, z)]
    each, _, _ = _timed(lambda: [store.get_gzipped(*place) for place in places], 3)
    saved, _, _ = _timed(lambda: save(network, folder / "net"))
    loaded, _, _ = _timed(lambda: load(folder / "net"), 3)
    return [
        Row(f"{name}: all tiles z6-z14", wall, unit="s", better="lower", note=note),
        Row(f"{name}: one tile read", each / len(places) * 1e6, unit="µs", better="lower"),
        Row(f"{name}: save", saved, unit="s", better="lower"),
        Row(f"{name}: load (memory-mapped)", loaded, unit="s", better="lower"),
    ]


def _over(network: Any, zoom: int) -> list[tuple[int, int]]:
    from clearway.network.tiles.cut import world_xy
    from clearway.network.tiles.mvt import EXTENT

    points = world_xy(np.stack([network.lon[::50], network.lat[::50]], axis=1), zoom) // EXTENT
    return [(int(x), int(y)) for x, y in np.unique(points, axis=0)]


def _search_rows(name: str, network: Any, count: int) -> list[Row]:
    from clearway.network.search import CorridorSearch
    from clearway.network.spatial import RoadIndex

    rng = np.random.default_rng(5)
    lon = rng.uniform(network.lon.min(), network.lon.max(), count)
    lat = rng.uniform(network.lat.min(), network.lat.max(), count)
    built, _, index = _timed(lambda: RoadIndex(network))
    many, _, _ = _timed(lambda: index.nearest_many(lon, lat))
    one, _, _ = _timed(lambda: [index.corridor_at(x, y) for x, y in zip(lon[:300], lat[:300], strict=True)])
    search = CorridorSearch(network)
    typed = [n[:k] for n in network.names[:: max(1, len(network.names) // 60)] for k in (1, 2, 3) if n]
    worst = max(_timed(lambda text=text: search.find(text), 3)[0] for text in typed)  # type: ignore[misc]
    return [
        Row(f"{name}: spatial index built", built, unit="s", better="lower"),
        Row(f"{name}: nearest segment, many", count / many, unit="points/s"),
        Row(f"{name}: corridor and km at a point", one / 300 * 1e3, unit="ms", better="lower"),
        Row(f"{name}: slowest of {len(typed)} searches", worst * 1e3, unit="ms", target="<= 10"),
    ]


def _route_rows(name: str, network: Any, count: int) -> list[Row]:
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import dijkstra

    from clearway.network.routing import Router, free_flow_s

    rng = np.random.default_rng(7)
    pairs = rng.integers(0, network.count, (count, 2)).tolist()
    router, cost = Router(network), free_flow_s(network)
    _, mine, _ = _timed(lambda: [router.route(a, b, cost_s=cost) for a, b in pairs])
    size = network.node_lon.size
    graph = csr_array((cost, (network.from_node, network.to_node)), shape=(size, size))
    ends = [(int(network.to_node[a]), int(network.from_node[b])) for a, b in pairs]
    _, peer, _ = _timed(lambda: [dijkstra(graph, indices=[a]) for a, _ in ends])
    note = "peer: scipy Dijkstra on the node graph, without turn bans, U-turn rule or path; CPU"
    return [
        Row(f"{name}: one route", mine / count * 1e3, peer / count * 1e3, "ms", better="lower", note=note)
    ]


def run(quick: bool) -> list[Row]:
    """Import, tiles, searches and routes; Porto only where the shared data are there and time allows."""
    rows: list[Row] = []
    shipped = Path(str(resources.files("clearway.data").joinpath("beijing", "beijing_roads.osm.pbf")))
    shared = Path(os.environ.get("CLEARWAY_SHARED_DATA") or ROOT.parent / "shared" / "data")
    files = [("Beijing", shipped, 10.0)]
    porto = shared / "network" / "porto_portugal.osm.pbf"
    if porto.is_file() and not quick:
        files.append(("Porto", porto, 25.0))
    for name, path, target in files:
        imported, network = _import_rows(name, path, target, 1 if quick else 2)
        rows += imported
        with tempfile.TemporaryDirectory() as folder:
            rows += _tile_rows(name, network, Path(folder))
        rows += _search_rows(name, network, 5_000 if quick else 50_000)
        rows += _route_rows(name, network, 5 if quick else 30)
    return rows
