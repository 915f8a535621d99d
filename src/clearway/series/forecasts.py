"""Forecast fields of runs: whole, packed to int16, or as hourly class summaries (see ``retention.py``)."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clearway.kernel.errors import InputError, NotFoundError
from clearway.series.database import Database
from clearway.series.packing import Part, decode, encode_whole

_FOREVER: Final = 2**62


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a forecast. ``retention`` is ``whole``, ``packed`` or ``summary``."""

    id: str
    kind: str
    issued_at: int
    known_at: int
    source: str
    retention: str


@dataclass(frozen=True, slots=True, eq=False)
class StoredForecast:
    """A field of a run as it is still kept.

    Attributes:
        run: the run.
        name: field name with unit suffix.
        unit: printable unit.
        axes: axis names, the first is time. In a summary they are ``time``, ``class``, ``statistic``
            with statistics count, minimum, 10 %, median, 90 % and maximum.
        times_s: epoch seconds along the first axis.
        values: the numbers; int16 packing costs at most 1/65,000 of the range within a day.
        classes: class of each place of the last axis, or the classes of a summary; None when not given.
        meta: what the writer added, for example positions of points.
    """

    run: Run
    name: str
    unit: str
    axes: tuple[str, ...]
    times_s: NDArray[np.int64]
    values: NDArray[Any]
    classes: NDArray[np.int32] | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)


class ForecastStore:
    """Forecast side of a series file; reached as ``SeriesStore.forecasts``."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def put_forecast(
        self,
        run_id: str,
        name: str,
        unit: str,
        times_s: ArrayLike,
        values: NDArray[Any],
        *,
        axes: Sequence[str] = ("time", "place"),
        kind: str = "cycle",
        issued_at: int | None = None,
        known_at: int | None = None,
        source: str = "",
        classes: ArrayLike | None = None,
        meta: Mapping[str, Any] | None = None,
    ) -> None:
        """Keep a field whole; a field put again under the same run and name replaces the first.

        Args:
            run_id: identifier of the run, the same for all its fields.
            name: field name.
            unit: printable unit.
            times_s: epoch seconds [times].
            values: [times, …], floating or integer.
            axes: one name per dimension, time first.
            kind: which chain of runs this belongs to; the latest of each kind stays whole.
            issued_at: epoch seconds the run starts from; default the first time.
            known_at: epoch seconds at which it was there to be read; default ``issued_at``.
            source: model or feed.
            classes: integer class of each place of the last axis, for later summaries.
            meta: further plain data.

        Raises:
            InputError: shapes, axes and times do not fit, or a type that cannot be kept.
        """
        times, where = np.atleast_1d(np.asarray(times_s, np.int64)), f"forecast {run_id}/{name}"
        if values.ndim != len(axes) or not times.size or values.shape[0] != times.size:
            raise InputError(
                f"values {values.shape} do not fit {times.size} times, axes {tuple(axes)}", where=where
            )
        if values.dtype.kind not in "fiub":
            raise InputError(f"values of type {values.dtype} cannot be kept", where=where)
        class_array = None if classes is None else np.asarray(classes, np.int32)
        if class_array is not None and class_array.shape != values.shape[-1:]:
            raise InputError("classes do not fit the last axis", where=where)
        if not run_id or not name:
            raise InputError("a forecast needs a run and a name", where=where)
        issued = int(times[0]) if issued_at is None else issued_at
        run = Run(run_id, kind, issued, issued if known_at is None else known_at, source, "whole")
        kept = values.astype(np.float32) if values.dtype == np.float64 else values
        head = {
            "unit": unit,
            "axes": list(axes),
            "shape": list(kept.shape),
            "dtype": str(kept.dtype),
            "meta": dict(meta or {}),
        }
        with self.database.writing() as connection:
            connection.execute(
                "INSERT INTO run VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
                (run.id, run.kind, run.issued_at, run.known_at, run.source, run.retention),
            )
            write_field(connection, run.id, name, head, times, class_array, encode_whole(kept))

    def get_forecast(
        self,
        name: str,
        *,
        run_id: str | None = None,
        kind: str = "cycle",
        known_by: int | None = None,
        between: tuple[int, int] | None = None,
    ) -> StoredForecast:
        """A field of a run, or of the latest run of a kind that was known at ``known_by``.

        ``between`` (epoch seconds, both included) reads only the parts that touch that time.

        Raises:
            NotFoundError: no such run or field.
        """
        with self.database.snapshot() as connection:
            run = self._run(connection, name, run_id, kind, known_by)
            row = connection.execute(
                "SELECT head, times, classes FROM forecast WHERE run = ? AND name = ?", (run.id, name)
            ).fetchone()
            if row is None:
                raise NotFoundError(f"run {run.id} has no field {name}")
            head, times = json.loads(row[0]), np.frombuffer(row[1], np.int64)
            wanted = slice(0, times.size)
            if between is not None:
                wanted = slice(
                    int(np.searchsorted(times, between[0])), int(np.searchsorted(times, between[1], "right"))
                )
            parts = connection.execute(
                "SELECT first, scale, shift, data FROM chunk WHERE run = ? AND name = ? ORDER BY part",
                (run.id, name),
            ).fetchall()
        values = decode([Part(*p) for p in parts], head["dtype"], tuple(head["shape"]), wanted)
        return StoredForecast(
            run=run,
            name=name,
            unit=head["unit"],
            axes=tuple(head["axes"]),
            times_s=times[wanted],
            values=values,
            classes=None if row[2] is None else np.frombuffer(row[2], np.int32),
            meta=head["meta"],
        )

    def runs(self, kind: str | None = None, *, known_by: int | None = None) -> tuple[Run, ...]:
        """Runs, oldest first."""
        with self.database.reading() as connection:
            rows = connection.execute(
                "SELECT * FROM run WHERE (? IS NULL OR kind = ?) AND known_at <= ? "
                "ORDER BY issued_at, known_at, id",
                (kind, kind, _FOREVER if known_by is None else known_by),
            )
            return tuple(Run(*row) for row in rows)

    def names(self, run_id: str) -> tuple[str, ...]:
        """Fields kept of a run."""
        with self.database.reading() as connection:
            rows = connection.execute("SELECT name FROM forecast WHERE run = ? ORDER BY name", (run_id,))
            return tuple(row[0] for row in rows)

    @staticmethod
    def _run(
        connection: sqlite3.Connection, name: str, run_id: str | None, kind: str, known_by: int | None
    ) -> Run:
        if run_id is not None:
            row = connection.execute("SELECT * FROM run WHERE id = ?", (run_id,)).fetchone()
        else:
            row = connection.execute(
                "SELECT run.* FROM run JOIN forecast ON forecast.run = run.id AND forecast.name = ? "
                "WHERE kind = ? AND known_at <= ? ORDER BY issued_at DESC, known_at DESC, id DESC LIMIT 1",
                (name, kind, _FOREVER if known_by is None else known_by),
            ).fetchone()
        if row is None:
            raise NotFoundError(f"no forecast of {name} is known", where=run_id or kind)
        return Run(*row)


def write_field(
    connection: sqlite3.Connection,
    run_id: str,
    name: str,
    head: Mapping[str, Any],
    times: NDArray[np.int64],
    classes: NDArray[np.int32] | None,
    parts: Sequence[Part],
) -> None:
    """Replace a field of a run by the given parts, inside a transaction."""
    connection.execute(
        "INSERT OR REPLACE INTO forecast VALUES (?, ?, ?, ?, ?)",
        (
            run_id,
            name,
            json.dumps(head, ensure_ascii=False),
            times.tobytes(),
            None if classes is None else classes.tobytes(),
        ),
    )
    connection.execute("DELETE FROM chunk WHERE run = ? AND name = ?", (run_id, name))
    connection.executemany(
        "INSERT INTO chunk VALUES (?, ?, ?, ?, ?, ?, ?)",
        ((run_id, name, i, p.first, p.scale, p.shift, p.data) for i, p in enumerate(parts)),
    )
