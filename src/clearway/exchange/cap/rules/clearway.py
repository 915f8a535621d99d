"""Rules for our own words.

Source: Emergency Response Law of the PRC (2024), art. 64: an alert states type, level, start, area, warning,
measures, issuer and time of issue; decision 8 of the house plan.
"""

from __future__ import annotations

from collections.abc import Iterator

from clearway.exchange.cap.checks import violations
from clearway.exchange.cap.lint import rule
from clearway.exchange.cap.model import Alert


@rule("clearway")
def chinese_and_english(alert: Alert) -> Iterator[tuple[str, str]]:
    """There is one info in zh-CN and one in en."""
    tags = sorted(info.language for info in alert.infos)
    if tags != ["en", "zh-CN"]:
        yield "info", f"languages are {', '.join(tags) or 'none'}"


@rule("clearway")
def eight_fields_of_the_law(alert: Alert) -> Iterator[tuple[str, str]]:
    """Type, level, start, area, warning, measures, issuer and time of issue are stated (art. 64)."""
    if alert.msg_type == "Cancel":
        return
    for number, info in enumerate(alert.infos):
        stated = {
            "type": info.event_codes,
            "level": info.parameter("levelColour"),
            "start": info.onset,
            "area": info.areas,
            "warning": info.headline,
            "measures": info.instruction,
            "issuer": info.sender_name,
        }
        for name, value in stated.items():
            if not value:
                yield f"info[{number}]", f"no {name}"


@rule("clearway")
def drills_say_so(alert: Alert) -> Iterator[tuple[str, str]]:
    """What is simulated is not Actual, and what is not Actual says so in its headline."""
    for number, info in enumerate(alert.infos):
        if info.parameter("simulated") and alert.status == "Actual":
            yield f"info[{number}]", "simulated but Actual"
        marked = info.headline.startswith(("【演练】", "【测试】", "EXERCISE: ", "TEST: "))
        if (alert.status in ("Exercise", "Test")) != marked:
            yield f"info[{number}]/headline", f"status {alert.status}, headline {info.headline!r}"


@rule("clearway")
def fit_to_publish(alert: Alert) -> Iterator[tuple[str, str]]:
    """The strict rules of the renderer hold."""
    for broken in violations(alert):
        yield "alert", broken
