"""News of controls: what is restricted is told, kept true, and ended."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from clearway.kernel.clock import iso, parse_utc
from clearway.kernel.levels import Level
from tests.desks.command.test_warn import issued, only, run
from tests.desks.world import AT, keys, record

KEY = "command.control_news"


def measure(
    number: int = 1,
    kind: str = "SPEED",
    corridors: tuple[str, ...] = ("cor-0", "cor-1"),
    *,
    state: str = "in_force",
    restrictive: bool = True,
    kmh: float | None = 30,
    at: datetime = AT,
) -> Mapping[str, Any]:
    """A measure record."""
    body = {
        "type": kind,
        "corridors": list(corridors),
        "kmh": kmh if kind == "SPEED" else None,
        "restrictive": restrictive,
        "expiry": iso(at + timedelta(hours=5)),
    }
    return record("measure", state, body, id=f"mea-{number}")


def test_restrictions_are_announced() -> None:
    """Roads, limits, until when and that it is reviewed; a plain information, one decider."""
    p = only(run(measures=(measure(), measure(2, "TYPE", ("cor-0",)))))
    assert (p.key, p.act, p.level) == (KEY, "open", Level.BLUE)
    words = p.payload["description"]
    assert "Limit of 30 km/h: S12 Airport Expressway eastbound, Second Ring Road eastbound." in words["en"]
    assert "限速30公里/小时：S12 机场高速东向、二环路东向。" in words["zh"]
    assert words["zh"].index("限制部分车型通行") < words["zh"].index("限速30公里/小时")
    assert "如不续期，最迟至11月22日19时结束" in words["zh"]
    assert p.payload["headline"]["zh"] == "北京市对2条道路实施交通管控"
    assert p.payload["measures"] == ["mea-1", "mea-2"]
    assert parse_utc(p.payload["next_update_by"]) < parse_utc(p.payload["expires"])


def test_advice_is_no_restriction() -> None:
    """Measures that restrict nobody are not announced as controls, nor is a very short stretch."""
    assert run(measures=(measure(restrictive=False),)).proposals == ()
    assert run(measures=(measure(corridors=("cor-0",)),), cells=2).proposals == ()


def test_a_closure_raises_the_level_and_is_told_at_once() -> None:
    """Closing an expressway: yellow, and an update within the hour although one was just sent."""
    first = only(run(measures=(measure(),)))
    soon = AT + timedelta(hours=1)
    both = (measure(), measure(2, "CLOSE", ("cor-0",)))
    p = only(run(at=soon, notices=(issued(first),), measures=both))
    assert (p.key, p.target) == (f"{KEY}/update", "ntc-1")
    assert p.payload["level"] == Level.YELLOW
    assert p.payload["description"]["zh"].startswith("封闭：")


@pytest.mark.parametrize(("hours", "expected"), [(1, []), (2, [f"{KEY}/update"])])
def test_roads_that_join_are_told_after_two_hours(hours: int, expected: list[str]) -> None:
    """A road joins: told once two hours have passed since the last word."""
    first = only(run(measures=(measure(),)))
    at = AT + timedelta(hours=hours)
    grown = (measure(), measure(2, "SPEED", ("cor-2",)))
    assert keys(run(at=at, notices=(issued(first),), measures=grown).proposals) == expected


def test_no_change_no_word() -> None:
    """Hours with the same controls are silent until the promised update."""
    first = only(run(measures=(measure(),)))
    for hours in (1, 2, 4):
        at = AT + timedelta(hours=hours)
        assert run(at=at, notices=(issued(first),), measures=(measure(at=at),)).proposals == ()
    at = AT + timedelta(hours=6)
    assert only(run(at=at, notices=(issued(first),), measures=(measure(at=at),))).key == f"{KEY}/update"


def test_ordered_is_not_on_the_road() -> None:
    """A lifted limit whose signs still stand is named as exactly that, not as a limit."""
    first = only(run(measures=(measure(),)))
    at = AT + timedelta(hours=2)
    now = (measure(2, "SPEED", ("cor-2",)), measure(1, state="removal_pending"))
    words = only(run(at=at, notices=(issued(first),), measures=now)).payload["description"]
    assert "No longer ordered, signs being taken down: S12 Airport Expressway" in words["en"]
    assert "已不再要求，标志正在撤除核实：S12 机场高速东向、二环路东向" in words["zh"]


def test_cancelled_when_nothing_is_restricted() -> None:
    """The last restriction is gone: cancel at once."""
    first = only(run(measures=(measure(),)))
    at = AT + timedelta(hours=1)
    p = only(run(at=at, notices=(issued(first),), measures=(measure(state="removal_pending"),)))
    assert (p.key, p.act, p.target) == (f"{KEY}/cancel", "lift", "ntc-1")


def test_measures_are_gathered_by_what_they_restrict() -> None:
    """Two limits of 30 are one group, closures come first, kilometres are not counted twice."""
    rows = (measure(), measure(2, "SPEED", ("cor-1", "cor-2")), measure(3, "CLOSE", ("cor-0",)))
    details = only(run(measures=rows)).payload["details"]
    assert list(details["groups"].items()) == [("CLOSE-0", 1), ("SPEED-30", 3)]
    assert details["km"] == pytest.approx(9.6)
