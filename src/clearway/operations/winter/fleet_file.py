"""The fleet an installation states in a file, every value looked at."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

from clearway.kernel.errors import InputError
from clearway.kernel.language import Text
from clearway.operations.winter.fleet import Fleet, Store, Truck, usable

LIMITS: Final = {
    "lon": (-180.0, 180.0),
    "lat": (-90.0, 90.0),
    "stock_t": (0.0, 1e6),
    "capacity_kg": (1.0, 1e5),
    "speed_factor": (0.1, 5.0),
    "tank_l": (100.0, 40_000.0),
    "echelon": (1, 10),
    "width_m": (0.5, 30.0),
    "spread_width_m": (0.5, 30.0),
    "plough_kmh": (1.0, 120.0),
    "spread_kmh": (1.0, 120.0),
    "dead_head_kmh": (1.0, 120.0),
}
"""Smallest and largest value of each key a person could mean."""
_TEXTS: Final = ("id", "store")
_SWITCHES: Final = ("plough", "spreader")
_NEEDED: Final = {"store": ("id", "name", "lon", "lat", "stock_t"), "truck": ("id", "name", "store")}


def read_fleet(path: Path) -> Fleet:
    """The fleet an installation states in a TOML file: ``[[store]]`` and ``[[truck]]`` tables, ``source``.

    A store has ``id``, ``name`` (en, zh), ``lon``, ``lat`` and ``stock_t``; a truck ``id`` (that of its
    unit), ``name``, ``store`` and, where they differ from 8 t, one truck and doctrine ``winter.service``,
    ``capacity_kg``, ``speed_factor``, ``echelon``, ``width_m``, ``spread_width_m``, ``plough_kmh``,
    ``spread_kmh``, ``dead_head_kmh``, ``plough`` and ``spreader`` (true or false), ``tank_l`` for a truck
    that sprays brine and spreads nothing.

    Raises:
        InputError: the file cannot be read, or a key is missing, unknown or impossible; names file, table,
            key and value.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise InputError(f"cannot be read: {error}", where=str(path)) from error
    _known(data, ("store", "truck", "source"), f"{path}")
    stores = tuple(Store(**_row(path, "store", Store, k, row)) for k, row in _rows(path, data, "store"))
    trucks = tuple(Truck(**_row(path, "truck", Truck, k, row)) for k, row in _rows(path, data, "truck"))
    for truck, (k, _) in zip(trucks, _rows(path, data, "truck"), strict=True):
        if truck.tank_l and _rows(path, data, "truck")[k - 1][1].get("spreader"):
            _refuse(
                f"{path}, truck {k} ({truck.id})",
                Text("has a spreader and a brine tank", "同时登记了撒布机与盐水罐"),
                "A truck goes out with one of them: set spreader to false, or leave tank_l out",
            )
        if not (truck.plough or truck.spreader or truck.tank_l):
            _refuse(
                f"{path}, truck {k} ({truck.id})",
                Text("has neither a plough nor a spreader", "既无除雪铲也无撒布机"),
                "Set plough or spreader to true, or leave the truck out",
            )
    source = data.get("source", {"en": "stated by the installation", "zh": "由本系统登记"})
    fleet = Fleet(stores, trucks, _name(source, f"{path}, source"))
    try:
        usable(fleet)
    except InputError as error:
        raise InputError(error.what, where=str(path), words=error.words) from error
    return fleet


def _rows(path: Path, data: Mapping[str, Any], table: str) -> list[tuple[int, Mapping[str, Any]]]:
    rows = data.get(table, [])
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        _refuse(f"{path}, {table}", Text("is no list of tables", "不是表的列表"), f"Write [[{table}]]")
    return list(enumerate(rows, 1))


def _row(path: Path, table: str, kind: type[Store | Truck], number: int, row: Mapping[str, Any]) -> Any:
    """Arguments of a store or truck, each judged."""
    where = f"{path}, {table} {number}" + (f" ({row['id']})" if row.get("id") else "")
    _known(row, tuple(f.name for f in fields(kind)), where)
    missing = [key for key in _NEEDED[table] if key not in row]
    if missing:
        keys = ", ".join(missing)
        _refuse(where, Text(f"is not complete: {keys} missing", f"不完整：缺少{keys}"), f"Add {keys}")
    return {key: _value(key, value, f"{where}, {key}") for key, value in row.items()}


def _value(key: str, value: Any, where: str) -> Any:
    if key == "name":
        return _name(value, where)
    if key in _TEXTS:
        if not isinstance(value, str) or not value.strip():
            _refuse(where, Text(f"{value!r} is no name", f"{value!r}不是名称"), "Write a word in quotes")
        return value
    if key in _SWITCHES:
        if not isinstance(value, bool):
            _refuse(where, Text(f"{value!r} is no yes or no", f"{value!r}不是是或否"), "Write true or false")
        return value
    low, high = LIMITS[key]
    whole = isinstance(low, int)
    fit = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
    if not fit or not math.isfinite(value) or not low <= value <= high:
        what, zh = ("whole number", "整数") if whole else ("number", "数值")
        _refuse(
            where,
            Text(f"{value!r} is impossible", f"{value!r}不可能"),
            f"Write a {what} from {low:g} to {high:g}（{zh}，{low:g}至{high:g}）",
        )
    return value if whole else float(value)


def _name(value: Any, where: str) -> Text:
    try:
        return Text.of(value)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(
            f"{value!r} is no text in two languages",
            where=where,
            hint='Write { en = "…", zh = "…" }',
            words=Text(f"{where}: no text in two languages", f"{where}：不是双语文本"),
        ) from error


def _known(row: Mapping[str, Any], keys: tuple[str, ...], where: str) -> None:
    for key in row:
        if key not in keys:
            _refuse(
                f"{where}, {key}",
                Text(f"the key is not known (value {row[key]!r})", f"未知的键（值为{row[key]!r}）"),
                f"Known are {', '.join(keys)}",
            )


def _refuse(where: str, what: Text, hint: str) -> None:
    """Raise with the words in both languages."""
    words = Text(f"{where}: {what.en}", f"{where}：{what.zh}")
    raise InputError(what.en, where=where, hint=hint, words=words)
