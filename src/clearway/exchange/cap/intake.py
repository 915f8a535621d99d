"""CAP in: whatever real feeds send, alone or wrapped in Atom, RSS or EDXL-DE, read with every repair named.

A message that cannot be used (no identifier, sender or time) is kept as bytes in ``unusable``. Signatures
are labelled; only one made with a pinned certificate counts, and then the content is taken from the verified
node (:mod:`clearway.exchange.cap.signature`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from lxml import etree

from clearway.exchange.cap import model
from clearway.exchange.cap.model import Alert
from clearway.exchange.cap.reading import SIGNATURE, Problem, Reader
from clearway.exchange.cap.render import schema_errors
from clearway.exchange.xml_safe import DEFAULT_LIMITS, Limits, RefusedXMLError, parse_xml, text_of

if TYPE_CHECKING:
    from clearway.exchange.cap.signature import Pins

UNSIGNED: Final = "not signed"
VERIFIED: Final = "verified"
SHA1: Final = "signature not verified: SHA-1"
UNPINNED: Final = "signature not verified: no pinned certificate given"

_ATOM = "{http://www.w3.org/2005/Atom}"
_METHOD = ".//{http://www.w3.org/2000/09/xmldsig#}SignatureMethod"
_DIGEST = ".//{http://www.w3.org/2000/09/xmldsig#}DigestMethod"


@dataclass(frozen=True, slots=True)
class Received:
    """One usable message with what is known about it. ``xml`` is the source, so nothing is ever lost."""

    alert: Alert
    signature: str
    xml: bytes
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Unusable:
    """A message without what identifies it."""

    xml: bytes
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Link:
    """An entry of an index feed that points to an alert instead of carrying it."""

    url: str
    id: str
    title: str
    updated: str


@dataclass(frozen=True, slots=True)
class Parsed:
    """What one document held. ``envelope`` is the name of its root element."""

    envelope: str
    encoding: str
    received: tuple[Received, ...]
    unusable: tuple[Unusable, ...]
    links: tuple[Link, ...]
    document_problems: tuple[Problem, ...]

    @property
    def alerts(self) -> tuple[Alert, ...]:
        """The usable messages in document order."""
        return tuple(r.alert for r in self.received)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """All problems: of the document, of usable and of unusable messages."""
        parts = (
            self.document_problems,
            *(r.problems for r in self.received),
            *(u.problems for u in self.unusable),
        )
        return tuple(p for part in parts for p in part)


def parse(
    data: bytes,
    *,
    pins: Pins | None = None,
    at: datetime | None = None,
    limits: Limits = DEFAULT_LIMITS,
    where: str = "",
) -> Parsed:
    """Read every alert in a document.

    Args:
        data: a CAP alert (1.0, 1.1 or 1.2), or an Atom feed, RSS feed or EDXL-DE envelope with alerts.
        pins: certificates that count; without them every signature is labelled as not verified.
        at: present, for the validity of pins; needed with ``pins``.
        limits: bounds on size and depth.
        where: name of the file or feed, for errors.

    Raises:
        RefusedXMLError: hostile or not XML at all; nothing was read.
    """
    document = parse_xml(data, limits=limits, tolerant=True, where=where)
    problems = [Problem("document", "", repair) for repair in document.repairs]
    root = document.root
    envelope = etree.QName(root).localname
    received: list[Received] = []
    unusable: list[Unusable] = []
    for element in _alerts(root, problems):
        source = data if element is root else etree.tostring(element, encoding="utf-8", with_tail=False)
        _read(element, source, pins, at, received, unusable)
    for text in _escaped(root, envelope):
        _read_escaped(text, pins, at, limits, received, unusable, problems)
    links = _links(root, envelope)
    if not received and not unusable and not links:
        problems.append(Problem("no-alert", envelope, "the document holds no CAP alert"))
    return Parsed(envelope, document.encoding, tuple(received), tuple(unusable), links, tuple(problems))


def _alerts(root: etree._Element, problems: list[Problem]) -> list[etree._Element]:
    """Outermost ``alert`` elements; one inside another is named and left alone."""
    tags = [f"{{{namespace}}}alert" for namespace in model.NAMESPACES]
    outer: list[etree._Element] = []
    for element in root.iter(*tags):
        if any(ancestor.tag in tags for ancestor in element.iterancestors()):
            problems.append(Problem("nested-alert", "alert", "an alert inside an alert is not read"))
        else:
            outer.append(element)
    return outer


def _read(
    element: etree._Element,
    source: bytes,
    pins: Pins | None,
    at: datetime | None,
    received: list[Received],
    unusable: list[Unusable],
) -> None:
    reader = Reader()
    alert = reader.alert(element)
    if alert is None:
        unusable.append(Unusable(source, tuple(reader.problems)))
        return
    if etree.QName(element).namespace == model.NAMESPACE:
        errors = schema_errors(element)
        if errors:
            reader.note("schema", "alert", f"{len(errors)} schema errors, first: {errors[0]}")
    signature, verified = _signature(element, source, pins, at)
    if signature not in (UNSIGNED, VERIFIED):
        reader.note("signature", "alert/Signature", signature)
    received.append(Received(verified or alert, signature, source, tuple(reader.problems)))


def _signature(
    element: etree._Element, source: bytes, pins: Pins | None, at: datetime | None
) -> tuple[str, Alert | None]:
    """Label of the signature, and the content of the verified node if it was verified."""
    if element.find(f".//{SIGNATURE}") is None:
        return UNSIGNED, None
    methods = [m.get("Algorithm", "") for path in (_METHOD, _DIGEST) for m in element.iterfind(path)]
    if any("sha1" in method.lower() for method in methods):
        return SHA1, None
    if pins is None or at is None:
        return UNPINNED, None
    from clearway.exchange.cap.signature import SignatureRefusedError, verify

    try:
        return VERIFIED, verify(source, pins, at=at)
    except (SignatureRefusedError, RefusedXMLError) as error:
        return error.what, None


def _escaped(root: etree._Element, envelope: str) -> list[str]:
    """Alerts carried as escaped text in Atom content or RSS descriptions."""
    if envelope not in ("feed", "entry", "rss"):
        return []
    holders = [*root.iter(f"{_ATOM}content"), *root.iter("description")]
    texts = [text_of(h).lstrip() for h in holders if len(h) == 0]
    return [t for t in texts if t.startswith(("<?xml", "<alert", "<cap:alert"))]


def _read_escaped(
    text: str,
    pins: Pins | None,
    at: datetime | None,
    limits: Limits,
    received: list[Received],
    unusable: list[Unusable],
    problems: list[Problem],
) -> None:
    source = text.encode()
    try:
        inner = parse_xml(source, limits=limits, tolerant=True).root
    except RefusedXMLError as error:
        problems.append(Problem("refused-entry", "entry", error.what))
        return
    for element in _alerts(inner, problems):
        _read(element, source, pins, at, received, unusable)


def _links(root: etree._Element, envelope: str) -> tuple[Link, ...]:
    """Entries of an index feed that carry no alert of their own."""
    if envelope == "rss":
        items = list(root.iter("item"))
        return tuple(
            Link(
                url=(item.findtext("link") or "").strip(),
                id=(item.findtext("guid") or "").strip(),
                title=(item.findtext("title") or "").strip(),
                updated=(item.findtext("pubDate") or "").strip(),
            )
            for item in items
            if item.findtext("link")
        )
    found: list[Link] = []
    for entry in root.iter(f"{_ATOM}entry"):
        links = [link for link in entry.iterfind(f"{_ATOM}link") if link.get("href")]
        if not links or next(entry.iter(*(f"{{{n}}}alert" for n in model.NAMESPACES)), None) is not None:
            continue
        best = next((link for link in links if link.get("type") == model.MEDIA_TYPE), links[0])
        found.append(
            Link(
                url=(best.get("href") or "").strip(),
                id=(entry.findtext(f"{_ATOM}id") or "").strip(),
                title=(entry.findtext(f"{_ATOM}title") or "").strip(),
                updated=(entry.findtext(f"{_ATOM}updated") or "").strip(),
            )
        )
    return tuple(found)
