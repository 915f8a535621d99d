"""A chessboard of two-way primary roads with two salt stores and three trucks."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from clearway.desks.winter.service_classes import scheme
from clearway.doctrine import load_doctrine
from clearway.doctrine.model import Doctrine
from clearway.kernel.clock import parse_utc
from clearway.kernel.language import Text
from clearway.network.model import Network
from clearway.operations.winter.build import Order, Site, all_roads, build_site
from clearway.operations.winter.fleet import Fleet, Store, Truck
from tests.support.roads import network_of, street_grid

START = parse_utc("2015-11-21T21:00+08:00")
SALT = Order("salt", 20.0)


@cache
def doctrine() -> Doctrine:
    """The rules that ship."""
    return load_doctrine(["cn"])


@cache
def board(size: int = 5) -> Network:
    """A chessboard; each side of a square is some 200 m."""
    nodes, ways = street_grid(size, size, highway="primary")
    with TemporaryDirectory() as folder:
        return network_of(Path(folder), nodes, ways)


def fleet(trucks: int = 3, *, capacity_kg: float = 8000.0, stock_t: float = 80.0, echelon: int = 1) -> Fleet:
    """Trucks at two stores in opposite corners."""
    stores = (
        Store("store-a", Text("A", "甲"), 116.3, 39.9, stock_t),
        Store("store-b", Text("B", "乙"), 116.308, 39.908, stock_t),
    )
    made = tuple(
        Truck(f"unit-{n}", Text(f"Truck {n}", f"{n}号车"), stores[n % 2].id, capacity_kg, 1.0, echelon)
        for n in range(1, trucks + 1)
    )
    return Fleet(stores, made, Text("made up", "虚构"))


def site(order: Order = SALT, *, of: Fleet | None = None, network: Network | None = None) -> Site:
    """The problem of treating the whole board."""
    roads = network or board()
    return build_site(roads, doctrine(), scheme(doctrine()), of or fleet(), all_roads(roads, order), START)
