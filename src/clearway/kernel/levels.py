"""Warning levels: four colours, always with a word and a shape beside the colour."""

from __future__ import annotations

from enum import IntEnum

from clearway.kernel.language import Text


class Level(IntEnum):
    """Levels of the Emergency Response Law of the PRC (2024), art. 63; red is the highest."""

    NONE = 0
    BLUE = 1
    YELLOW = 2
    ORANGE = 3
    RED = 4

    @property
    def label(self) -> Text:
        """The word shown beside the colour."""
        return _LABELS[self]

    @property
    def colour(self) -> str:
        """CSS colour for a light background."""
        return _COLOURS[self]

    @property
    def shape(self) -> str:
        """A mark that tells the level without colour."""
        return _SHAPES[self]

    @classmethod
    def named(cls, name: str) -> Level:
        """Level of a lower-case English name.

        Raises:
            KeyError: no such level.
        """
        return cls[name.upper()]


_LABELS = {
    Level.NONE: Text("no warning", "无预警"),
    Level.BLUE: Text("blue", "蓝色"),
    Level.YELLOW: Text("yellow", "黄色"),
    Level.ORANGE: Text("orange", "橙色"),
    Level.RED: Text("red", "红色"),
}
_COLOURS = {
    Level.NONE: "#5b6b73",
    Level.BLUE: "#1668b8",
    Level.YELLOW: "#c79a00",
    Level.ORANGE: "#d9660a",
    Level.RED: "#c4161c",
}
_SHAPES = {Level.NONE: "○", Level.BLUE: "●", Level.YELLOW: "▲", Level.ORANGE: "◆", Level.RED: "■"}
