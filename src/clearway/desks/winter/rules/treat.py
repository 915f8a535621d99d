"""Treatment tasks: which roads, by when, how much."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import numpy as np

from clearway.desks.winter.batches import ID, Batch, BatchWords, Indices, due_at, latest_start, loss
from clearway.desks.winter.brine import Ahead
from clearway.desks.winter.dose import dose_g_m2
from clearway.desks.winter.model import CLASSES, WinterInputs
from clearway.desks.winter.rates import rate
from clearway.desks.winter.reasons import WORDS, Reason
from clearway.kernel.clock import full_hour, iso
from clearway.kernel.language import Text
from clearway.picture.findings import Evidence, Proposal
from clearway.picture.rules import reference, rule
from clearway.picture.words import clock, listed, local_zone


@rule(
    ID,
    title=Text("Treat roads against ice and snow", "路面除冰除雪作业"),
    keys=("winter.rate", "winter.temperature", "winter.class", "legal_basis.clear_snow"),
)
def treat(inputs: WinterInputs) -> list[Proposal]:
    """Salt, plough or spread abrasive where the road is or will be slippery, by class, in time and no more.

    Rates follow Scotland's treatment matrix by surface temperature and moisture; the order of decisions
    follows MDSS: too cold or drifting snow, plough only; rain first, wait for the turn; thaws by itself,
    leave it; before snow, keep it from bonding. Treated ahead at best one to two hours before the onset,
    at most four, and small batches wait for each other while there is time. Every road carries the reason
    for what it gets. Roads on a crew's list, or treated within the cycle of their class (four and six
    hours), are left out.
    """
    groups: dict[Batch, list[int]] = {}
    for number in np.flatnonzero(inputs.works):
        groups.setdefault(_batch(int(number), inputs), []).append(int(number))
    batches = [(batch, np.array(roads, dtype=np.intp)) for batch, roads in groups.items()]
    ready = [(batch, roads) for batch, roads in batches if not _may_wait(batch, roads, inputs)]
    return [_proposal(batch, roads, inputs) for batch, roads in sorted(ready, key=lambda item: item[0].key)]


def _may_wait(batch: Batch, roads: Indices, inputs: WinterInputs) -> bool:
    """Whether a small batch ahead of its onset can wait for more roads of its kind."""
    if not batch.ahead or inputs.lane_km(roads) >= inputs.number("winter.least_batch_lane_km"):
        return False
    last_call = inputs.at + timedelta(hours=inputs.number("winter.last_call_h"))
    return min(latest_start(int(i), inputs) for i in roads) > last_call


def _batch(number: int, inputs: WinterInputs) -> Batch:
    need, onset = inputs.need, float(inputs.need.onset_h[number])
    weather = Ahead(onset, float(need.rain_mm[number]), float(need.water_mm[number]))
    reason, coldest = Reason(int(need.reason[number])), float(need.coldest_c[number])
    found = rate(reason, coldest, inputs.doctrine, ahead=weather)
    ahead = bool(np.isfinite(onset) and onset > 0)
    service = CLASSES[inputs.service_class[number]]
    return Batch(service, found.action, found.g_m2, found.passes, ahead, found.ml_m2)


def _items(roads: Indices, inputs: WinterInputs) -> list[dict[str, Any]]:
    waits = loss(inputs)
    order = roads[np.lexsort((roads, -waits[roads]))]
    return [
        {
            "corridor": inputs.index.ids[int(i)],
            "reason": Reason(int(inputs.need.reason[i])).name.lower(),
            "share": round(float(inputs.need.share[i]), 2),
            "coldest_c": round(float(inputs.need.coldest_c[i]), 1),
            "due": iso(due_at(int(i), inputs)),
            "latest_start": iso(latest_start(int(i), inputs)),
            "loss": round(float(waits[i]), 2),
            "water_mm": round(float(inputs.need.water_mm[i]), 2),
            "dose_g_m2": _known(_dose(int(i), inputs)),
        }
        for i in order
    ]


def _dose(number: int, inputs: WinterInputs) -> float:
    """Salt the physics asks for on one road [g/m²]; NaN where it is too cold for salt."""
    service = CLASSES[inputs.service_class[number]]
    form = str(inputs.doctrine.get("winter.rate.use.form").value)
    return float(
        dose_g_m2(
            inputs.need.coldest_c[number],
            inputs.need.water_mm[number],
            hours=inputs.number(f"winter.class.{service}.cycle_h"),
            traffic=int(inputs.number(f"winter.dose.traffic_{service}")),
            form="liquid" if form == "brine" else form,
            freezing_rain=inputs.need.reason[number] in FREEZING,
        )
    )


def _known(value: float) -> float | None:
    return round(value, 1) if np.isfinite(value) else None


def _proposal(batch: Batch, roads: Indices, inputs: WinterInputs) -> Proposal:
    ref = reference(ID, inputs.doctrine)
    rows = _items(roads, inputs)
    ids = [row["corridor"] for row in rows]
    due = min(due_at(int(i), inputs) for i in roads)
    start = min(latest_start(int(i), inputs) for i in roads)
    codes = Counter(Reason(int(inputs.need.reason[i])) for i in roads)
    reasons = listed([WORDS[code] for code, _ in codes.most_common(3)], limit=3)
    words = BatchWords(batch, roads, inputs, due, start, reasons)
    total = float(loss(inputs)[roads].sum())
    patience = timedelta(minutes=inputs.number("winter.act_within_min"))
    return Proposal(
        key=batch.key,
        desk="winter",
        rule=ref,
        act="open",
        target_kind="task",
        payload={
            "type": "treat",
            "headline": words.headline().as_dict(),
            "corridors": ids,
            "action": batch.action,
            "rate_g_m2": batch.rate_g_m2 * batch.passes,
            "due": iso(due),
            "level": int(words.level()),
            "hazard": "snow_ice",
            "desk": "winter",
            "rule": ref.as_dict(),
            "instruction": words.instruction().as_dict(),
            "details": {
                "passes": batch.passes,
                "rate_per_pass_g_m2": batch.rate_g_m2,
                **({"solution_ml_m2": batch.ml_m2} if batch.ml_m2 else {}),
                "service_class": batch.service,
                "latest_start": iso(start),
                "lane_km": round(inputs.lane_km(roads), 1),
                "items": rows,
                "reasons": {code.name.lower(): WORDS[code].as_dict() for code in codes},
            },
        },
        headline=words.headline(),
        why=words.why(),
        if_nothing=words.if_nothing(total),
        benefit=words.benefit(),
        cost=words.cost(),
        evidence=_evidence(roads, inputs),
        alternatives=words.alternatives(),
        subjects=tuple(ids),
        level=words.level(),
        decide_by=min(inputs.at + patience, max(start, inputs.at + timedelta(minutes=10))),
        expires=inputs.at + timedelta(hours=inputs.number("winter.proposal_valid_h")),
        loss_by_waiting=total,
        post=str(inputs.doctrine.get("posts.winter").value),
        confidence=float(np.clip(np.average(inputs.confidence[roads]), 0.05, 0.99)),
    )


FREEZING = (int(Reason.RAIN_FREEZING_AHEAD), int(Reason.RAIN_FREEZING_NOW))


def _physics(roads: Indices, inputs: WinterInputs, source: str) -> tuple[Evidence, ...]:
    """What the solution point asks for, beside the table's rate."""
    doses = np.array([_dose(int(i), inputs) for i in roads])
    water = float(np.median(inputs.need.water_mm[roads]))
    if not np.isfinite(doses).any():
        return ()
    middle = float(np.nanmedian(doses))
    return (
        Evidence(
            Text(
                f"about {middle:.0f} g/m² keep {water:.1f} mm of water liquid until the next treatment",
                f"约需每平方米{middle:.0f}克方可使{water:.1f}毫米水量在下次处置前不冻结",
            ),
            round(middle, 1),
            "g/m²",
            inputs.at,
            f"{source}; solution point, dilution and losses after MDSS",
            f"highest {np.nanmax(doses):.0f} g/m²",
        ),
    )


def _evidence(roads: Indices, inputs: WinterInputs) -> tuple[Evidence, ...]:
    weight = inputs.index.length_m[roads]
    coldest = inputs.need.coldest_c[roads]
    onset = inputs.need.onset_h[roads]
    source = f"road surface model on {inputs.picture.weather.source} ({inputs.picture.weather.label.en})"
    local = local_zone(inputs.doctrine)
    first = float(np.nanmin(onset)) if np.isfinite(onset).any() else 0.0
    begins = clock(full_hour(inputs.at) + timedelta(hours=first), local)
    slick = float(np.average(inputs.p_slippery[roads], weights=weight))
    low, mid = float(np.nanmin(coldest)), float(np.nanmedian(coldest))
    horizon = inputs.number("winter.horizon_h")
    hours = min(float(np.average(inputs.need.slick_h[roads], weights=weight)), horizon)
    return (
        *_physics(roads, inputs, source),
        Evidence(
            Text(f"slippery from {begins.en}", f"{begins.zh}起湿滑")
            if first
            else Text("slippery now", "目前已湿滑"),
            round(first, 1),
            "h",
            inputs.at,
            source,
            f"probability within 3 h {100 * slick:.0f} %",
        ),
        Evidence(
            Text(f"coldest surface {mid:.1f} °C", f"最低路面温度{mid:.1f}℃"),
            round(mid, 1),
            "°C",
            inputs.at,
            source,
            f"coldest road {low:.1f} °C",
        ),
        Evidence(
            Text(
                f"{hours:.1f} of the next {horizon:.0f} h slippery without treatment",
                f"不处置时未来{horizon:.0f}小时中{hours:.1f}小时湿滑",
            ),
            round(hours, 1),
            "h",
            inputs.at,
            source,
        ),
    )
