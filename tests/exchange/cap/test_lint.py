"""Every rule of every profile fires when broken, is silent when kept, and says what it asks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from clearway.exchange.cap.intake import parse
from clearway.exchange.cap.lint import ADVICE, ERROR, lint, rules
from clearway.exchange.cap.model import Alert, Area, NameValue, Reference
from clearway.kernel.errors import InputError
from tests.exchange.cap.making import SENDER, SENT, SQUARE, message

LATER = SENT + timedelta(hours=9)
OTHER = Reference(SENDER, "other", SENT)
BOW = ((0.0, 0.0), (1.0, 1.0), (1.0, 0.0), (0.0, 1.0), (0.0, 0.0))


def alert(**changes: Any) -> Alert:
    """A message with changes to its head."""
    return replace(message("a"), **changes)


def info(base: Alert | None = None, **changes: Any) -> Alert:
    """A message with changes to its info."""
    base = base or message("a")
    return replace(base, infos=(replace(base.infos[0], **changes),))


def area(**changes: Any) -> Alert:
    """A message with one area."""
    return info(areas=(replace(Area("Beijing", polygons=(SQUARE,)), **changes),))


def two(**changes: Any) -> Alert:
    """A message with two infos, the second in another language and with changes."""
    base = message("a")
    first = replace(base.infos[0], language="en", instruction="Slow down and keep your distance.")
    return replace(base, infos=(first, replace(first, **({"language": "fr"} | changes))))


CANCEL = message("c", "Cancel", refers=(OTHER,))
BREAKS: dict[tuple[str, str], Callable[[], Alert]] = {
    ("base", "identifier-has-no-blanks"): lambda: alert(identifier="a b"),
    ("base", "references-are-triples"): lambda: alert(references=(Reference("", "", None, "x"),)),
    ("base", "references-look-back"): lambda: alert(references=(replace(OTHER, sent=LATER),)),
    ("base", "update-and-cancel-reference"): lambda: alert(msg_type="Update"),
    ("base", "restriction-with-restricted"): lambda: alert(restriction="police"),
    ("base", "addresses-with-private"): lambda: alert(scope="Private"),
    ("base", "note-with-exercise"): lambda: alert(status="Exercise"),
    ("base", "polygons-are-simple"): lambda: area(polygons=(BOW,)),
    ("base", "ceiling-needs-altitude"): lambda: area(altitude_ft=10.0, ceiling_ft=5.0),
    ("base", "times-in-order"): lambda: info(onset=LATER),
    ("base", "no-markup-in-text"): lambda: info(description="a<br/>b"),
    ("base", "languages-differ"): two,
    ("base", "xml-escaped-once"): lambda: info(parameters=(NameValue("url", "a?b&amp;c"),)),
    ("google", "public-messages-have-info"): lambda: alert(infos=()),
    ("google", "web-description-expires-given"): lambda: info(expires=None),
    ("google", "area-has-shape"): lambda: area(polygons=()),
    ("google", "effective-before-expires"): lambda: info(effective=LATER),
    ("google", "headline-short"): lambda: info(headline="x" * 140),
    ("google", "words-not-repeated"): lambda: info(headline="Ice", description="Ice"),
    ("google", "urgency-severity-certainty-known"): lambda: info(severity="Unknown"),
    ("google", "instruction-given"): lambda: info(instruction=""),
    ("ipaws", "code-names-profile"): alert,
    ("ipaws", "expires-given"): lambda: info(expires=None),
    ("ipaws", "one-same-event-code"): lambda: info(event_codes=(NameValue("SAME", "WSW1"),)),
    ("ipaws", "infos-share-category-and-code"): lambda: two(categories=("Safety",)),
    ("ipaws", "area-given"): lambda: info(areas=()),
    ("ipaws", "effective-and-onset-ignored"): lambda: info(effective=LATER),
    ("cap-au", "code-names-profile"): alert,
    ("cap-au", "info-given"): lambda: alert(infos=()),
    ("cap-au", "event-code-from-list"): alert,
    ("cap-au", "area-given"): lambda: info(areas=()),
    ("cap-au", "cancel-without-effective"): lambda: info(CANCEL, effective=SENT),
    ("cap-cp", "code-names-profile"): alert,
    ("cap-cp", "english-and-french"): lambda: info(language="en-CA"),
    ("cap-cp", "recognised-event-code"): alert,
    ("cap-cp", "recognised-geocode"): area,
    ("met-norway", "cancel-responds-none"): lambda: info(CANCEL, response_types=("AllClear",)),
    ("met-norway", "all-clear-only-in-update"): lambda: info(response_types=("AllClear",)),
    ("met-norway", "one-info-per-language"): lambda: two(language="en"),
    ("met-norway", "infos-share-facts"): lambda: two(severity="Minor"),
    ("clearway", "chinese-and-english"): lambda: info(language="en"),
    ("clearway", "eight-fields-of-the-law"): alert,
    ("clearway", "drills-say-so"): lambda: info(alert(status="Exercise"), headline="Ice"),
    ("clearway", "fit-to-publish"): lambda: info(event=""),
}


def test_every_rule_is_tried() -> None:
    """The table above has every rule there is, and every rule says in its docstring what it asks."""
    assert {(r.profile, r.id) for r in rules()} == set(BREAKS)
    assert all(r.says.endswith(".") or r.says.endswith(").") for r in rules())
    assert {r.severity for r in rules()} == {ERROR, ADVICE}


@pytest.mark.parametrize("key", sorted(BREAKS))
def test_each_rule_fires(key: tuple[str, str]) -> None:
    """A message that breaks a rule gives a finding of that rule."""
    found = lint(BREAKS[key](), (key[0],))
    assert key[1] in {f.rule for f in found}
    assert all(f.where and f.text and f"{f.profile}/{f.rule}" in str(f) for f in found)


def test_rules_are_silent_when_kept() -> None:
    """A small sound message breaks no base rule, and each break breaks few rules of the base."""
    assert lint(message("a"), ("base",)) == []
    assert lint(message("u", "Update", refers=(OTHER,)), ("base",)) == []
    assert lint(CANCEL, ("base",)) == []


def test_unknown_profile_is_refused() -> None:
    """A profile that does not exist is not silently skipped."""
    with pytest.raises(InputError, match="no CAP profile nonsense"):
        lint(message("a"), ("base", "nonsense"))


@pytest.mark.parametrize(
    ("file", "profile", "expected"),
    [
        ("australia.cap", "cap-au", set()),
        ("canada.cap", "cap-cp", set()),
        ("earthquake.cap", "ipaws", set()),
        ("canada.cap", "base", set()),
        ("canada_errors.cap", "base", {"update-and-cancel-reference"}),
        ("noaa_errors.cap", "ipaws", {"code-names-profile", "one-same-event-code"}),
        ("invalid.cap", "google", {"area-has-shape", "web-description-expires-given"}),
    ],
)
def test_real_messages(shared_data: Path, file: str, profile: str, expected: set[str]) -> None:
    """Messages made for a profile keep it; the deliberately wrong ones break what they were made to break."""
    (one,) = parse((shared_data / "cap/samples/google-testdata" / file).read_bytes()).alerts
    assert {f.rule for f in lint(one, (profile,)) if f.severity == ERROR} == expected
