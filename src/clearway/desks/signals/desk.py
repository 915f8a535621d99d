"""The weather signals desk."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from clearway.desks.signals.judge import KEEP, Course, Judged, course, groups, judge, level_reading
from clearway.desks.signals.model import (
    LevelReading,
    Raised,
    Reading,
    SignalInputs,
    SignalState,
    Unassessed,
)
from clearway.kernel.clock import full_hour, iso
from clearway.kernel.language import Text
from clearway.kernel.levels import Level
from clearway.picture.areas import city_area
from clearway.picture.desk import DeskResult, DeskView
from clearway.picture.fields import Field
from clearway.picture.findings import Evidence, Situation
from clearway.picture.precipitation import split_precipitation
from clearway.picture.rules import Rule, load_rules, reference
from clearway.picture.steady import Held
from clearway.picture.words import clock, listed, local_zone, percent, window

RULES: tuple[Rule, ...] = load_rules("clearway.desks.signals.rules")


class SignalsDesk:
    """Compares the weather with published criteria. It proposes nothing; other desks act on it."""

    name = "signals"
    reads: tuple[str, ...] = (
        "picture/weather",
        "picture/records/area",
        "p_freezing_wet?",
        "p_slippery?",
        "rst_c?",
        "snow_mm?",
        "ice_mm?",
        "confidence?",
    )
    writes: tuple[str, ...] = ("signal_level", "city_signal_level")

    def assess(self, view: DeskView) -> DeskResult:
        """Judge every hazard, hold its level and say where and when."""
        inputs = signal_inputs(view)
        before = view.state if isinstance(view.state, SignalState) else SignalState()
        held_cells: dict[str, Held] = {}
        held_city: dict[str, Held] = {}
        situations: list[Situation] = []
        unassessed: list[Unassessed] = []
        for rule in RULES:
            reading = rule.run(inputs)
            if isinstance(reading, Unassessed):
                unassessed.append(reading)
            elif isinstance(reading, Reading) and reading.levels:
                hazard = reading.hazard
                judged = judge(reading, inputs, before.cells.get(hazard), before.city.get(hazard))
                held_cells[hazard], held_city[hazard] = judged.cells, judged.city
                situations += _situations(reading, judged, inputs, view, before.raised)
        raised = {s.key: _raised(s, view.picture.at, before.raised) for s in situations}
        state = SignalState(held_cells, held_city, raised, tuple(unassessed))
        return DeskResult(state, _fields(held_cells, held_city, inputs.cells), tuple(situations))


def signal_inputs(view: DeskView) -> SignalInputs:
    """Split precipitation by phase and gather what the rules need."""
    weather = view.picture.weather
    rain, snow = split_precipitation(weather)
    return SignalInputs(
        at=view.picture.at,
        doctrine=view.doctrine,
        weather=weather,
        columns=view.picture.columns,
        fields=view.fields,
        cells=int(weather.air_temperature_c.shape[2]),
        rain_mm=rain,
        snow_mm_we=snow,
    )


def _situations(
    reading: Reading,
    judged: Judged,
    inputs: SignalInputs,
    view: DeskView,
    raised: Mapping[str, Raised],
) -> list[Situation]:
    counted = np.bincount(inputs.columns.cell, minlength=inputs.cells) > 0
    keep = inputs.doctrine.number(KEEP)
    out = []
    least = inputs.doctrine.number("signals.local_least_cells_share") * int(counted.sum())
    for level, chosen, is_city in groups(judged, counted, least):
        item = level_reading(reading, int(level))
        meeting = chosen & (judged.cells.level >= int(level))
        run = course(item, meeting if meeting.any() else chosen, keep)
        key = f"signals/{reading.hazard}/{'city' if is_city else level.name.lower()}"
        out.append(_situation(key, reading, item, level, chosen, is_city, run, inputs, view, raised))
    return out


def _situation(
    key: str,
    reading: Reading,
    item: LevelReading,
    level: Level,
    chosen: NDArray[np.bool_],
    is_city: bool,
    run: Course,
    inputs: SignalInputs,
    view: DeskView,
    raised: Mapping[str, Raised],
) -> Situation:
    at, local = inputs.at, local_zone(inputs.doctrine)
    area_ids = tuple(view.picture.cell_names[i] for i in np.flatnonzero(chosen))
    city = city_area(view.picture)
    place = city.name if is_city else _cells_text(view, chosen)
    hour = full_hour(at)
    starts, ends = hour + timedelta(hours=run.onset_h), hour + timedelta(hours=run.end_h)
    first = raised.get(key)
    reached = (first.reached_at if first else None) or (at if run.onset_h == 0 else None)
    if run.onset_h == 0 and reached is not None:
        starts = reached
    confidence = run.probability * float(reading.confidence[chosen].mean())
    return Situation(
        key=key,
        desk="signals",
        hazard=reading.hazard,
        level=level,
        headline=_headline(reading, level, place, run, starts, view),
        subjects=(city.id,) if is_city else area_ids,
        starts=starts,
        ends=ends,
        cause=reading.cause,
        confidence=min(max(confidence, 0.05), 0.99),
        rule=reference(reading.rule, inputs.doctrine, keys=(item.key,), text=item.criterion),
        evidence=_evidence(reading, item, run, window(starts, ends, local), view, chosen),
        data={
            "city": is_city,
            "areas": list(area_ids),
            "lead_hours": run.onset_h,
            "raised_at": iso(first.at if first else at),
            "reached_at": iso(reached) if reached else None,
            "criterion": item.criterion.as_dict(),
            "name": reading.name.as_dict(),
        },
    )


def _headline(
    reading: Reading, level: Level, place: Text, run: Course, starts: datetime, view: DeskView
) -> Text:
    name, local = reading.name, local_zone(view.doctrine)
    if run.probability < view.doctrine.number(KEEP):
        return Text(
            f"{name.en[0].upper()}{name.en[1:]}: {level.label.en} held in {place.en}; "
            "criteria no longer met, lowered after the hold time",
            f"{place.zh}{name.zh}{level.label.zh}级别保持中：已不再达到标准，满足保持时间后降级",
        )
    begins = clock(starts, local)
    when = Text("now", "目前已") if run.onset_h == 0 else Text(f"from {begins.en}", f"预计{begins.zh}起")
    return Text(
        f"{name.en[0].upper()}{name.en[1:]}: {level.label.en} criteria met in {place.en} {when.en}",
        f"{place.zh}{when.zh}达到{name.zh}{level.label.zh}预警标准",
    )


def _evidence(
    reading: Reading,
    item: LevelReading,
    run: Course,
    span: Text,
    view: DeskView,
    chosen: NDArray[np.bool_],
) -> tuple[Evidence, ...]:
    weather = view.picture.weather
    numbers = {k: f"{v:.1f}".rstrip("0").rstrip(".") for k, v in (("low", run.low), ("mid", run.mid))}
    words = reading.value_words.format(high=f"{run.high:.1f}".rstrip("0").rstrip("."), **numbers)
    cells, sure = int(chosen.sum()), percent(run.probability)
    return (
        Evidence(
            Text(f"{words.en}; {span.en}", f"{words.zh}；{span.zh}"),
            value=round(run.mid, 2) if np.isfinite(run.mid) else None,
            unit=reading.unit,
            valid_at=view.picture.at,
            source=f"{weather.source} ({weather.label.en})",
            uncertainty=f"10-90 %: {run.low:.1f} to {run.high:.1f}, probability {sure.en}",
        ),
        Evidence(
            Text(
                f"probability {sure.en} over {cells} grid cells "
                f"({weather.members} members): {item.criterion.en}",
                f"{cells}个网格、{weather.members}个集合成员，概率{sure.zh}：{item.criterion.zh}",
            ),
            value=round(run.probability, 3),
            unit="1",
            valid_at=view.picture.at,
            source=f"{weather.source} ({weather.label.en})",
        ),
    )


def _cells_text(view: DeskView, chosen: NDArray[np.bool_]) -> Text:
    areas = view.picture.network.areas
    return listed(
        [areas[i].name for i in np.flatnonzero(chosen) if i < len(areas)], limit=3, counter="个网格"
    )


def _raised(situation: Situation, at: datetime, before: Mapping[str, Raised]) -> Raised:
    known = before.get(situation.key)
    reached = at if situation.data["lead_hours"] == 0 else None
    if known is None:
        return Raised(at, int(situation.level), reached)
    return Raised(known.at, max(known.level, int(situation.level)), known.reached_at or reached)


def _fields(cells: Mapping[str, Held], city: Mapping[str, Held], count: int) -> dict[str, Field]:
    names = sorted(cells)
    level = np.zeros((len(names), count), dtype=np.int8)
    whole = np.zeros(len(names), dtype=np.int8)
    for row, name in enumerate(names):
        level[row], whole[row] = cells[name].level, city[name].level[0]
    source = f"weather signals desk: {', '.join(names)}"
    return {
        "signal_level": Field("signal_level", "1", ("hazard", "cell"), level, source),
        "city_signal_level": Field("city_signal_level", "1", ("hazard",), whole, source),
    }
