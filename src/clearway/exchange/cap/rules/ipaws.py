"""Rules of the IPAWS profile of the United States (CAP-v1.2-IPAWS-v1.0, OASIS 2009), worded anew."""

from __future__ import annotations

from collections.abc import Iterator

from clearway.exchange.cap.lint import ADVICE, rule
from clearway.exchange.cap.model import Alert


@rule("ipaws")
def code_names_profile(alert: Alert) -> Iterator[tuple[str, str]]:
    """The alert carries code IPAWSv1.0."""
    if "IPAWSv1.0" not in alert.codes:
        yield "code", "no IPAWSv1.0"


@rule("ipaws")
def expires_given(alert: Alert) -> Iterator[tuple[str, str]]:
    """Every info has expires."""
    for number, info in enumerate(alert.infos):
        if info.expires is None:
            yield f"info[{number}]", "no expires"


@rule("ipaws")
def one_same_event_code(alert: Alert) -> Iterator[tuple[str, str]]:
    """Every info has exactly one SAME event code of three letters."""
    for number, info in enumerate(alert.infos):
        same = [c.value for c in info.event_codes if c.name == "SAME"]
        if len(same) != 1:
            yield f"info[{number}]", f"{len(same)} SAME event codes"
        elif len(same[0]) != 3 or not same[0].isalpha():
            yield f"info[{number}]", f"SAME code {same[0]!r}"


@rule("ipaws")
def infos_share_category_and_code(alert: Alert) -> Iterator[tuple[str, str]]:
    """All infos have the same categories and event codes."""
    if len({info.categories for info in alert.infos}) > 1:
        yield "info", "categories differ"
    if len({info.event_codes for info in alert.infos}) > 1:
        yield "info", "event codes differ"


@rule("ipaws")
def area_given(alert: Alert) -> Iterator[tuple[str, str]]:
    """Every info has an area."""
    for number, info in enumerate(alert.infos):
        if not info.areas:
            yield f"info[{number}]", "no area"


@rule("ipaws", ADVICE)
def effective_and_onset_ignored(alert: Alert) -> Iterator[tuple[str, str]]:
    """Effective and onset are not read; a message takes effect when it is sent."""
    for number, info in enumerate(alert.infos):
        if info.effective is not None and info.effective != alert.sent:
            yield f"info[{number}]", "effective differs from sent and is ignored"
