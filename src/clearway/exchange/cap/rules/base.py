"""Rules every message should keep.

Source: CAP 1.2 sections 3.2.1-3.2.4; the base validator of google/cap-library (ideas, not code).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from clearway.exchange.cap.checks import ring_problem
from clearway.exchange.cap.lint import ADVICE, rule
from clearway.exchange.cap.model import DEFAULT_LANGUAGE, Alert, Info

_TAG = re.compile(r"</?[a-zA-Z][^<>]*>|&(?:[a-z]+|#\d+);")
_TOKEN = re.compile(r"[^\s,<&]+")
_PROSE = ("event", "headline", "description", "instruction", "contact")


def _infos(alert: Alert) -> Iterator[tuple[str, Info]]:
    yield from ((f"info[{i}]", info) for i, info in enumerate(alert.infos))


@rule("base")
def identifier_has_no_blanks(alert: Alert) -> Iterator[tuple[str, str]]:
    """Identifier and sender hold no blanks, commas, < or &."""
    for name, value in (("identifier", alert.identifier), ("sender", alert.sender)):
        if not _TOKEN.fullmatch(value):
            yield name, repr(value)


@rule("base")
def references_are_triples(alert: Alert) -> Iterator[tuple[str, str]]:
    """Each reference is sender,identifier,sent."""
    for reference in alert.references:
        if reference.sent is None:
            yield "references", repr(reference.raw)


@rule("base")
def references_look_back(alert: Alert) -> Iterator[tuple[str, str]]:
    """A message references only messages sent before it, never itself."""
    for reference in alert.references:
        if (reference.sender, reference.identifier) == (alert.sender, alert.identifier):
            yield "references", "the message references itself (circular)"
        elif reference.sent is not None and reference.sent > alert.sent:
            yield "references", f"{reference.identifier} was sent later (postdated)"


@rule("base")
def update_and_cancel_reference(alert: Alert) -> Iterator[tuple[str, str]]:
    """Update, Cancel, Ack and Error reference what they are about."""
    if alert.msg_type != "Alert" and not alert.references:
        yield "references", f"an {alert.msg_type} has none"


@rule("base")
def restriction_with_restricted(alert: Alert) -> Iterator[tuple[str, str]]:
    """A restriction goes with scope Restricted and with no other."""
    if (alert.scope == "Restricted") != bool(alert.restriction):
        yield "restriction", f"scope is {alert.scope}, restriction is {alert.restriction!r}"


@rule("base")
def addresses_with_private(alert: Alert) -> Iterator[tuple[str, str]]:
    """Scope Private names its addresses."""
    if alert.scope == "Private" and not alert.addresses:
        yield "addresses", "none"


@rule("base")
def note_with_exercise(alert: Alert) -> Iterator[tuple[str, str]]:
    """An Exercise says in its note which exercise it is."""
    if alert.status == "Exercise" and not alert.note:
        yield "note", "empty"


@rule("base")
def polygons_are_simple(alert: Alert) -> Iterator[tuple[str, str]]:
    """Rings are closed, lie on the globe and do not cross themselves."""
    for where, info in _infos(alert):
        for number, area in enumerate(info.areas):
            for ring in area.polygons:
                problem = ring_problem(ring, max_vertices=1_000_000)
                if problem:
                    yield f"{where}/area[{number}]/polygon", problem


@rule("base")
def ceiling_needs_altitude(alert: Alert) -> Iterator[tuple[str, str]]:
    """A ceiling is given only with an altitude, and lies above it."""
    for where, info in _infos(alert):
        for number, area in enumerate(info.areas):
            if area.ceiling_ft is None:
                continue
            if area.altitude_ft is None:
                yield f"{where}/area[{number}]", "a ceiling without altitude"
            elif area.ceiling_ft < area.altitude_ft:
                yield f"{where}/area[{number}]", "the ceiling lies below the altitude"


@rule("base")
def times_in_order(alert: Alert) -> Iterator[tuple[str, str]]:
    """Effective and onset lie before expires, and nothing is expired when it is sent."""
    for where, info in _infos(alert):
        for name, at in (("sent", alert.sent), ("effective", info.effective), ("onset", info.onset)):
            if at is not None and info.expires is not None and at > info.expires:
                yield where, f"{name} {at.isoformat()} lies after expires {info.expires.isoformat()}"


@rule("base", ADVICE)
def no_markup_in_text(alert: Alert) -> Iterator[tuple[str, str]]:
    """Words are plain text, without HTML tags and entities."""
    for where, info in _infos(alert):
        for name in _PROSE:
            found = _TAG.search(getattr(info, name))
            if found:
                yield f"{where}/{name}", found.group()


@rule("base", ADVICE)
def languages_differ(alert: Alert) -> Iterator[tuple[str, str]]:
    """Two infos in different languages do not say the same words."""
    seen: dict[tuple[str, str], str] = {}
    for where, info in _infos(alert):
        tag = info.language or DEFAULT_LANGUAGE
        for name in ("headline", "description", "instruction"):
            words = getattr(info, name)
            other = seen.setdefault((name, words), tag)
            if len(words) > 20 and other != tag:
                yield f"{where}/{name}", f"the same words in {other} and {tag}"


@rule("base", ADVICE)
def xml_escaped_once(alert: Alert) -> Iterator[tuple[str, str]]:
    """Parameter values are not escaped twice (&amp;amp;)."""
    for where, info in _infos(alert):
        for parameter in info.parameters:
            if "&amp;" in parameter.value:
                yield f"{where}/parameter {parameter.name}", "escaped twice"
