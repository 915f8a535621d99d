"""Gather what the winter rules need from the picture."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from clearway.desks.winter.engine import F64, Limits, Mask, column_need, corridor_need, course, with_crews
from clearway.desks.winter.model import CLASSES, WinterInputs
from clearway.kernel.clock import epoch_s
from clearway.picture.corridors import CorridorIndex, corridor_index
from clearway.picture.desk import DeskView
from clearway.picture.picture import Picture
from clearway.picture.precipitation import split_precipitation

LISTS = "plough lists"
"""Source of treatments that crews did by the lists of a plan."""
OPEN_TASK = ("open", "acknowledged", "started")


def winter_inputs(view: DeskView) -> WinterInputs:
    """Everything the rules use, from a desk view."""
    picture, doctrine, fields = view.picture, view.doctrine, view.fields
    number = doctrine.number
    index = corridor_index(picture.network, picture.columns)
    limits = Limits.of(doctrine)
    now = picture.weather.now_index
    rain, snow = split_precipitation(picture.weather)
    wind = picture.weather.wind_speed_ms
    c = course(
        fields,
        picture.columns.cell,
        rain[:, now:].mean(axis=0, dtype=np.float64),
        snow[:, now:].mean(axis=0, dtype=np.float64),
        wind[:, now:].mean(axis=0, dtype=np.float64),
        limits,
    )
    need = corridor_need(column_need(c, limits), c, index, number("winter.treat_share"))
    service = service_class(index, doctrine.number)
    cycle = np.full(index.count, np.inf)
    for place, name in enumerate(CLASSES):
        cycle[service == place] = number(f"winter.class.{name}.cycle_h")
    ahead = int(number("winter.look_ahead_h")) + 1
    return WinterInputs(
        at=picture.at,
        doctrine=doctrine,
        picture=picture,
        index=index,
        need=with_crews(need, treated_ago_h(picture, index.count), under_way(picture, index), cycle),
        service_class=service,
        p_slippery=index.mean(fields.array("p_slippery")[:ahead].max(axis=0)),
        confidence=index.mean(fields.array("confidence")[0]),
        rst_c=index.mean(fields.array("rst_c")[0]),
    )


def service_class(index: CorridorIndex, number: Callable[[str], float]) -> NDArray[np.int8]:
    """Service class of every corridor: 0 first, 1 second, −1 not served here."""
    out = np.full(index.count, -1, dtype=np.int8)
    for place in (1, 0):
        name = CLASSES[place]
        out[index.road_class <= int(number(f"winter.class.{name}.max_road_class"))] = place
    served = (index.road_class <= int(number("winter.managed_max_class"))) & (
        index.length_m >= number("winter.managed_min_length_m")
    )
    return np.where(served, out, -1).astype(np.int8)


def treated_ago_h(picture: Picture, count: int, *, but: str = "") -> F64:
    """Hours since each corridor was last treated; infinite for never. ``but`` leaves out one source."""
    out = np.full(count, np.inf)
    now = epoch_s(picture.at)
    for done in picture.treatments:
        if done.source != but and done.at <= picture.at and 0 <= done.corridor < count:
            out[done.corridor] = min(out[done.corridor], (now - epoch_s(done.at)) / 3600.0)
    return out


def under_way(picture: Picture, index: CorridorIndex) -> Mask:
    """Corridors that an unfinished treatment task still has on its list."""
    out = np.zeros(index.count, dtype=np.bool_)
    for task in picture.records.get("task", ()):
        if task["data"].get("type") != "treat" or task["state"] not in OPEN_TASK:
            continue
        done = set(task["data"].get("done_corridors") or ())
        for corridor in task["data"].get("corridors", ()):
            number = index.number(str(corridor))
            if number >= 0 and corridor not in done:
                out[number] = True
    return out
