"""Typed fields of a JSON document; every fault says the path to the field."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from clearway.exchange.adapter import decode, load
from clearway.kernel.errors import InputError


def document(source: bytes | str | Path) -> tuple[Any, str]:
    """The JSON document and a name for messages.

    Raises:
        InputError: it is no JSON.
    """
    data, where = load(source)
    text, _ = decode(data)
    try:
        return json.loads(text), where
    except (ValueError, RecursionError) as error:
        raise InputError(f"not JSON: {error}", where=where) from error


def items(parent: Any, key: str, where: str) -> list[Any]:
    """A list.

    Raises:
        InputError: missing or no list.
    """
    value = field(parent, key, where)
    if not isinstance(value, list):
        raise InputError(f"{key!r} is no list", where=f"{where}, {key}")
    return value


def field(parent: Any, key: str, where: str) -> Any:
    """Any value.

    Raises:
        InputError: the parent is no object or has no such key.
    """
    if not isinstance(parent, dict):
        raise InputError("an object is needed here", where=where)
    if key not in parent:
        raise InputError(f"{key!r} is missing", where=where)
    return parent[key]


def words(parent: Any, key: str, where: str) -> str:
    """A text; whole numbers are taken as labels, too.

    Raises:
        InputError: missing or neither.
    """
    return label(field(parent, key, where), f"{where}, {key}")


def label(value: Any, where: str) -> str:
    """A label of a node or vehicle.

    Raises:
        InputError: neither a text nor a whole number.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**18:
        return str(value)
    raise InputError("a label (text) is needed", where=where)


def figure(parent: Any, key: str, where: str) -> float:
    """A finite number.

    Raises:
        InputError: missing, no number or not finite.
    """
    value = field(parent, key, where)
    right = isinstance(value, int | float) and not isinstance(value, bool)
    if not right or not abs(value) <= 1e15 or not math.isfinite(value):
        raise InputError(f"{key!r} is not a usable number", where=f"{where}, {key}")
    return float(value)


def pair(parent: Any, key: str, where: str) -> tuple[str, str]:
    """Two labels.

    Raises:
        InputError: missing or not two labels.
    """
    value = field(parent, key, where)
    at = f"{where}, {key}"
    if not isinstance(value, list) or len(value) != 2:
        raise InputError(f"{key!r} must hold two labels", where=at)
    return label(value[0], at), label(value[1], at)
