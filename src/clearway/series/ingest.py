"""The way in: rows to series, what was known before, repeats found, the rest written."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clearway.kernel.errors import InputError
from clearway.kernel.geometry import distance_m
from clearway.series.block import Block
from clearway.series.checks import RATE_REACH_S
from clearway.series.duplicates import COMPARED
from clearway.series.limits import Limits
from clearway.series.model import IngestReport, ObservationBatch, Station
from clearway.series.quality import counts

Key = tuple[str, str, str]
"""Subject, quantity, source: what makes a series."""

_NEIGHBOUR_CONTEXT_S: Final = 24 * 3600


@dataclass(frozen=True, slots=True, eq=False)
class Incoming:
    """A batch with its rows numbered by series: row i belongs to ``keys[code[i]]``."""

    keys: list[Key]
    code: NDArray[np.int64]
    batch: ObservationBatch


@dataclass(frozen=True, slots=True, eq=False)
class Context:
    """Stored readings that the checks look at; ``extra`` are the neighbours' series, numbered on."""

    rows: NDArray[np.float64]
    extra: list[Key]


def encode(batch: ObservationBatch) -> Incoming:
    """Number the series of a batch in order of appearance.

    Raises:
        InputError: a row without subject or quantity.
    """
    numbers: dict[Key, int] = {}
    rows = zip(batch.subject.tolist(), batch.quantity.tolist(), batch.source.tolist(), strict=True)
    code = np.fromiter((numbers.setdefault(key, len(numbers)) for key in rows), np.int64, len(batch))
    for key, number in numbers.items():
        if not key[0] or not key[1]:
            row = int(np.argmax(code == number))
            raise InputError("observation without subject or quantity", where=f"row {row}")
    return Incoming(list(numbers), code, batch)


def load_context(
    connection: sqlite3.Connection,
    ids: NDArray[np.int64],
    incoming: Incoming,
    limits: Limits,
    stations: Mapping[str, Station],
) -> Context:
    """Stored rows of the touched series from before the batch to its end, and of the stations around."""
    count = len(incoming.keys)
    low, high = np.full(count, 2**62, np.int64), np.full(count, -(2**62), np.int64)
    np.minimum.at(low, incoming.code, incoming.batch.valid_at)
    np.maximum.at(high, incoming.code, incoming.batch.valid_at)
    reach = np.array([_reach_s(quantity, limits) for _, quantity, _ in incoming.keys])
    touched = zip(ids.tolist(), range(count), (low - reach).tolist(), high.tolist(), strict=True)
    extra = _around(connection, incoming.keys, limits, stations) if stations else []
    first, last = int(low.min()) - _NEIGHBOUR_CONTEXT_S, int(high.max())
    connection.execute(
        "CREATE TEMP TABLE IF NOT EXISTS touch (series INTEGER PRIMARY KEY, number INTEGER, low, high)"
    )
    connection.execute("DELETE FROM touch")
    connection.executemany("INSERT OR IGNORE INTO touch VALUES (?, ?, ?, ?)", touched)
    connection.executemany(
        "INSERT OR IGNORE INTO touch VALUES (?, ?, ?, ?)",
        ((series, count + i, first, last) for i, (series, _) in enumerate(extra)),
    )
    found = connection.execute(
        "SELECT t.number, o.valid_at, o.known_at, o.value, o.quality "
        "FROM touch t CROSS JOIN observation o "
        "ON o.series = t.series AND o.valid_at BETWEEN t.low AND t.high "
        "ORDER BY o.series, o.valid_at, o.known_at, o.seq"
    ).fetchall()
    return Context(np.array(found, np.float64).reshape(-1, 5), [key for _, key in extra])


def _reach_s(quantity: str, limits: Limits) -> int:
    """How far back the rate and stuck checks of a quantity look."""
    stuck = limits.stuck.get(quantity)
    stuck_s = int(2 * stuck.hours * 3600) + 3600 if stuck else 0
    return max(stuck_s, RATE_REACH_S if quantity in limits.rates_per_h else 0)


def _around(
    connection: sqlite3.Connection, keys: Sequence[Key], limits: Limits, stations: Mapping[str, Station]
) -> list[tuple[int, Key]]:
    """Stored series of other stations within the reach of the neighbour checks."""
    mine = sorted({s for s, q, _ in keys if s in stations and q in limits.neighbours})
    if not mine:
        return []
    names = sorted(set(stations) - {s for s, _, _ in keys})
    if not names:
        return []
    here = np.array([(stations[n].lon, stations[n].lat) for n in mine])
    there = np.array([(stations[n].lon, stations[n].lat) for n in names])
    reach_m = 1000.0 * max(limit.within_km for limit in limits.neighbours.values())
    near = np.zeros(len(names), np.bool_)
    for lon, lat in here:
        near |= distance_m(lon, lat, there[:, 0], there[:, 1]) <= reach_m
    wanted = {*COMPARED, *limits.neighbours} & {q for _, q, _ in keys}
    found: list[tuple[int, Key]] = []
    for name in np.array(names)[near].tolist():
        rows = connection.execute("SELECT id, quantity, source FROM series WHERE subject = ?", (name,))
        found += [(row[0], (name, row[1], row[2])) for row in rows.fetchall() if row[1] in wanted]
    return found


def merge_block(incoming: Incoming, context: Context) -> Block:
    """New and stored rows in one sorted block; of rows known at the same moment the stored comes first."""
    batch, old = incoming.batch, context.rows
    series = np.concatenate([old[:, 0].astype(np.int64), incoming.code])
    valid = np.concatenate([old[:, 1].astype(np.int64), batch.valid_at])
    known = np.concatenate([old[:, 2].astype(np.int64), batch.known_at])
    order = np.lexsort((np.arange(series.size), known, valid, series))
    keys = incoming.keys + context.extra
    return Block(
        series=series[order],
        valid_at=valid[order],
        known_at=known[order],
        value=np.concatenate([old[:, 3], batch.value])[order],
        quality=np.concatenate([old[:, 4].astype(np.uint8), batch.quality])[order],
        fresh=(order >= len(old)),
        subjects=tuple(key[0] for key in keys),
        quantities=tuple(key[1] for key in keys),
    )


def repeated(block: Block) -> NDArray[np.bool_]:
    """New rows that say what the version known before them already said."""
    again = np.zeros(block.value.size, np.bool_)
    now, before = block.value[1:], block.value[:-1]
    same = (now == before) | (np.isnan(now) & np.isnan(before))
    again[1:] = block.fresh[1:] & _follows(block) & same
    return again


def _follows(block: Block) -> NDArray[np.bool_]:
    """Rows (from the second) of the same series and time as the row before them."""
    same_series = block.series[1:] == block.series[:-1]
    return np.asarray(same_series & (block.valid_at[1:] == block.valid_at[:-1]))


def insert(
    connection: sqlite3.Connection,
    block: Block,
    ids: NDArray[np.int64],
    again: NDArray[np.bool_],
    quality: NDArray[np.uint8],
) -> IngestReport:
    """Write the new rows that are no repeats, numbered in order."""
    new = block.fresh & ~again
    rows = np.flatnonzero(new)
    found = connection.execute("SELECT value FROM meta WHERE key = 'seq'").fetchone()
    seq = found[0] if found else 0
    connection.executemany(
        "INSERT INTO observation VALUES (?, ?, ?, ?, ?, ?)",
        zip(
            ids[block.series[rows]].tolist(),
            block.valid_at[rows].tolist(),
            block.known_at[rows].tolist(),
            range(seq + 1, seq + 1 + rows.size),
            block.value[rows].tolist(),
            quality[rows].tolist(),
            strict=True,
        ),
    )
    connection.execute("INSERT OR REPLACE INTO meta VALUES ('seq', ?)", (seq + rows.size,))
    corrected = np.zeros(block.value.size, np.bool_)
    corrected[1:] = new[1:] & _follows(block)
    return IngestReport(
        rows=int(block.fresh.sum()),
        inserted=int(rows.size),
        repeats=int(again.sum()),
        corrections=int(corrected.sum()),
        new_series=0,
        flagged=counts(quality[rows]),
    )
