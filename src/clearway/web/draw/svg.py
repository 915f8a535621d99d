"""A few SVG elements as strings; numbers are rounded so that the same input gives the same bytes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from html import escape

import numpy as np
from numpy.typing import NDArray

STYLE = """
.cw{--ink:#1b2429;--soft:#5b6b73;--line:#c9d2d6;--paper:#ffffff;--air:#1668b8;--road:#b0440c;--rain:#2b8c9e;
font:12px/1.3 'Noto Sans','Noto Sans CJK SC','PingFang SC','Microsoft YaHei',system-ui,sans-serif}
@media(prefers-color-scheme:dark){.cw{--ink:#e6edf0;--soft:#9fb0b8;--line:#3a474d;--paper:#12181b;--air:#69aef2;
--road:#f2905a;--rain:#5cc3d6}}
@media print{.cw{--ink:#000;--soft:#444;--line:#bbb;--paper:#fff;--air:#1668b8;--road:#b0440c;--rain:#2b8c9e}}
.cw text{fill:var(--ink)}.cw .soft{fill:var(--soft)}.cw .head{font-weight:600}
.cw .title{font-size:16px;font-weight:650}
"""


def num(value: float) -> str:
    """A coordinate with at most one decimal and no trailing zero."""
    text = f"{value:.1f}"
    return text[:-2] if text.endswith(".0") else text


def text(x: float, y: float, words: str, *, cls: str = "", anchor: str = "start", extra: str = "") -> str:
    """A text element; ``words`` are escaped."""
    css = f' class="{cls}"' if cls else ""
    return f'<text x="{num(x)}" y="{num(y)}" text-anchor="{anchor}"{css}{extra}>{escape(words)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, stroke: str = "var(--line)", extra: str = "") -> str:
    """A straight line."""
    return (
        f'<line x1="{num(x1)}" y1="{num(y1)}" x2="{num(x2)}" y2="{num(y2)}" stroke="{stroke}"'
        f"{' ' + extra if extra else ''}/>"
    )


def rect(x: float, y: float, w: float, h: float, fill: str, extra: str = "", title: str = "") -> str:
    """A rectangle, with a tooltip when ``title`` is given."""
    head = (
        f'<rect x="{num(x)}" y="{num(y)}" width="{num(max(w, 0))}" height="{num(max(h, 0))}" fill="{fill}"'
        f"{' ' + extra if extra else ''}"
    )
    return f"{head}><title>{escape(title)}</title></rect>" if title else head + "/>"


def path(xs: Sequence[float] | NDArray[np.float64], ys: Sequence[float] | NDArray[np.float64]) -> str:
    """Path data through the points; NaN breaks the line."""
    parts: list[str] = []
    pen_down = False
    for x, y in zip(xs, ys, strict=True):
        if not (np.isfinite(x) and np.isfinite(y)):
            pen_down = False
            continue
        parts.append(f"{'L' if pen_down else 'M'}{num(x)} {num(y)}")
        pen_down = True
    return "".join(parts)


def document(width: int, height: int, body: Iterable[str], *, label: str) -> str:
    """A whole SVG with the house style and an accessible name."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="cw" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="{escape(label, quote=True)}"><style>{STYLE}</style>'
        f'<rect width="{width}" height="{height}" fill="var(--paper)"/>{"".join(body)}</svg>'
    )


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """Linear time axis between two pixel positions, ticked at local midnights."""

    start: datetime
    end: datetime
    left: float
    right: float
    zone: tzinfo

    def x(self, at: datetime) -> float:
        """Pixel position of a moment, clipped to the axis."""
        share = (at - self.start) / (self.end - self.start)
        return self.left + min(max(share, 0.0), 1.0) * (self.right - self.left)

    def midnights(self) -> list[datetime]:
        """Local midnights within the axis."""
        day = self.start.astimezone(self.zone).replace(hour=0, minute=0, second=0, microsecond=0)
        found = []
        while day <= self.end:
            if day >= self.start:
                found.append(day)
            day += timedelta(days=1)
        return found

    def hours(self) -> list[datetime]:
        """Local hours to mark: every 3 h on an axis of a day, every 6 h up to three days, else none."""
        span = self.end - self.start
        if span > timedelta(days=3):
            return []
        step = 3 if span <= timedelta(days=1) else 6
        at = self.start.astimezone(self.zone).replace(minute=0, second=0, microsecond=0)
        at += timedelta(hours=-at.hour % step)
        found = []
        while at <= self.end:
            if at >= self.start and at.hour:
                found.append(at)
            at += timedelta(hours=step)
        return found


@dataclass(frozen=True, slots=True)
class Scale:
    """Linear vertical scale from a data range to pixels (up is larger)."""

    low: float
    high: float
    top: float
    bottom: float

    def y(self, value: float) -> float:
        """Pixel position of a value."""
        share = (value - self.low) / (self.high - self.low)
        return self.bottom - share * (self.bottom - self.top)

    def ys(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Pixel positions of many values."""
        return np.asarray(
            self.bottom - (values - self.low) / (self.high - self.low) * (self.bottom - self.top)
        )

    @classmethod
    def around(cls, values: Iterable[float], top: float, bottom: float, *, step: float) -> Scale:
        """A scale whose ends are multiples of ``step`` and hold all finite values."""
        finite = [v for v in values if np.isfinite(v)] or [0.0]
        low, high = step * np.floor(min(finite) / step), step * np.ceil(max(finite) / step)
        return cls(float(low), float(high if high > low else low + step), top, bottom)

    def ticks(self, step: float) -> list[float]:
        """Multiples of ``step`` within the scale."""
        count = round((self.high - self.low) / step)
        return [self.low + i * step for i in range(count + 1)]
