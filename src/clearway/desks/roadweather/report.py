"""The generated parts of docs/roadweather.md: score tables, figures, and the JSON they all come from."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clearway.desks.roadweather import bridges, casework, figures, stations, story
from clearway.desks.roadweather import probability as pr
from clearway.desks.roadweather.assimilation import first_state
from clearway.desks.roadweather.datasets import DataSet, load
from clearway.desks.roadweather.engine import simulate
from clearway.desks.roadweather.record import SiteRecord
from clearway.desks.roadweather.verification import verify
from clearway.desks.roadweather.views import markdown_table
from clearway.kernel.clock import from_epoch_s, iso
from clearway.kernel.errors import InputError
from clearway.kernel.ids import sha256_hex

F64 = NDArray[np.float64]

RESULTS: Final = "data/roadweather.json"
PAGE: Final = "roadweather.md"
STORM: Final = ("Aotizhongxin", "2015-11-17T00:00Z", "2015-11-27T23:00Z", 8.0)


def write_report(
    data: Path,
    docs: Path,
    *,
    metro_cases: Path | None = None,
    storm: Path | None = None,
    decks: Mapping[str, Mapping[str, float]] | None = None,
) -> list[Path]:
    """Verify, draw, and rewrite the generated blocks of the page.

    Args:
        data: data set folder, see :func:`clearway.desks.roadweather.verification.load`.
        docs: documentation folder with ``roadweather.md``.
        metro_cases: METRo's case folder; its block stays as it is when left out.
        storm: storm CSV; likewise.
        decks: kilometres by deck kind of road extracts; likewise.

    Returns:
        Files written.
    """
    page = docs / PAGE
    if not page.is_file():
        raise InputError("there is no page to write into", where=str(page))
    before = docs / RESULTS
    known: dict[str, Any] = json.loads(before.read_text("utf-8")) if before.is_file() else {}
    loaded = load(data)
    known["hindcast"] = rounded(verify(loaded))
    known["by_lead"] = rounded(figures.errors_by_lead(loaded))
    known["salt"] = rounded(salt_effect(loaded))
    known["bridges"] = rounded(bridges.compare(loaded.record))
    if decks:
        known["decks"] = rounded(decks)
    if metro_cases is not None:
        known["metro_cases"] = rounded([asdict(r) for r in casework.run_cases(metro_cases)])
        known["stations"] = rounded(stations.hindcast_stations(metro_cases))
    if storm is not None:
        known["storm"] = rounded(storm_results(storm))
    before.parent.mkdir(parents=True, exist_ok=True)
    before.write_text(dump(known), "utf-8")
    drawn = figures.draw(known, docs / "img")
    page.write_text(render(page.read_text("utf-8"), known), "utf-8")
    return [before, *drawn, page]


def dump(results: Mapping[str, Any]) -> str:
    """Results as they are stored: sorted, one value a line where it matters, no NaN."""
    return json.dumps(results, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def rounded(value: Any) -> Any:
    """Plain values with five significant digits; NaN becomes null."""
    if isinstance(value, Mapping):
        return {str(k): rounded(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(v) for v in value]
    if isinstance(value, float | np.floating):
        return float(f"{float(value):.5g}") if np.isfinite(value) else None
    if isinstance(value, np.integer):
        return int(value)
    return value


def salt_effect(data: DataSet) -> dict[str, Any]:
    """The logged treatments against the same winter without them: freezing point around each.

    Returns:
        Hours from the treatment, mean freezing point with and without it, share of treatments after which
        the freezing point fell within two hours, and the number of treatments.
    """
    record = data.record
    salted = [t for t in record.treatments if t.action in ("salt", "brine")]
    if not salted:
        return {}
    runs = {}
    for name, done in (
        ("with", record.treatments),
        ("without", tuple(t for t in record.treatments if t not in salted)),
    ):
        runs[name] = _winter(replace(record, treatments=done))
    hours = np.arange(-6, 25)
    index = np.array([int((t.at_s - record.times_s[0]) // 3600) for t in salted])
    inside = index[(index > 6) & (index < record.times_s.size - 26)]
    around = inside[:, None] + hours[None, :]
    freeze = {name: run["freezing_point_c"][around] for name, run in runs.items()}
    wet = runs["with"]["water_mm"][around] > 0.02
    fell = freeze["with"][:, 7:9].min(axis=1) < freeze["with"][:, 4:6].mean(axis=1) - 0.1
    return {
        "treatments": int(inside.size),
        "hours": hours.tolist(),
        "with_c": [
            float(freeze["with"][:, k][wet[:, k]].mean()) if wet[:, k].any() else 0.0 for k in range(31)
        ],
        "without_c": [float(freeze["without"][:, k].mean()) for k in range(31)],
        "fell_within_2h": float(fell.mean()),
        "liquid_below_zero_h": int(((runs["with"]["rst_c"] < 0) & (runs["with"]["water_mm"] > 0.05)).sum()),
        "liquid_below_zero_without_h": int(
            ((runs["without"]["rst_c"] < 0) & (runs["without"]["water_mm"] > 0.05)).sum()
        ),
    }


def _winter(record: SiteRecord) -> dict[str, F64]:
    """The whole record through the model without any road sensor, hourly."""
    forcing = record.forcing("open_sky" if record.has("sw_open") else None)
    column = record.site.columns(at_road=False)
    state = first_state(
        record.site, column, int(forcing.times_s[0]), float(forcing.air_temperature_c[0, :24].mean())
    )
    run = simulate(forcing, column, state, record.treatments, traffic=record.traffic(), threads=1).trajectory
    return {n: run[n][:, 0].astype(np.float64) for n in ("freezing_point_c", "water_mm", "rst_c")}


def storm_results(path: Path) -> dict[str, Any]:
    """The demo storm at one site, and when each distinct series first freezes."""
    station, first, last, offset = STORM
    told = story.analyse(story.read_storm(path, station, first, last), station)
    out: dict[str, Any] = {"station": station, "utc_offset_h": offset, "first_freezing": {}, "before": {}}
    for column, deck in enumerate(story.DECKS):
        at = story.first_freezing(told, column, after=24)
        out["first_freezing"][deck] = iso(from_epoch_s(float(told.forcing.times_s[at]))) if at else None
        out["before"][deck] = story.before_the_event(told, at) if at else []
    out["nights"] = story.nights(told, utc_offset_h=offset)
    values = told.trajectory
    out["hours"] = {
        "time_s": told.forcing.times_s.tolist(),
        "air_c": told.forcing.air_temperature_c[0].tolist(),
        "fall_mm": (told.forcing.rain_mm_h[0] + told.forcing.snow_mm_h[0]).tolist(),
        "road_c": values.rst_c[:, 0].tolist(),
        "bridge_c": values.rst_c[:, 1].tolist(),
        "snow_mm": values["snow_mm"][:, 0].tolist(),
    }
    others = {}
    with path.with_name("stations.csv").open(encoding="utf-8") as lines:
        names = [line.split(",")[0] for line in lines.read().splitlines()[1:]]
    for name in story.distinct_stations(path, names, first, last):
        each = story.analyse(story.read_storm(path, name, first, last), name)
        hits = [story.first_freezing(each, c, after=24) for c in (0, 1)]
        others[name] = [iso(from_epoch_s(float(each.forcing.times_s[h]))) if h else None for h in hits]
    out["first_by_series"] = others
    return out


def render(page: str, results: Mapping[str, Any]) -> str:
    """The page with its generated blocks rewritten; each carries the hash of the results it shows.

    Raises:
        InputError: a block has a beginning and no end.
    """
    for name, text in blocks(results).items():
        begin, end = f"<!-- begin:{name} -->", f"<!-- end:{name} -->"
        if begin not in page:
            continue
        head, _, rest = page.partition(begin)
        _, found, tail = rest.partition(end)
        if not found:
            raise InputError(f"block {name!r} has no end", where=PAGE)
        page = f"{head}{begin}\n{text}\n{end}{tail}"
    return page


def results_hash(results: Mapping[str, Any]) -> str:
    """Short hash of the stored results."""
    return sha256_hex(dump(results).encode())[:16]


def blocks(results: Mapping[str, Any]) -> dict[str, str]:
    """Generated blocks by name."""
    made = {"stamp": f"Results hash `{results_hash(results)}` (docs/data/roadweather.json)."}
    if "hindcast" in results:
        made["scores"] = markdown_table(results["hindcast"])
        made["blocks"] = _block_table(results["hindcast"])
        made["steps"] = _steps_table(results["hindcast"])
        made["probability"] = _probability(results["hindcast"].get("probability", {}))
    if results.get("salt"):
        made["salt"] = _salt(results["salt"])
    if "metro_cases" in results:
        made["metro"] = _metro(results["metro_cases"])
    if "stations" in results:
        made["stations"] = _stations(results["stations"])
    if results.get("bridges"):
        made["bridges"] = _bridges(results["bridges"], results.get("decks", {}))
    if "storm" in results:
        made["storm"] = _storm(results["storm"])
    return made


def _number(value: Any, digits: int = 3) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def _block_table(result: Mapping[str, Any]) -> str:
    names = ("physics", "corrected", "physics_literature", "nortrip_error_decay", "roadsurf", "metro")
    rows = []
    for name in (n for n in names if n in result["scores"]):
        each = result["scores"][name]
        odd, even = each.get("odd_blocks", {}), each.get("even_blocks", {})
        keys = ("rmse_1_24h", "rmse_near_0c", "freezing_csi")
        rows.append([name, *(_number(odd.get(k)) for k in keys), *(_number(even.get(k)) for k in keys)])
    head = ["", "odd RMSE", "odd ±2 °C", "odd CSI", "even RMSE", "even ±2 °C", "even CSI"]
    return _table(head, rows)


def _steps_table(result: Mapping[str, Any]) -> str:
    steps = result.get("steps", {})
    keys = ("rmse_1_24h", "rms_from_60s_k", "largest_from_60s_k")
    rows = [[f"{s} s", *(_number(steps[s][k]) for k in keys)] for s in sorted(steps, key=float)]
    return _table(["step", "RMSE 1–24 h", "rms difference from 60 s", "largest"], rows)


def _probability(p: Mapping[str, Any]) -> str:
    if not p:
        return "The record has no wetness sensor."
    rows = [
        ["members, dressed", _number(p["brier"], 4)],
        ["logistic regression on the corrected forecast", _number(p["brier_logistic_calibrated"], 4)],
        ["yes or no of the corrected forecast, calibrated", _number(p["brier_deterministic_calibrated"], 4)],
    ]
    parts = p["parts"]
    words = (
        f"Base rate {p['base_rate']:.2f}; reliability {parts['reliability']:.4f}, resolution "
        f"{parts['resolution']:.3f}, uncertainty {parts['uncertainty']:.3f}. CRPS of road temperature "
        f"{p['crps_k']:.3f} K. Errors are {p['error_over_sigma']:.2f} of the spread given; "
        f"{100 * p['within_80_percent']:.0f} % fall within the 80 % band."
    )
    return _table(["Brier score of “below 0 °C and wet”", ""], rows) + "\n\n" + words


def _salt(s: Mapping[str, Any]) -> str:
    hour = s["hours"].index(1)
    return (
        f"{s['treatments']} logged saltings. Within two hours the freezing point fell after "
        f"{100 * s['fell_within_2h']:.0f} % of them; one hour after, the mean freezing point of wet roads "
        f"was {s['with_c'][hour]:.1f} °C ({s['without_c'][hour]:.1f} °C without any salting). Over the "
        f"record the road was liquid below 0 °C for {s['liquid_below_zero_h']} h, and for "
        f"{s['liquid_below_zero_without_h']} h without salt."
    )


def _metro(results: Sequence[Mapping[str, Any]]) -> str:
    made = [casework.CaseResult.of(r) for r in results]
    ran, refused = [r for r in made if not r.refused], [r for r in made if r.refused]
    kinds = [
        [
            kind, str(n), f"{rmse:.2f}", f"{bias:+.2f}", *_parts([r for r in ran if r.kind == kind]),
            f"{100 * share:.0f} %",
        ]
        for kind, n, rmse, bias, share in casework.by_kind(made)
    ]  # fmt: skip
    rows = [
        [
            r.name.removeprefix("case"), r.kind, f"{r.rmse_k:.1f}", f"{r.bias_k:+.1f}", r.metro_range,
            r.our_range, *_parts([r]), r.worst,
        ]
        for r in sorted(ran, key=lambda r: (r.kind, r.name))
    ]  # fmt: skip
    no = [[r.name, r.refused.replace("|", "/")] for r in refused]
    return "\n\n".join(
        [
            f"{len(ran)} cases run, {len(refused)} refused.",
            _table(
                ["kind", "cases", "median RMS difference K", "median bias K", *PARTS, "same condition"], kinds
            ),
            "Every case; differences are ours minus METRo's:",
            _table(["case", "kind", "RMS K", "bias K", "METRo °C", "ours °C", *PARTS, "largest"], rows),
            "Refused, with the reason given:",
            _table(["case", "reason"], no),
        ]
    )


PARTS: Final = ("night K", "sun, bare K", "day, ice or snow K")


def _parts(cases: Sequence[casework.CaseResult]) -> list[str]:
    """Median differences by night, by day on a bare road, by day under ice or snow."""
    out = []
    for name in ("night_k", "day_k", "covered_k"):
        known = [getattr(r, name) for r in cases if np.isfinite(getattr(r, name))]
        out.append(f"{np.median(known):+.1f}" if known else "–")
    return out


def _bridges(rows: Sequence[Mapping[str, Any]], decks: Mapping[str, Mapping[str, float]]) -> str:
    table = [
        [
            r["kind"], str(r["hours_below_0"]), f"{r['lowest_c']:.1f}", f"{r['night_difference_k']:+.2f}",
            f"{r['spells_first']} of {r['spells']}", f"{r['median_lead_h']:.0f}",
        ]
        for r in rows
    ]  # fmt: skip
    head = ["", "hours < 0 °C", "lowest °C", "night, K from road", "froze first", "median lead h"]
    out = [_table(head, table)]
    if decks:
        kinds = sorted({kind for each in decks.values() for kind in each})
        lengths = [[name, *(f"{each.get(kind, 0.0):,.0f}" for kind in kinds)] for name, each in decks.items()]
        out.append("Directed kilometres by what lies under the surface, as imported:")
        out.append(_table(["extract", *kinds], lengths))
    return "\n\n".join(out)


def _stations(rows: Sequence[Mapping[str, Any]]) -> str:
    keys = ("rmse_k", "bias_k", "night_bias_k", "day_bias_k", "persistence_k", "last_difference_k",
            "error_over_sigma", "within_80_percent")  # fmt: skip
    table = [[r["name"], r["place"], str(r["pairs"]), *(_number(r[k], 2) for k in keys)] for r in rows]
    head = ["case", "place", "pairs", "ours RMSE K", "bias K", "by night", "in the sun", "persistence K",
            "last difference K", "error / spread", "in the 80 % band"]  # fmt: skip
    return _table(head, table)


def _refreezing(s: Mapping[str, Any]) -> str:
    """One sentence a deck on the nights after the one of the first freezing."""
    said = []
    for deck, at in s["first_freezing"].items():
        if at is None:
            continue
        first = np.datetime64(at.rstrip("Z")) + np.timedelta64(
            round(float(s["utc_offset_h"]) * 60 - 480), "m"
        )
        after = [n for n in s["nights"] if np.datetime64(n["night"]) > first.astype("datetime64[D]")]
        again = [n for n in after if n[deck]["froze_mm"] >= pr.MOIST_MM]
        amounts = ", ".join(f"{n['night']} ({n[deck]['froze_mm']:.2f} mm)" for n in again)
        most = max((n[deck]["most_water_mm"] for n in after), default=0.0)
        words = (
            f"water froze again in the night of {amounts}" if again else "no night in which melt froze again"
        )
        said.append(f"{deck}: {words}; most water on it in these nights {most:.2f} mm")
    return "Refreezing after the night of the first freezing. " + ". ".join(said) + "."


def _storm(s: Mapping[str, Any]) -> str:
    offset = float(s["utc_offset_h"])

    def local(text: str | None) -> str:
        if text is None:
            return "not within the period"
        at = np.datetime64(text.rstrip("Z")) + np.timedelta64(round(offset * 60), "m")
        return str(np.datetime_as_string(at, unit="m")).replace("T", " ")

    first = [f"{deck}: **{local(at)}** local" for deck, at in s["first_freezing"].items()]
    out = [f"First freezing of the wet road at {s['station']}: " + "; ".join(first) + "."]
    for deck, rows in s["before"].items():
        table = [
            [
                r["issued"], str(r["lead_h"]), *(f"{r[d]:.2f}" for d in story.DECKS),
                *(f"{r['confidence'][d]:.2f}" for d in story.DECKS if "confidence" in r),
            ]
            for r in rows
        ]  # fmt: skip
        sure = [f"confidence, {d}" for d in story.DECKS]
        out.append(
            f"Chance of freezing-and-wet at that hour ({deck}), as forecast before; confidence is the chance "
            "that the road temperature is met within 1.5 K:"
        )
        out.append(_table(["issued (UTC)", "hours ahead", *story.DECKS, *sure], table))
    series = [[n, *(local(t) for t in times)] for n, times in s["first_by_series"].items()]
    out.append("First freezing by distinct weather series (local time):")
    out.append(_table(["series", *story.DECKS], series))
    rows = [
        [n["night"], *(f"{n[d]['lowest_c']:.1f} °C, {n[d]['froze_mm']:.1f} mm froze" for d in story.DECKS)]
        for n in s["nights"]
    ]
    out.append("Nights (18–08 local): lowest road temperature and water that froze:")
    out.append(_table(["night of", *story.DECKS], rows))
    out.append(_refreezing(s))
    return "\n\n".join(out)
