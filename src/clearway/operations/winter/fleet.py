"""The fleet and salt stores a plan is made with. Beijing's are labelled defaults, not the real ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clearway.kernel.errors import InputError
from clearway.kernel.geometry import distance_m
from clearway.kernel.language import Text
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
        raise InputError("no road within 3 km of this store", where=f"{lon:.4f}, {lat:.4f}")
    return int(candidates[int(np.argmin(away))])


def check(fleet: Fleet) -> Sequence[Text]:
    """What is wrong with a fleet: no stores, no trucks, trucks of an unknown store, doubles."""
    found: list[Text] = []
    if not fleet.stores:
        found.append(Text("there is no salt store", "没有储盐点"))
    if not fleet.trucks:
        found.append(Text("there is no truck", "没有车辆"))
    known = {s.id for s in fleet.stores}
    for truck in fleet.trucks:
        if truck.store not in known:
            found.append(
                Text("{t}: unknown store {s}", "{t}：未知储盐点{s}").format(t=truck.name, s=truck.store)
            )
        if truck.capacity_kg <= 0:
            found.append(Text("{t}: no load capacity", "{t}：无装载量").format(t=truck.name))
    for kind, each in (
        (Text("store", "储盐点"), [s.id for s in fleet.stores]),
        (Text("truck", "车辆"), [t.id for t in fleet.trucks]),
    ):
        found += [
            Text("{k} {i} is listed twice", "{k}{i}重复").format(k=kind, i=double)
            for double in sorted({i for i in each if each.count(i) > 1})
        ]
    return found
