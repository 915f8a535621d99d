"""RSS 2.0 feed of CAP messages, for readers that know nothing newer."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from email.utils import format_datetime
from typing import Any, Final

from lxml import etree

from clearway.exchange.cap.model import Alert
from clearway.exchange.cap.values import clean_text
from clearway.exchange.feeds.atom_feed import NAMESPACE as ATOM
from clearway.exchange.feeds.atom_feed import summary, title
from clearway.exchange.feeds.listing import STATES, Entry, Feed, entries
from clearway.kernel.clock import require_utc
from clearway.kernel.language import CAP_LANGUAGE

MEDIA_TYPE: Final = "application/rss+xml"
TTL_MIN: Final = 1
"""Minutes a reader may keep the feed; warnings age fast."""


def rss(messages: Iterable[Alert], feed: Feed, *, as_of: datetime, language: str = "zh") -> bytes:
    """Write the feed in one language; arguments as for :func:`~clearway.exchange.feeds.atom`."""
    names: Any = {"atom": ATOM}
    root = etree.Element("rss", nsmap=names, version="2.0")
    channel = etree.SubElement(root, "channel")
    listed = entries(messages, as_of)
    _add(channel, "title", feed.title[language])
    _add(channel, "link", feed.page_url(language))
    _add(channel, "description", f"{feed.title[language]} - {feed.author[language]}")
    _add(channel, "language", CAP_LANGUAGE[language].lower())
    _add(channel, "pubDate", _rfc822(max((e.alert.sent for e in listed), default=as_of)))
    _add(channel, "lastBuildDate", _rfc822(as_of))
    _add(channel, "generator", "Clearway")
    _add(channel, "ttl", str(TTL_MIN))
    itself = {"rel": "self", "href": feed.feed_url(language), "type": MEDIA_TYPE}
    etree.SubElement(channel, f"{{{ATOM}}}link", itself)
    for entry in listed:
        _item(channel, entry, feed, language)
    etree.indent(root, " ")
    body: bytes = etree.tostring(root, encoding="UTF-8", xml_declaration=False)
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + body + b"\n"


def _item(channel: etree._Element, entry: Entry, feed: Feed, language: str) -> None:
    alert, info = entry.alert, entry.alert.info(CAP_LANGUAGE[language])
    node = etree.SubElement(channel, "item")
    _add(node, "title", title(alert, info))
    _add(node, "link", feed.cap_url(alert))
    _add(node, "description", summary(info))
    _add(node, "category", STATES[entry.state][language])
    guid = etree.SubElement(node, "guid", isPermaLink="false")
    guid.text = alert.identifier
    _add(node, "pubDate", _rfc822(alert.sent))


def _add(parent: etree._Element, name: str, text: str) -> None:
    etree.SubElement(parent, name).text = clean_text(text)


def _rfc822(at: datetime) -> str:
    return format_datetime(require_utc(at).replace(microsecond=0), usegmt=True)
