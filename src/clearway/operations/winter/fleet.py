"""The fleet and salt stores a plan is made with. Beijing's are labelled defaults, not the real ones."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clearway.kernel.errors import InputError
from clearway.kernel.geometry import distance_m
from clearway.kernel.language import Text, join
from clearway.network.model import Network, RoadClass


@dataclass(frozen=True, slots=True)
class Store:
    """A salt store with its trucks' home yard."""

    id: str
    name: Text
    lon: float
    lat: float
    stock_t: float


@dataclass(frozen=True, slots=True)
class Truck:
    """A truck with a plough, a spreader (or a brine tank) or both; ``echelon`` trucks work side by side.

    ``width_m`` is what the blade clears in one pass, ``spread_width_m`` what the spreader covers; the three
    speeds are its own [km/h]. What is None is as doctrine ``winter.service`` says. Dead-heading is never
    faster than doctrine and limits allow. ``speed_factor`` multiplies both working speeds. With ``tank_l`` it
    sprays brine and spreads nothing; ``capacity_kg`` does not count then.
    """

    id: str
    name: Text
    store: str
    capacity_kg: float = 8000.0
    speed_factor: float = 1.0
    echelon: int = 1
    width_m: float | None = None
    spread_width_m: float | None = None
    plough_kmh: float | None = None
    spread_kmh: float | None = None
    dead_head_kmh: float | None = None
    plough: bool = True
    spreader: bool = True
    tank_l: float = 0.0


@dataclass(frozen=True, slots=True)
class Fleet:
    """Stores and trucks, and where they come from."""

    stores: tuple[Store, ...]
    trucks: tuple[Truck, ...]
    source: Text
    left_out: tuple[Text, ...] = ()
    """Stores and trucks that were stated but cannot be used, and why (see :func:`usable`)."""

    @property
    def sprays(self) -> bool:
        """Whether any truck carries brine."""
        return any(t.tank_l for t in self.trucks)


BEIJING_STORES: Final = (
    Store("store-siyuan", Text("Siyuan Bridge", "四元桥"), 116.4617, 39.9760, 80.0),
    Store("store-sihui", Text("Sihui", "四惠"), 116.4950, 39.9085, 80.0),
    Store("store-fenzhongsi", Text("Fenzhongsi", "分钟寺"), 116.4560, 39.8560, 80.0),
    Store("store-liuliqiao", Text("Liuli Bridge", "六里桥"), 116.3100, 39.8800, 80.0),
    Store("store-wanquanhe", Text("Wanquanhe", "万泉河"), 116.3030, 39.9660, 80.0),
    Store("store-lishuiqiao", Text("Lishui Bridge", "立水桥"), 116.4120, 40.0520, 80.0),
)
SOURCE: Final = Text(
    "Stated default, not the city's real fleet: 24 plough-spreaders of 8 t, six salt stores of 80 t.",
    "假定的默认配置，并非实际配备：24台8吨除雪撒布车，6处储盐点各80吨。",
)


def beijing_fleet(
    trucks: int = 24, *, echelons: int = 0, size: int = 3, sprayers: int = 0, tank_l: float = 6000.0
) -> Fleet:
    """The demo's fleet, spread evenly over the stores.

    Args:
        trucks: number of trucks.
        echelons: how many groups of ``size`` trucks plough side by side and are planned as one crew.
        size: trucks of a group.
        sprayers: how many of the last trucks carry a brine tank instead of a spreader.
        tank_l: size of their tanks.

    Raises:
        InputError: more trucks in echelons than there are.
    """
    if trucks < 1 or echelons * size > trucks:
        raise InputError(f"{echelons} echelons of {size} need more than the {trucks} trucks there are")
    made: list[Truck] = []
    number = 1
    while number <= trucks:
        wide = size if len(made) < echelons else 1
        store = BEIJING_STORES[len(made) % len(BEIJING_STORES)].id
        last = number + wide - 1
        name = (
            Text(f"Plough {number}", f"除雪{number}号车")
            if wide == 1
            else Text(f"Ploughs {number}-{last}", f"除雪{number}至{last}号车")
        )
        tank = tank_l if number > trucks - sprayers else 0.0
        made.append(Truck(f"unit-plough-{number:02d}", name, store, echelon=wide, tank_l=tank))
        number += wide
    return Fleet(BEIJING_STORES, tuple(made), SOURCE)


def yard(network: Network, lon: float, lat: float, usable: NDArray[np.bool_] | None = None) -> int:
    """The segment a store lies at: the nearest end of a tertiary road or better.

    Raises:
        InputError: no such road within 3 km.
    """
    good = (np.asarray(network.road_class) <= RoadClass.TERTIARY) & ~np.asarray(network.is_link)
    if usable is not None:
        good &= usable
    candidates = np.flatnonzero(good)
    node = np.asarray(network.to_node)[candidates]
    away = distance_m(network.node_lon[node], network.node_lat[node], lon, lat)
    if not candidates.size or float(away.min()) > 3000.0:
        words = Text("no road within 3 km of this store", "该储盐点3公里内无道路")
        raise InputError(words.en, where=f"{lon:.4f}, {lat:.4f}", words=words)
    return int(candidates[int(np.argmin(away))])


def usable(fleet: Fleet, network: Network | None = None, roads: NDArray[np.bool_] | None = None) -> Fleet:
    """The fleet without stores and trucks that cannot be used, which ``left_out`` names; the rest is planned.

    Left out are stores far from every road (of the network, where it is given), trucks of a store that is
    unknown or left out, trucks without load capacity, and whatever is listed a second time.

    Raises:
        InputError: no store or no truck is left.
    """
    notes: list[Text] = []
    stores: dict[str, Store] = {}
    trucks: dict[str, Truck] = {}
    twice = Text("{n}: {i} is listed twice, the first counts", "{n}：{i}重复登记，以首次为准")
    for store in fleet.stores:
        if store.id in stores:
            notes.append(twice.format(n=store.name, i=store.id))
            continue
        try:
            if network is not None:
                yard(network, store.lon, store.lat, roads)
        except InputError as error:
            why = Text("{n}: {w}", "{n}：{w}").format(n=store.name, w=error.words or error.what)
            notes.append(why)
            continue
        stores[store.id] = store
    for truck in fleet.trucks:
        if truck.id in trucks:
            notes.append(twice.format(n=truck.name, i=truck.id))
        elif truck.store not in stores:
            words = Text("{t}: unknown store {s}, or one left out", "{t}：储盐点{s}未知或未采用")
            notes.append(words.format(t=truck.name, s=truck.store))
        elif truck.capacity_kg <= 0:
            notes.append(Text("{t}: no load capacity", "{t}：无装载量").format(t=truck.name))
        else:
            trucks[truck.id] = truck
    for left, words in (
        (stores, Text("there is no salt store", "没有储盐点")),
        (trucks, Text("there is no truck", "没有车辆")),
    ):
        if not left:
            whole = join([words, *notes])
            raise InputError(whole.en, where="fleet", words=whole)
    return replace(fleet, stores=tuple(stores.values()), trucks=tuple(trucks.values()), left_out=tuple(notes))
