"""Gather what the control rules need from the picture: measures, proofs, treatments."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearway.desks.control.engine import assess_need, corridor_surface, with_reports
from clearway.desks.control.model import F64, ActiveMeasure, ControlInputs, ControlState, Mask
from clearway.kernel.clock import epoch_s, parse_utc
from clearway.network.model import RoadClass
from clearway.picture.corridors import CorridorIndex, corridor_index
from clearway.picture.desk import DeskView
from clearway.picture.picture import Picture, Record

GOOD = ("dry", "damp", "wet")
"""Conditions a crew reports that count as proof of a good road."""
LIVE = ("awaiting_second", "ordered", "in_force", "removal_pending")


def control_inputs(view: DeskView) -> ControlInputs:
    """Everything the rules use, from a desk view."""
    picture, doctrine = view.picture, view.doctrine
    index = corridor_index(picture.network, picture.columns)
    state = view.state if isinstance(view.state, ControlState) else ControlState()
    surface = corridor_surface(view.fields, index, doctrine.number("control.probability"))
    if "condition_override" in view.fields:
        surface = with_reports(
            surface,
            view.fields.array("condition_override"),
            picture.network.corridor,
            picture.network.length_m.astype(np.float64),
            int(doctrine.number("control.lead_h")),
        )
    proof_s = proofs(picture, index)
    proven = proof_s >= ago_s(picture.at, doctrine.number("control.evidence.drive_through_valid_h"))
    managed = managed_corridors(index, doctrine.number("control.managed_max_class"), doctrine.number)
    need = assess_need(
        surface,
        doctrine,
        managed,
        verified_reports(picture, index),
        state.memory,
        epoch_s(picture.at),
        proven,
    )
    measures = active_measures(picture, index)
    return ControlInputs(
        at=picture.at,
        doctrine=doctrine,
        picture=picture,
        index=index,
        surface=surface,
        need=need,
        measures=measures,
        managed=managed,
        expressway=index.road_class == int(RoadClass.MOTORWAY),
        proof_s=proof_s,
        treated_s=treated(picture, index.count),
        posted_kmh=posted(measures, index.count),
    )


def managed_corridors(index: CorridorIndex, highest_class: float, number: Any) -> Mask:
    """Corridors important and long enough to get limits of their own."""
    long_enough = index.length_m >= number("control.managed_min_length_m")
    return np.asarray((index.road_class <= int(highest_class)) & long_enough)


def active_measures(picture: Picture, index: CorridorIndex) -> tuple[ActiveMeasure, ...]:
    """Measures that are not closed, oldest first."""
    out = []
    for record in picture.records.get("measure", ()):
        if record["state"] not in LIVE:
            continue
        data = record["data"]
        numbers = [index.number(c) for c in data.get("corridors", ())]
        out.append(
            ActiveMeasure(
                id=str(record["id"]),
                type=str(data.get("type", "")),
                state=str(record["state"]),
                corridors=np.array([n for n in numbers if n >= 0], dtype=np.int32),
                kmh=float(data["kmh"]) if data.get("kmh") is not None else np.nan,
                expiry=_time(data.get("expiry")),
                review_at=_time(data.get("review_at")),
                on_road=str(data.get("on_road", "")),
                ordered_by=str(data.get("desk", "")),
                data=data,
            )
        )
    return tuple(sorted(out, key=lambda m: m.id))


def posted(measures: tuple[ActiveMeasure, ...], count: int) -> F64:
    """Strictest limit ordered now per corridor [km/h]; NaN where none."""
    out = np.full(count, np.nan)
    for measure in measures:
        if measure.type == "SPEED" and measure.in_power and measure.corridors.size:
            out[measure.corridors] = np.fmin(out[measure.corridors], measure.kmh)
    return out


def covered_by(measures: tuple[ActiveMeasure, ...], kind: str, count: int) -> Mask:
    """Corridors with a measure of that type in power."""
    out = np.zeros(count, dtype=np.bool_)
    for measure in measures:
        if measure.type == kind and measure.in_power:
            out[measure.corridors] = True
    return out


def proofs(picture: Picture, index: CorridorIndex) -> NDArray[np.int64]:
    """When each corridor was last found good by people: drive-throughs, crews' readings."""
    out = np.full(index.count, -1, dtype=np.int64)
    for task in picture.records.get("task", ()):
        for item in task["data"].get("evidence") or ():
            if isinstance(item, Mapping) and item.get("condition") in GOOD:
                at = _time(item.get("at") or item.get("valid_at"))
                _mark(out, index, item.get("corridors") or task["data"].get("corridors", ()), at)
    for word in picture.overrides:
        good = word.quantity == "condition" and word.value in GOOD
        if good and word.subject_kind == "corridor" and word.at <= picture.at:
            _mark(out, index, (word.subject,), word.at)
    return out


def verified_reports(picture: Picture, index: CorridorIndex) -> Mask:
    """Corridors where somebody on the spot reports ice or snow: one such word is enough to raise."""
    out = np.zeros(index.count, dtype=np.bool_)
    for word in picture.overrides:
        bad = word.quantity == "condition" and word.value not in GOOD
        if bad and word.at <= picture.at < word.until and word.subject_kind in ("corridor", "segment"):
            for number in _corridors_of(picture, index, word.subject_kind, word.subject):
                out[number] = True
    for incident in picture.records.get("incident", ()):
        if _verified_slippery(incident):
            for corridor in incident["data"].get("corridors", ()):
                number = index.number(str(corridor))
                if number >= 0:
                    out[number] = True
    return out


def treated(picture: Picture, count: int) -> NDArray[np.int64]:
    """When each corridor was last treated, epoch seconds; −1 never."""
    out = np.full(count, -1, dtype=np.int64)
    for done in picture.treatments:
        if done.at <= picture.at and 0 <= done.corridor < count:
            out[done.corridor] = max(out[done.corridor], epoch_s(done.at))
    return out


def _verified_slippery(incident: Record) -> bool:
    return incident["data"].get("type") == "slippery" and incident["state"] in ("confirmed", "responding")


def _corridors_of(picture: Picture, index: CorridorIndex, kind: str, subject: str) -> list[int]:
    if kind == "corridor":
        number = index.number(subject)
        return [number] if number >= 0 else []
    if subject in picture.network.segment_ids:
        number = int(picture.network.corridor[picture.network.segment_ids.index(subject)])
        return [number] if number >= 0 else []
    return []


def _mark(out: NDArray[np.int64], index: CorridorIndex, corridors: Any, at: datetime | None) -> None:
    if at is None:
        return
    for corridor in corridors:
        number = index.number(str(corridor))
        if number >= 0:
            out[number] = max(out[number], epoch_s(at))


def _time(value: Any) -> datetime | None:
    if isinstance(value, datetime):
        return value
    return parse_utc(value) if isinstance(value, str) and value else None


def ago_s(at: datetime, hours: float) -> int:
    """Epoch seconds of ``hours`` before ``at``."""
    return epoch_s(at - timedelta(hours=hours))
