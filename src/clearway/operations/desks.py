"""The desks of the house, put together in one place."""

from __future__ import annotations

from importlib import import_module
from typing import Final

from clearway.picture.desk import Desk

DESKS: Final = (
    ("clearway.desks.roadweather.desk", "RoadWeatherDesk"),
    ("clearway.desks.signals.desk", "SignalsDesk"),
    ("clearway.desks.control.desk", "ControlDesk"),
    ("clearway.desks.winter.desk", "WinterDesk"),
    ("clearway.desks.command.desk", "CommandDesk"),
    ("clearway.desks.travel.desk", "TravelDesk"),
)
"""Module and class of every desk; imported when first wanted, since engines are heavy."""


def all_desks() -> tuple[Desk, ...]:
    """One of each desk."""
    return tuple(getattr(import_module(module), name)() for module, name in DESKS)
