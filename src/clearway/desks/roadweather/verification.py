"""The whole score table of a data set: ours in several forms, every recorded anchor, odd and even blocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clearway.desks.roadweather import scores, uncertainty
from clearway.desks.roadweather.assimilation import AssimilationSettings
from clearway.desks.roadweather.correction import LEAST_STARTS, blocks_of, corrected
from clearway.desks.roadweather.datasets import DataSet
from clearway.desks.roadweather.hindcast import Hindcast, roll
from clearway.desks.roadweather.record import SiteRecord
from clearway.desks.roadweather.site_run import REJECTED
from clearway.kernel.language import Text

F64 = NDArray[np.float64]

WET_FILM_MM: Final = 0.02
"""Film from which a wetness sensor speaks: where the class damp begins."""


TOO_FEW: Final = Text(
    "{count} forecasts are too few to learn a correction from other blocks ({least} are needed)",
    "仅 {count} 次预报,不足以由其他时段学习订正(至少需 {least} 次)",
)


def score_forecast(data: DataSet, forecast_c: F64, observed_c: F64) -> dict[str, Any]:
    """Scores over all starts, and over those in odd and in even ten-day blocks."""
    blocks = blocks_of(data.record, data.starts)
    out: dict[str, Any] = dict(scores.temperature_scores(forecast_c, observed_c))
    for name, chosen in (("odd_blocks", blocks % 2 == 1), ("even_blocks", blocks % 2 == 0)):
        if chosen.any() and np.isfinite(observed_c[chosen, 1:]).any():
            part = scores.temperature_scores(forecast_c[chosen], observed_c[chosen])
            out[name] = {k: part[k] for k in ("n", "rmse_1_24h", "rmse_near_0c", "freezing_csi") if k in part}
    return out


def verify(data: DataSet, *, dt_s: float = 300.0, full: bool = True) -> dict[str, Any]:
    """Roll all forecasts and score them.

    Args:
        data: the data set.
        dt_s: time step.
        full: also the variants (literature's values, other radiation, other steps) and probabilities.

    Returns:
        A plain dictionary: ``scores`` by model, ``probability``, ``steps``, and what the run was.
    """
    record = data.record
    main = roll(record, data.starts, dt_s=dt_s)
    observed = main.observed_c
    better = corrected(record, main)
    table: dict[str, Any] = {
        "physics": score_forecast(data, main.rst_c, observed) | _wet(main),
        "corrected": score_forecast(data, better, observed) | _wet(main),
    }
    out: dict[str, Any] = {
        "data": data.name,
        "site": record.site.name,
        "station": record.site.source,
        "starts": int(data.starts.size),
        "radiation": main.radiation,
        "dt_s": dt_s,
        "bridged": list(record.bridged),
        "readings": {"believed": main.known[-1].readings, "rejected": main.known[-1].rejected},
        "notes": [note.as_dict() for note in _notes(record, main)],
        "scores": table,
    }
    if full:
        table |= _variants(data, main, dt_s)
        members = uncertainty.run_members(record, main)
        made = uncertainty.probabilities(record, main, better, members)
        out["probability"] = uncertainty.probability_scores(made, observed)
        out["steps"] = _steps(data, main, dt_s)
    table |= {name: score_forecast(data, f, observed) for name, f in baselines(record, main).items()}
    for name, forecast in data.anchors.items():
        table[name] = score_forecast(data, forecast, observed)
    for name, wet in data.anchor_wet.items():
        table.setdefault(name, {}).update(scores.wetness_scores(wet, main.wet))
    return out


def verify_all(data: Sequence[DataSet], *, dt_s: float = 300.0, full: bool = True) -> dict[str, Any]:
    """Every site of a folder: one result as :func:`verify` gives it, or ``sites`` and pooled ``scores``.

    Pooled are bias, MAE and RMSE of the models that every site has, weighted by the number of pairs.
    """
    made = {each.name: verify(each, dt_s=dt_s, full=full) for each in data}
    if len(made) == 1:
        return next(iter(made.values()))
    return {"sites": made, "scores": pooled([m["scores"] for m in made.values()])}


def pooled(tables: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Bias, MAE and RMSE over all pairs of all sites, by model."""
    common = [name for name in tables[0] if all("rmse_1_24h" in t.get(name, {}) for t in tables)]
    out: dict[str, Any] = {}
    for name in common:
        rows = [t[name] for t in tables]
        n = np.array([r["n"] for r in rows], float)
        share = n / max(float(n.sum()), 1.0)
        out[name] = {
            "n": int(n.sum()),
            "bias": float(share @ np.array([r["bias"] for r in rows])),
            "mae": float(share @ np.array([r["mae"] for r in rows])),
            "rmse_1_24h": float(np.sqrt(share @ np.array([r["rmse_1_24h"] for r in rows]) ** 2)),
        }
    return out


def baselines(record: SiteRecord, made: Hindcast) -> dict[str, F64]:
    """What anybody can forecast: the last reading, the last road − air difference, the air itself."""
    per_h = round(3600 / (record.times_s[1] - record.times_s[0]))
    grid = made.starts[:, None] + per_h * np.arange(made.observed_c.shape[1])
    air = record.forcing("cloud").air_temperature_c[0][grid]
    first = made.observed_c[:, :1]
    return {
        "persistence": np.repeat(first, air.shape[1], axis=1),
        "last_difference": first - air[:, :1] + air,
        "air_temperature": air,
    }


def _notes(record: SiteRecord, made: Hindcast) -> list[Text]:
    """What was assumed, bridged, rejected or left undone."""
    notes = [*record.notes, *record.forcing(made.radiation).notes]
    rejected = made.known[-1].rejected
    if rejected:
        total = str(made.known[-1].readings + rejected)
        notes.append(REJECTED.format(count=str(rejected), total=total))
    if made.starts.size < LEAST_STARTS + 1:
        notes.append(TOO_FEW.format(count=str(made.starts.size), least=str(LEAST_STARTS)))
    return list(dict.fromkeys(notes))


def _wet(made: Hindcast) -> dict[str, float]:
    return scores.wetness_scores(made.moisture_mm > WET_FILM_MM, made.wet)


def _variants(data: DataSet, main: Hindcast, dt_s: float) -> dict[str, Any]:
    """Ours in other forms: nothing learned about the site, other radiation, no road sensor at all."""
    record, starts = data.record, data.starts
    plain = AssimilationSettings(calibration=None)
    out: dict[str, Any] = {}

    def add(name: str, made: Hindcast) -> None:
        out[name] = score_forecast(data, made.rst_c, main.observed_c) | _wet(made)

    add("physics_literature", roll(record, starts, settings=plain, dt_s=dt_s))
    if main.radiation != "open_sky" and record.has("sw_open"):
        add("physics_open_sky", roll(record, starts, radiation="open_sky", dt_s=dt_s))
        add(
            "physics_open_sky_literature",
            roll(record, starts, radiation="open_sky", settings=plain, dt_s=dt_s),
        )
    if main.radiation != "cloud":
        cloud = roll(record, starts, radiation="cloud", dt_s=dt_s)
        add("physics_cloud_only", cloud)
        fixed = corrected(record, cloud)
        out["corrected_cloud_only"] = score_forecast(data, fixed, main.observed_c)
    blind = replace(record, values={**record.values, "rst_c": np.full(record.times_s.size, np.nan)})
    mode = "open_sky" if record.has("sw_open") else None
    add("physics_no_sensor", roll(blind, starts, radiation=mode, settings=plain, dt_s=dt_s))
    return out


def _steps(data: DataSet, main: Hindcast, dt_s: float) -> dict[str, Any]:
    """How the forecast depends on the step: score and largest difference from 60 s."""
    from clearway.desks.roadweather.hindcast import forecast

    record = data.record
    forcing = record.forcing(main.radiation)
    at_road = main.radiation == "at_road"
    runs = {
        step: forecast(record, forcing, main.known, at_road=at_road, dt_s=step).rst_c.T.astype(np.float64)
        for step in (60.0, dt_s, 600.0)
    }
    fine = runs[60.0]
    return {
        f"{step:.0f}": {
            "rmse_1_24h": scores.rmse(run[:, 1:] - main.observed_c[:, 1:]),
            "rms_from_60s_k": scores.rmse(run - fine),
            "largest_from_60s_k": float(np.abs(run - fine).max()),
        }
        for step, run in runs.items()
    }
