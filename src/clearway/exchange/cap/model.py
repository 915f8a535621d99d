"""CAP 1.2 alerts as plain data (OASIS Common Alerting Protocol Version 1.2, 1 July 2010).

Every element of the standard has its field. An absent element is an empty string, ``None`` or an empty
tuple. Positions are (longitude, latitude) in degrees, WGS 84, as everywhere in Clearway; the order is turned
round only where XML is read or written. Times are aware; the offset they came with is kept, so that a
reference repeats the words of the message it points to.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple

NAMESPACE: Final = "urn:oasis:names:tc:emergency:cap:1.2"
NAMESPACES: Final = (
    NAMESPACE,
    "urn:oasis:names:tc:emergency:cap:1.1",
    "urn:oasis:names:tc:emergency:cap:1.0",
    "http://www.incident.com/cap/1.1",
    "http://www.incident.com/cap/1.0",
)
"""Namespaces read; only the first is written."""
MEDIA_TYPE: Final = "application/cap+xml"
DEFAULT_LANGUAGE: Final = "en-US"
"""Language of an info without one (CAP 1.2, section 3.2.2)."""

STATUSES: Final = ("Actual", "Exercise", "System", "Test", "Draft")
MESSAGE_TYPES: Final = ("Alert", "Update", "Cancel", "Ack", "Error")
SCOPES: Final = ("Public", "Restricted", "Private")
CATEGORIES: Final = (
    *("Geo", "Met", "Safety", "Security", "Rescue", "Fire"),
    *("Health", "Env", "Transport", "Infra", "CBRNE", "Other"),
)
RESPONSE_TYPES: Final = (
    *("Shelter", "Evacuate", "Prepare", "Execute", "Avoid"),
    *("Monitor", "Assess", "AllClear", "None"),
)
URGENCIES: Final = ("Immediate", "Expected", "Future", "Past", "Unknown")
SEVERITIES: Final = ("Extreme", "Severe", "Moderate", "Minor", "Unknown")
CERTAINTIES: Final = ("Observed", "Likely", "Possible", "Unlikely", "Unknown")

LonLat = tuple[float, float]
Polygon = tuple[LonLat, ...]
"""A closed ring: first and last position are equal, at least four in all."""


class NameValue(NamedTuple):
    """A ``valueName`` and ``value`` pair of an event code, parameter or geocode."""

    name: str
    value: str


class Extra(NamedTuple):
    """Something the standard does not know, kept as it came: where it was and its XML or text."""

    where: str
    source: str


@dataclass(frozen=True, slots=True)
class Circle:
    """A circle on the ground; the radius is in kilometres."""

    lon: float
    lat: float
    radius_km: float


@dataclass(frozen=True, slots=True)
class Reference:
    """Pointer to an earlier message. ``raw`` keeps words that are not the triple of the standard."""

    sender: str
    identifier: str
    sent: datetime | None
    raw: str = ""


@dataclass(frozen=True, slots=True)
class Resource:
    """A file that goes with an info, such as a picture or a sound."""

    description: str
    mime_type: str
    size: int | None = None
    uri: str = ""
    deref_uri: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Area:
    """Where: the union of polygons, circles and geocodes, from altitude to ceiling (feet above sea level)."""

    description: str
    polygons: tuple[Polygon, ...] = ()
    circles: tuple[Circle, ...] = ()
    geocodes: tuple[NameValue, ...] = ()
    altitude_ft: float | None = None
    ceiling_ft: float | None = None


@dataclass(frozen=True, slots=True)
class Info:
    """The words and facts of an alert in one language."""

    event: str
    categories: tuple[str, ...]
    urgency: str
    severity: str
    certainty: str
    language: str = ""
    response_types: tuple[str, ...] = ()
    audience: str = ""
    event_codes: tuple[NameValue, ...] = ()
    effective: datetime | None = None
    onset: datetime | None = None
    expires: datetime | None = None
    sender_name: str = ""
    headline: str = ""
    description: str = ""
    instruction: str = ""
    web: str = ""
    contact: str = ""
    parameters: tuple[NameValue, ...] = ()
    resources: tuple[Resource, ...] = ()
    areas: tuple[Area, ...] = ()

    def parameter(self, name: str) -> str:
        """Value of the first parameter of that name; empty if there is none."""
        return next((p.value for p in self.parameters if p.name == name), "")


@dataclass(frozen=True, slots=True)
class Alert:
    """One CAP message."""

    identifier: str
    sender: str
    sent: datetime
    status: str
    msg_type: str
    scope: str
    source: str = ""
    restriction: str = ""
    addresses: str = ""
    codes: tuple[str, ...] = ()
    note: str = ""
    references: tuple[Reference, ...] = ()
    incidents: str = ""
    infos: tuple[Info, ...] = ()
    extras: tuple[Extra, ...] = field(default=(), compare=False)

    @property
    def key(self) -> tuple[str, str, int]:
        """What identifies a message: sender, identifier and the second it was sent."""
        return (self.sender, self.identifier, int(self.sent.timestamp()))

    def reference(self) -> Reference:
        """How a later message points to this one."""
        return Reference(self.sender, self.identifier, self.sent)

    def info(self, language: str) -> Info | None:
        """The info that suits a language best: the same tag, then the same main language, then the first."""
        wanted = language.lower()
        tags = [(i.language or DEFAULT_LANGUAGE).lower() for i in self.infos]
        for fits in (wanted, wanted.partition("-")[0]):
            for info, tag in zip(self.infos, tags, strict=True):
                if tag == fits or tag.partition("-")[0] == fits:
                    return info
        return self.infos[0] if self.infos else None
