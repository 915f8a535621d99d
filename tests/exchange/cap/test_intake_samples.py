"""The alerts of twenty countries are read without loss."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from clearway.exchange.cap.intake import SHA1, UNSIGNED, parse
from clearway.exchange.cap.render import render, validate
from clearway.exchange.xml_safe import Refusal, RefusedXMLError
from tests.exchange.cap.samples import HOSTILE, leaves, raw_alerts, sample_files

KNOWN_LOSSES = {
    "alertswiss-POA-1222963954-5.xml": {"/info/instruction"},  # two of them, joined into one
    "gdacs-cap_1023542.xml": {"/info/area/polygon"},  # holes in brackets
    "bushfire_invalid.edxlde": {"/info/urgency"},  # Foobar
    "no_entries.atom": {"/info/area/Point/coordinates"},  # not CAP
}
"""What the problems of these files must name; everything else must come out as it went in."""


def test_every_sample_is_read(shared_data: Path) -> None:
    """No real file makes the reader fail, and every alert in it is either usable or kept as unusable."""
    total = 0
    for path in sample_files(shared_data):
        data = path.read_bytes()
        parsed = parse(data, where=path.name)
        assert len(parsed.received) + len(parsed.unusable) == len(raw_alerts(data)), path.name
        total += len(parsed.received)
    assert total == 45


def test_nothing_is_lost_element_by_element(shared_data: Path) -> None:
    """Each leaf of each source alert comes out again, but for losses that are named as problems."""
    for path in sample_files(shared_data):
        data = path.read_bytes()
        parsed = parse(data)
        unusable = len(parsed.unusable)
        sources = [e for e in raw_alerts(data) if not unusable or leaves(e)]
        for element, received in zip(sources, parsed.received, strict=True):
            (ours,) = raw_alerts(render(received.alert, relay=True))
            lost = leaves(element) - leaves(ours)
            assert {p for p, _ in lost} <= KNOWN_LOSSES.get(path.name, set()), (path.name, lost)
            named = {"/" + p.where.split("/")[-1] for p in received.problems}
            for where, _ in lost:
                assert any(where.endswith(n) or n[1:] in where for n in named), (path.name, where)
            assert len(received.alert.extras) >= sum("Point" in w for w, _ in lost)


def test_nothing_is_invented(shared_data: Path) -> None:
    """What comes out was in the source, but for stand-ins that are named as problems."""
    for path in sample_files(shared_data):
        data = path.read_bytes()
        parsed = parse(data)
        sources = [e for e in raw_alerts(data) if not parsed.unusable or leaves(e)]
        for element, received in zip(sources, parsed.received, strict=True):
            (ours,) = raw_alerts(render(received.alert, relay=True))
            added = leaves(ours) - leaves(element)
            named = " ".join(p.where for p in received.problems)
            for where, text in added:
                assert where.rpartition("/")[2] in named, (path.name, where, text)


def test_render_and_parse_are_inverse(shared_data: Path) -> None:
    """What was read, written and read again is the same message, and what was written is valid."""
    for path in sample_files(shared_data):
        for alert in parse(path.read_bytes()).alerts:
            data = render(alert, relay=True)
            assert validate(data) == []
            assert parse(data).alerts == (alert,), path.name


def test_hostile_samples_are_refused_by_name(shared_data: Path) -> None:
    """The entity attacks of the samples are refused for what they are."""
    for name in sorted(HOSTILE):
        data = (shared_data / "cap" / "samples" / "google-testdata" / name).read_bytes()
        with pytest.raises(RefusedXMLError, match="refused: external entity") as caught:
            parse(data)
        assert caught.value.refusal is Refusal.EXTERNAL_ENTITY


def test_foreign_signatures_are_labelled(shared_data: Path) -> None:
    """Real signed alerts use SHA-1: they are read, and labelled as not verified."""
    folder = shared_data / "cap" / "samples" / "google-testdata"
    signed = ("canada_signed.cap", "canada_signed.atom", "earthquake_signed.cap", "earthquake-iso8859-1.cap")
    for name in signed:
        (received,) = parse((folder / name).read_bytes()).received
        assert received.signature == SHA1
        assert "signature" in {p.code for p in received.problems}
    (plain,) = parse((folder / "canada.cap").read_bytes()).received
    assert plain.signature == UNSIGNED


def test_latin1_words_survive(shared_data: Path) -> None:
    """Accents of an ISO-8859-1 file are read as what they are."""
    data = (shared_data / "cap/samples/google-testdata/earthquake-iso8859-1.cap").read_bytes()
    parsed = parse(data)
    assert "Usulután" in parsed.alerts[0].infos[0].headline
    assert parsed.encoding == "iso8859-1"


def test_envelopes_and_indexes(shared_data: Path) -> None:
    """EDXL-DE carries seven alerts, Atom one; index feeds give links instead."""
    folder = shared_data / "cap" / "samples"
    assert len(parse((folder / "google-testdata/bushfire_valid.edxlde").read_bytes()).alerts) == 7
    assert len(parse((folder / "google-testdata/amber.atom").read_bytes()).alerts) == 1
    index = parse((folder / "ibm/nws_atom_feed_example.xml").read_bytes())
    assert (len(index.alerts), len(index.links)) == (0, 163)
    assert index.links[0].url.startswith("https://alerts.weather.gov/")
    rss = parse((folder / "fpas-testdata/au-bom-en.rss.xml").read_bytes())
    assert [link.id for link in rss.links] == ["AusBoM-IDW20100-2026-01-01T05:01:02+00:00"]


def test_unusable_alert_is_kept(shared_data: Path) -> None:
    """An alert without identifier is no message, but its source is not thrown away."""
    parsed = parse((shared_data / "cap/samples/google-testdata/bushfire_invalid.edxlde").read_bytes())
    (unusable,) = parsed.unusable
    assert b"alert" in unusable.xml
    assert Counter(p.code for p in unusable.problems)["unusable"] == 1


def test_our_schema_is_that_of_oasis(shared_data: Path) -> None:
    """The shipped schema is the published one, byte for byte."""
    from importlib import resources

    ours = resources.files("clearway.data").joinpath("cap").joinpath("CAP-v1.2.xsd").read_bytes()
    assert ours == (shared_data / "cap" / "schemas" / "CAP-v1.2_OASIS.xsd").read_bytes()
