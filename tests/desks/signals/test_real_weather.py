"""The signals on real weather: the November 2015 storm and real METARs with fog."""

from __future__ import annotations

import csv
import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from clearway.desks.signals.desk import SignalsDesk
from clearway.desks.signals.model import SignalState
from clearway.kernel.levels import Level
from clearway.operations.cycle import run_cycle
from clearway.picture.desk import CycleState
from tests.desks.world import AT, doctrine, picture, weather, with_weather

SITES = ("Dongsi", "Changping", "Gucheng", "Huairou", "Shunyi", "Wanliu")
START = datetime(2015, 11, 16, 16, tzinfo=UTC)
COLUMNS = ("air_temperature_c", "dew_point_c", "precipitation_mm", "wind_speed_ms")


@pytest.fixture(scope="module")
def storm(shared_data: Path) -> dict[str, NDArray[np.float64]]:
    """Hourly (hours, sites) of the storm, gaps filled forwards."""
    hours = 24 * 11
    out = {name: np.full((hours, len(SITES)), np.nan) for name in COLUMNS}
    with (shared_data / "beijing" / "hourly_storms.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            hour = int((datetime.fromisoformat(row["time_utc"]) - START).total_seconds() // 3600)
            if row["station"] in SITES and 0 <= hour < hours:
                for name in COLUMNS:
                    if row[name]:
                        out[name][hour, SITES.index(row["station"])] = float(row[name])
    for values in out.values():
        for hour in range(1, hours):
            values[hour] = np.where(np.isnan(values[hour]), values[hour - 1], values[hour])
    return out


def test_the_storm_peaks_at_a_yellow_blizzard(storm: dict[str, NDArray[np.float64]]) -> None:
    """With its own weather as forecast the storm reaches the yellow blizzard signal and no other.

    Neither rainstorm, gale nor cold wave criteria are met, fog cannot be judged, and every change of level
    lies at least the hold after the one before.
    """
    rules, state, seen, levels = doctrine(), CycleState(), set(), []
    for hour in range(48, 24 * 11 - 48):
        at = START + timedelta(hours=hour)
        part = {name: values[hour - 48 : hour + 49][None] for name, values in storm.items()}
        shown = picture(at=at, cells=6, sky=with_weather(weather(6, 1, at=at), **part))
        result = run_cycle(shown, state, rules, (SignalsDesk(),))
        state = result.state
        seen |= {s.hazard for s in result.situations}
        levels.append(max([int(s.level) for s in result.situations], default=0))
    assert seen == {"blizzard"}
    assert max(levels) == Level.YELLOW
    changes = [i for i in range(1, len(levels)) if levels[i] < levels[i - 1]]
    assert all(b - a >= 2 for a, b in pairwise(changes))
    assert len(changes) <= 4
    last = state.desks["signals"]
    assert isinstance(last, SignalState)
    assert {u.hazard for u in last.unassessed} == {"fog", "haze", "frost", "road_icing"}


@pytest.mark.parametrize(
    ("station", "level"), [("ZSCN", Level.ORANGE), ("ZSGZ", Level.YELLOW), ("ZUGU", None)]
)
def test_real_fog_reports(shared_data: Path, station: str, level: Level | None) -> None:
    """METARs of Chinese airports with 150, 300 and 900 m: orange, yellow, nothing."""
    text = (shared_data / "roadweather" / "metar_china_2018" / "metars_raw.txt").read_text(encoding="utf-8")
    line = next(x for x in text.splitlines() if f"METAR {station} 180200Z" in x and " FG " in x)
    found = re.search(r"(?:MPS|KT) (\d{4}) ", line)
    assert found is not None
    sky = with_weather(weather(), visibility_m=float(found[1]), dew_point_c=4.5)
    result = run_cycle(picture(sky=sky, at=AT), CycleState(), doctrine(), (SignalsDesk(),))
    assert [s.level for s in result.situations if s.hazard == "fog"] == ([level] if level else [])
