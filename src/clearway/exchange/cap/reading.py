"""One ``alert`` element to an :class:`~clearway.exchange.cap.model.Alert`, repairing aloud.

Real alerts come without category, with two instructions, in any order, with words outside the lists. What
cannot be kept in its field is kept in ``extras``; every change is a :class:`Problem`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from lxml import etree

from clearway.exchange.cap import model
from clearway.exchange.cap.model import Alert, Area, Extra, Info, NameValue, Resource
from clearway.exchange.cap.uris import read_uri
from clearway.exchange.cap.values import (
    clean_text,
    read_circle,
    read_language,
    read_number,
    read_polygon,
    read_references,
    read_time,
)
from clearway.exchange.xml_safe import text_of

SIGNATURE = "{http://www.w3.org/2000/09/xmldsig#}Signature"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something odd in an incoming message: a code, where it was, what was wrong and what was done."""

    code: str
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" if self.where else self.what


class _Node:
    """Children of one element by name; what is never taken goes to the extras."""

    def __init__(self, element: etree._Element, where: str, reader: Reader) -> None:
        self.where, self.reader = where, reader
        self.children: dict[str, list[etree._Element]] = {}
        for child in element:
            namespace, _, name = child.tag.rpartition("}")
            if child.tag == SIGNATURE:
                continue
            if namespace and namespace[1:] not in model.NAMESPACES:
                reader.keep(f"{where}/{name}", child, "unknown-element", "not part of CAP; kept aside")
                continue
            self.children.setdefault(name, []).append(child)

    def note(self, name: str) -> Callable[[str, str], None]:
        """A note taker for one child."""
        return lambda code, what: self.reader.note(code, f"{self.where}/{name}", what)

    def take(self, name: str) -> list[etree._Element]:
        """All children of a name, in order."""
        return self.children.pop(name, [])

    def texts(self, name: str) -> list[str]:
        """Cleaned texts of all children of a name."""
        found = []
        for child in self.take(name):
            raw = text_of(child)
            text = clean_text(raw)
            if text != raw.replace("\r\n", "\n").strip():
                self.reader.note("control-characters", f"{self.where}/{name}", "control characters removed")
            found.append(text)
        return found

    def text(self, name: str) -> str:
        """Text of a child that may stand once; several are joined by an empty line."""
        found = [t for t in self.texts(name) if t]
        if len(found) > 1:
            self.reader.note("repeated-element", f"{self.where}/{name}", f"{len(found)} of them; joined")
        return "\n\n".join(found)

    def single(self, name: str) -> str:
        """Text of a child that may stand once and cannot be joined; the others are kept aside."""
        found = [t for t in self.texts(name) if t]
        for other in found[1:]:
            what = f"more than one; {found[0]!r} taken"
            self.reader.keep_text(f"{self.where}/{name}", other, "repeated-element", what)
        return found[0] if found else ""

    def time(self, name: str) -> datetime | None:
        """A time, or ``None`` if absent or unusable; unusable words are kept aside."""
        text = self.single(name)
        if not text:
            return None
        at = read_time(text, self.note(name))
        if at is None:
            self.reader.extras.append(Extra(f"{self.where}/{name}", text))
        return at

    def number(self, name: str) -> float | None:
        """A number, or ``None``."""
        text = self.single(name)
        if not text:
            return None
        value = read_number(text, self.note(name))
        if value is None:
            self.reader.extras.append(Extra(f"{self.where}/{name}", text))
        return value

    def word(self, name: str, allowed: tuple[str, ...], missing: str, otherwise: str) -> str:
        """A word of a list; ``missing`` stands in for none, ``otherwise`` for a strange one."""
        return self.listed(name, self.single(name), allowed, missing, otherwise)

    def listed(self, name: str, text: str, allowed: tuple[str, ...], missing: str, otherwise: str) -> str:
        """Fit one text to a list of words; capitals and blanks do not matter."""
        if text in allowed:
            return text
        where = f"{self.where}/{name}"
        if not text:
            self.reader.note("missing-element", where, f"absent or empty; taken as {missing!r}")
            return missing
        near = {a.lower(): a for a in allowed} | {"very likely": "Likely", "verylikely": "Likely"}
        fitted = near.get(text.lower().replace(" ", ""), otherwise)
        if fitted not in allowed:
            fitted = otherwise
        self.reader.keep_text(
            where, text, "strange-word", f"{text!r} is not in the list; taken as {fitted!r}"
        )
        return fitted

    def pairs(self, name: str) -> tuple[NameValue, ...]:
        """Name and value pairs; CAP 1.0 wrote them as ``name=value``."""
        found = []
        for child in self.take(name):
            if len(child) == 0:
                head, _, tail = clean_text(text_of(child)).partition("=")
                self.reader.note("name-value", f"{self.where}/{name}", "written as name=value (CAP 1.0)")
                found.append(NameValue(head.strip(), tail.strip()))
                continue
            pair = _Node(child, f"{self.where}/{name}", self.reader)
            found.append(NameValue(pair.text("valueName"), pair.text("value")))
            pair.finish()
        return tuple(found)

    def finish(self) -> None:
        """Keep aside every child nobody asked for."""
        for name, children in self.children.items():
            for child in children:
                where = f"{self.where}/{name}"
                self.reader.keep(where, child, "unknown-element", "not part of CAP; kept aside")


class Reader:
    """Reads one alert; ``problems`` and ``extras`` fill up on the way."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.extras: list[Extra] = []

    def note(self, code: str, where: str, what: str) -> None:
        """Record a problem."""
        self.problems.append(Problem(code, where, what))

    def keep(self, where: str, element: etree._Element, code: str, what: str) -> None:
        """Record a problem and keep the element as XML."""
        source = etree.tostring(element, encoding="unicode", with_tail=False)
        self.keep_text(where, source, code, what)

    def keep_text(self, where: str, text: str, code: str, what: str) -> None:
        """Record a problem and keep the text."""
        self.note(code, where, what)
        self.extras.append(Extra(where, text))

    def alert(self, element: etree._Element) -> Alert | None:
        """Read the whole message; ``None`` when it lacks what identifies it."""
        namespace = etree.QName(element).namespace
        if namespace != model.NAMESPACE:
            self.note("old-version", "alert", f"namespace {namespace!r} read as CAP 1.2")
        node = _Node(element, "alert", self)
        identifier, sender, sent = node.single("identifier"), node.single("sender"), node.time("sent")
        if not identifier or not sender or sent is None:
            given = (("identifier", identifier), ("sender", sender), ("sent", sent))
            missing = ", ".join(name for name, value in given if not value)
            self.note("unusable", "alert", f"no usable {missing}: it cannot be told from others")
            return None
        status = node.word("status", model.STATUSES, "Actual", "Test")
        msg_type = node.word("msgType", model.MESSAGE_TYPES, "Alert", "Error")
        alert = Alert(
            identifier=identifier,
            sender=sender,
            sent=sent,
            status=status,
            msg_type=msg_type,
            source=node.text("source"),
            scope=node.word("scope", model.SCOPES, "Private", "Private"),
            restriction=node.text("restriction"),
            addresses=node.text("addresses"),
            codes=tuple(t for t in node.texts("code") if t),
            note=node.text("note"),
            references=read_references(node.text("references"), node.note("references")),
            incidents=node.text("incidents"),
            infos=tuple(self._info(e, f"info[{i}]") for i, e in enumerate(node.take("info"))),
        )
        node.finish()
        self._message_checks(alert)
        return replace(alert, extras=tuple(self.extras))

    def _message_checks(self, alert: Alert) -> None:
        if alert.msg_type in ("Update", "Cancel") and not alert.references:
            what = f"an {alert.msg_type} without references stands alone"
            self.note("no-references", "alert/references", what)
        if alert.msg_type in ("Alert", "Update"):
            for i, info in enumerate(alert.infos):
                if info.expires is None:
                    self.note("no-expiry", f"info[{i}]", "no usable expires; a default expiry applies")
                if not any(a.polygons or a.circles for a in info.areas):
                    geocodes = sum(len(a.geocodes) for a in info.areas)
                    what = f"no polygon or circle; {geocodes} geocodes" if geocodes else "no place at all"
                    self.note("no-geometry", f"info[{i}]", what)

    def _info(self, element: etree._Element, where: str) -> Info:
        node = _Node(element, where, self)
        categories = [
            node.listed("category", t, model.CATEGORIES, "Other", "Other") for t in node.texts("category")
        ]
        if not categories:
            self.note("missing-element", f"{where}/category", "absent or empty; taken as 'Other'")
        responses = [
            node.listed("responseType", t, model.RESPONSE_TYPES, "", "") for t in node.texts("responseType")
        ]
        info = Info(
            language=read_language(node.single("language"), node.note("language")),
            categories=tuple(categories or ["Other"]),
            event=node.text("event"),
            response_types=tuple(r for r in responses if r),
            urgency=node.word("urgency", model.URGENCIES, "Unknown", "Unknown"),
            severity=node.word("severity", model.SEVERITIES, "Unknown", "Unknown"),
            certainty=node.word("certainty", model.CERTAINTIES, "Unknown", "Unknown"),
            audience=node.text("audience"),
            event_codes=node.pairs("eventCode"),
            effective=node.time("effective"),
            onset=node.time("onset"),
            expires=node.time("expires"),
            sender_name=node.text("senderName"),
            headline=node.text("headline"),
            description=node.text("description"),
            instruction=node.text("instruction"),
            web=read_uri(node.single("web"), node.note("web")),
            contact=node.text("contact"),
            parameters=node.pairs("parameter"),
            resources=tuple(
                self._resource(e, f"{where}/resource[{i}]") for i, e in enumerate(node.take("resource"))
            ),
            areas=tuple(self._area(e, f"{where}/area[{i}]") for i, e in enumerate(node.take("area"))),
        )
        node.finish()
        return info

    def _resource(self, element: etree._Element, where: str) -> Resource:
        node = _Node(element, where, self)
        size = node.number("size")
        resource = Resource(
            description=node.text("resourceDesc"),
            mime_type=node.text("mimeType"),
            size=None if size is None else int(size),
            uri=read_uri(node.single("uri"), node.note("uri")),
            deref_uri=node.text("derefUri"),
            digest=node.text("digest"),
        )
        node.finish()
        return resource

    def _area(self, element: etree._Element, where: str) -> Area:
        node = _Node(element, where, self)
        area = Area(
            description=node.text("areaDesc"),
            polygons=self._shapes(node, "polygon", read_polygon),
            circles=self._shapes(node, "circle", read_circle),
            geocodes=node.pairs("geocode"),
            altitude_ft=node.number("altitude"),
            ceiling_ft=node.number("ceiling"),
        )
        node.finish()
        return area

    def _shapes(self, node: _Node, name: str, read: Callable[..., Any]) -> tuple[Any, ...]:
        """Shapes of one kind; unusable ones are kept aside as text."""
        found = []
        for text in node.texts(name):
            shape = read(text, node.note(name)) if text else None
            if shape is not None:
                found.append(shape)
            elif text:
                self.extras.append(Extra(f"{node.where}/{name}", text))
        return tuple(found)
