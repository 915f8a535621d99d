"""Words, times and batches of treatment proposals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from clearway.desks.winter.model import CLASS_WORDS, CLASSES, WinterInputs
from clearway.desks.winter.reasons import SALT_WEAK
from clearway.kernel.clock import full_hour
from clearway.kernel.language import Text
from clearway.kernel.levels import Level
from clearway.picture.findings import Alternative
from clearway.picture.words import clock, listed, local_zone

ID = "winter.treat"
Indices = NDArray[np.intp]
ACTIONS = {
    "salt": Text("salt", "撒布融雪剂"),
    "prewet": Text("wet-salt", "撒布湿盐"),
    "brine": Text("brine", "喷洒盐水"),
    "plough": Text("plough", "推雪"),
    "plough_salt": Text("plough and salt", "推雪并撒布融雪剂"),
    "abrasive": Text("spread abrasive on", "撒布防滑料"),
}


@dataclass(frozen=True, slots=True)
class Batch:
    """Roads of one class that get the same treatment in the same window."""

    service: str
    action: str
    rate_g_m2: float
    passes: int
    ahead: bool
    ml_m2: float = 0.0
    """Solution, where the treatment is brine."""

    @property
    def key(self) -> str:
        """Stable key of the proposal."""
        when = "ahead" if self.ahead else "now"
        return f"{ID}/{self.service}/{self.action}-{self.rate_g_m2:g}x{self.passes}/{when}"


def loss(inputs: WinterInputs) -> NDArray[np.float64]:
    """Slippery kilometres per hour of waiting, weighted by class: the unit all desks share."""
    weight = np.array([1.0, 0.8, 0.5, 0.3, 0.1, 0.1, 0.05, 0.02])[inputs.index.road_class]
    return np.asarray(
        inputs.index.length_m / 1000.0 * weight * inputs.need.share * np.clip(inputs.p_slippery, 0, 1)
    )


def due_at(number: int, inputs: WinterInputs) -> datetime:
    """When a road must be done: before the onset, or within the hours of its class when already slippery."""
    service = CLASSES[inputs.service_class[number]]
    clear = inputs.number(f"winter.class.{service}.clear_h")
    onset = inputs.need.onset_h[number]
    if np.isfinite(onset) and onset > 0:
        return full_hour(inputs.at) + timedelta(hours=float(onset))
    return inputs.at + timedelta(hours=clear)


def latest_start(number: int, inputs: WinterInputs) -> datetime:
    """Latest useful start: due time less getting there and working every lane of it."""
    lane_km = float(inputs.index.lane_length_m[number]) / 1000.0
    work = lane_km / inputs.number("winter.crew_kmh") + inputs.number("winter.mobilise_min") / 60.0
    return due_at(number, inputs) - timedelta(hours=work)


@dataclass(frozen=True, slots=True)
class BatchWords:
    """The words of one batch."""

    batch: Batch
    roads: Indices
    inputs: WinterInputs
    due: datetime
    start: datetime
    reasons: Text

    def level(self) -> Level:
        """Colour of urgency: already slippery first-class roads are orange."""
        if self.batch.ahead:
            return Level.BLUE
        return Level.ORANGE if self.batch.service == "first" else Level.YELLOW

    def dose(self) -> Text:
        """Rate and passes in words."""
        if not self.batch.rate_g_m2:
            return Text("", "")
        twice = Text(" in two passes each", "，两遍") if self.batch.passes == 2 else Text("", "")
        rate = f"{self.batch.rate_g_m2:g}"
        if self.batch.ml_m2:
            return Text(
                f", {self.batch.ml_m2:.0f} ml/m² of brine ({rate} g/m² of salt)",
                f"，每平方米{self.batch.ml_m2:.0f}毫升（含盐{rate}克）",
            )
        return Text(f", {rate} g/m²{twice.en}", f"，每平方米{rate}克{twice.zh}")

    def size(self) -> Text:
        """How many roads and lane kilometres."""
        lane_km = self.inputs.lane_km(self.roads)
        n = self.roads.size
        roads = "1 road" if n == 1 else f"{n} roads"
        return Text(f"{roads} ({lane_km:.0f} lane-km)", f"{n}条道路（{lane_km:.0f}车道公里）")

    def headline(self) -> Text:
        """What, where, how much, by when."""
        action, dose, size = ACTIONS[self.batch.action], self.dose(), self.size()
        by = clock(self.due, local_zone(self.inputs.doctrine))
        verb = action.en[0].upper() + action.en[1:]
        return Text(f"{verb} {size.en}{dose.en}, by {by.en}", f"{size.zh}{action.zh}{dose.zh}，{by.zh}前完成")

    def names(self) -> Text:
        """The first roads by name."""
        order = self.roads[np.argsort(-loss(self.inputs)[self.roads], kind="stable")]
        return listed([self.inputs.label(int(i)) for i in order], limit=3)

    def why(self) -> Text:
        """Reason and roads."""
        weak = self.inputs.need.coldest_c[self.roads] < self.inputs.number(
            "winter.temperature.salt_weak_below_c"
        )
        note = SALT_WEAK if self.batch.rate_g_m2 and bool(np.mean(weak) > 0.5) else None
        names = self.names()
        en = f"{self.reasons.en[0].upper()}{self.reasons.en[1:]}: {names.en}."
        zh = f"{names.zh}：{self.reasons.zh}。"
        if note:
            en, zh = f"{en} {note.en[0].upper()}{note.en[1:]}.", f"{zh}{note.zh}。"
        return Text(en, zh)

    def if_nothing(self, total: float) -> Text:
        """What an hour of waiting costs."""
        if self.batch.ahead:
            return Text(
                "It bonds to the road: afterwards twice the salt and a plough are needed.",
                "一旦与路面黏结，用量加倍，还须推雪。",
            )
        return Text(
            f"Every hour of waiting leaves about {total:.0f} km of main-road equivalent slippery.",
            f"每等待一小时，约有{total:.0f}公里（按干线折算）道路持续湿滑。",
        )

    def benefit(self) -> Text:
        """What the treatment is for."""
        service = CLASS_WORDS[self.batch.service]
        hours = self.inputs.number(f"winter.class.{self.batch.service}.clear_h")
        if self.batch.ahead:
            return Text("The road stays wet instead of freezing.", "路面保持湿润而不冻结。")
        return Text(
            f"Bare wheel tracks within {hours:g} h ({service.en}).",
            f"{hours:g}小时内露出轮迹（{service.zh}）。",
        )

    def cost(self) -> Text:
        """Salt and crew hours."""
        rate = self.batch.rate_g_m2 * self.batch.passes
        lane_m = 1000.0 * self.inputs.lane_km(self.roads)
        tonnes = lane_m * 3.5 * rate / 1e6
        hours = self.inputs.lane_km(self.roads) * self.batch.passes / self.inputs.number("winter.crew_kmh")
        stuff = Text(f"{tonnes:.1f} t, ", f"{tonnes:.1f}吨，") if rate else Text("", "")
        return Text(f"About {stuff.en}{hours:.0f} vehicle-hours.", f"约{stuff.zh}{hours:.0f}车时。")

    def instruction(self) -> Text:
        """What the crew does."""
        start = clock(self.start, local_zone(self.inputs.doctrine))
        begin = Text(f"start no later than {start.en}", f"最迟{start.zh}开始")
        if self.start < self.inputs.at:
            begin = Text(f"start now, late since {start.en}", f"立即开始（最迟开始时间为{start.zh}，已逾时）")
        action, dose = ACTIONS[self.batch.action], self.dose()
        return Text(
            f"{action.en[0].upper()}{action.en[1:]}{dose.en}; bridges and ramps first; "
            f"{begin.en}. Report surface, amount and time per road.",
            f"{action.zh}{dose.zh}；桥面、匝道优先；{begin.zh}。逐路报告路面状况、用量和时间。",
        )

    def alternatives(self) -> tuple[Alternative, ...]:
        """Other ways, none of which restricts anybody more than the treatment."""
        slow = Text("Limit speed only", "仅限速")
        wait = Text("Wait an hour", "等待一小时")
        act = ACTIONS[self.batch.action]
        return (
            Alternative(
                Text(f"{act.en} now".capitalize(), f"立即{act.zh}"),
                0,
                Text("Restricts nobody; the road stays open", "不作限制，保持通行"),
                chosen=True,
                least_restrictive=True,
            ),
            Alternative(wait, 0, self.if_nothing(float(loss(self.inputs)[self.roads].sum()))),
            Alternative(slow, 1, Text("Traffic slows; the ice stays", "车速降低，冰雪仍在")),
        )
