"""Odd messages are read as far as possible, and every repair is named."""

from __future__ import annotations

import contextlib
import random
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clearway.exchange.cap.chain import DEFAULT_LIFE, expires_at, has_default_expiry
from clearway.exchange.cap.codes import hazard_of, level_of
from clearway.exchange.cap.intake import parse
from clearway.exchange.cap.model import NameValue, Reference
from clearway.exchange.cap.render import render
from clearway.exchange.xml_safe import RefusedXMLError
from clearway.kernel.levels import Level
from tests.exchange.cap.making import SENT, message

CAP12 = "urn:oasis:names:tc:emergency:cap:1.2"
HEAD = (
    "<identifier>41000041600001_20151122090000</identifier><sender>cma</sender>"
    "<sent>2015-11-22T09:00:00+08:00</sent><status>Actual</status><msgType>Alert</msgType><scope>Public</scope>"
)
INFO = (
    "<category>Met</category><event>道路结冰</event><urgency>Unknown</urgency><severity>Severe</severity>"
    "<certainty>Unknown</certainty>"
)
CMA = (
    f'<alert xmlns="{CAP12}">{HEAD}<info><language>zh-CN</language>{INFO}'
    "<eventCode><valueName>gb</valueName><value>11B21</value></eventCode>"
    "<headline>北京市气象台发布道路结冰橙色预警</headline><area><areaDesc>北京市</areaDesc>"
    "<geocode><valueName>CPEAS Geographic Code</valueName><value>110000000000</value></geocode></area></info>"
    "</alert>"
)


def codes(data: bytes | str) -> set[str]:
    """Codes of the problems of a document."""
    return {p.code for p in parse(data.encode() if isinstance(data, str) else data).problems}


def test_a_message_as_the_cma_sends_it() -> None:
    """No polygon, no expiry, severity unsaid: usable, with a default life of 24 h that is labelled."""
    parsed = parse(CMA.encode())
    (alert,) = parsed.alerts
    assert {p.code for p in parsed.problems} == {"no-expiry", "no-geometry"}
    assert expires_at(alert) == alert.sent + DEFAULT_LIFE == alert.sent + timedelta(hours=24)
    assert has_default_expiry(alert)
    assert alert.sent == SENT
    assert alert.infos[0].areas[0].geocodes == (NameValue("CPEAS Geographic Code", "110000000000"),)
    assert level_of(alert.infos[0]) is Level.ORANGE
    hazard = hazard_of(alert.infos[0])
    assert hazard is not None
    assert hazard.key == "road_icing"


@pytest.mark.parametrize("encoding", ["gb18030", "gbk", "utf-16", "utf-8"])
def test_chinese_encodings(encoding: str) -> None:
    """The same message in another encoding is the same message."""
    data = f'<?xml version="1.0" encoding="{encoding}"?>{CMA}'.encode(encoding)
    assert parse(data).alerts == parse(CMA.encode()).alerts


def test_latin1_labelled_utf8_is_read_and_labelled() -> None:
    """A wrong label is repaired and said."""
    data = (
        render(message("a", headline="Neige à Montréal"))
        .replace("à".encode(), b"\xe0")
        .replace("é".encode(), b"\xe9")
    )
    parsed = parse(data)
    assert parsed.alerts[0].infos[0].headline == "Neige à Montréal"
    assert "document" in {p.code for p in parsed.problems}


def test_cap_1_0_pairs_and_words() -> None:
    """CAP 1.0 wrote name=value and Very Likely."""
    data = (
        f'<alert xmlns="http://www.incident.com/cap/1.0">{HEAD}<password>x</password><info>{INFO}</info></alert>'
    ).replace("<certainty>Unknown", "<eventCode>same = CEM</eventCode><certainty>Very Likely")
    (alert,) = parse(data.encode()).alerts
    assert alert.infos[0].certainty == "Likely"
    assert alert.infos[0].event_codes == (NameValue("same", "CEM"),)
    assert [e.where for e in alert.extras if "password" in e.where] == ["alert/password"]
    assert codes(data) >= {"old-version", "name-value", "strange-word", "unknown-element"}


def test_missing_and_strange_words_are_replaced_safely() -> None:
    """An unknown scope is private, an unknown status a test, an unknown kind no warning; all are named."""
    data = (
        CMA.replace("<scope>Public</scope>", "").replace("Actual", "Exercice").replace(">Alert<", ">Alarm<")
    )
    (alert,) = parse(data.encode()).alerts
    assert (alert.scope, alert.status, alert.msg_type) == ("Private", "Test", "Error")
    assert {"missing-element", "strange-word"} <= codes(data)
    assert {e.source for e in alert.extras} == {"Exercice", "Alarm"}
    relaxed = CMA.replace("<urgency>Unknown", "<urgency> immediate ")
    assert parse(relaxed.encode()).alerts[0].infos[0].urgency == "Immediate"


@pytest.mark.parametrize("name", ["identifier", "sender", "sent"])
def test_without_identity_a_message_is_unusable(name: str) -> None:
    """What identifies a message cannot be made up; the message is kept as it came."""
    data = CMA.replace(f"<{name}>", f"<x{name}>").replace(f"</{name}>", f"</x{name}>")
    parsed = parse(data.encode())
    assert parsed.alerts == ()
    assert parsed.unusable[0].xml == data.encode()
    assert "unusable" in codes(data)


@pytest.mark.parametrize(
    ("polygon", "code", "count"),
    [
        ("39.8,116.2 39.8,116.5 40.0,116.5", "polygon-open", 1),
        ("116.2,39.8 116.5,39.8 116.5,40.0 116.2,39.8", "polygon-swapped", 1),
        ("39.8, 116.2; 39.8, 116.5; 40.0, 116.5; 39.8, 116.2", "polygon-separators", 1),
        ("39.8 116.2 39.8 116.5 40.0 116.5 39.8 116.2", "polygon-separators", 1),
        ("0,181 1,181 1,182 0,181", "polygon-antimeridian", 1),
        ("39.8,116.2 39.8,116.2 39.8,116.2", "bad-polygon", 0),
        ("91,361 91,362 92,361 91,361", "bad-polygon", 0),
        ("somewhere in Beijing", "bad-polygon", 0),
        ("(", "bad-polygon", 0),
        ("nan,1 2,3 4,5", "bad-polygon", 0),
        ("39.8,116.2 39.8", "bad-polygon", 0),
    ],
)
def test_polygons_are_repaired_or_kept_aside(polygon: str, code: str, count: int) -> None:
    """A ring is repaired where its meaning is plain; otherwise its text is kept, not guessed at."""
    data = CMA.replace("<geocode>", f"<polygon>{polygon}</polygon><geocode>", 1)
    (alert,) = parse(data.encode()).alerts
    assert code in codes(data)
    rings = alert.infos[0].areas[0].polygons
    assert len(rings) == count
    if count:
        assert rings[0][0] == rings[0][-1]
    else:
        assert polygon in {e.source for e in alert.extras}


@pytest.mark.parametrize(
    ("circle", "good"), [("39.9,116.4 5", True), ("39.9,116.4", False), ("95,1 2", False)]
)
def test_circles(circle: str, good: bool) -> None:
    """A circle is centre and radius in kilometres, or it is kept aside."""
    data = CMA.replace("<geocode>", f"<circle>{circle}</circle><geocode>", 1)
    (alert,) = parse(data.encode()).alerts
    assert bool(alert.infos[0].areas[0].circles) is good
    assert ("bad-circle" in codes(data)) is not good


def test_references_that_are_none() -> None:
    """Words that are no reference are kept raw and named; an Update without references is named."""
    data = CMA.replace(">Alert<", ">Update<").replace(
        "</scope>", "</scope><references>one,two s,i,x</references>"
    )
    (alert,) = parse(data.encode()).alerts
    assert alert.references == (Reference("", "", None, "one,two"), Reference("", "", None, "s,i,x"))
    assert "bad-reference" in codes(data)
    assert "no-references" in codes(CMA.replace(">Alert<", ">Update<"))


def test_bad_numbers_and_times_are_kept_aside() -> None:
    """Nothing is made of nonsense, and nothing is thrown away."""
    data = CMA.replace("</geocode>", "</geocode><altitude>high</altitude><ceiling>inf</ceiling>")
    data = data.replace("<headline>", "<expires>tomorrow</expires><headline>")
    (alert,) = parse(data.encode()).alerts
    area = alert.infos[0].areas[0]
    assert (area.altitude_ft, area.ceiling_ft, alert.infos[0].expires) == (None, None, None)
    assert {"high", "inf", "tomorrow"} <= {e.source for e in alert.extras}
    assert {"bad-number", "bad-time"} <= codes(data)


def test_alert_as_escaped_text_in_a_feed() -> None:
    """Some feeds carry the alert as escaped text; hostile text in one entry does not spoil the others."""
    escaped = CMA.replace("&", "&amp;").replace("<", "&lt;")
    feed = (
        '<feed xmlns="http://www.w3.org/2005/Atom">'
        f'<entry><content type="text">{escaped}</content></entry>'
        '<entry><content type="text">&lt;?xml version="1.0"?>&lt;!DOCTYPE a>&lt;a/></content></entry></feed>'
    )
    parsed = parse(feed.encode())
    assert parsed.alerts == parse(CMA.encode()).alerts
    assert "refused-entry" in {p.code for p in parsed.problems}


def test_alert_inside_alert_is_not_read() -> None:
    """A second alert hidden in the first one is named, not believed."""
    inner = CMA.replace("41000041600001", "evil")
    parsed = parse(CMA.replace("</alert>", f"<x>{inner}</x></alert>").encode())
    assert len(parsed.alerts) == 1
    assert "nested-alert" in {p.code for p in parsed.problems}


def test_documents_without_alerts_say_so() -> None:
    """A portal page or an empty feed is not an error, but it is named."""
    assert codes("<html><body>Sign in</body></html>") == {"no-alert"}


def test_order_does_not_matter_but_is_named() -> None:
    """Elements in the wrong order are read, and the schema's objection is passed on."""
    data = CMA.replace("<scope>Public</scope>", "").replace(
        "<identifier>", "<scope>Public</scope><identifier>"
    )
    assert parse(data.encode()).alerts == parse(CMA.encode()).alerts
    assert "schema" in codes(data)


@given(st.integers(0, 2**32), st.integers(1, 12))
@settings(max_examples=80)
def test_damaged_messages_never_break_the_reader(seed: int, cuts: int) -> None:
    """Any mixture of cut, doubled and swapped pieces is read or refused, nothing else."""
    rng = random.Random(seed)
    pieces = CMA.replace("><", ">\0<").split("\0")
    for _ in range(cuts):
        place = rng.randrange(len(pieces))
        match rng.randrange(4):
            case 0:
                del pieces[place]
            case 1:
                pieces.insert(rng.randrange(len(pieces)), pieces[place])
            case 2:
                pieces[place] = pieces[place][: rng.randrange(len(pieces[place]) + 1)]
            case _:
                pieces[place] = pieces[place].replace("1", "-")
        pieces = pieces or ["<a/>"]
    with contextlib.suppress(RefusedXMLError):
        parsed = parse("".join(pieces).encode())
        for alert in parsed.alerts:
            assert parse(render(alert, relay=True)).alerts == (alert,)


def test_mutated_samples_never_break_the_reader(shared_data: Path) -> None:
    """Flipped bytes in real alerts are read or refused, nothing else."""
    rng = random.Random(7)
    folder = shared_data / "cap" / "samples" / "google-testdata"
    for name in ("australia.cap", "canada.cap", "earthquake.cap", "bushfire_valid.edxlde", "weather.atom"):
        data = (folder / name).read_bytes()
        for _ in range(40):
            broken = bytearray(data)
            for _ in range(rng.randrange(1, 6)):
                broken[rng.randrange(len(broken))] = rng.randrange(256)
            with contextlib.suppress(RefusedXMLError):
                for alert in parse(bytes(broken)).alerts:
                    assert render(alert, relay=True)
