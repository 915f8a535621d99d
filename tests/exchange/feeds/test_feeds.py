"""Feeds list every message of a living chain, are valid, and give the same bytes for the same content."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
from lxml import etree

from clearway.exchange.cap.identifiers import file_name
from clearway.exchange.cap.intake import parse
from clearway.exchange.cap.model import Alert, Reference
from clearway.exchange.feeds import Feed, atom, encode, entries, matches, rss
from clearway.exchange.feeds.listing import CANCELS, EXPIRED, IN_FORCE, REPLACED, STATES
from clearway.kernel.language import Text
from tests.exchange.cap.making import SENT, message

HOUR = timedelta(hours=1)
ATOM = "{http://www.w3.org/2005/Atom}"
CAP = "{urn:oasis:names:tc:emergency:cap:1.2}"
RNG = Path(__file__).with_name("atom.rng")

FEED = Feed(
    id="urn:x:feed",
    title=Text("Road warnings", "道路预警"),
    author=Text("Road command", "道路指挥"),
    feed_url=lambda language: f"https://road.example/{language}/feed.atom",
    cap_url=lambda alert: f"https://road.example/cap/{file_name(alert)}",
    page_url=lambda language: f"https://road.example/{language}/",
    rights=Text("Free to use", "可自由使用"),
)

ALERT = message("urn:x:a", headline="Icy roads & <snow>", life_h=3)
UPDATE = message("urn:x:u", "Update", SENT + HOUR, refers=(ALERT,), life_h=5, headline="Worse")
CANCEL = message("urn:x:c", "Cancel", SENT + 2 * HOUR, refers=(ALERT, UPDATE), life_h=1, headline="Lifted")
OTHER = message("urn:x:o", sent=SENT + HOUR, life_h=1, headline="Fog")
ALL = [OTHER, CANCEL, ALERT, UPDATE]


def listed(at: datetime) -> list[tuple[str, str]]:
    """Identifiers and states as listed."""
    return [(e.alert.identifier[-1], e.state) for e in entries(ALL, at)]


def test_messages_stay_until_the_whole_chain_has_expired() -> None:
    """Nothing is taken off early: a cancelled alert and its Cancel are listed until the last has expired."""
    assert listed(SENT - HOUR) == []
    assert listed(SENT) == [("a", IN_FORCE)]
    assert listed(SENT + HOUR) == [("o", IN_FORCE), ("u", IN_FORCE), ("a", REPLACED)]
    after = [("c", CANCELS), ("u", REPLACED), ("a", REPLACED)]
    assert listed(SENT + 2 * HOUR) == after
    assert listed(SENT + 4 * HOUR) == [("c", CANCELS), ("u", REPLACED), ("a", EXPIRED)]
    assert listed(SENT + 5.9 * HOUR) == [("c", CANCELS), ("u", REPLACED), ("a", EXPIRED)]
    assert listed(SENT + 6 * HOUR) == []


def test_drafts_and_private_messages_are_never_listed() -> None:
    """Only public messages that are not drafts reach a feed."""
    from dataclasses import replace

    hidden = [
        replace(ALERT, scope="Private"),
        replace(OTHER, status="Draft"),
        replace(OTHER, scope="Restricted"),
    ]
    assert entries(hidden, SENT + HOUR) == []
    assert b"Icy" not in atom(hidden, FEED, as_of=SENT + HOUR)
    assert b"Icy" not in rss(hidden, FEED, as_of=SENT + HOUR)


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("messages", [ALL, []])
def test_atom_is_valid(language: str, messages: list[Alert]) -> None:
    """The feed keeps the grammar of RFC 4287, full or empty, in both languages."""
    root = etree.fromstring(atom(messages, FEED, as_of=SENT + 2 * HOUR, language=language))
    grammar = etree.RelaxNG(etree.parse(RNG))
    assert grammar.validate(root), grammar.error_log


def test_the_grammar_refuses_what_is_wrong(shared_data: Path) -> None:
    """Our copy of the grammar knows good from bad: it takes real feeds and refuses the broken ones."""
    grammar = etree.RelaxNG(etree.parse(RNG))
    folder = shared_data / "cap" / "samples" / "google-testdata"
    for name in ("weather_index.atom", "earthquake_index.atom", "weather.atom", "amber.atom"):
        assert grammar.validate(etree.parse(folder / name)), (name, grammar.error_log)
    for name in ("no_id.atom", "no_title.atom", "invalid_element.atom"):
        assert not grammar.validate(etree.parse(folder / name)), name


def test_atom_entries() -> None:
    """One entry a message: id is the identifier, updated is sent, the link leads to the CAP file."""
    data = atom(ALL, FEED, as_of=SENT + 2 * HOUR, language="en")
    root = etree.fromstring(data)
    found = {e.findtext(f"{ATOM}id"): e for e in root.iter(f"{ATOM}entry")}
    assert list(found) == ["urn:x:c", "urn:x:u", "urn:x:a"]
    entry = found["urn:x:a"]
    assert entry.findtext(f"{ATOM}title") == "Icy roads & <snow>"
    assert entry.findtext(f"{ATOM}updated") == "2015-11-22T01:00:00+00:00"
    link = entry.find(f"{ATOM}link")
    assert link is not None
    assert link.get("type") == "application/cap+xml"
    assert link.get("href") == f"https://road.example/cap/{file_name(ALERT)}"
    assert entry.findtext(f"{CAP}expires") == "2015-11-22T04:00:00+00:00"
    category = entry.find(f"{ATOM}category")
    assert category is not None
    assert (category.get("term"), category.get("label")) == (REPLACED, STATES[REPLACED].en)
    links = parse(data).links
    assert [(link.id, link.url) for link in links][-1] == ("urn:x:a", FEED.cap_url(ALERT))


def test_atom_head_tells_when_and_where_else() -> None:
    """The feed says as of when it speaks and where the other language is."""
    root = etree.fromstring(atom(ALL, FEED, as_of=SENT + 2 * HOUR, language="zh"))
    assert root.findtext("{urn:clearway:feed}asOf") == "2015-11-22T03:00:00+00:00"
    assert root.findtext(f"{ATOM}subtitle") == "数据时间 2015-11-22T03:00:00Z"
    assert root.findtext(f"{ATOM}updated") == "2015-11-22T03:00:00+00:00"
    assert root.get("{http://www.w3.org/XML/1998/namespace}lang") == "zh-CN"
    links = {(e.get("rel"), e.get("type"), e.get("hreflang")) for e in root.iterfind(f"{ATOM}link")}
    assert ("alternate", "application/atom+xml", "en") in links
    assert ("self", "application/atom+xml", "zh-CN") in links
    empty = etree.fromstring(atom([], FEED, as_of=SENT))
    assert empty.findtext(f"{ATOM}updated") == "2015-11-22T01:00:00+00:00"


def test_rss() -> None:
    """The RSS feed has the same entries, with dates as RSS wants them."""
    data = rss(ALL, FEED, as_of=SENT + 2 * HOUR, language="en")
    root = etree.fromstring(data)
    assert root.get("version") == "2.0"
    guids = [e.text for e in root.iter("guid")]
    assert guids == ["urn:x:c", "urn:x:u", "urn:x:a"]
    dates = [parsedate_to_datetime(e.text or "") for e in root.iter("pubDate")]
    assert dates[-1] == SENT
    built = root.findtext("channel/lastBuildDate")
    assert built == "Sun, 22 Nov 2015 03:00:00 GMT"
    for name in ("title", "link", "description"):
        assert root.findtext(f"channel/{name}")
    assert [link.id for link in parse(data).links] == guids


@pytest.mark.parametrize("language", ["zh", "en"])
def test_rss_is_valid(shared_data: Path, language: str) -> None:
    """The feed keeps the published schema of RSS 2.0."""
    schema = etree.XMLSchema(etree.parse(shared_data / "cap" / "schemas" / "rss-2_0.xsd"))
    root = etree.fromstring(rss(ALL, FEED, as_of=SENT + 2 * HOUR, language=language))
    assert schema.validate(root), schema.error_log
    root.find("channel/item/pubDate").text = "today"  # type: ignore[union-attr]  # it is there
    assert not schema.validate(root)


def test_messages_without_info_are_listed() -> None:
    """A bare Cancel has a title too."""
    from dataclasses import replace

    bare = replace(message("urn:x:b", "Cancel", refers=(Reference("s", "i", SENT),)), infos=())
    root = etree.fromstring(atom([bare], FEED, as_of=SENT + HOUR))
    assert root.findtext(f"{ATOM}entry/{ATOM}title") == "Cancel urn:x:b"


def test_same_content_same_bytes_and_tag() -> None:
    """Order of input does not matter; the ETag follows the content; packing keeps it readable."""
    at = SENT + 2 * HOUR
    one, two = atom(ALL, FEED, as_of=at), atom(ALL[::-1], FEED, as_of=at)
    assert one == two
    ready, again = encode(one, "application/atom+xml"), encode(two, "application/atom+xml")
    assert ready == again
    assert gzip.decompress(ready.gzip) == one
    assert len(ready.gzip) < len(one) / 2
    changed = encode(atom(ALL[:2], FEED, as_of=at), "application/atom+xml")
    assert changed.etag != ready.etag
    assert ready.choose(True) == (ready.gzip, "gzip", ready.gzip_etag)
    assert ready.choose(False) == (one, "", ready.etag)
    assert ready.etag != ready.gzip_etag


@pytest.mark.parametrize(
    ("header", "expected"),
    [('"abc"', True), ('W/"abc"', True), ('"x", "abc"', True), ("*", True), ('"abcd"', False), ("", False)],
)
def test_if_none_match(header: str, expected: bool) -> None:
    """A client that has the content gets no second copy."""
    assert matches(header, '"abc"') is expected


def test_times_are_utc_whatever_the_source(shared_data: Path) -> None:
    """Foreign messages with their own offsets can be listed beside ours."""
    folder = shared_data / "cap" / "samples" / "google-testdata"
    foreign = parse((folder / "australia.cap").read_bytes()).alerts
    at = datetime(2011, 10, 5, 14, tzinfo=UTC)
    root = etree.fromstring(atom(foreign, FEED, as_of=at, language="en"))
    assert root.findtext(f"{ATOM}entry/{ATOM}updated") == "2011-10-05T23:04:00+10:00"
    assert "Wed, 05 Oct 2011 13:04:00 GMT" in rss(foreign, FEED, as_of=at).decode()
