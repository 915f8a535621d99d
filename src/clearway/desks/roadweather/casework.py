"""METRo's own cases: run what METRo ran, refuse what it refused, and compare with its reference."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clearway.desks.roadweather.conditions import Condition
from clearway.desks.roadweather.formats import metro_xml
from clearway.desks.roadweather.radiation import sun_position
from clearway.desks.roadweather.site_run import SiteForecast, run_site, when
from clearway.kernel.errors import InputError

F64 = NDArray[np.float64]

LONG_RUN_H: Final = 100.0
COVERED_MM: Final = 0.3
DARK_DEG: Final = -3.0
SUNNY_DEG: Final = 15.0
SUMMER_C: Final = 40.0
ABSURD_C: Final = (-60.0, 75.0)
ABSURD_SUM: Final = 1000.0
METRO_WET: Final = (2, 5)
METRO_DRY: Final = (1,)
OURS_WET: Final = (Condition.WET, Condition.DAMP)


@dataclass(frozen=True, slots=True)
class CaseResult:
    """One case: what was expected, whether we ran it, and how we differ from METRo's reference."""

    name: str
    expected: str
    kind: str = ""
    refused: str = ""
    pairs: int = 0
    bias_k: float = float("nan")
    rmse_k: float = float("nan")
    first_k: float = float("nan")
    largest_k: float = float("nan")
    condition_share: float = float("nan")
    metro_range: str = ""
    our_range: str = ""
    night_k: float = float("nan")
    day_k: float = float("nan")
    covered_k: float = float("nan")
    worst: str = ""

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> CaseResult:
        """Back from the stored form, where NaN is null."""
        known: dict[str, Any] = {k: float("nan") if v is None else v for k, v in stored.items()}
        return cls(**known)


def run_case(folder: Path) -> CaseResult:
    """Run one case folder with radiation from cloud, as METRo's references were made."""
    expected = json.loads((folder / "config.json").read_text("utf-8"))["expected_running_result"]
    try:
        given = metro_xml.read(
            folder / "forecast.xml", folder / "station.xml", folder / "observation.xml", own_radiation=True
        )
        made = run_site(given, output_s=1200.0)
    except InputError as error:
        return CaseResult(folder.name, expected, refused=str(error))
    times, rst, codes = metro_xml.read_roadcast(folder / "roadcast_reference.xml")
    return _compare(folder.name, expected, given.site.construction.deck, made, times, rst, codes, folder)


def _compare(
    name: str, expected: str, deck: bool, made: SiteForecast, times: NDArray[np.int64], metro_c: F64,
    codes: NDArray[np.int64], folder: Path,
) -> CaseResult:  # fmt: skip
    ours = np.interp(times, made.times_s, made.trajectory.rst_c[:, 0], left=np.nan, right=np.nan)
    seen = np.isfinite(ours)
    gap = (ours - metro_c)[seen]
    sun = sun_position(times, made.record.site.lon, made.record.site.lat)[0]
    white = _interpolated(times, made, "snow_mm") + _interpolated(times, made, "ice_mm") > COVERED_MM
    nearest = np.abs(made.times_s[:, None] - times[None, :]).argmin(axis=0)
    conditions = made.trajectory.condition()[nearest, 0]
    same = _group(conditions, (Condition.DRY,), OURS_WET) == _group(codes, METRO_DRY, METRO_WET)
    return CaseResult(
        name, expected, kind_of(deck, times, metro_c, folder), "", int(seen.sum()), float(gap.mean()),
        float(np.sqrt(np.mean(gap**2))), float(gap[0]), float(np.abs(gap).max()), float(same[seen].mean()),
        f"{metro_c.min():.0f}…{metro_c.max():.0f}", f"{np.nanmin(ours):.0f}…{np.nanmax(ours):.0f}",
        _mean(gap, (sun < DARK_DEG)[seen]), _mean(gap, ((sun > SUNNY_DEG) & ~white)[seen]),
        _mean(gap, ((sun > DARK_DEG) & white)[seen]),
        _worst(made, times[seen], ours[seen], metro_c[seen], sun[seen]),
    )  # fmt: skip


def _interpolated(times: NDArray[np.int64], made: SiteForecast, name: str) -> F64:
    return np.asarray(np.interp(times, made.times_s, made.trajectory[name][:, 0]), np.float64)


def _mean(gap: F64, where: NDArray[np.bool_]) -> float:
    return float(gap[where].mean()) if where.any() else float("nan")


def _worst(made: SiteForecast, times: NDArray[np.int64], ours: F64, metro_c: F64, sun_deg: F64) -> str:
    """The hour of the largest difference: both temperatures, sun, cloud, and what ours has on the road."""
    at = int(np.abs(ours - metro_c).argmax())
    row = int(np.abs(made.times_s - times[at]).argmin())
    index = int(np.abs(made.record.times_s - times[at]).argmin())
    said = [
        f"{when(float(times[at]))}: ours {ours[at]:.1f}, METRo {metro_c[at]:.1f} °C",
        f"air {made.forcing.air_temperature_c[0, index]:.1f}", f"sun {sun_deg[at]:.0f}°",
    ]  # fmt: skip
    if made.record.has("cloud") and np.isfinite(made.record.values["cloud"][index]):
        said.append(f"cloud {8 * made.record.values['cloud'][index]:.0f}/8")
    for name, word in (("water_mm", "water"), ("snow_mm", "snow"), ("ice_mm", "ice")):
        amount = float(made.trajectory[name][row, 0])
        if amount > COVERED_MM:
            said.append(f"{word} {amount:.1f} mm")
    return ", ".join(said)


def _group(codes: NDArray[np.integer], dry: Sequence[int], wet: Sequence[int]) -> NDArray[np.int64]:
    """0 dry, 1 wet, 2 anything frozen."""
    return np.where(np.isin(codes, list(dry)), 0, np.where(np.isin(codes, list(wet)), 1, 2))


def kind_of(deck: bool, times: NDArray[np.int64], metro_c: F64, folder: Path) -> str:
    """Kind of case: bridge, long run, summer road, road; apart where absurd amounts drove METRo's result."""
    kind = "road, summer" if metro_c.max() > SUMMER_C else "road"
    if deck:
        kind = "bridge"
    elif float(times[-1] - times[0]) / 3600.0 > LONG_RUN_H:
        kind = "long run"
    sums = [s for s in metro_xml.sums(folder / "forecast.xml") if np.isfinite(s)]
    absurd = max(sums, default=0.0) > ABSURD_SUM
    wild = metro_c.min() < ABSURD_C[0] or metro_c.max() > ABSURD_C[1]
    return f"{kind}, absurd amounts" if absurd or wild else kind


def run_cases(folder: Path) -> list[CaseResult]:
    """All ``case*`` folders in order.

    Raises:
        InputError: there is none.
    """
    cases = sorted(p for p in folder.glob("case*") if (p / "forecast.xml").is_file())
    if not cases:
        raise InputError("no METRo case", where=str(folder))
    return [run_case(case) for case in cases]


def by_kind(results: Sequence[CaseResult]) -> list[tuple[str, int, float, float, float]]:
    """Kind, cases, median RMSE [K], median bias [K], mean share of equal condition; run cases only."""
    kinds = sorted({r.kind for r in results if not r.refused})
    out = []
    for kind in kinds:
        mine = [r for r in results if r.kind == kind]
        middle = float(np.median([r.rmse_k for r in mine]))
        bias = float(np.median([r.bias_k for r in mine]))
        out.append((kind, len(mine), middle, bias, float(np.mean([r.condition_share for r in mine]))))
    return out
