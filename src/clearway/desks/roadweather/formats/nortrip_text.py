"""Tables that come beside a NORTRIP example: traffic counts and treatments, in local standard time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clearway.desks.roadweather.chemistry import EQUIVALENT_NACL
from clearway.desks.roadweather.model import ColumnTreatment
from clearway.desks.roadweather.record import SiteRecord
from clearway.kernel.errors import InputError

F64 = NDArray[np.float64]


def _rows(path: Path, *, utc_offset_h: float) -> list[tuple[int, list[float]]]:
    """Epoch seconds and values of every row; year, month, day and hour come first."""
    out = []
    for line, text in enumerate(path.read_text("utf-8", errors="replace").splitlines()[1:], 2):
        cells = text.strip().split("\t")
        if len(cells) < 5:
            continue
        try:
            year, month, day, hour = (int(float(c)) for c in cells[:4])
            numbers = [float(c) for c in cells[4:] if c]
            at = datetime(year, month, day, hour, tzinfo=UTC).timestamp() - utc_offset_h * 3600.0
        except ValueError as error:
            raise InputError("not a row of numbers", where=f"{path.name} line {line}") from error
        out.append((int(at), numbers))
    return out


def with_tables(record: SiteRecord, folder: Path) -> SiteRecord:
    """Add traffic and treatments from ``*_traffic.txt`` and ``*_activity.txt`` in a folder, where there are.

    Raises:
        InputError: a row that cannot be read; names file and line.
    """
    offset = record.site.utc_offset_h
    values = dict(record.values)
    for path in sorted(folder.glob("*_traffic.txt")):
        flow, speed = np.full(record.times_s.size, np.nan), np.full(record.times_s.size, np.nan)
        step = int(record.times_s[1] - record.times_s[0])
        for at, numbers in _rows(path, utc_offset_h=offset):
            place = (at - int(record.times_s[0])) // step
            if 0 <= place < flow.size and numbers[0] >= 0:
                flow[place] = numbers[0] / record.site.lanes
                speed[place] = numbers[-1] if numbers[-1] > 0 else np.nan
        values |= {"vehicles_h": flow, "speed_kmh": speed}
    done: list[ColumnTreatment] = []
    for path in sorted(folder.glob("*_activity.txt")):
        for at, numbers in _rows(path, utc_offset_h=offset):
            sand, nacl, mgcl2, plough = (*numbers, 0.0, 0.0, 0.0, 0.0)[:4]
            salt = nacl + mgcl2 * EQUIVALENT_NACL["mgcl2"]
            for amount, action in ((plough, "plough"), (salt, "salt"), (sand, "abrasive")):
                if amount > 0:
                    done.append(ColumnTreatment(0, float(at), action, 0.0 if action == "plough" else amount))
    return replace(record, values=values, treatments=(*record.treatments, *done))
