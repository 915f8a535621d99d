"""Rules of Google Public Alerts.

Source: google/cap-library (Apache-2.0, last change 2019) and its publishing guidelines, read 2026; the rules
are worded anew.
"""

from __future__ import annotations

from collections.abc import Iterator

from clearway.exchange.cap.lint import ADVICE, rule
from clearway.exchange.cap.model import Alert

MAX_HEADLINE = 140


@rule("google")
def public_messages_have_info(alert: Alert) -> Iterator[tuple[str, str]]:
    """Alert and Update carry an info."""
    if alert.msg_type in ("Alert", "Update") and not alert.infos:
        yield "alert", "no info"


@rule("google")
def web_description_expires_given(alert: Alert) -> Iterator[tuple[str, str]]:
    """Every info has web, description and expires."""
    for number, info in enumerate(alert.infos):
        for name, value in (("web", info.web), ("description", info.description), ("expires", info.expires)):
            if not value:
                yield f"info[{number}]", f"no {name}"


@rule("google")
def area_has_shape(alert: Alert) -> Iterator[tuple[str, str]]:
    """Every info has an area, and every area a polygon, circle or geocode."""
    for number, info in enumerate(alert.infos):
        if not info.areas:
            yield f"info[{number}]", "no area"
        for place, area in enumerate(info.areas):
            if not (area.polygons or area.circles or area.geocodes):
                yield f"info[{number}]/area[{place}]", "no polygon, circle or geocode"


@rule("google")
def effective_before_expires(alert: Alert) -> Iterator[tuple[str, str]]:
    """An info takes effect before it expires."""
    for number, info in enumerate(alert.infos):
        if info.effective and info.expires and info.effective > info.expires:
            yield f"info[{number}]", "effective lies after expires"


@rule("google", ADVICE)
def headline_short(alert: Alert) -> Iterator[tuple[str, str]]:
    """A headline has fewer than 140 characters."""
    for number, info in enumerate(alert.infos):
        if len(info.headline) >= MAX_HEADLINE:
            yield f"info[{number}]/headline", f"{len(info.headline)} characters"


@rule("google", ADVICE)
def words_not_repeated(alert: Alert) -> Iterator[tuple[str, str]]:
    """Headline, description and instruction say different things."""
    for number, info in enumerate(alert.infos):
        words = [w for w in (info.headline, info.description, info.instruction) if w]
        if len(set(words)) < len(words):
            yield f"info[{number}]", "the same words twice"


@rule("google", ADVICE)
def urgency_severity_certainty_known(alert: Alert) -> Iterator[tuple[str, str]]:
    """Urgency, severity and certainty are not Unknown."""
    for number, info in enumerate(alert.infos):
        for name in ("urgency", "severity", "certainty"):
            if getattr(info, name) == "Unknown":
                yield f"info[{number}]", f"{name} is Unknown"


@rule("google", ADVICE)
def instruction_given(alert: Alert) -> Iterator[tuple[str, str]]:
    """Alert and Update say what to do."""
    for number, info in enumerate(alert.infos):
        if alert.msg_type in ("Alert", "Update") and not info.instruction:
            yield f"info[{number}]", "no instruction"
