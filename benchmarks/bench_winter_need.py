"""Winter treatment need: every column judged with its reason, then every corridor, and the salt it asks for.

50,000 corridor-hours are 3,847 corridors over the 13 hours a cycle looks at, each with three columns of its
own, on random weather that reaches most reasons. There is no peer: open systems we know have no such step.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from benchmarks.harness import Row

CORRIDOR_HOURS = 50_000
COLUMNS_PER_CORRIDOR = 3
LEAST_SHARE = 0.15


def _course(columns: int, hours: int, seed: int) -> Any:
    from clearway.desks.winter.engine import Course

    rng = np.random.default_rng(seed)
    shape = (hours, columns)
    rst = rng.normal(-3.0, 4.0, columns) + rng.normal(0.0, 1.0, shape)
    snow = np.where(rng.random(shape) < 0.4, rng.gamma(1.0, 0.6, shape), 0.0)
    rain = np.where((rst > 0) & (rng.random(shape) < 0.2), rng.gamma(1.0, 0.5, shape), 0.0)
    return Course(
        slick=(rst < 1.5) & (rng.random(shape) < 0.5),
        rst_c=rst,
        rst_low_c=rst - 0.5,
        condition=rng.integers(0, 9, shape).astype(np.int8),
        water_mm=rng.gamma(1.0, 0.2, shape),
        ice_mm=np.where(rng.random(columns) < 0.2, 0.5, 0.0),
        depth_mm=np.where(rng.random(columns) < 0.3, rng.gamma(1.0, 10.0, columns), 0.0),
        rain_mm=rain,
        snow_mm=snow,
        wind_ms=rng.gamma(2.0, 2.0, shape),
    )


def _index(corridors: int) -> Any:
    """Corridors of equal length, each with columns of its own."""
    from clearway.picture.corridors import CorridorIndex

    columns = corridors * COLUMNS_PER_CORRIDOR
    each = np.full(corridors, 3000.0)
    return CorridorIndex(
        pair_corridor=np.repeat(np.arange(corridors), COLUMNS_PER_CORRIDOR).astype(np.int32),
        pair_column=np.arange(columns, dtype=np.int32),
        pair_cell=np.zeros(columns, np.int32),
        pair_length_m=np.full(columns, 1000.0),
        present=np.arange(corridors, dtype=np.int32),
        starts=np.arange(0, columns, COLUMNS_PER_CORRIDOR),
        length_m=each,
        road_class=np.zeros(corridors, np.int8),
        speed_kmh=np.full(corridors, 80.0),
        lanes=np.full(corridors, 3.0),
        lane_length_m=3 * each,
        bridge_share=np.zeros(corridors),
        ids=tuple(f"c-{i}" for i in range(corridors)),
    )


def run(quick: bool) -> list[Row]:
    """Seconds of processor time for 50,000 corridor-hours, all steps."""
    from clearway.desks.winter.dose import dose_g_m2
    from clearway.desks.winter.engine import Limits, column_need, corridor_need
    from clearway.doctrine import load_doctrine

    limits = Limits.of(load_doctrine(["cn"]))
    hours = limits.horizon_h + 1
    corridors = -(-CORRIDOR_HOURS // hours)
    columns = corridors * COLUMNS_PER_CORRIDOR
    course, index = _course(columns, hours, 1), _index(corridors)
    column_need(_course(100, hours, 2), limits)
    taken = []
    for _ in range(1 if quick else 5):
        begun = time.process_time()
        need = column_need(course, limits)
        roads = corridor_need(need, course, index, LEAST_SHARE)
        dose = dose_g_m2(roads.coldest_c, roads.water_mm, hours=4.0, traffic=3)
        taken.append(time.process_time() - begun)
    assert dose.size == roads.reason.size == corridors
    words = (
        f"{corridors} corridors, {columns} columns, {hours} h; processor time, median of {len(taken)} runs"
    )
    return [
        Row("need of 50,000 corridor-hours", float(np.median(taken)), None, "s", "<= 1", words),
        Row(
            "reasons in use",
            float(np.unique(need.reason).size),
            None,
            "codes",
            None,
            "of 24 that weather can give, on random weather",
        ),
    ]
