"""The storm in one drawing: levels over time beside temperature, precipitation, roads and restrictions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from clearway.kernel.language import Text
from clearway.kernel.levels import Level
from clearway.web.draw.svg import Scale, TimeAxis, document, line, num, path, rect, text

LEFT, RIGHT, WIDTH = 132, 1084, 1100

_CONDITION_COLOURS = ("#9aa7ad", "#2f7fc1", "#e08a2b", "#a79de0", "#6b3fc9", "#c4161c")

_T = {
    "title": Text("The storm as it passed through Clearway", "一场风雪在“畅途”中的全过程"),
    "levels": Text("Assessed levels", "研判级别"),
    "temp": Text("Temperature\n°C", "温度\n°C"),
    "air": Text("air, observed (range of stations)", "气温（实测，各站范围）"),
    "road": Text("road surface, modelled (range of main roads)", "路面温度（模式，主要道路范围）"),
    "rain": Text("Precipitation\nmm/h", "降水\n毫米/小时"),
    "roads": Text("Main roads\nshare of km", "主要道路\n里程占比"),
    "limits": Text("Restricted\nkm of road", "管制路段\n公里"),
    "notices": Text("Public messages", "公开发布"),
}
_MESSAGE = {
    "Alert": ("!", "issued", "发布"),
    "Update": ("↻", "updated", "更新"),
    "Cancel": ("×", "cancelled", "解除"),
}


@dataclass(frozen=True, slots=True, eq=False)
class StormTrace:
    """Hourly trace of a period. Arrays of length (times,) unless stated.

    ``levels`` has one row of level codes per hazard; ``condition_share`` has shape (times, classes)
    and sums to 1; ``messages`` are (sent, message type, level).
    """

    times: tuple[datetime, ...]
    air_c: NDArray[np.float64]
    air_low_c: NDArray[np.float64]
    air_high_c: NDArray[np.float64]
    rst_c: NDArray[np.float64]
    rst_low_c: NDArray[np.float64]
    rst_high_c: NDArray[np.float64]
    precipitation_mm: NDArray[np.float64]
    hazards: tuple[Text, ...]
    levels: NDArray[np.int8]
    condition_labels: tuple[Text, ...]
    condition_share: NDArray[np.float64]
    restricted_km: NDArray[np.float64]
    messages: tuple[tuple[datetime, str, int], ...]
    zone: tzinfo
    source: Text


def storm_svg(trace: StormTrace, language: str, title: Text = _T["title"]) -> str:
    """Draw the trace as one SVG, 1100 wide; height follows the number of hazards."""
    axis = TimeAxis(trace.times[0], trace.times[-1], LEFT, RIGHT, trace.zone)
    body: list[str] = [text(16, 26, title[language], cls="title")]
    y = 44.0
    y = _levels(body, trace, axis, language, y)
    y = _messages(body, trace, axis, language, y + 6)
    tops: list[tuple[float, float]] = [(44.0, y)]
    for panel, height in ((_temperature, 150), (_precipitation, 80), (_roads, 110), (_restrictions, 70)):
        top = y + 34
        panel(body, trace, axis, language, top, top + height)
        tops.append((top, top + height))
        y = top + height
    grid = [_days(axis, language, tops, y)]
    body.append(text(16, y + 44, trace.source[language], cls="soft"))
    return document(WIDTH, int(y + 58), [*grid, *body], label=title[language])


def _days(axis: TimeAxis, language: str, tops: list[tuple[float, float]], bottom: float) -> str:
    parts = []
    for day in axis.midnights():
        x = axis.x(day)
        parts += [line(x, top, x, low) for top, low in tops]
        words = f"{day.month}月{day.day}日" if language == "zh" else day.strftime("%d %b").lstrip("0")
        if x < axis.right - 30:
            parts.append(text(x + 3, bottom + 18, words, cls="soft"))
    for hour in axis.hours():
        parts += [line(axis.x(hour), low, axis.x(hour), low + 4) for _, low in tops[-1:]]
        parts.append(text(axis.x(hour), bottom + 18, f"{hour:%H:%M}", cls="soft", anchor="middle"))
    return "".join(parts)


def _levels(body: list[str], trace: StormTrace, axis: TimeAxis, language: str, y: float) -> float:
    body.append(text(16, y + 12, _T["levels"][language], cls="head"))
    y += 20
    for row, hazard in enumerate(trace.hazards):
        body.append(text(LEFT - 8, y + 13, hazard[language], anchor="end"))
        body.append(rect(LEFT, y, RIGHT - LEFT, 18, "none", 'stroke="var(--line)"'))
        for start, end, code in _runs(trace.levels[row]):
            level = Level(code)
            if level is Level.NONE:
                continue
            x1 = axis.x(trace.times[start])
            x2 = axis.x(trace.times[min(end, len(trace.times) - 1)])
            title = f"{hazard[language]} {level.label[language]}"
            body.append(rect(x1, y + 1, max(x2 - x1, 2), 16, level.colour, title=title))
            if x2 - x1 > 26:
                word = f"{level.shape} {level.label[language]}" if x2 - x1 > 64 else level.shape
                body.append(text(x1 + 5, y + 13, word, extra=' style="fill:#fff;font-weight:600"'))
        y += 22
    return y


def _messages(body: list[str], trace: StormTrace, axis: TimeAxis, language: str, y: float) -> float:
    body.append(text(LEFT - 8, y + 12, _T["notices"][language], anchor="end"))
    for sent, kind, code in trace.messages:
        mark, en, zh = _MESSAGE[kind]
        title = f"{sent.astimezone(trace.zone):%m-%d %H:%M} {zh if language == 'zh' else en}"
        x = axis.x(sent)
        colour = Level(code).colour if kind != "Cancel" else "var(--soft)"
        body.append(
            f'<g><title>{title}</title><text x="{num(x)}" y="{num(y + 13)}" text-anchor="middle" '
            f'style="fill:{colour};font-weight:700">{mark}</text></g>'
        )
    key = "   ".join(f"{m} {zh if language == 'zh' else en}" for m, en, zh in _MESSAGE.values())
    body.append(text(RIGHT, y + 30, key, cls="soft", anchor="end"))
    return y + 20


def _temperature(
    body: list[str], trace: StormTrace, axis: TimeAxis, language: str, top: float, low: float
) -> None:
    values = [*trace.air_low_c, *trace.air_high_c, *trace.rst_low_c, *trace.rst_high_c]
    scale = Scale.around(values, top, low, step=5)
    _frame(body, scale, 5, _T["temp"][language])
    xs = [axis.x(t) for t in trace.times]
    body.append(line(LEFT, scale.y(0), RIGHT, scale.y(0), "var(--ink)", 'stroke-dasharray="4 3"'))
    for middle, lower, upper, colour in (
        (trace.air_c, trace.air_low_c, trace.air_high_c, "var(--air)"),
        (trace.rst_c, trace.rst_low_c, trace.rst_high_c, "var(--road)"),
    ):
        band = path([*xs, *reversed(xs)], [*scale.ys(upper), *scale.ys(lower)[::-1]])
        if band:
            body.append(f'<path d="{band}Z" fill="{colour}" opacity="0.18"/>')
        body.append(
            f'<path d="{path(xs, scale.ys(middle))}" fill="none" stroke="{colour}" stroke-width="1.8"/>'
        )
    for offset, key, colour, dash in ((0, "air", "var(--air)", ""), (330, "road", "var(--road)", "")):
        body.append(
            line(LEFT + offset, top - 8, LEFT + offset + 22, top - 8, colour, f'stroke-width="2"{dash}')
        )
        body.append(text(LEFT + offset + 28, top - 4, _T[key][language], cls="soft"))


def _precipitation(
    body: list[str], trace: StormTrace, axis: TimeAxis, language: str, top: float, low: float
) -> None:
    scale = Scale.around([0.0, *trace.precipitation_mm], top, low, step=1)
    _frame(body, scale, max(1.0, (scale.high - scale.low) / 3), _T["rain"][language])
    width = (RIGHT - LEFT) / max(len(trace.times), 1)
    for at, value in zip(trace.times, trace.precipitation_mm, strict=True):
        if value > 0:
            y = scale.y(float(value))
            title = f"{at.astimezone(trace.zone):%m-%d %H:%M} {value:.1f} mm"
            left = max(axis.x(at) - width, LEFT)
            body.append(rect(left, y, min(width, axis.x(at) - left), low - y, "var(--rain)", title=title))


def _roads(body: list[str], trace: StormTrace, axis: TimeAxis, language: str, top: float, low: float) -> None:
    scale = Scale(0, 1, top, low)
    xs = [axis.x(t) for t in trace.times]
    edges = np.concatenate([np.zeros((len(xs), 1)), np.cumsum(trace.condition_share, axis=1)], axis=1)
    for k in range(trace.condition_share.shape[1]):
        area = path([*xs, *reversed(xs)], [*scale.ys(edges[:, k + 1]), *scale.ys(edges[:, k])[::-1]])
        colour = _CONDITION_COLOURS[k % len(_CONDITION_COLOURS)]
        body.append(
            f'<path d="{area}Z" fill="{colour}"><title>{trace.condition_labels[k][language]}</title></path>'
        )
    _frame(body, scale, 0.5, _T["roads"][language], percent=True)
    x = float(LEFT)
    for k, label in enumerate(trace.condition_labels):
        body.append(rect(x, top - 14, 10, 10, _CONDITION_COLOURS[k % len(_CONDITION_COLOURS)]))
        body.append(text(x + 14, top - 5, label[language], cls="soft"))
        x += 30 + (13 if language == "zh" else 7) * len(label[language])


def _restrictions(
    body: list[str], trace: StormTrace, axis: TimeAxis, language: str, top: float, low: float
) -> None:
    peak = float(np.nanmax(trace.restricted_km)) if trace.restricted_km.size else 0.0
    step = 10.0 ** np.floor(np.log10(max(peak, 10.0)))
    scale = Scale.around([0.0, peak], top, low, step=float(step))
    _frame(body, scale, scale.high - scale.low, _T["limits"][language])
    xs, ys = [axis.x(t) for t in trace.times], scale.ys(trace.restricted_km)
    steps_x = [x for x in xs for _ in (0, 1)][1:]
    steps_y = [y for y in ys for _ in (0, 1)][:-1]
    area = path([LEFT, *steps_x, RIGHT], [low, *steps_y, low])
    body.append(f'<path d="{area}Z" fill="var(--road)" opacity="0.55"/>')


def _frame(body: list[str], scale: Scale, step: float, title: str, *, percent: bool = False) -> None:
    head, _, tail = title.partition("\n")
    body.append(text(16, scale.top - 6, head, cls="head"))
    if tail:
        body.append(text(16, scale.top + 10, tail, cls="soft"))
    body.append(line(LEFT, scale.bottom, RIGHT, scale.bottom))
    for value in scale.ticks(step):
        y = scale.y(value)
        label = f"{value:.0%}" if percent else f"{value:g}"
        body.append(line(LEFT - 4, y, LEFT, y))
        body.append(text(LEFT - 8, y + 4, label, cls="soft", anchor="end"))


def _runs(codes: NDArray[np.int8]) -> list[tuple[int, int, int]]:
    """Runs of equal codes as (start, end exclusive, code)."""
    if codes.size == 0:
        return []
    cuts = [0, *(np.flatnonzero(np.diff(codes)) + 1).tolist(), codes.size]
    return [(a, b, int(codes[a])) for a, b in pairwise(cuts)]
