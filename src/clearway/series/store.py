"""The series store: observations with the time they hold for and the time we learnt them."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from clearway.kernel.clock import epoch_s
from clearway.series.block import Block
from clearway.series.checks import check
from clearway.series.database import Database
from clearway.series.forecasts import ForecastStore
from clearway.series.ingest import Key, encode, insert, load_context, merge_block, repeated
from clearway.series.limits import Limits, default_limits
from clearway.series.model import IngestReport, ObservationBatch, Station

Moment = datetime | int
"""A time: aware datetime or epoch seconds."""

_FOREVER: Final = 2**62
_TAKE: Final = 500


def seconds(moment: Moment) -> int:
    """Epoch seconds of an aware datetime; whole numbers pass."""
    return moment if isinstance(moment, int) else epoch_s(moment)


class SeriesStore:
    """Observations, stations, forecasts and feed states in one SQLite file.

    Safe to share between threads; several processes may read while one writes.

    Args:
        path: the file, made when missing.
        limits: of the quality checks; those shipped when None.

    Raises:
        SystemFailureError: the file cannot be used.
    """

    def __init__(self, path: str | Path, *, limits: Limits | None = None) -> None:
        self._database = Database(path)
        self.limits = limits or default_limits()
        self.forecasts = ForecastStore(self._database)
        self._names_lock = threading.Lock()
        self._known: tuple[list[Key], NDArray[np.int64]] = ([], np.empty(0, np.int64))

    @property
    def path(self) -> Path:
        """The file."""
        return self._database.path

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    # -- writing

    def append(self, batch: ObservationBatch, *, checks: bool = True) -> IngestReport:
        """Judge and store a batch as one unit; repeats are counted, not stored.

        The checks see what was known before: the last hours of each series and the neighbours' values of
        the same hours. ``checks=False`` keeps the batch's own flags only. Deliveries come in the order
        of ``known_at``, as a clock gives it: one dated back behind a repeat already counted would be read
        as newer than that repeat.

        Raises:
            InputError: a row without subject or quantity.
            SystemFailureError: the file cannot be written; nothing of the batch was kept.
        """
        if not len(batch):
            return IngestReport(0, 0, 0, 0, 0)
        incoming = encode(batch)
        with self._database.writing() as connection:
            ids, new_series = _series_ids(connection, incoming.keys)
            stations = _stations(connection) if checks else {}
            context = load_context(connection, ids, incoming, self.limits, stations)
            block = merge_block(incoming, context)
            again = repeated(block)
            quality = _judge(block, again, self.limits, stations) if checks else block.quality
            report = insert(connection, block, ids, again, quality)
        return replace(report, new_series=new_series)

    def put_stations(self, stations: Iterable[Station]) -> None:
        """Enter or move stations."""
        rows = [(s.subject, s.lon, s.lat, s.elevation_m, s.name, s.source) for s in stations]
        with self._database.writing() as connection:
            connection.executemany("INSERT OR REPLACE INTO station VALUES (?, ?, ?, ?, ?, ?)", rows)
            connection.execute(
                "INSERT INTO meta VALUES ('stations', 1) ON CONFLICT (key) DO UPDATE SET value = value + 1"
            )

    # -- reading

    def window(
        self,
        quantities: Sequence[str] | None,
        t_from: Moment,
        t_to: Moment,
        known_by: Moment | None = None,
        *,
        subjects: Sequence[str] | None = None,
    ) -> ObservationBatch:
        """Readings valid in [t_from, t_to] as they were known at ``known_by``, newest version of each.

        Rows come by series and time. ``known_by`` None means all that ever became known; ``quantities``
        or ``subjects`` None means all.
        """
        rows = self._rows(quantities, t_from, t_to, known_by, subjects)
        if not len(rows):
            return ObservationBatch.empty()
        newest = np.ones(len(rows), np.bool_)
        newest[:-1] = (rows[1:, 0] != rows[:-1, 0]) | (rows[1:, 1] != rows[:-1, 1])
        return self._batch(rows[newest])

    def versions(
        self,
        quantities: Sequence[str] | None,
        t_from: Moment,
        t_to: Moment,
        known_by: Moment | None = None,
        *,
        subjects: Sequence[str] | None = None,
    ) -> ObservationBatch:
        """As :meth:`window`, with every version of each reading in the order it became known."""
        rows = self._rows(quantities, t_from, t_to, known_by, subjects)
        return self._batch(rows) if len(rows) else ObservationBatch.empty()

    def latest(
        self,
        quantities: Sequence[str] | None,
        at: Moment,
        known_by: Moment | None = None,
        *,
        subjects: Sequence[str] | None = None,
    ) -> ObservationBatch:
        """The last reading of each series valid at or before ``at``, as known at ``known_by`` (or ``at``)."""
        when = seconds(at)
        known = when if known_by is None else seconds(known_by)
        found = []
        with self._database.reading() as connection:
            for series in self._matching(connection, quantities, subjects).tolist():
                found += connection.execute(
                    "SELECT series, valid_at, known_at, value, quality FROM observation "
                    "WHERE series = ? AND valid_at <= ? AND known_at <= ? "
                    "ORDER BY valid_at DESC, known_at DESC, seq DESC LIMIT 1",
                    (series, when, known),
                ).fetchall()
        return self._batch(np.array(found, np.float64)) if found else ObservationBatch.empty()

    def stations(self) -> dict[str, Station]:
        """All stations with a known position, by subject."""
        with self._database.reading() as connection:
            return _stations(connection)

    def subjects(self, quantity: str) -> tuple[str, ...]:
        """Subjects that ever reported a quantity."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT DISTINCT subject FROM series WHERE quantity = ? ORDER BY subject", (quantity,)
            )
            return tuple(row[0] for row in rows)

    def span(self, quantities: Sequence[str] | None = None) -> tuple[int, int] | None:
        """First and last ``valid_at`` of the quantities; None without rows."""
        ends = []
        with self._database.reading() as connection:
            for series in self._matching(connection, quantities, None).tolist():
                for order in ("ASC", "DESC"):
                    ends += connection.execute(
                        "SELECT valid_at FROM observation WHERE series = ? "
                        f"ORDER BY valid_at {order} LIMIT 1",
                        (series,),
                    ).fetchall()
        values = [row[0] for row in ends]
        return (min(values), max(values)) if values else None

    @property
    def revision(self) -> int:
        """A number that grows with every observation or station stored; tells caches when to read again."""
        with self._database.reading() as connection:
            return int(connection.execute("SELECT total(value) FROM meta").fetchone()[0])

    def put_feed(self, name: str, body: str) -> None:
        """Keep the state of a feed (JSON text) for other processes to read."""
        with self._database.writing() as connection:
            connection.execute("INSERT OR REPLACE INTO feed VALUES (?, ?)", (name, body))

    def feeds(self) -> dict[str, str]:
        """States of all feeds as last kept."""
        with self._database.reading() as connection:
            return dict(connection.execute("SELECT name, body FROM feed ORDER BY name").fetchall())

    # -- inside

    def _rows(
        self,
        quantities: Sequence[str] | None,
        t_from: Moment,
        t_to: Moment,
        known_by: Moment | None,
        subjects: Sequence[str] | None,
    ) -> NDArray[np.float64]:
        known = _FOREVER if known_by is None else seconds(known_by)
        found: list[tuple[Any, ...]] = []
        with self._database.reading() as connection:
            ids = self._matching(connection, quantities, subjects).tolist()
            for start in range(0, len(ids), _TAKE):
                part = ids[start : start + _TAKE]
                found += connection.execute(
                    "SELECT series, valid_at, known_at, value, quality FROM observation "
                    f"WHERE series IN ({','.join('?' * len(part))}) AND valid_at BETWEEN ? AND ? "
                    "AND known_at <= ? ORDER BY series, valid_at, known_at, seq",
                    (*part, seconds(t_from), seconds(t_to), known),
                ).fetchall()
        return np.array(found, np.float64).reshape(-1, 5)

    def _matching(
        self, connection: sqlite3.Connection, quantities: Sequence[str] | None, subjects: Sequence[str] | None
    ) -> NDArray[np.int64]:
        names, ids = self._refresh_names(connection)
        wanted_q = None if quantities is None else set(quantities)
        wanted_s = None if subjects is None else set(subjects)
        keep = [
            (wanted_q is None or quantity in wanted_q) and (wanted_s is None or subject in wanted_s)
            for subject, quantity, _ in names
        ]
        return ids[np.array(keep, np.bool_)] if keep else ids

    def _refresh_names(self, connection: sqlite3.Connection) -> tuple[list[Key], NDArray[np.int64]]:
        """Names and identifiers of all series; they are only ever added, so the newer ones are read."""
        with self._names_lock:
            names, ids = self._known
            last = int(ids[-1]) if ids.size else 0
            rows = connection.execute(
                "SELECT id, subject, quantity, source FROM series WHERE id > ? ORDER BY id", (last,)
            ).fetchall()
            if rows:
                names = names + [(r[1], r[2], r[3]) for r in rows]
                ids = np.concatenate([ids, np.array([r[0] for r in rows], np.int64)])
                self._known = names, ids
            return names, ids

    def _batch(self, rows: NDArray[np.float64]) -> ObservationBatch:
        names, ids = self._known
        place = np.searchsorted(ids, rows[:, 0].astype(np.int64))
        used, inverse = np.unique(place, return_inverse=True)
        columns = zip(*(names[i] for i in used.tolist()), strict=True)
        subject, quantity, source = (np.array(column)[inverse] for column in columns)
        return ObservationBatch(
            subject=subject,
            quantity=quantity,
            valid_at=rows[:, 1].astype(np.int64),
            known_at=rows[:, 2].astype(np.int64),
            value=rows[:, 3].copy(),
            source=source,
            quality=rows[:, 4].astype(np.uint8),
        )


def _stations(connection: sqlite3.Connection) -> dict[str, Station]:
    rows = connection.execute("SELECT subject, lon, lat, elevation_m, name, source FROM station")
    return {row[0]: Station(*row) for row in rows}


def _series_ids(
    connection: sqlite3.Connection, keys: Sequence[tuple[str, str, str]]
) -> tuple[NDArray[np.int64], int]:
    """Identifiers of series, new ones entered; and how many were new."""
    before = connection.total_changes
    connection.executemany("INSERT OR IGNORE INTO series (subject, quantity, source) VALUES (?, ?, ?)", keys)
    added = connection.total_changes - before
    query = "SELECT id FROM series WHERE subject = ? AND quantity = ? AND source = ?"
    ids = [connection.execute(query, key).fetchone()[0] for key in keys]
    return np.array(ids, np.int64), added


def _judge(
    block: Block, again: NDArray[np.bool_], limits: Limits, stations: Mapping[str, Station]
) -> NDArray[np.uint8]:
    """Quality of a block; repeats are left out, so that they cannot look like stuck or double readings."""
    keep = np.flatnonzero(~again)
    part = Block(
        series=block.series[keep],
        valid_at=block.valid_at[keep],
        known_at=block.known_at[keep],
        value=block.value[keep],
        quality=block.quality[keep],
        fresh=block.fresh[keep],
        subjects=block.subjects,
        quantities=block.quantities,
    )
    quality = block.quality.copy()
    quality[keep] = check(part, limits, stations)
    return quality
