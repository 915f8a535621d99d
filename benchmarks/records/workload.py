"""What 64 people do at once: each gives tasks of their own and follows them through."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from clearway.records import SYSTEM, Actor, Command, Journal, Role

DISPATCHER = Actor("sun", (Role("dispatcher", "city"),), post="post-dispatch")

BODY: dict[str, Any] = {
    "type": "treat",
    "headline": {"en": "Salt the fourth ring road, north arc", "zh": "四环路北段撒盐"},
    "corridors": ["cor-a1b2c3d4e5f6g7h8i9j0", "cor-k1l2m3n4o5p6q7r8s9t0"],
    "area": "city",
    "action": "salt",
    "rate_g_m2": 20,
    "level": 2,
    "hazard": "road_icing",
    "instruction": {
        "en": "Bridges first; report the grip after each pass.",
        "zh": "先桥面，逐趟报告附着情况。",
    },
}


def set_up_area(journal: Journal) -> None:
    """The one area in which it all happens."""
    data = {"name": {"en": "City", "zh": "市"}, "level": "city"}
    journal.submit(Command("area", "open", data, SYSTEM, "area", "city"))


def steps(writer: int, count: int) -> Iterator[tuple[str, str, dict[str, Any], str]]:
    """Verb, record, body and key of one writer's commands: open, acknowledge, start, report, done, again."""
    for index in range(count):
        task, step = divmod(index, 5)
        record = f"task-{writer}-{task}"
        verb = ("open", "acknowledge", "start", "report", "done")[step]
        data: dict[str, Any] = {}
        if verb == "open":
            data = BODY
        elif verb == "report":
            data = {"progress": 0.5, "evidence": [{"what": "pass", "grip": 0.41}]}
        elif verb == "done":
            data = {"evidence": [{"what": "photo", "sealed": record}]}
        yield verb, record, data, f"{record}/{verb}"
