"""Atom feed of CAP messages (RFC 4287), with the words a reader needs beside each link."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from lxml import etree

from clearway.exchange.cap import model
from clearway.exchange.cap.chain import expires_at
from clearway.exchange.cap.model import Alert, Info
from clearway.exchange.cap.values import clean_text, format_time
from clearway.exchange.feeds.listing import STATES, Entry, Feed, entries
from clearway.kernel.clock import iso
from clearway.kernel.language import CAP_LANGUAGE, Text

MEDIA_TYPE: Final = "application/atom+xml"
NAMESPACE: Final = "http://www.w3.org/2005/Atom"
OWN: Final = "urn:clearway:feed"
"""Namespace of our extension: ``asOf``, the moment the feed tells about."""
_AS_OF: Final = Text("As of {at}", "数据时间 {at}")


def atom(messages: Iterable[Alert], feed: Feed, *, as_of: datetime, language: str = "zh") -> bytes:
    """Write the feed in one language; the same messages and moment give the same bytes.

    Args:
        messages: all messages, in any order; drafts and messages not public are left out.
        feed: who speaks and where things are.
        as_of: the moment the feed tells about.
        language: ``zh`` or ``en``.
    """
    names: Any = {None: NAMESPACE, "cap": model.NAMESPACE, "cw": OWN}
    root = etree.Element(f"{{{NAMESPACE}}}feed", nsmap=names)
    root.set("{http://www.w3.org/XML/1998/namespace}lang", CAP_LANGUAGE[language])
    listed = entries(messages, as_of)
    _add(root, "id", feed.id)
    _add(root, "title", feed.title[language])
    _add(root, "subtitle", _AS_OF[language].format(at=iso(as_of)))
    _add(root, "updated", format_time(max((e.alert.sent for e in listed), default=as_of)))
    _add(etree.SubElement(root, f"{{{NAMESPACE}}}author"), "name", feed.author[language])
    if feed.rights is not None:
        _add(root, "rights", feed.rights[language])
    _add(root, "generator", "Clearway")
    _link(root, "self", feed.feed_url(language), MEDIA_TYPE, language)
    for other in CAP_LANGUAGE:
        if other != language:
            _link(root, "alternate", feed.feed_url(other), MEDIA_TYPE, other)
    _link(root, "alternate", feed.page_url(language), "text/html", language)
    etree.SubElement(root, f"{{{OWN}}}asOf").text = format_time(as_of)
    for entry in listed:
        _entry(root, entry, feed, language)
    etree.indent(root, " ")
    body: bytes = etree.tostring(root, encoding="UTF-8", xml_declaration=False)
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + body + b"\n"


def _add(parent: etree._Element, name: str, text: str, namespace: str = NAMESPACE) -> None:
    etree.SubElement(parent, f"{{{namespace}}}{name}").text = clean_text(text)


def _link(parent: etree._Element, rel: str, href: str, media_type: str, language: str = "") -> None:
    node = etree.SubElement(parent, f"{{{NAMESPACE}}}link", rel=rel, type=media_type, href=href)
    if language:
        node.set("hreflang", CAP_LANGUAGE[language])


def _entry(root: etree._Element, entry: Entry, feed: Feed, language: str) -> None:
    alert, info = entry.alert, entry.alert.info(CAP_LANGUAGE[language])
    node = etree.SubElement(root, f"{{{NAMESPACE}}}entry")
    _add(node, "id", alert.identifier)
    _add(node, "title", title(alert, info))
    _add(node, "updated", format_time(alert.sent))
    _add(node, "published", format_time(alert.sent))
    category = etree.SubElement(node, f"{{{NAMESPACE}}}category", scheme=f"{OWN}:state", term=entry.state)
    category.set("label", STATES[entry.state][language])
    _link(node, "alternate", feed.cap_url(alert), model.MEDIA_TYPE)
    _add(node, "summary", summary(info))
    _add(node, "status", alert.status, model.NAMESPACE)
    _add(node, "msgType", alert.msg_type, model.NAMESPACE)
    if info is not None:
        for name in ("event", "urgency", "severity", "certainty"):
            _add(node, name, getattr(info, name), model.NAMESPACE)
        _add(node, "areaDesc", "; ".join(a.description for a in info.areas), model.NAMESPACE)
    _add(node, "expires", format_time(expires_at(alert)), model.NAMESPACE)


def title(alert: Alert, info: Info | None) -> str:
    """Headline of a message, or its event, or its kind and identifier."""
    if info is None:
        return f"{alert.msg_type} {alert.identifier}"
    return info.headline or info.event or alert.identifier


def summary(info: Info | None) -> str:
    """What it is and what to do, as one paragraph."""
    if info is None:
        return ""
    return "\n".join(part for part in (info.description, info.instruction) if part)
