"""Rules of the Canadian profile (CAP-CP), worded anew from google/cap-library (Apache-2.0)."""

from __future__ import annotations

from collections.abc import Iterator

from clearway.exchange.cap.lint import rule
from clearway.exchange.cap.model import DEFAULT_LANGUAGE, Alert


@rule("cap-cp")
def code_names_profile(alert: Alert) -> Iterator[tuple[str, str]]:
    """The alert carries a code profile:CAP-CP."""
    if not any(code.startswith("profile:CAP-CP:") for code in alert.codes):
        yield "code", "no profile:CAP-CP"


@rule("cap-cp")
def english_and_french(alert: Alert) -> Iterator[tuple[str, str]]:
    """There is an info in English and one in French."""
    tags = {(info.language or DEFAULT_LANGUAGE).lower().partition("-")[0] for info in alert.infos}
    for tag in ("en", "fr"):
        if alert.infos and tag not in tags:
            yield "info", f"no info in {tag}"


@rule("cap-cp")
def recognised_event_code(alert: Alert) -> Iterator[tuple[str, str]]:
    """Every info has one event code of the profile."""
    for number, info in enumerate(alert.infos):
        count = sum(code.name.startswith("profile:CAP-CP:Event:") for code in info.event_codes)
        if count != 1:
            yield f"info[{number}]", f"{count} event codes of the profile"


@rule("cap-cp")
def recognised_geocode(alert: Alert) -> Iterator[tuple[str, str]]:
    """Every area has a location code of the profile."""
    for number, info in enumerate(alert.infos):
        for place, area in enumerate(info.areas):
            if not any(code.name.startswith("profile:CAP-CP:Location:") for code in area.geocodes):
                yield f"info[{number}]/area[{place}]", "no location code of the profile"
