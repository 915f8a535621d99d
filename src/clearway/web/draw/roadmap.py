"""A map picture of main roads coloured by condition: colour, line pattern and word together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clearway.kernel.language import Text
from clearway.network.model import Network, RoadClass
from clearway.web.draw.svg import document, line, num, text


@dataclass(frozen=True, slots=True)
class MapClass:
    """How one class of road is drawn."""

    label: Text
    colour: str
    width: float
    dash: str = ""


def road_map_svg(
    network: Network,
    codes: NDArray[np.int8],
    classes: tuple[MapClass, ...],
    title: str,
    language: str,
    *,
    max_class: RoadClass = RoadClass.SECONDARY,
    width: int = 460,
) -> str:
    """Draw segments up to ``max_class`` coloured by ``codes`` (segments,), worst class on top."""
    west, east = float(network.lon.min()), float(network.lon.max())
    south, north = float(network.lat.min()), float(network.lat.max())
    shrink = np.cos(np.radians((south + north) / 2))
    scale = (width - 16) / ((east - west) * shrink)
    height = (north - south) * scale
    main = network.road_class <= int(max_class)
    body = [text(8, 18, title, cls="head")]
    for code, style in enumerate(classes):
        chosen = np.flatnonzero(main & (codes == code))
        parts = []
        for i in chosen:
            points = network.coords[network.offsets[i] : network.offsets[i + 1]]
            xs = 8 + (points[:, 0] - west) * shrink * scale
            ys = 28 + (north - points[:, 1]) * scale
            parts.append("M" + "L".join(f"{num(x)} {num(y)}" for x, y in zip(xs, ys, strict=True)))
        if parts:
            dash = f' stroke-dasharray="{style.dash}"' if style.dash else ""
            body.append(
                f'<path d="{"".join(parts)}" fill="none" stroke="{style.colour}" '
                f'stroke-width="{num(style.width)}"{dash}/>'
            )
    rows = _legend(body, classes, language, 28 + height + 14, width)
    return document(width, int(28 + height + 14 + rows * 18 + 6), body, label=title)


def _legend(body: list[str], classes: tuple[MapClass, ...], language: str, y: float, width: int) -> int:
    x, rows = 8.0, 1
    for style in classes:
        words = style.label[language]
        need = 34 + (12.5 if language == "zh" else 7) * len(words)
        if x + need > width:
            x, y, rows = 8.0, y + 18, rows + 1
        dash = f'stroke-dasharray="{style.dash}" ' if style.dash else ""
        body.append(line(x, y, x + 18, y, style.colour, f'{dash}stroke-width="{num(style.width + 1)}"'))
        body.append(text(x + 22, y + 4, words, cls="soft"))
        x += need
    return rows
