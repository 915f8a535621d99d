"""Words and numbers that control proposals share."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from clearway.desks.control.model import Control, ControlInputs
from clearway.kernel.clock import full_hour
from clearway.kernel.language import Text
from clearway.kernel.levels import Level
from clearway.picture.findings import Evidence
from clearway.picture.words import clock, listed, local_zone, percent

GRAVITY_MS2 = 9.81
REACTION_S = 1.0

Indices = NDArray[np.intp]


def colour(level: int, inputs: ControlInputs) -> Level:
    """Colour of a control level."""
    if level <= 0:
        return Level.NONE
    return Level(int(inputs.number(f"control.colour.{Control(level).key}")))


def stopping_m(kmh: float, friction: float) -> float:
    """Stopping distance [m] with one second of reaction: v t + v² / (2 g μ)."""
    speed = kmh / 3.6
    return speed * REACTION_S + speed**2 / (2 * GRAVITY_MS2 * max(friction, 0.05))


def by_loss(corridors: Indices, inputs: ControlInputs) -> Indices:
    """Corridors in order of what waiting costs there, the worst first."""
    loss = corridor_loss(inputs)[corridors]
    order = np.lexsort((corridors, -loss))
    return corridors[order]


def corridor_loss(inputs: ControlInputs) -> NDArray[np.float64]:
    """Kilometres of slippery or blind road per hour of waiting, weighted by class, per corridor.

    The unit all desks share for ``loss_by_waiting``: expressway-kilometre-hours at risk.
    """
    weight = np.array([1.0, 0.8, 0.5, 0.3, 0.1, 0.1, 0.05, 0.02])[inputs.index.road_class]
    slick = np.maximum(inputs.surface.slippery[0], inputs.surface.ice[0] + 0.5 * inputs.surface.snow[0])
    blind = inputs.need.sight.level / 4.0
    return np.asarray(inputs.index.length_m / 1000.0 * weight * np.maximum(slick, blind))


def roads(corridors: Indices, inputs: ControlInputs, *, limit: int = 3) -> Text:
    """Names of corridors, the rest counted."""
    return listed([inputs.label(int(i)) for i in corridors], limit=limit)


def how_many(corridors: Indices, inputs: ControlInputs) -> Text:
    """``42 roads (186 km)``, 42条道路（186公里）; a single road by its name."""
    km = inputs.km(corridors)
    if corridors.size == 1:
        name = inputs.label(int(corridors[0]))
        return Text(f"{name.en} ({km:.1f} km)", f"{name.zh}（{km:.1f}公里）")
    return Text(f"{corridors.size} roads ({km:.0f} km)", f"{corridors.size}条道路（{km:.0f}公里）")


def surface_words(corridors: Indices, inputs: ControlInputs) -> Text:
    """What lies on these roads now, by length."""
    weight = inputs.index.length_m[corridors]
    total = max(float(weight.sum()), 1e-9)
    parts: list[Text] = []
    lead = (
        int(np.clip(inputs.need.from_h[corridors].min(), 0, inputs.surface.leads - 1))
        if corridors.size
        else 0
    )
    for values, words in (
        (inputs.surface.ice, Text("ice or packed snow", "结冰或压实雪")),
        (inputs.surface.snow, Text("loose snow or slush", "积雪或雪浆")),
        (inputs.surface.frost, Text("frost", "结霜")),
    ):
        share = float((values[lead, corridors] * weight).sum() / total)
        if share >= 0.01:
            part = percent(share)
            parts.append(Text(f"{words.en} on {part.en} of the length", f"{part.zh}路段{words.zh}"))
    return listed(parts, limit=3) if parts else Text("no ice or snow", "无积雪结冰")


def sight_words(corridors: Indices, inputs: ControlInputs) -> Text | None:
    """The worst visibility on these roads within the lead time, where it is known and poor."""
    ahead = 1 + int(inputs.number("control.lead_h"))
    seen = inputs.surface.visibility_m[:ahead, corridors]
    if not np.isfinite(seen).any():
        return None
    worst = float(np.nanmin(seen))
    if worst >= inputs.number("control_profile.level3.vis_lt_m"):
        return None
    return Text(f"visibility down to {worst:.0f} m", f"能见度最低{worst:.0f}米")


def hazard(corridors: Indices, inputs: ControlInputs) -> Text:
    """The danger in two or three words, for headlines that should not change with every percent."""
    ice, sight = inputs.need.ice.level[corridors], inputs.need.sight.level[corridors]
    parts: list[Text] = []
    if (ice >= int(Control.LEVEL1)).any():
        parts.append(Text("ice and snow", "冰雪路面"))
    elif (ice > 0).any():
        parts.append(Text("snow", "积雪路面"))
    if (sight > 0).any():
        parts.append(Text("poor visibility", "低能见度"))
    return listed(parts) if parts else Text("slippery road", "路面湿滑")


def cause(corridors: Indices, inputs: ControlInputs) -> Text:
    """Why: surface, sight or both."""
    sight = sight_words(corridors, inputs)
    surface = surface_words(corridors, inputs)
    if sight is None:
        return surface
    if (inputs.need.ice.level[corridors] == 0).all():
        return sight
    return Text(f"{surface.en}; {sight.en}", f"{surface.zh}；{sight.zh}")


def surface_evidence(corridors: Indices, inputs: ControlInputs) -> tuple[Evidence, ...]:
    """Surface, temperature, grip and sight as facts with time, source and uncertainty."""
    s, at = inputs.surface, inputs.at
    condition = inputs.picture.weather.label
    source = f"road surface model on {inputs.picture.weather.source} ({condition.en})"
    low, high = float(np.nanmin(s.rst_low_c[0, corridors])), float(np.nanmax(s.rst_high_c[0, corridors]))
    mean = float(np.average(s.rst_c[0, corridors], weights=inputs.index.length_m[corridors]))
    grip = float(np.average(s.friction[0, corridors], weights=inputs.index.length_m[corridors]))
    slip = percent(float(np.average(s.slippery[0, corridors], weights=inputs.index.length_m[corridors])))
    found = [
        Evidence(surface_words(corridors, inputs), valid_at=at, source=source),
        Evidence(
            Text(f"road surface {mean:.1f} °C", f"路面温度{mean:.1f}℃"),
            round(mean, 1),
            "°C",
            at,
            source,
            f"{low:.1f} to {high:.1f} °C (10-90 % over the roads)",
        ),
        Evidence(
            Text(
                f"grip {grip:.2f}, slippery with a probability of {slip.en}",
                f"摩擦系数{grip:.2f}，湿滑概率{slip.zh}",
            ),
            round(grip, 2),
            "1",
            at,
            source,
            f"probability of a slippery surface {slip.en}",
        ),
    ]
    sight = sight_words(corridors, inputs)
    if sight is not None:
        found.append(Evidence(sight, valid_at=at, source=inputs.picture.weather.source))
    return tuple(found)


def until_words(corridors: Indices, inputs: ControlInputs) -> Text:
    """Until when the need is expected to last at least, on most of the roads."""
    hours = float(np.median(inputs.need.until_h[corridors])) if corridors.size else 0.0
    if hours >= inputs.surface.leads - 1:
        return Text("no end within the forecast", "预报时效内不会结束")
    end = clock(full_hour(inputs.at) + timedelta(hours=int(hours)), local_zone(inputs.doctrine))
    return Text(f"until about {end.en}", f"预计持续至{end.zh}")
