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
from clearway.desks.roadweather.site_run import SiteForecast, run_site
from clearway.kernel.errors import InputError

F64 = NDArray[np.float64]

LONG_RUN_H: Final = 100.0
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
    nearest = np.abs(made.times_s[:, None] - times[None, :]).argmin(axis=0)
    conditions = made.trajectory.condition()[nearest, 0]
    same = _group(conditions, (Condition.DRY,), OURS_WET) == _group(codes, METRO_DRY, METRO_WET)
    return CaseResult(
        name, expected, kind_of(deck, times, metro_c, folder), "", int(seen.sum()), float(gap.mean()),
        float(np.sqrt(np.mean(gap**2))), float(gap[0]), float(np.abs(gap).max()), float(same[seen].mean()),
        f"{metro_c.min():.0f}…{metro_c.max():.0f}", f"{np.nanmin(ours):.0f}…{np.nanmax(ours):.0f}",
    )  # fmt: skip


def _group(codes: NDArray[np.integer], dry: Sequence[int], wet: Sequence[int]) -> NDArray[np.int64]:
    """0 dry, 1 wet, 2 anything frozen."""
    return np.where(np.isin(codes, list(dry)), 0, np.where(np.isin(codes, list(wet)), 1, 2))


def kind_of(deck: bool, times: NDArray[np.int64], metro_c: F64, folder: Path) -> str:
    """Kind of case: absurd amounts, bridge, long run, summer road, winter road."""
    sums = [float(x) for x in metro_xml.sums(folder / "forecast.xml")]
    if max(sums, default=0.0) > ABSURD_SUM or metro_c.min() < ABSURD_C[0] or metro_c.max() > ABSURD_C[1]:
        return "absurd amounts in the input"
    if deck:
        return "bridge"
    if float(times[-1] - times[0]) / 3600.0 > LONG_RUN_H:
        return "long run"
    return "road, summer" if metro_c.max() > SUMMER_C else "road"


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
