"""A small made-up world for desk and cycle tests: a few corridors over a row of grid cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearway.doctrine import Doctrine, load_doctrine
from clearway.kernel.language import Text
from clearway.network.model import Corridor, Deck, GridArea, Network, RoadClass
from clearway.picture.desk import CycleState, DeskResult, DeskView
from clearway.picture.fields import Field
from clearway.picture.picture import Columns, Override, Picture, Treatment, Weather

AT = datetime(2015, 11, 22, 6, tzinfo=UTC)
LEADS = 49
PAST = 48

ROADS: tuple[tuple[str, str, RoadClass, int], ...] = (
    ("Airport Expressway", "机场高速", RoadClass.MOTORWAY, 100),
    ("Second Ring Road", "二环路", RoadClass.TRUNK, 80),
    ("Chang'an Avenue", "长安街", RoadClass.PRIMARY, 60),
    ("Pinganli Street", "平安里大街", RoadClass.SECONDARY, 50),
    ("Hutong Lane", "胡同", RoadClass.RESIDENTIAL, 30),
)


def doctrine(*packs: str) -> Doctrine:
    """Shipped doctrine with desk defaults."""
    return load_doctrine(packs or ("cn",))


def network(cells: int = 4) -> Network:
    """One corridor per road class, each with one 800 m segment in every cell, two of them bridges."""
    segments = [(road, cell) for road in range(len(ROADS)) for cell in range(cells)]
    count = len(segments)
    road = np.array([r for r, _ in segments])
    cell = np.array([c for _, c in segments])
    lon, lat = 116.0 + 0.05 * cell + 0.025, 39.9 + 0.001 * road
    deck = np.where((road <= 1) & (cell == 0), int(Deck.POSSIBLE_BRIDGE), int(Deck.GROUND)).astype(np.int8)
    coords = np.empty((2 * count, 2))
    coords[0::2, 0], coords[1::2, 0] = lon - 0.004, lon + 0.004
    coords[0::2, 1] = coords[1::2, 1] = lat
    corridors = tuple(
        Corridor(
            id=f"cor-{number}",
            name=Text(en, zh),
            ref="S12" if road_class == RoadClass.MOTORWAY else "",
            direction="E",
            direction_label=Text("eastbound", "东向"),
            road_class=road_class,
            segments=np.flatnonzero(road == number).astype(np.int32),
            length_m=800.0 * cells,
        )
        for number, (en, zh, road_class, _) in enumerate(ROADS)
    )
    areas = tuple(
        GridArea(f"grid-{c}", Text(f"grid {c}", f"网格{c}"), 116 + 0.05 * c, 39.85, 116.05 + 0.05 * c, 39.95)
        for c in range(cells)
    )
    ones = np.ones(count)
    return Network(
        segment_ids=tuple(f"seg-{r}-{c}" for r, c in segments),
        from_node=np.arange(count, dtype=np.int32),
        to_node=np.arange(1, count + 1, dtype=np.int32),
        node_lon=np.append(lon, lon[-1]),
        node_lat=np.append(lat, lat[-1]),
        length_m=(800.0 * ones).astype(np.float32),
        road_class=np.array([int(ROADS[r][2]) for r in road], dtype=np.int8),
        is_link=np.zeros(count, dtype=np.bool_),
        lanes=(2 * ones).astype(np.int8),
        lanes_origin=(2 * ones).astype(np.int8),
        speed_kmh=np.array([ROADS[r][3] for r in road], dtype=np.int16),
        speed_origin=(2 * ones).astype(np.int8),
        deck=deck,
        deck_origin=ones.astype(np.int8),
        sky_view=ones.astype(np.float32),
        lon=lon,
        lat=lat,
        coords=coords,
        offsets=np.arange(0, 2 * count + 1, 2, dtype=np.int64),
        corridor=road.astype(np.int32),
        area=cell.astype(np.int32),
        name_index=road.astype(np.int32),
        names=tuple(zh for _, zh, _, _ in ROADS),
        corridors=corridors,
        areas=areas,
        attribution="made up",
    )


def columns(roads: Network) -> Columns:
    """Distinct columns of cell × class group × deck, as the network room makes them."""
    group = np.select([roads.road_class <= 1, roads.road_class <= 3], [0, 1], 2)
    key = (roads.area.astype(np.int64) * 3 + group) * 4 + roads.deck
    distinct, inverse = np.unique(key, return_inverse=True)
    count = distinct.size
    weight = np.bincount(inverse, minlength=count)
    return Columns(
        segment_column=inverse.astype(np.int32),
        cell=(distinct // 12).astype(np.int32),
        class_group=(distinct // 4 % 3).astype(np.int8),
        deck=(distinct % 4).astype(np.int8),
        sky_view=np.ones(count, dtype=np.float32),
        lon=np.bincount(inverse, roads.lon, count) / weight,
        lat=np.bincount(inverse, roads.lat, count) / weight,
        length_m=np.bincount(inverse, roads.length_m, count).astype(np.float64),
    )


def weather(
    cells: int = 4,
    members: int = 5,
    *,
    temperature_c: float = 5.0,
    dew_point_c: float | None = None,
    at: datetime = AT,
    past: int = PAST,
    ahead: int = LEADS - 1,
) -> Weather:
    """Dry, mild and calm weather without visibility; change the arrays with :func:`with_weather`."""
    times = past + ahead + 1
    shape = (members, times, cells)
    end_s = int(at.timestamp())
    nan = np.full(shape, np.nan, dtype=np.float32)
    return Weather(
        times_s=end_s + 3600 * np.arange(-past, ahead + 1, dtype=np.int64),
        now_index=past,
        air_temperature_c=np.full(shape, temperature_c, dtype=np.float32),
        dew_point_c=np.full(shape, temperature_c - 1 if dew_point_c is None else dew_point_c, np.float32),
        precipitation_mm=np.zeros(shape, dtype=np.float32),
        wind_speed_ms=np.full(shape, 2.0, dtype=np.float32),
        pressure_hpa=np.full(shape, 1020.0, dtype=np.float32),
        cloud_fraction=nan,
        visibility_m=nan.copy(),
        shortwave_wm2=nan.copy(),
        source="made up",
        label=Text("made up", "虚构"),
        hindsight=True,
    )


def with_weather(base: Weather, **arrays: NDArray[Any] | float) -> Weather:
    """``base`` with arrays replaced; a scalar or smaller array is broadcast."""
    shape = base.air_temperature_c.shape
    full: dict[str, Any] = {}
    for name, values in arrays.items():
        full[name] = np.broadcast_to(np.asarray(values, np.float32), shape).copy()
    return replace(base, **full)


def picture(
    *,
    at: datetime = AT,
    cells: int = 4,
    sky: Weather | None = None,
    records: Mapping[str, tuple[Mapping[str, Any], ...]] | None = None,
    treatments: tuple[Treatment, ...] = (),
    overrides: tuple[Override, ...] = (),
) -> Picture:
    """A picture over :func:`network`."""
    roads = _network(cells)
    return Picture(
        at=at,
        network=roads,
        columns=_columns(cells),
        weather=sky or weather(cells, at=at),
        cell_names=tuple(a.id for a in roads.areas),
        treatments=treatments,
        overrides=overrides,
        records=dict(records or {}),
        simulated=True,
    )


_networks: dict[int, tuple[Network, Columns]] = {}


def _network(cells: int) -> Network:
    if cells not in _networks:
        roads = network(cells)
        _networks[cells] = (roads, columns(roads))
    return _networks[cells][0]


def _columns(cells: int) -> Columns:
    _network(cells)
    return _networks[cells][1]


@dataclass(frozen=True)
class Surface:
    """Road surface by (lead, column); scalars are broadcast. Codes as in ``conditions.py``."""

    condition: NDArray[Any] | int = 0
    rst_c: NDArray[Any] | float = 5.0
    friction: NDArray[Any] | float = 0.8
    snow_mm: NDArray[Any] | float = 0.0
    ice_mm: NDArray[Any] | float = 0.0
    water_mm: NDArray[Any] | float = 0.0
    p_slippery: NDArray[Any] | float | None = None
    visibility_m: NDArray[Any] | float = np.nan
    confidence: NDArray[Any] | float = 0.8

    def fields(self, shown: Picture) -> dict[str, Field]:
        """The fields the road weather desk writes."""
        shape = (LEADS, shown.columns.count)
        condition = np.broadcast_to(np.asarray(self.condition, np.int8), shape)
        slippery = (condition >= 3).astype(float) if self.p_slippery is None else self.p_slippery
        rst = np.broadcast_to(np.asarray(self.rst_c, np.float32), shape)
        plain: dict[str, tuple[Any, str]] = {
            "rst_c": (rst, "°C"),
            "rst_p10_c": (rst - 1, "°C"),
            "rst_p90_c": (rst + 1, "°C"),
            "water_mm": (self.water_mm, "mm"),
            "snow_mm": (self.snow_mm, "mm"),
            "ice_mm": (self.ice_mm, "mm"),
            "friction": (self.friction, "1"),
            "friction_p10": (np.asarray(self.friction) - 0.1, "1"),
            "p_freezing_wet": (slippery, "1"),
            "p_slippery": (slippery, "1"),
            "confidence": (self.confidence, "1"),
        }
        made = {
            name: Field(name, unit, ("lead", "column"), _full(value, shape), "made up")
            for name, (value, unit) in plain.items()
        }
        made["condition"] = Field("condition", "1", ("lead", "column"), condition.copy(), "made up")
        cells = (LEADS, len(shown.cell_names))
        made["visibility_m"] = Field(
            "visibility_m", "m", ("lead", "cell"), _full(self.visibility_m, cells), "made up"
        )
        return made


def _full(value: Any, shape: tuple[int, ...]) -> NDArray[np.float32]:
    return np.broadcast_to(np.asarray(value, np.float32), shape).copy()


class MadeUpRoad:
    """Stands for the road weather desk: writes a given surface."""

    name = "roadweather"
    reads: tuple[str, ...] = ("picture/weather", "picture/treatments", "picture/overrides")
    writes: tuple[str, ...] = tuple(sorted(Surface().fields(picture())))

    def __init__(self, surface: Surface) -> None:
        self.surface = surface

    def assess(self, view: DeskView) -> DeskResult:
        """Write the surface as it was given."""
        return DeskResult(fields=self.surface.fields(view.picture))


def later(hours: float) -> datetime:
    """``AT`` plus so many hours."""
    return AT + timedelta(hours=hours)


def record(
    kind: str, state: str, data: Mapping[str, Any], *, id: str = "", at: datetime = AT
) -> Mapping[str, Any]:
    """A record as the journal projects it."""
    return {
        "id": id or f"{kind}-1",
        "kind": kind,
        "state": state,
        "version": 1,
        "data": dict(data),
        "created_at": at,
        "updated_at": at,
    }


def cycle_state() -> CycleState:
    """The state before the first cycle."""
    return CycleState()


def keys(findings: Sequence[Any]) -> list[str]:
    """Keys of situations or proposals."""
    return [f.key for f in findings]
