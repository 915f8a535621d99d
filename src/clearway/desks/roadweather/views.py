"""Plain views: tables and rows for the command line, the documentation and the console."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

MODELS: Final = {
    "corrected": "ours, with block-cross-validated correction",
    "physics": "ours, physics + assimilation",
    "corrected_cloud_only": "ours corrected, radiation from cloud alone",
    "physics_cloud_only": "ours, radiation from cloud alone",
    "physics_open_sky": "ours, open-sky radiation and street geometry",
    "physics_literature": "ours, nothing learned about the site",
    "physics_open_sky_literature": "ours, open-sky radiation, nothing learned",
    "physics_no_sensor": "ours, no road sensor at all",
    "nortrip_error_decay": "NORTRIP + last error decaying",
    "nortrip": "NORTRIP free run",
    "roadsurf": "RoadSurf",
    "metro": "METRo, canyon radiation",
    "metro_open_sky": "METRo, open-sky radiation",
    "metro_cloud": "METRo, cloud octants",
    "last_difference": "last road − air difference",
    "air_temperature": "air temperature",
    "persistence": "persistence",
}
COLUMNS: Final = {
    "bias": "bias", "mae": "MAE", "rmse_1_24h": "RMSE 1–24 h", "rmse_1h": "1 h", "rmse_4_6h": "4–6 h",
    "rmse_7_12h": "7–12 h", "rmse_13_24h": "13–24 h", "rmse_near_0c": "RMSE ±2 °C", "freezing_pod": "POD",
    "freezing_far": "FAR", "freezing_csi": "CSI", "wet_hss": "wet HSS",
}  # fmt: skip


def _cell(value: object) -> str:
    return "" if not isinstance(value, int | float) or np.isnan(value) else f"{value:.3f}"


def score_rows(result: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """Models in the order they are shown, unknown ones last."""
    table = result["scores"]
    names = [n for n in MODELS if n in table] + sorted(n for n in table if n not in MODELS)
    return [(str(MODELS.get(n, n)), table[n]) for n in names if "rmse_1_24h" in table[n]]


def score_table(result: Mapping[str, Any]) -> str:
    """The score table as text columns."""
    rows = score_rows(result)
    width = max(len(name) for name, _ in rows)
    head = " " * width + "".join(f"{title:>13}" for title in COLUMNS.values())
    lines = [f"{name:<{width}}" + "".join(f"{_cell(s.get(c)):>13}" for c in COLUMNS) for name, s in rows]
    return "\n".join([head, *lines])


def hindcast_text(result: Mapping[str, Any]) -> str:
    """A hindcast of one or several sites for the terminal: notes, then the score table."""
    if "sites" in result:
        parts = [hindcast_text(each) for each in result["sites"].values()]
        return "\n\n".join([*parts, "all sites together", score_table(result)])
    readings = result["readings"]
    head = (
        f"{result['site']}: {result['starts']} starts, radiation {result['radiation']}, "
        f"step {result['dt_s']:.0f} s, {readings['believed']} readings believed, {readings['rejected']} not"
    )
    notes = [f"note: {note['en']}" for note in result["notes"]]
    return "\n".join([head, *notes, score_table(result)])


def finite(value: Any) -> Any:
    """The same with null for NaN, as JSON has none."""
    if isinstance(value, Mapping):
        return {str(k): finite(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [finite(v) for v in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value


def markdown_table(result: Mapping[str, Any]) -> str:
    """The score table as Markdown."""
    lines = ["| model | " + " | ".join(COLUMNS.values()) + " |", "|---" * (len(COLUMNS) + 1) + "|"]
    for name, s in score_rows(result):
        lines.append(f"| {name} | " + " | ".join(_cell(s.get(c)) for c in COLUMNS) + " |")
    return "\n".join(lines)
