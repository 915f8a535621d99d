"""The dispatcher's map: stretches by what is done on them, trucks by number, salt stores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearway.kernel.language import Text
from clearway.network.model import Network
from clearway.web.draw.svg import document, num, text

CLASSES = (
    (Text("not on a list", "未列入"), "var(--line)", 1.0, ""),
    (Text("done", "已完成"), "#2b8c9e", 2.6, ""),
    (Text("to do, in time", "待作业（可按时）"), "#d08a00", 2.0, "5 2"),
    (Text("promise at risk", "可能逾时"), "#c4161c", 3.2, "2 2"),
)
"""Code, colour, width and line pattern: never colour alone."""
_POINTS = 6


@dataclass(frozen=True, slots=True)
class Mark:
    """A truck or a store on the map."""

    lon: float
    lat: float
    label: str
    title: str
    kind: str
    """``truck``, ``lost`` or ``store``."""


def winter_map(
    network: Network,
    stretches: Sequence[NDArray[np.int32]],
    codes: NDArray[np.int8],
    marks: Sequence[Mark],
    title: str,
    language: str,
    *,
    counts: Mapping[int, str] | None = None,
    width: int = 900,
) -> str:
    """Draw stretches (segments in driving order) by ``codes`` (see CLASSES), with marks on top."""
    west, east = float(network.lon.min()), float(network.lon.max())
    south, north = float(network.lat.min()), float(network.lat.max())
    shrink = float(np.cos(np.radians((south + north) / 2)))
    scale = (width - 16) / ((east - west) * shrink)
    height = (north - south) * scale

    def place(lon: float, lat: float) -> tuple[float, float]:
        return 8 + (lon - west) * shrink * scale, 28 + (north - lat) * scale

    body = [text(8, 18, title, cls="head")]
    paths: list[list[str]] = [[] for _ in CLASSES]
    for segments, code in zip(stretches, codes, strict=True):
        points = _thinned(network, segments)
        paths[int(code)].append("M" + "L".join(f"{num(x)} {num(y)}" for x, y in (place(*p) for p in points)))
    for code, (_, colour, stroke, dash) in enumerate(CLASSES):
        if paths[code]:
            pattern = f' stroke-dasharray="{dash}"' if dash else ""
            body.append(
                f'<path d="{"".join(paths[code])}" fill="none" stroke="{colour}" '
                f'stroke-width="{stroke}"{pattern}/>'
            )
    body += [_mark(mark, *place(mark.lon, mark.lat)) for mark in marks]
    y = 28 + height + 16
    x = 8.0
    for code, (label, colour, stroke, dash) in enumerate(CLASSES):
        words = label[language] + (f" {counts[code]}" if counts and code in counts else "")
        need = 40 + (12.5 if language == "zh" else 7) * len(words)
        if x + need > width:
            x, y = 8.0, y + 18
        pattern = f' stroke-dasharray="{dash}"' if dash else ""
        body.append(
            f'<line x1="{num(x)}" y1="{num(y)}" x2="{num(x + 22)}" y2="{num(y)}" stroke="{colour}" '
            f'stroke-width="{stroke + 0.6}"{pattern}/>'
        )
        body.append(text(x + 27, y + 4, words, cls="soft"))
        x += need
    return document(width, int(y + 10), body, label=title)


def list_map(
    lines: Sequence[Mapping[str, Any]], here: tuple[float, float] | None, language: str, *, width: int = 640
) -> str:
    """The way ahead of one crew: work thick, dead-heading thin and dashed, the truck as an arrow head."""
    points = [p for line in lines for p in line["points"]] + ([list(here)] if here else [])
    if not points:
        points = [[0.0, 0.0], [0.001, 0.001]]
    lon, lat = np.array(points)[:, 0], np.array(points)[:, 1]
    shrink = float(np.cos(np.radians(lat.mean())))
    span = max(float(np.ptp(lon)) * shrink, float(np.ptp(lat)), 0.002)
    scale = (width - 40) / span
    height = float(np.ptp(lat)) * scale + 70

    def place(p: Sequence[float]) -> tuple[float, float]:
        return 20 + (p[0] - float(lon.min())) * shrink * scale, 20 + (float(lat.max()) - p[1]) * scale

    body = []
    for number, line in enumerate(reversed(lines)):
        if not line["points"]:
            continue
        path = "M" + "L".join(f"{num(x)} {num(y)}" for x, y in map(place, line["points"]))
        first = number == len(lines) - 1
        if line["work"] == "drive":
            style = 'stroke="var(--soft)" stroke-width="3" stroke-dasharray="7 5"'
        else:
            style = f'stroke="{"#c4161c" if first else "#0b5c8a"}" stroke-width="{9 if first else 6}"'
        body.append(f'<path d="{path}" fill="none" stroke-linecap="round" {style}/>')
    if here is not None:
        x, y = place(here)
        body.append(
            f'<circle cx="{num(x)}" cy="{num(y)}" r="11" fill="#ffd400" stroke="#000" stroke-width="3"/>'
        )
    words = Text("thick: work; dashed: drive; circle: you", "粗线：作业；虚线：空驶；圆点：当前位置")
    body.append(text(12, height - 8, words[language], cls="soft"))
    return document(width, int(height), body, label=words[language])


def _thinned(network: Network, segments: NDArray[np.int32]) -> list[tuple[float, float]]:
    parts = [network.coords[network.offsets[s] : network.offsets[s + 1]] for s in segments]
    points = np.concatenate(parts)
    keep = np.unique(np.linspace(0, len(points) - 1, min(_POINTS, len(points))).round().astype(int))
    return [(float(p[0]), float(p[1])) for p in points[keep]]


def _mark(mark: Mark, x: float, y: float) -> str:
    title = f"<title>{_escape(mark.title)}</title>"
    if mark.kind == "store":
        return (
            f'<g>{title}<rect x="{num(x - 5)}" y="{num(y - 5)}" width="10" height="10" fill="var(--paper)" '
            f'stroke="var(--ink)" stroke-width="2"/></g>'
        )
    if mark.kind == "lost":
        return (
            f'<g>{title}<circle cx="{num(x)}" cy="{num(y)}" r="10" fill="#c4161c"/>'
            f'<path d="M{num(x - 6)} {num(y - 6)}L{num(x + 6)} {num(y + 6)}M{num(x + 6)} {num(y - 6)}'
            f'L{num(x - 6)} {num(y + 6)}" stroke="#fff" stroke-width="2.5"/></g>'
        )
    return (
        f'<g>{title}<circle cx="{num(x)}" cy="{num(y)}" r="8.5" fill="#0b3d5c" stroke="#fff" '
        f'stroke-width="1.5"/><text x="{num(x)}" y="{num(y + 3.6)}" text-anchor="middle" '
        f'style="fill:#fff;font-size:10px;font-weight:700">{_escape(mark.label)}</text></g>'
    )


def _escape(words: str) -> str:
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
