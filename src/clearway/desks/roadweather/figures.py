"""Figures of docs/roadweather.md, drawn from the stored results."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clearway.desks.roadweather import scores
from clearway.desks.roadweather.correction import corrected
from clearway.desks.roadweather.datasets import DataSet
from clearway.desks.roadweather.hindcast import roll
from clearway.desks.roadweather.svg import Chart

F64 = NDArray[np.float64]

LEAD_MODELS: Final = {
    "corrected": "ours, corrected",
    "physics": "ours, physics",
    "nortrip_error_decay": "NORTRIP + error decay",
    "roadsurf": "RoadSurf",
    "metro": "METRo",
    "persistence": "persistence",
}


def errors_by_lead(data: DataSet) -> dict[str, Any]:
    """RMSE at each lead hour of ours and of the anchors."""
    main = roll(data.record, data.starts)
    forecasts: dict[str, F64] = {"physics": main.rst_c, "corrected": corrected(data.record, main)}
    forecasts |= {n: f for n, f in data.anchors.items() if n in LEAD_MODELS}
    leads = range(1, main.observed_c.shape[1])
    return {
        name: [scores.rmse(f[:, k] - main.observed_c[:, k]) for k in leads]
        for name, f in forecasts.items()
        if name in LEAD_MODELS
    }


def draw(results: Mapping[str, Any], folder: Path) -> list[Path]:
    """Draw every figure the results allow; returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    made = {}
    if results.get("by_lead"):
        made["roadweather-by-lead"] = by_lead(results["by_lead"])
    probability = results.get("hindcast", {}).get("probability")
    if probability:
        made["roadweather-reliability"] = reliability(probability)
    if results.get("salt"):
        made["roadweather-salt"] = salt(results["salt"])
    if results.get("storm"):
        made["roadweather-storm"] = storm(results["storm"])
    paths = []
    for name, text in made.items():
        path = folder / f"{name}.svg"
        path.write_text(text, "utf-8")
        paths.append(path)
    return paths


def by_lead(table: Mapping[str, list[float]]) -> str:
    """RMSE over lead."""
    chart = Chart(
        "Error of road temperature by lead", "hours ahead", "RMSE, K", (1, 24), (0, 2.8),
        x_ticks=[(h, str(h)) for h in (1, 3, 6, 9, 12, 15, 18, 21, 24)],
    )  # fmt: skip
    for n, (key, name) in enumerate(LEAD_MODELS.items()):
        if key in table:
            values = [float(v) if v is not None else float("nan") for v in table[key]]
            chart.line(list(range(1, len(values) + 1)), values, name, colour=n, dash=n)
    return chart.render()


def reliability(p: Mapping[str, Any]) -> str:
    """Observed frequency over forecast probability, with the number of forecasts as bars."""
    rows = p["reliability"]
    most = max(n for _, _, n in rows)
    chart = Chart(
        "Reliability: road below 0 °C and wet", "forecast probability", "observed frequency", (0, 1), (0, 1)
    )
    chart.bars(
        [min(max(f, 0.025), 0.975) for f, _, _ in rows],
        [0.35 * n / most for _, _, n in rows],
        0.05,
        "number of forecasts",
        colour=2,
    )
    chart.line([0, 1], [0, 1], "perfect", colour=2, dash=1)
    chart.line([f for f, _, _ in rows], [o for _, o, _ in rows], "members, dressed", colour=0)
    chart.points([f for f, _, _ in rows], [o for _, o, _ in rows], "")
    return chart.render()


def salt(s: Mapping[str, Any]) -> str:
    """Mean freezing point around the logged saltings."""
    low = min(*s["with_c"], -1.0)
    chart = Chart(
        "Freezing point of the film around logged saltings",
        "hours from the salting",
        "°C",
        (-6, 24),
        (low * 1.1, 0.5),
    )
    chart.line(s["hours"], s["with_c"], "with the logged salt", colour=0)
    chart.line(s["hours"], s["without_c"], "without any salt", colour=1, dash=1)
    return chart.render()


def storm(s: Mapping[str, Any]) -> str:
    """The storm at one site: air, road, possible bridge, precipitation."""
    hours = s["hours"]
    days = (np.array(hours["time_s"]) / 3600.0 + s["utc_offset_h"]) / 24.0
    first, last = float(days[0]), float(days[-1])
    midnights = [d for d in range(int(first) + 1, int(last) + 1) if (d - int(first)) % 2 == 1]
    labels = [(float(d), str(np.datetime64(d, "D"))[5:]) for d in midnights]
    chart = Chart(
        f"Beijing storm of November 2015 at {s['station']}", "local date (midnight)", "°C; mm/h as bars",
        (first, last), (-14, 24), x_ticks=labels, width=860, height=400,
    )  # fmt: skip
    chart.bars(days.tolist(), hours["fall_mm"], 1 / 26, "precipitation, mm/h", colour=2)
    chart.line([first, last], [0, 0], "0 °C", colour=2, dash=2)
    chart.line(days.tolist(), hours["air_c"], "air", colour=3, dash=1)
    chart.line(days.tolist(), hours["road_c"], "ordinary road", colour=0)
    chart.line(days.tolist(), hours["bridge_c"], "possible bridge", colour=1, dash=3)
    return chart.render()
