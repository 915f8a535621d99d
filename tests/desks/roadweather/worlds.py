"""Small synthetic weather, networks and pictures for tests of the road model."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clearway.desks.roadweather.model import Forcing
from clearway.kernel.clock import epoch_s
from clearway.kernel.language import Text
from clearway.network.model import Corridor, Deck, Network, RoadClass
from clearway.picture.picture import Columns, Override, Picture, Treatment, Weather

START = datetime(2015, 11, 20, tzinfo=UTC)


def forcing(
    *,
    hours: int = 48,
    series: int = 1,
    step_s: int = 3600,
    air: ArrayLike = 2.0,
    dew: ArrayLike = 0.0,
    wind: ArrayLike = 2.5,
    rain: ArrayLike = 0.0,
    snow: ArrayLike = 0.0,
    sun: ArrayLike = 0.0,
    sky: ArrayLike = 260.0,
) -> Forcing:
    """Forcing of the given values (scalar, by time, or by series and time)."""
    times = hours * 3600 // step_s + 1

    def full(values: ArrayLike) -> NDArray[np.float64]:
        return np.array(np.broadcast_to(np.asarray(values, float), (series, times)))

    return Forcing(
        times_s=epoch_s(START) + step_s * np.arange(times),
        air_temperature_c=full(air), dew_point_c=full(dew), wind_speed_ms=full(wind),
        pressure_hpa=full(1010.0), rain_mm_h=full(rain), snow_mm_h=full(snow),
        direct_wm2=full(sun) * 0.5, diffuse_wm2=full(sun) * 0.5,
        sky_lw_wm2=full(sky), sun_elevation_deg=full(20.0), sun_azimuth_deg=full(180.0),
    )  # fmt: skip


def day_wave(hours: int, mean: float, amplitude: float, *, peak_h: float = 14.0) -> NDArray[np.float64]:
    """A daily wave at every hour, peak at ``peak_h``."""
    h = np.arange(hours + 1)
    return np.asarray(mean + amplitude * np.cos((h - peak_h) / 24.0 * 2 * np.pi))


def network(corridors: int = 2, per_corridor: int = 3) -> Network:
    """Straight corridors of 500 m segments side by side near Beijing."""
    count = corridors * per_corridor
    lon = np.asarray(116.3 + 0.01 * np.arange(count), np.float64)
    lat = np.full(count, 39.9)
    coords = np.stack([np.repeat(lon, 2), np.repeat(lat, 2)], axis=1)
    chains = tuple(
        Corridor(
            f"cor-{c}", Text(f"Road {c}", f"道路{c}"), "", "E", Text("eastbound", "由西向东"),
            RoadClass.PRIMARY,
            np.arange(c * per_corridor, (c + 1) * per_corridor, dtype=np.int32), 500.0 * per_corridor,
        )
        for c in range(corridors)
    )  # fmt: skip
    zero8 = np.zeros(count, np.int8)
    return Network(
        segment_ids=tuple(f"seg-{i}" for i in range(count)),
        from_node=np.arange(count, dtype=np.int32), to_node=np.arange(1, count + 1, dtype=np.int32),
        node_lon=np.append(lon, lon[-1] + 0.01), node_lat=np.append(lat, 39.9),
        length_m=np.full(count, 500.0, np.float32), road_class=np.full(count, 2, np.int8),
        is_link=np.zeros(count, np.bool_), lanes=np.full(count, 2, np.int8), lanes_origin=zero8,
        speed_kmh=np.full(count, 60, np.int16), speed_origin=zero8, deck=zero8, deck_origin=zero8,
        sky_view=np.ones(count, np.float32), lon=lon, lat=lat, coords=coords,
        offsets=np.arange(0, 2 * count + 1, 2, dtype=np.int64),
        corridor=np.repeat(np.arange(corridors, dtype=np.int32), per_corridor), area=zero8.astype(np.int32),
        name_index=np.zeros(count, np.int32), names=("Road",), corridors=chains, areas=(),
    )  # fmt: skip


def columns_of(
    net: Network, *, cells: int = 1, decks: tuple[Deck, ...] = (Deck.GROUND, Deck.BRIDGE)
) -> Columns:
    """One column per corridor, decks in turn, cells in turn."""
    n = len(net.corridors)
    index = np.arange(n)
    return Columns(
        segment_column=net.corridor.copy(), cell=(index % cells).astype(np.int32),
        class_group=np.ones(n, np.int8), deck=np.array([decks[i % len(decks)] for i in index], np.int8),
        sky_view=np.full(n, 0.9, np.float32), lon=np.full(n, 116.4), lat=np.full(n, 39.9),
        length_m=np.bincount(net.corridor, weights=net.length_m).astype(np.float64),
    )  # fmt: skip


def weather(
    *, members: int = 1, cells: int = 1, past_h: int = 48, ahead_h: int = 48, air: ArrayLike = 1.0,
    dew: ArrayLike = -1.0, precipitation: ArrayLike = 0.0, wind: ArrayLike = 2.0,
) -> Weather:  # fmt: skip
    """Weather around the present; values broadcast over (members, times, cells)."""
    times = past_h + ahead_h + 1
    shape = (members, times, cells)

    def full(values: ArrayLike) -> NDArray[np.float32]:
        array = np.asarray(values, float)
        array = array[None, :, None] if array.ndim == 1 else array
        return np.array(np.broadcast_to(array, shape), np.float32)

    unknown = np.full(shape, np.nan, np.float32)
    return Weather(
        times_s=epoch_s(START) + 3600 * np.arange(times, dtype=np.int64), now_index=past_h,
        air_temperature_c=full(air), dew_point_c=full(dew), precipitation_mm=full(precipitation),
        wind_speed_ms=full(wind), pressure_hpa=full(1015.0), cloud_fraction=unknown, visibility_m=unknown,
        shortwave_wm2=unknown, source="synthetic", label=Text("synthetic", "合成"), hindsight=True,
    )  # fmt: skip


def picture(
    given: Weather, *, corridors: int = 2, cells: int = 1, treatments: tuple[Treatment, ...] = (),
    overrides: tuple[Override, ...] = (),
) -> Picture:  # fmt: skip
    """A picture at the weather's present."""
    net = network(corridors)
    at = START + timedelta(hours=given.now_index)
    names = tuple(f"cell-{i}" for i in range(cells))
    return Picture(at, net, columns_of(net, cells=cells), given, names, treatments, overrides)
