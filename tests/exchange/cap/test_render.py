"""What is written is valid, in order, and reads back as what it was."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings

from clearway.exchange.cap.checks import MAX_VERTICES, ring_problem, violations
from clearway.exchange.cap.intake import parse
from clearway.exchange.cap.model import Alert, Area, Circle, NameValue, Reference
from clearway.exchange.cap.render import render, validate
from clearway.exchange.cap.uris import is_uri, read_uri
from clearway.exchange.cap.values import clean_text, format_number, format_time, read_time
from clearway.kernel.errors import InputError
from tests.exchange.cap.making import SENT, SQUARE, alerts, message, words


def with_area(**changes: object) -> Alert:
    """A message with one area."""
    base = message("a")
    area = Area("Beijing", polygons=(SQUARE,))
    return replace(base, infos=(replace(base.infos[0], areas=(replace(area, **changes),)),))  # type: ignore[arg-type]


@given(alerts)
@settings(max_examples=150)
def test_any_message_round_trips(alert: Alert) -> None:
    """Whatever a message holds, relayed it is valid XML of the schema and reads back as itself."""
    data = render(alert, relay=True)
    assert validate(data) == []
    parsed = parse(data)
    assert parsed.alerts == (alert,)
    assert parsed.unusable == ()


@given(alerts)
@settings(max_examples=100)
def test_published_or_refused_with_reasons(alert: Alert) -> None:
    """Publication either gives valid bytes or says which rules are broken; there is no third way."""
    broken = violations(alert)
    if broken:
        with pytest.raises(InputError) as caught:
            render(alert)
        assert all(words in caught.value.what for words in broken)
        assert alert.identifier in caught.value.where
        return
    data = render(alert)
    assert validate(data) == []
    assert parse(data).alerts == (alert,)


def test_times_have_an_offset_and_never_z() -> None:
    """Times are whole seconds with a numeric offset, as the schema demands."""
    text = render(message("a")).decode()
    stamps = re.findall(r"<(?:sent|expires)>([^<]+)<", text)
    assert stamps
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", s) for s in stamps)
    beijing = timezone(timedelta(hours=8))
    assert format_time(datetime(2015, 11, 22, 9, 0, 0, 999, tzinfo=beijing)) == "2015-11-22T09:00:00+08:00"
    odd = timezone(timedelta(hours=8, seconds=30))
    assert format_time(datetime(2015, 11, 22, 9, tzinfo=odd)) == "2015-11-22T00:59:30+00:00"
    with pytest.raises(ValueError, match="zone"):
        format_time(datetime(2015, 11, 22))  # noqa: DTZ001  (a naive time is the point)


@pytest.mark.parametrize(
    ("change", "words_of_refusal"),
    [
        ({"identifier": "a b"}, "identifier"),
        ({"identifier": "a,b"}, "identifier"),
        ({"sender": ""}, "sender"),
        ({"status": "actual"}, "status"),
        ({"msg_type": "Update"}, "must reference"),
        ({"references": (Reference("s", "i", SENT),)}, "may not reference"),
        ({"scope": "Restricted"}, "restriction"),
        ({"restriction": "police"}, "restriction"),
        ({"scope": "Private"}, "addresses"),
        ({"msg_type": "Update", "references": (Reference("s", "i", SENT + timedelta(1)),)}, "sent later"),
        ({"msg_type": "Update", "references": (message("a").reference(),)}, "itself"),
        ({"msg_type": "Cancel", "references": (Reference("", "", None, raw="x"),)}, "sender,identifier,sent"),
    ],
)
def test_broken_messages_are_not_written(change: dict[str, object], words_of_refusal: str) -> None:
    """Each rule of publication stops a message and is named."""
    with pytest.raises(InputError, match=words_of_refusal):
        render(replace(message("a"), **change))  # type: ignore[arg-type]  # deliberately wrong values too


@pytest.mark.parametrize(
    ("change", "words_of_refusal"),
    [
        ({"categories": ()}, "category"),
        ({"categories": ("Weather",)}, "category"),
        ({"event": ""}, "event"),
        ({"urgency": "Soon"}, "urgency"),
        ({"expires": None}, "expires"),
        ({"response_types": ("Run",)}, "responseType"),
        ({"headline": "safe\u202eegnar"}, "hidden"),
    ],
)
def test_broken_infos_are_not_written(change: dict[str, object], words_of_refusal: str) -> None:
    """The same for what an info says."""
    base = message("a")
    with pytest.raises(InputError, match=words_of_refusal):
        render(replace(base, infos=(replace(base.infos[0], **change),)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("ring", "problem"),
    [
        (SQUARE[:-1], "not closed"),
        (((0.0, 0.0), (1.0, 1.0), (0.0, 0.0)), "not closed"),
        (((0.0, 0.0), (1.0, 1.0), (1.0, 0.0), (0.0, 1.0), (0.0, 0.0)), "crosses"),
        (((0.0, 0.0), (200.0, 0.0), (200.0, 1.0), (0.0, 0.0)), "globe"),
        ((*((i / 100, i % 2 / 100 + 1) for i in range(MAX_VERTICES)), (0.0, 1.0)), "vertices"),
        (SQUARE, ""),
    ],
)
def test_rings(ring: tuple[tuple[float, float], ...], problem: str) -> None:
    """Only closed, simple, short rings on the globe are published."""
    assert problem in ring_problem(ring)
    assert bool(ring_problem(ring)) == bool(problem)
    if problem:
        with pytest.raises(InputError, match=problem):
            render(with_area(polygons=(ring,)))


def test_areas_need_something_to_find_them_by() -> None:
    """An area has a name, a shape or code, and no ceiling without altitude."""
    for change in ({"description": ""}, {"polygons": ()}, {"ceiling_ft": 100.0}):
        with pytest.raises(InputError):
            render(with_area(**change))
    circle = with_area(
        polygons=(), circles=(Circle(116.4, 39.9, 12.5),), geocodes=(NameValue("x", "110000"),)
    )
    text = render(circle).decode()
    assert "<circle>39.9,116.4 12.5</circle>" in text


def test_latitude_comes_first_in_xml_only() -> None:
    """Inside, longitude is first; in CAP, latitude."""
    text = render(with_area()).decode()
    assert "<polygon>39.8,116.2 39.8,116.5 40,116.5 40,116.2 39.8,116.2</polygon>" in text
    assert parse(text.encode()).alerts[0].infos[0].areas[0].polygons == (SQUARE,)


def test_text_is_clean() -> None:
    """Control characters cannot reach the public, line ends become LF, words are escaped once."""
    base = message("a")
    dirty = replace(base.infos[0], description="one\r\ntwo\x00\x1b[31m & <b>\x85three\u2028four ")
    (info,) = parse(render(replace(base, infos=(dirty,)))).alerts[0].infos
    assert info.description == "one\ntwo[31m & <b>\nthree\nfour"


@given(words)
def test_clean_text_is_idempotent(text: str) -> None:
    """Cleaning twice changes nothing more."""
    assert clean_text(clean_text(text)) == clean_text(text)


def test_numbers_never_have_an_exponent() -> None:
    """Tiny and whole numbers are plain decimals that read back as themselves."""
    for value in (0.0, 40.0, -0.1, 1e-7, 123456.789, 1e22, 116.4000001):
        text = format_number(value)
        assert "e" not in text
        assert float(text) == value


def test_validate_names_what_is_wrong() -> None:
    """Schema errors come with lines; hostile input gives its refusal instead of an exception."""
    assert (
        any("scope" in e for e in validate(b'<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"/>')) is False
    )
    assert validate(b'<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"/>')[0].startswith("line 1")
    assert validate(b"<a/>")
    assert validate(b"<!DOCTYPE a><a/>") == ["refused: document type definition (a)"]


def test_same_message_same_bytes() -> None:
    """Rendering has no memory and no clock."""
    assert render(with_area()) == render(with_area())


def test_odd_times_are_read_with_a_note() -> None:
    """Times as feeds write them: Z, fractions, no zone; nonsense is no time."""
    notes: list[str] = []

    def note(code: str, what: str) -> None:
        notes.append(code)

    assert read_time("2015-11-22T01:00:00Z", note) == SENT
    assert notes == []
    assert read_time("2015-11-22T01:00:00.250+00:00", note) == SENT
    assert read_time("2015-11-22 01:00", note) == SENT
    assert read_time("1066-10-14T09:00:00Z", note) is None
    assert read_time("yesterday", note) is None
    assert notes == ["time-fraction", "time-without-zone", "bad-time", "bad-time"]
    assert read_time("2015-11-22T09:00:00+08:00", note) == SENT.astimezone(UTC)


@pytest.mark.parametrize(
    ("text", "fixed"),
    [
        ("https://a.example/x?y=1&z=2#t", "https://a.example/x?y=1&z=2#t"),
        ("https://a.example/a b", "https://a.example/a%20b"),
        ("https://a.example/道路", "https://a.example/%E9%81%93%E8%B7%AF"),
        ("https://a.example/100%", "https://a.example/100%25"),
        ("ht)p://a.example/x", "ht%29p%3A//a.example/x"),
        ("http://a b.example:x/", "http%3A//a%20b.example%3Ax/"),
        ("https://a.example/#a#b", "https://a.example/#a%23b"),
        ("www.a.example/[x]", "www.a.example/%5Bx%5D"),
        ("not a url <at all>", "not%20a%20url%20%3Cat%20all%3E"),
    ],
)
def test_addresses_become_uris(text: str, fixed: str) -> None:
    """Whatever stands in web, a valid URI comes out, and a changed one is noted."""
    notes: list[str] = []
    assert read_uri(text, lambda code, what: notes.append(code)) == fixed
    assert bool(notes) == (text != fixed)
    base = message("a")
    assert validate(render(replace(base, infos=(replace(base.infos[0], web=fixed),)))) == []


@given(words)
def test_any_text_becomes_a_uri(text: str) -> None:
    """The reader never hands on an address that the schema would refuse."""
    assert is_uri(read_uri(text, lambda code, what: None))
