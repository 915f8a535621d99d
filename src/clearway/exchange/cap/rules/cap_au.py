"""Rules of the Australian profile (CAP-AU-STD 1.0), worded anew from google/cap-library (Apache-2.0)."""

from __future__ import annotations

from collections.abc import Iterator

from clearway.exchange.cap.lint import rule
from clearway.exchange.cap.model import Alert

CODE = "urn:oasis:names:tc:emergency:cap:profile:CAP-AU:1.0"
_EVENT_LISTS = ("AUeventLIST", "govshare.gov.au/xmlui/handle/10772/6495")


@rule("cap-au")
def code_names_profile(alert: Alert) -> Iterator[tuple[str, str]]:
    """The alert carries the code of the profile (also met with cap:1.2 in it)."""
    if not any(code.endswith("profile:CAP-AU:1.0") for code in alert.codes):
        yield "code", f"no {CODE}"


@rule("cap-au")
def info_given(alert: Alert) -> Iterator[tuple[str, str]]:
    """There is an info."""
    if not alert.infos:
        yield "alert", "no info"


@rule("cap-au")
def event_code_from_list(alert: Alert) -> Iterator[tuple[str, str]]:
    """Every info has an event code of the Australian list."""
    for number, info in enumerate(alert.infos):
        if not any(name in code.name for code in info.event_codes for name in _EVENT_LISTS):
            yield f"info[{number}]", f"no event code of {_EVENT_LISTS[0]}"


@rule("cap-au")
def area_given(alert: Alert) -> Iterator[tuple[str, str]]:
    """Every info has an area."""
    for number, info in enumerate(alert.infos):
        if not info.areas:
            yield f"info[{number}]", "no area"


@rule("cap-au")
def cancel_without_effective(alert: Alert) -> Iterator[tuple[str, str]]:
    """A Cancel has no effective time."""
    for number, info in enumerate(alert.infos):
        if alert.msg_type == "Cancel" and info.effective is not None:
            yield f"info[{number}]", "a Cancel with effective"
