"""Identifiers of our messages: never reused, never changed, the same again in a replay.

``urn:clearway:<domain reversed>:<UTC second>:<100 bits of the content>``: the sender's domain makes it ours,
the second makes it readable, the hash of the whole content tells apart the messages of one second. It is a
URI, so it serves unchanged as the id of a feed entry. An identifier built from the time alone collides
(cap-composer gave 40 alerts of one minute one identifier).
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import fields, is_dataclass, replace
from datetime import datetime
from typing import Any

from clearway.exchange.cap.model import Alert
from clearway.kernel.clock import iso, require_utc
from clearway.kernel.errors import InputError

_TAIL = re.compile(r"[a-z2-7]{20}")
_DOMAIN = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+")


def reversed_domain(sender: str) -> str:
    """``duty@road.beijing.example`` becomes ``example.beijing.road``.

    Raises:
        InputError: the sender is neither a domain name nor an address with one.
    """
    domain = sender.rpartition("@")[2].lower()
    if not _DOMAIN.fullmatch(domain):
        raise InputError(f"sender {sender!r} has no domain name", hint="Use one you own, such as a.example")
    return ".".join(reversed(domain.split(".")))


def identifier_for(draft: Alert, salt: str = "") -> str:
    """Identifier of a message from everything in it but its identifier, and ``salt``.

    ``salt`` tells apart messages with the same words about different records; give the record id.
    """
    content = json.dumps(
        [salt, replace(draft, identifier="", extras=())],
        separators=(",", ":"),
        ensure_ascii=False,
        allow_nan=False,
        default=_plain,
    ).encode()
    digest = base64.b32encode(hashlib.sha256(content).digest()[:13]).decode().lower()[:20]
    second = require_utc(draft.sent).strftime("%Y%m%dT%H%M%SZ")
    return f"urn:clearway:{reversed_domain(draft.sender)}:{second}:{digest}"


def file_name(alert: Alert) -> str:
    """Name of a message's file, safe on every system and different for different identifiers.

    For example ``20151122T010000Z-alert-amxgooxzqgjag63zvwyu.xml``.
    """
    second = require_utc(alert.sent).strftime("%Y%m%dT%H%M%SZ")
    tail = alert.identifier.rpartition(":")[2]
    if not (alert.identifier.startswith("urn:clearway:") and _TAIL.fullmatch(tail)):
        tail = hashlib.sha256(f"{alert.sender},{alert.identifier}".encode()).hexdigest()[:20]
    return f"{second}-{alert.msg_type.lower()}-{tail}.xml"


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return iso(value)
    if is_dataclass(value):
        return [getattr(value, f.name) for f in fields(value)]
    raise TypeError(f"{type(value).__name__} has no place in a message")
