"""One door to the weather of a picture: hindsight in replays, stored forecasts in live operation."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Literal

from clearway.operations.forecast.cells import Cells
from clearway.operations.forecast.hindsight import Hindsight
from clearway.operations.forecast.live import Live
from clearway.picture.picture import Weather
from clearway.series.store import SeriesStore, seconds

Mode = Literal["hindsight", "live"]


def assemble_weather(
    store: SeriesStore,
    cells: Cells,
    at: datetime | int,
    *,
    past_h: int = 48,
    ahead_h: int = 48,
    members: int = 10,
    exclude: Collection[str] = (),
    mode: Mode = "hindsight",
) -> Weather:
    """Weather of the hours ``at − past_h … at + ahead_h`` by member and cell, as known at ``at``.

    The present is the full hour at or before ``at``, at index ``past_h``. The same store, cells and moment
    give the same bytes, in whatever order moments are asked for.

    Args:
        store: observations (and, for ``live``, forecasts).
        cells: where weather is wanted.
        at: the moment of the picture.
        past_h, ahead_h: hours back and ahead.
        members: ensemble members; member i is the same whatever their number.
        exclude: stations a person has rejected.
        mode: ``hindsight`` lays errors on what was later observed; ``live`` uses the latest stored forecast.

    Raises:
        NotFoundError: nothing was known at ``at``, or no reporting station has a position.
    """
    maker = Hindsight(store, cells) if mode == "hindsight" else Live(store, cells)
    return maker.weather(seconds(at), past_h=past_h, ahead_h=ahead_h, members=members, exclude=exclude)
