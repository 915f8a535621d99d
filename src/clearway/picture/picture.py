"""The picture: everything a desk may look at, frozen at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearway.kernel.language import Text
from clearway.network.model import Network


@dataclass(frozen=True, slots=True, eq=False)
class Weather:
    """Past analysis and forecast on a common hourly axis, by member and grid cell.

    ``times_s`` are epoch seconds of the *end* of each hour; ``now_index`` is the last hour that is
    known. Arrays have shape (members, times, cells); before ``now_index`` all members are equal.
    Unknown quantities are NaN and desks must say what default they used instead.
    """

    times_s: NDArray[np.int64]
    now_index: int
    air_temperature_c: NDArray[np.float32]
    dew_point_c: NDArray[np.float32]
    precipitation_mm: NDArray[np.float32]
    wind_speed_ms: NDArray[np.float32]
    pressure_hpa: NDArray[np.float32]
    cloud_fraction: NDArray[np.float32]
    visibility_m: NDArray[np.float32]
    shortwave_wm2: NDArray[np.float32]
    source: str
    label: Text
    hindsight: bool

    @property
    def members(self) -> int:
        """Number of ensemble members."""
        return int(self.air_temperature_c.shape[0])


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Distinct forcing columns: weather cell × road class group × deck kind.

    ``segment_column`` maps every segment to its column; the other arrays describe the columns.
    ``class_group``: 0 motorway and trunk, 1 primary and secondary, 2 the rest.
    ``deck``: code of :class:`clearway.network.model.Deck`.
    """

    segment_column: NDArray[np.int32]
    cell: NDArray[np.int32]
    class_group: NDArray[np.int8]
    deck: NDArray[np.int8]
    sky_view: NDArray[np.float32]
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    length_m: NDArray[np.float64]

    @property
    def count(self) -> int:
        """Number of distinct columns."""
        return int(self.cell.size)


@dataclass(frozen=True, slots=True)
class Treatment:
    """A treatment done on a corridor: an observation like any other.

    ``action`` is ``salt``, ``plough``, ``plough_salt``, ``brine`` or ``abrasive``; ``rate_g_m2`` is dry
    NaCl equivalent (0 for ploughing alone).
    """

    corridor: int
    action: str
    rate_g_m2: float
    at: datetime
    source: str


@dataclass(frozen=True, slots=True, eq=False)
class RoadSensor:
    """Road temperatures of one station, as measured.

    ``rst_c`` lies on the hours of the weather's past, up to and including the present, NaN where there is no
    reading. ``deck`` is a code of :class:`clearway.network.model.Deck`: what the sensor lies in.
    """

    station: str
    lon: float
    lat: float
    deck: int
    rst_c: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Override:
    """A person's word against model or sensor: it wins until it expires.

    ``quantity`` is ``condition``, ``rst_c``, ``visibility_m`` or ``sensor`` (value ``reject``).
    ``subject_kind`` is ``corridor``, ``segment``, ``cell`` or ``station``.
    """

    subject_kind: str
    subject: str
    quantity: str
    value: str
    by: str
    reason: str
    at: datetime
    until: datetime


Record = Mapping[str, Any]
"""A record as the journal projects it: ``id``, ``kind``, ``state``, ``version``, ``data``, ``updated_at``."""


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """What we know at ``at``. Desks read this and nothing else."""

    at: datetime
    network: Network
    columns: Columns
    weather: Weather
    cell_names: tuple[str, ...]
    treatments: tuple[Treatment, ...] = ()
    overrides: tuple[Override, ...] = ()
    records: Mapping[str, tuple[Record, ...]] = field(default_factory=dict)
    """Open records by kind: situation, proposal, measure, task, incident, notice, unit."""
    simulated: bool = False
    sensors: tuple[RoadSensor, ...] = ()
    """Road sensors with a reading in the past two days."""
