"""Reading of station CSV: tolerant of code pages, separators and decimal commas, silent about nothing."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clearway.exchange.adapter import ProblemLog, decode, load
from clearway.exchange.station_csv.cells import moment, number
from clearway.exchange.station_csv.columns import Layout, ValueColumn, conversion, layout
from clearway.kernel.clock import zone as named_zone
from clearway.kernel.errors import InputError
from clearway.series.model import ObservationBatch, Reading, Station

_SEPARATORS: Final = ",;\t|"
Rows = list[tuple[int, list[str]]]
"""Line number and cells."""


def read(
    source: bytes | str | Path,
    *,
    zone: str | None = None,
    station: str = "",
    source_name: str = "station_csv",
    received_at: int | None = None,
) -> Reading:
    """Read a station CSV file.

    Args:
        source: the file, its bytes or its text.
        zone: IANA zone of times without offset. Columns named ``…_utc`` need none; the UCI files are in
            ``Asia/Shanghai``.
        station: subject when the file has no station column.
        source_name: feed name to store with the values.
        received_at: epoch seconds at which the file came; default: each value known at its own hour, unless
            the file has a column ``known_at``.

    Returns:
        Observations and stations; ``problems`` names each line or cell that could not be used, ``notes``
        the code page and the columns nobody can read. Missing cells make no observation.

    Raises:
        InputError: empty, no header we can read, or no station.
    """
    data, where = load(source)
    text, encoding = decode(data)
    header, rows, separator, log = _table(text, where)
    columns = layout(header)
    notes = [] if encoding == "utf-8" else [f"read as {encoding}"]
    notes += [f"column {name!r} is not known and was left out" for name in columns.unknown]
    if columns.kind == "unreadable":
        raise InputError(
            f"no columns for station, time and values among {', '.join(header) or 'nothing'}", where=where
        )
    if columns.kind != "stations" and "subject" not in columns.roles and not station:
        raise InputError("no column names the station", where=where, hint="Give the station's name")
    table = _Table(columns, rows, separator in ";\t|", station, source_name, log)
    stations = table.stations()
    if columns.kind == "stations":
        return Reading(ObservationBatch.empty(), log.result(), stations, tuple(notes))
    times = table.times(_zone(columns, zone))
    batch = table.long(times, received_at) if columns.kind == "long" else table.wide(times, received_at)
    return Reading(batch, log.result(), stations, tuple(notes))


def _table(text: str, where: str) -> tuple[list[str], Rows, str, ProblemLog]:
    log = ProblemLog(where)
    first = next((line for line in text.splitlines() if line.strip()), "")
    if not first:
        raise InputError("file is empty", where=where)
    separator = max(_SEPARATORS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    rows: Rows = []
    header: list[str] = []
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if not header:
                header = cells
            elif len(cells) == len(header) or not any(c.strip() for c in cells[len(header) :]):
                rows.append((reader.line_num, (cells + [""] * len(header))[: len(header)]))
                if len(cells) < len(header):
                    log.add(f"{len(cells)} cells instead of {len(header)}", f"line {reader.line_num}")
            else:
                log.add(f"{len(cells)} cells instead of {len(header)}: left out", f"line {reader.line_num}")
    except csv.Error as error:
        log.add(f"cannot be split into cells: {error}", f"line {reader.line_num}")
    return header, rows, separator, log


def _zone(columns: Layout, zone: str | None) -> tzinfo | None:
    if "time" in columns.roles and columns.headers[columns.roles["time"]].lower().rstrip().endswith("utc"):
        return UTC
    return named_zone(zone) if zone else None


class _Table:
    """The rows of one file, read column by column."""

    def __init__(
        self, columns: Layout, rows: Rows, comma: bool, station: str, source_name: str, log: ProblemLog
    ) -> None:
        self.columns, self.rows, self.comma, self.log = columns, rows, comma, log
        self.cells = list(zip(*(cells for _, cells in rows), strict=True)) if rows else []
        self.lines = [line for line, _ in rows]
        self.subject = self._words("subject", station)
        self.source = self._words("source", source_name)

    def _words(self, role: str, default: str) -> NDArray[np.str_]:
        index = self.columns.roles.get(role)
        if index is None or not self.cells:
            return np.full(len(self.rows), default)
        return np.array([cell.strip() or default for cell in self.cells[index]], np.str_)

    def _each(
        self, column: Sequence[str], to: Callable[[str], float | None], name: str
    ) -> NDArray[np.float64]:
        """Numbers of a column, NaN for missing; each distinct text is read once, each fault told."""
        seen: dict[str, float] = {}
        out = np.full(len(column), np.nan)
        for i, cell in enumerate(column):
            if cell not in seen:
                try:
                    found = to(cell)
                    seen[cell] = np.nan if found is None else found
                except (ValueError, OverflowError):
                    self.log.add(f"{cell.strip()[:40]!r} cannot be read as {name}", f"line {self.lines[i]}")
                    continue
            out[i] = seen[cell]
        return out

    def _numbers(
        self, index: int, name: str, *, compass: bool = False, trace: bool = False
    ) -> NDArray[np.float64]:
        def to_number(cell: str) -> float | None:
            return number(cell, comma=self.comma, compass=compass, trace=trace)

        return self._each(self.cells[index], to_number, name)

    def times(self, zone: tzinfo | None) -> NDArray[np.float64]:
        """Epoch seconds of the rows, NaN where they cannot be read."""
        roles = self.columns.roles
        if not self.rows:
            return np.empty(0)
        if "time" in roles:
            return self._each(self.cells[roles["time"]], lambda c: moment(c, zone), "a time with a zone")
        parts = zip(*(self.cells[roles[p]] for p in ("year", "month", "day", "hour")), strict=True)
        joined = ["{:0>4}{:0>2}{:0>2}{:0>2}".format(*(p.strip() for p in four)) for four in parts]
        return self._each(joined, lambda c: moment(c, zone), "a time with a zone")

    def stations(self) -> tuple[Station, ...]:
        """Stations whose position stands in the file, the first line of each."""
        roles = self.columns.roles
        if not {"longitude", "latitude"} <= set(roles) or not self.rows:
            return ()
        lon, lat = (self._numbers(roles[r], f"a {r}") for r in ("longitude", "latitude"))
        height = self._numbers(roles["elevation_m"], "a height") if "elevation_m" in roles else None
        names = self._words("name", "")
        found: dict[str, Station] = {}
        for i, subject in enumerate(self.subject.tolist()):
            if subject in found or not (np.isfinite(lon[i]) and np.isfinite(lat[i])):
                continue
            metres = None if height is None or not np.isfinite(height[i]) else float(height[i])
            try:
                found[subject] = Station(
                    subject, float(lon[i]), float(lat[i]), metres, str(names[i]), str(self.source[i])
                )
            except InputError as error:
                self.log.add(error.what, f"line {self.lines[i]}")
        return tuple(found.values())

    def wide(self, times: NDArray[np.float64], received_at: int | None) -> ObservationBatch:
        """Observations of a file with one column a quantity."""
        known = self._known(times, received_at)
        usable = self._rows_with(times)
        batches = []
        for column in self.columns.values if self.rows else ():
            value = self._column(column)
            rows = np.flatnonzero(usable & ~np.isnan(value))
            batches.append(self._batch(rows, np.full(len(self.rows), column.quantity), times, known, value))
        return ObservationBatch.concat(batches)

    def _column(self, column: ValueColumn) -> NDArray[np.float64]:
        value = self._numbers(
            column.index,
            f"a number for {column.header.strip()}",
            compass=column.compass,
            trace=column.quantity == "precipitation_mm",
        )
        return value if column.factor == 1.0 else value * column.factor + column.offset

    def long(self, times: NDArray[np.float64], received_at: int | None) -> ObservationBatch:
        """Observations of a file with one value a row; unknown quantities keep their name."""
        if not self.rows:
            return ObservationBatch.empty()
        roles = self.columns.roles
        names = [n.strip() for n in self.cells[roles["quantity"]]]
        into = {name: conversion(name) or (name, 1.0, 0.0, False) for name in set(names)}
        value = self._numbers(roles["value"], "a number", compass=True)
        factor = np.array([into[n][1] for n in names])
        value = value * factor + np.array([into[n][2] for n in names])
        quantity = np.array([into[n][0] for n in names], np.str_)
        for line, name in zip(self.lines, names, strict=True):
            if not name:
                self.log.add("no quantity named: left out", f"line {line}")
        rows = np.flatnonzero(self._rows_with(times) & ~np.isnan(value) & (quantity != ""))
        return self._batch(rows, quantity, times, self._known(times, received_at), value)

    def _rows_with(self, times: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Rows with a time and a station."""
        nameless = self.subject == ""
        for i in np.flatnonzero(nameless).tolist():
            self.log.add("no station named: left out", f"line {self.lines[i]}")
        return np.asarray(~np.isnan(times) & ~nameless)

    def _known(self, times: NDArray[np.float64], received_at: int | None) -> NDArray[np.float64]:
        default = times if received_at is None else np.full(times.size, float(received_at))
        index = self.columns.roles.get("known_at")
        if index is None or not self.rows:
            return default
        told = self._each(
            self.cells[index], lambda c: moment(c, UTC) if c.strip() else None, "a time of arrival"
        )
        return np.where(np.isnan(told), default, told)

    def _batch(
        self,
        rows: NDArray[np.intp],
        quantity: NDArray[np.str_],
        times: NDArray[np.float64],
        known: NDArray[np.float64],
        value: NDArray[np.float64],
    ) -> ObservationBatch:
        return ObservationBatch.build(
            self.subject[rows],
            quantity[rows],
            times[rows].astype(np.int64),
            value[rows],
            known_at=known[rows].astype(np.int64),
            source=self.source[rows],
        )
