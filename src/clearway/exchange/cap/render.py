"""CAP out: strict. What leaves is valid against the schema of OASIS, or nothing leaves."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from functools import cache
from importlib import resources
from typing import Any, Final

from lxml import etree

from clearway.exchange.cap import model
from clearway.exchange.cap.checks import violations
from clearway.exchange.cap.model import Alert, Area, Info, NameValue
from clearway.exchange.cap.values import (
    clean_text,
    format_circle,
    format_number,
    format_polygon,
    format_reference,
    format_time,
)
from clearway.exchange.xml_safe import RefusedXMLError, parse_xml
from clearway.kernel.errors import InputError

_SCHEMA_FILE: Final = "CAP-v1.2.xsd"
_LOCK = threading.Lock()


@cache
def _schema() -> etree.XMLSchema:
    source = resources.files("clearway.data").joinpath("cap").joinpath(_SCHEMA_FILE).read_bytes()
    return etree.XMLSchema(etree.fromstring(source))


def schema_errors(root: etree._Element) -> list[str]:
    """What the OASIS schema has against a document, with lines; empty if it is valid."""
    with _LOCK:  # an XMLSchema keeps its error log in itself
        schema = _schema()
        if schema.validate(root):
            return []
        log: Any = schema.error_log
        return [f"line {entry.line}: {entry.message}" for entry in log]


def validate(data: bytes) -> list[str]:
    """Check bytes against the CAP 1.2 schema; empty if valid, never raises for bad input."""
    try:
        return schema_errors(parse_xml(data).root)
    except RefusedXMLError as error:
        return [error.what]


def render(alert: Alert, *, relay: bool = False) -> bytes:
    """Write an alert as CAP 1.2.

    Args:
        alert: the message.
        relay: pass on a foreign message as it is; our stricter rules for our own words (simple rings, few
            vertices, whole references) do not apply, the schema does.

    Returns:
        UTF-8 bytes with an XML declaration, the same for the same alert.

    Raises:
        InputError: the message breaks a rule; all broken rules are named.
    """
    if not relay:
        broken = violations(alert)
        if broken:
            raise InputError("; ".join(broken), where=f"CAP message {alert.identifier}")
    root = _element(alert)
    errors = schema_errors(root)
    if errors:
        raise InputError("; ".join(errors), where=f"CAP message {alert.identifier}")
    etree.indent(root, "  ")
    body: bytes = etree.tostring(root, encoding="UTF-8", xml_declaration=False)
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + body + b"\n"


def _add(parent: etree._Element, name: str, text: str) -> None:
    etree.SubElement(parent, f"{{{model.NAMESPACE}}}{name}").text = clean_text(text)


def _add_given(parent: etree._Element, name: str, text: str) -> None:
    if text:
        _add(parent, name, text)


def _add_pairs(parent: etree._Element, name: str, pairs: Iterable[NameValue]) -> None:
    for pair in pairs:
        node = etree.SubElement(parent, f"{{{model.NAMESPACE}}}{name}")
        _add(node, "valueName", pair.name)
        _add(node, "value", pair.value)


def _element(alert: Alert) -> etree._Element:
    names: Any = {None: model.NAMESPACE}
    root = etree.Element(f"{{{model.NAMESPACE}}}alert", nsmap=names)
    _add(root, "identifier", alert.identifier)
    _add(root, "sender", alert.sender)
    _add(root, "sent", format_time(alert.sent))
    _add(root, "status", alert.status)
    _add(root, "msgType", alert.msg_type)
    _add_given(root, "source", alert.source)
    _add(root, "scope", alert.scope)
    _add_given(root, "restriction", alert.restriction)
    _add_given(root, "addresses", alert.addresses)
    for code in alert.codes:
        _add(root, "code", code)
    _add_given(root, "note", alert.note)
    _add_given(root, "references", " ".join(format_reference(r) for r in alert.references))
    _add_given(root, "incidents", alert.incidents)
    for info in alert.infos:
        _add_info(root, info)
    return root


def _add_info(parent: etree._Element, info: Info) -> None:
    node = etree.SubElement(parent, f"{{{model.NAMESPACE}}}info")
    _add_given(node, "language", info.language)
    for category in info.categories:
        _add(node, "category", category)
    _add(node, "event", info.event)
    for response in info.response_types:
        _add(node, "responseType", response)
    _add(node, "urgency", info.urgency)
    _add(node, "severity", info.severity)
    _add(node, "certainty", info.certainty)
    _add_given(node, "audience", info.audience)
    _add_pairs(node, "eventCode", info.event_codes)
    for name, at in (("effective", info.effective), ("onset", info.onset), ("expires", info.expires)):
        if at is not None:
            _add(node, name, format_time(at))
    _add_given(node, "senderName", info.sender_name)
    _add_given(node, "headline", info.headline)
    _add_given(node, "description", info.description)
    _add_given(node, "instruction", info.instruction)
    _add_given(node, "web", info.web)
    _add_given(node, "contact", info.contact)
    _add_pairs(node, "parameter", info.parameters)
    _add_resources(node, info)
    for area in info.areas:
        _add_area(node, area)


def _add_resources(parent: etree._Element, info: Info) -> None:
    for resource in info.resources:
        node = etree.SubElement(parent, f"{{{model.NAMESPACE}}}resource")
        _add(node, "resourceDesc", resource.description)
        _add(node, "mimeType", resource.mime_type)
        if resource.size is not None:
            _add(node, "size", str(resource.size))
        _add_given(node, "uri", resource.uri)
        _add_given(node, "derefUri", resource.deref_uri)
        _add_given(node, "digest", resource.digest)


def _add_area(parent: etree._Element, area: Area) -> None:
    node = etree.SubElement(parent, f"{{{model.NAMESPACE}}}area")
    _add(node, "areaDesc", area.description)
    for ring in area.polygons:
        _add(node, "polygon", format_polygon(ring))
    for circle in area.circles:
        _add(node, "circle", format_circle(circle))
    _add_pairs(node, "geocode", area.geocodes)
    if area.altitude_ft is not None:
        _add(node, "altitude", format_number(area.altitude_ft))
    if area.ceiling_ft is not None:
        _add(node, "ceiling", format_number(area.ceiling_ft))
