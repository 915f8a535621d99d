"""Dataclasses as plain JSON values and back by their annotations: for what is kept over a restart."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any, TypeVar, cast, get_args, get_origin

import numpy as np

from clearway.kernel.clock import iso, parse_utc

T = TypeVar("T")


def plain(value: Any) -> Any:
    """A value of dataclasses, mappings, sequences, arrays, times and figures as JSON takes it."""
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value) if not f.name.startswith("_")}
    if isinstance(value, Mapping):
        return [[plain(k), plain(v)] for k, v in value.items()]
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    return iso(value) if isinstance(value, datetime) else value


def shaped(kind: type[T], value: Any) -> T:
    """The value of a type that :func:`plain` wrote.

    Raises:
        KeyError, TypeError, ValueError: it is no such value.
    """
    return cast("T", _shaped(kind, value))


def _shaped(kind: Any, value: Any) -> Any:
    origin, given = get_origin(kind), get_args(kind)
    if origin in (types.UnionType, typing.Union):
        return None if value is None else _shaped(next(g for g in given if g is not type(None)), value)
    if origin is tuple:
        each = given[0] if len(given) == 2 and given[1] is Ellipsis else None
        kinds = [each] * len(value) if each else given
        return tuple(_shaped(k, v) for k, v in zip(kinds, value, strict=True))
    if origin is list:
        return [_shaped(given[0], v) for v in value]
    if origin is not None and issubclass(origin, Mapping):
        return {_shaped(given[0], k): _shaped(given[1], v) for k, v in value}
    if is_dataclass(kind) and isinstance(kind, type):
        hints = typing.get_type_hints(kind)
        return kind(
            **{f.name: _shaped(hints[f.name], value[f.name]) for f in fields(kind) if f.name in value}
        )
    if kind is datetime:
        return parse_utc(value, where="kept plan")
    return kind(value) if kind in (int, float, str, bool) else value
