"""Addresses fit for ``xs:anyURI``, whatever a feed wrote."""

from __future__ import annotations

import re
import threading
from functools import cache
from typing import Final
from urllib.parse import quote

from lxml import etree

from clearway.exchange.cap.values import Note

_PLAIN = re.compile(
    r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9/._~+;=@!$&'()*,:-]*)?([?#][A-Za-z0-9/._~=&-]*)?"
)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_BARE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_KEEP: Final = "/?#:@!$&'()*+,;=%~"
_SCHEMA: Final = (
    b'<schema xmlns="http://www.w3.org/2001/XMLSchema"><element name="u" type="anyURI"/></schema>'
)
_LOCK = threading.Lock()


@cache
def _schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.fromstring(_SCHEMA))


def is_uri(text: str) -> bool:
    """Whether the schema validator takes a text for ``xs:anyURI``."""
    if _PLAIN.fullmatch(text):
        return True
    element = etree.Element("u")
    element.text = text
    with _LOCK:
        return _schema().validate(element)


def read_uri(text: str, note: Note) -> str:
    """An address as it came if it is one, else with its strangers percent-encoded; changes are noted."""
    if not text or (text.isascii() and not re.search(r"[\s<>\"{}|\\^`]", text) and is_uri(text)):
        return text
    for fixed in (_mended(text), quote(text, safe="/")):
        if is_uri(fixed):
            note("uri-encoded", f"{text!r} read as {fixed!r}")
            return fixed
    note("uri-dropped", f"{text!r} is no address")
    return ""


def _mended(text: str) -> str:
    """Encode what may not stand in a URI, leaving scheme and host alone."""
    head = _SCHEME.match(text)
    start = head.end() if head else 0
    if text.startswith("//", start):
        start += 2
        start += len(re.split(r"[/?#]", text[start:], maxsplit=1)[0])
    fixed = _BARE_PERCENT.sub("%25", text[:start] + quote(text[start:], safe=_KEEP))
    first, hash_mark, rest = fixed.partition("#")
    return first + hash_mark + rest.replace("#", "%23")
