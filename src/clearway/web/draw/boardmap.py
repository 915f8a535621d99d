"""The board as a picture: main roads by what they are like, for pages without scripts."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np

from clearway.kernel.language import Text
from clearway.network.model import Network, RoadClass
from clearway.operations.board import Board
from clearway.operations.trace import GROUPS
from clearway.web.draw.roadmap import MapClass, road_map_svg

STYLES = tuple(
    MapClass(label, colour, width, dash)
    for (label, _), (colour, width, dash) in zip(
        GROUPS,
        (
            ("#9aa7ad", 1.0, ""),
            ("#2f7fc1", 1.2, ""),
            ("#e08a2b", 1.6, "6 2"),
            ("#7a6fc0", 1.6, "4 2"),
            ("#6b3fc9", 1.8, "8 2"),
            ("#c4161c", 2.0, ""),
        ),
        strict=True,
    )
)
"""Groups of conditions, mildest first: words, colour, width [px] and dashes."""
_TITLE = Text("Main roads, computed for {at}", "主要道路路况（{at}）")


def group_of_condition() -> np.ndarray[tuple[int], np.dtype[np.int8]]:
    """Group of each condition code, shape (16,)."""
    group = np.zeros(16, dtype=np.int8)
    for number, (_, codes) in enumerate(GROUPS):
        group[list(codes)] = number
    return group


def moment_words(at: datetime, zone: str) -> Text:
    """A moment as titles of pictures say it, local time."""
    there = at.astimezone(ZoneInfo(zone))
    return Text(f"{there.day} {there:%b %H:%M}", f"{there.month}月{there.day}日{there:%H:%M}")


@lru_cache(maxsize=4)
def board_map(network: Network, board: Board, language: str, zone: str, *, width: int = 640) -> str:
    """SVG of the main roads as the board has them now; roads that are part of none are left out."""
    by_corridor = np.append(group_of_condition()[board.now], -1).astype(np.int8)
    title = _TITLE.format(at=moment_words(board.at, zone))
    codes = by_corridor[network.corridor]
    return road_map_svg(
        network, codes, STYLES, title[language], language, max_class=RoadClass.PRIMARY, width=width
    )
