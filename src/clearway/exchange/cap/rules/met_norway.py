"""Rules of the CAP profile of MET Norway, version 3 (metno/weatherapi-docs, metalerts), worded anew.

The rule that an Update references all messages still valid needs the whole chain: see
:func:`clearway.exchange.cap.chain.references_for`.
"""

from __future__ import annotations

from collections.abc import Iterator

from clearway.exchange.cap.lint import rule
from clearway.exchange.cap.model import Alert, Info


@rule("met-norway")
def cancel_responds_none(alert: Alert) -> Iterator[tuple[str, str]]:
    """A Cancel has responseType None and nothing else."""
    for number, info in enumerate(alert.infos):
        if alert.msg_type == "Cancel" and info.response_types != ("None",):
            yield f"info[{number}]", f"responseType {', '.join(info.response_types) or 'absent'}"


@rule("met-norway")
def all_clear_only_in_update(alert: Alert) -> Iterator[tuple[str, str]]:
    """AllClear stands in an Update, since it ends something."""
    for number, info in enumerate(alert.infos):
        if "AllClear" in info.response_types and alert.msg_type != "Update":
            yield f"info[{number}]", f"AllClear in an {alert.msg_type}"


@rule("met-norway")
def one_info_per_language(alert: Alert) -> Iterator[tuple[str, str]]:
    """There is one info per language."""
    tags = [info.language.lower() for info in alert.infos]
    for tag in sorted({t for t in tags if tags.count(t) > 1}):
        yield "info", f"{tags.count(tag)} infos in {tag or 'the default language'}"


@rule("met-norway")
def infos_share_facts(alert: Alert) -> Iterator[tuple[str, str]]:
    """All infos have identical times, severity, urgency, certainty, codes, parameters and shapes."""
    if len({_facts(info) for info in alert.infos}) > 1:
        yield "info", "the infos differ in more than their words"


def _facts(info: Info) -> tuple[object, ...]:
    shapes = tuple((a.polygons, a.circles, a.geocodes) for a in info.areas)
    times = (info.effective, info.onset, info.expires)
    words = (info.severity, info.urgency, info.certainty, info.categories, info.response_types)
    return (times, words, info.event_codes, info.parameters, shapes)
