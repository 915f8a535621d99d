"""The engine's names in one place, for notebooks and other programs."""

from __future__ import annotations

from clearway.desks.roadweather.engine import Run, simulate
from clearway.desks.roadweather.forcing import Sources, build
from clearway.desks.roadweather.model import (
    ColumnTreatment,
    Forcing,
    RoadColumns,
    Sensors,
    SurfaceState,
    TrafficPatterns,
    Trajectory,
)

__all__ = (
    "ColumnTreatment",
    "Forcing",
    "RoadColumns",
    "Run",
    "Sensors",
    "Sources",
    "SurfaceState",
    "TrafficPatterns",
    "Trajectory",
    "build",
    "simulate",
)
