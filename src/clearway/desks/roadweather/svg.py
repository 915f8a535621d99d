"""Small charts as SVG text: lines, bands, bars and points on two axes; readable without colour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Final

INK: Final = "#22313a"
GRID: Final = "#d5dde1"
COLOURS: Final = ("#0b5c8a", "#c4161c", "#5b6b73", "#d9660a", "#6b3fc9", "#2d7d46", "#a86a00")
DASHES: Final = ("", "7 4", "2 3", "9 3 2 3", "4 2", "12 4", "1 3")


@dataclass(slots=True)
class Chart:
    """One plot. Add what it shows, then :meth:`render`.

    Args:
        title: above the plot.
        x_label: below it.
        y_label: at its left.
        x: lowest and highest x shown.
        y: lowest and highest y shown.
    """

    title: str
    x_label: str
    y_label: str
    x: tuple[float, float]
    y: tuple[float, float]
    width: int = 720
    height: int = 360
    x_ticks: Sequence[tuple[float, str]] = ()
    y_ticks: Sequence[tuple[float, str]] = ()
    _body: list[str] = field(default_factory=list)
    _legend: list[tuple[str, str, str]] = field(default_factory=list)

    LEFT = 64
    RIGHT = 14
    TOP = 34
    BOTTOM = 76

    def px(self, value: float) -> float:
        """Horizontal place of an x."""
        share = (value - self.x[0]) / (self.x[1] - self.x[0])
        return round(self.LEFT + share * (self.width - self.LEFT - self.RIGHT), 1)

    def py(self, value: float) -> float:
        """Vertical place of a y, kept inside the plot."""
        share = min(1.02, max(-0.02, (value - self.y[0]) / (self.y[1] - self.y[0])))
        return round(self.height - self.BOTTOM - share * (self.height - self.BOTTOM - self.TOP), 1)

    def line(
        self, xs: Sequence[float], ys: Sequence[float], name: str, *, colour: int = 0, dash: int = 0
    ) -> None:
        """A line; NaN breaks it."""
        pieces: list[list[str]] = [[]]
        for x, y in zip(xs, ys, strict=True):
            if y == y:  # NaN differs from itself
                pieces[-1].append(f"{self.px(x)},{self.py(y)}")
            elif pieces[-1]:
                pieces.append([])
        look = f'stroke="{COLOURS[colour]}" stroke-dasharray="{DASHES[dash]}" stroke-width="2" fill="none"'
        self._body += [f'<polyline points="{" ".join(p)}" {look}/>' for p in pieces if p]
        self._legend.append((name, COLOURS[colour], DASHES[dash]))

    def bars(
        self, xs: Sequence[float], ys: Sequence[float], width: float, name: str, *, colour: int = 0
    ) -> None:
        """Bars from zero."""
        zero = self.py(max(self.y[0], 0.0))
        for x, y in zip(xs, ys, strict=True):
            if y > 0:
                left, top = self.px(x - width / 2), self.py(y)
                wide = round(self.px(x + width / 2) - left, 1)
                self._body.append(
                    f'<rect x="{left}" y="{top}" width="{wide}" height="{round(zero - top, 1)}" '
                    f'fill="{COLOURS[colour]}" fill-opacity="0.35"/>'
                )
        self._legend.append((name, COLOURS[colour], "bar"))

    def points(
        self, xs: Sequence[float], ys: Sequence[float], name: str, *, colour: int = 0, radius: float = 4
    ) -> None:
        """Points."""
        for x, y in zip(xs, ys, strict=True):
            self._body.append(
                f'<circle cx="{self.px(x)}" cy="{self.py(y)}" r="{radius}" fill="{COLOURS[colour]}"/>'
            )
        if name:
            self._legend.append((name, COLOURS[colour], "point"))

    def label(self, x: float, y: float, text: str) -> None:
        """Words at a place."""
        self._body.append(f'<text x="{self.px(x)}" y="{self.py(y)}" font-size="11">{escape(text)}</text>')

    def render(self) -> str:
        """The drawing as SVG text."""
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" role="img" '
            f'font-family="system-ui, sans-serif" font-size="12" fill="{INK}">',
            f"<title>{escape(self.title)}</title>",
            f'<rect width="{self.width}" height="{self.height}" fill="#ffffff"/>',
            f'<text x="{self.LEFT}" y="20" font-size="14" font-weight="600">{escape(self.title)}</text>',
            *self._axes(),
            *self._body,
            *self._words(),
            "</svg>",
        ]
        return "\n".join(parts) + "\n"

    def _axes(self) -> list[str]:
        bottom, top = self.py(self.y[0]), self.py(self.y[1])
        left, right = self.px(self.x[0]), self.px(self.x[1])
        out = []
        for value, text in self.y_ticks or ticks(*self.y):
            y = self.py(value)
            out.append(f'<line x1="{left}" x2="{right}" y1="{y}" y2="{y}" stroke="{GRID}"/>')
            out.append(f'<text x="{left - 6}" y="{y + 4}" text-anchor="end">{escape(text)}</text>')
        for value, text in self.x_ticks or ticks(*self.x):
            x = self.px(value)
            out.append(f'<line x1="{x}" x2="{x}" y1="{bottom}" y2="{bottom + 4}" stroke="{INK}"/>')
            out.append(f'<text x="{x}" y="{bottom + 17}" text-anchor="middle">{escape(text)}</text>')
        middle = (left + right) / 2
        out.append(f'<text x="{middle}" y="{bottom + 34}" text-anchor="middle">{escape(self.x_label)}</text>')
        turn = f"rotate(-90 14 {(bottom + top) / 2})"
        place = f'x="14" y="{(bottom + top) / 2}" text-anchor="middle" transform="{turn}"'
        out.append(f"<text {place}>{escape(self.y_label)}</text>")
        return out

    def _words(self) -> list[str]:
        out, x, y = [], self.LEFT, self.height - 22
        for name, colour, kind in self._legend:
            wide = 40 + 7 * len(name)
            if x + wide > self.width and x > self.LEFT:
                x, y = self.LEFT, y + 16
            if kind == "bar":
                out.append(
                    f'<rect x="{x}" y="{y - 9}" width="22" height="10" fill="{colour}" fill-opacity="0.35"/>'
                )
            elif kind == "point":
                out.append(f'<circle cx="{x + 11}" cy="{y - 4}" r="4" fill="{colour}"/>')
            else:
                look = f'stroke="{colour}" stroke-dasharray="{kind}" stroke-width="2"'
                out.append(f'<line x1="{x}" x2="{x + 22}" y1="{y - 4}" y2="{y - 4}" {look}/>')
            out.append(f'<text x="{x + 27}" y="{y}">{escape(name)}</text>')
            x += wide
        return out


def ticks(low: float, high: float) -> list[tuple[float, str]]:
    """Round values between two bounds, about six of them."""
    span = high - low
    step = 10.0 ** int(f"{span / 6:e}".split("e")[1])
    while span / step > 8:
        step *= 2 if span / step <= 16 else 2.5
    first = int(low / step) - 1
    values = [round((first + n) * step, 10) for n in range(int(span / step) + 4)]
    return [(v, f"{v:g}") for v in values if low - 1e-9 <= v <= high + 1e-9]
