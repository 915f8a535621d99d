"""Records: durable commands under load, rebuilding, and reading any past moment of a long journal.

Durable commands: 64 threads, each with tasks of its own, every command checked (life cycle, authority,
guards), hash-chained, projected, and on disk before the answer (SQLite, WAL, synchronous=FULL). Peers in the
same run on the same disk: a plain hash-chained append with synchronous=FULL (the same body, no checks, no
projection), once by one thread alone and once by 64 threads that share it; and the ``eventsourcing`` library
on SQLite. The disk's flush is measured beside it, because it decides what a group commit is worth. The same
again while a process of its own ingests 50,000 rows at a time into a series file. Peer of the reads: the
textbook index over (kind, from, to). ``CLEARWAY_BENCH_DIR`` names the disk to measure on.
"""

from __future__ import annotations

import hashlib
import os
import random
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.harness import Row
from benchmarks.records.long_journal import build
from benchmarks.records.workload import BODY, DISPATCHER, set_up_area, steps
from clearway.kernel.clock import SystemClock
from clearway.kernel.ids import canonical_json
from clearway.records import Command, Journal, Kinds, load_kinds
from clearway.records.events import from_us
from clearway.records.replay import rebuild
from clearway.records.store import Store
from clearway.records.verify import verify_store

WRITERS = 64
WARM_UP = 5
DOCTRINE = "d" * 64
ROOT = Path(__file__).resolve().parents[1]


def run(quick: bool) -> list[Row]:
    """Measure us and the peers."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("CLEARWAY_BENCH_DIR")) as folder:
        scratch = Path(folder)
        return [
            *_commands(scratch, 2_560 if quick else 25_600),
            *_long(scratch, 30_000 if quick else 1_000_000, 60 if quick else 400),
        ]


# --- durable commands -----------------------------------------------------------------------------------


class Measured:
    """Commands per second, and the latencies of each."""

    def __init__(self, seconds: float, latencies_s: list[float]) -> None:
        self.per_s = len(latencies_s) / seconds
        ordered = sorted(latencies_s)
        self.p50_ms = ordered[len(ordered) // 2] * 1e3
        self.p99_ms = ordered[int(len(ordered) * 0.99)] * 1e3


def _threads(count: int, work: Callable[[int], list[float]]) -> Measured:
    """Run ``work`` in so many threads at once; it returns its latencies."""
    latencies: list[list[float]] = [[] for _ in range(count)]
    gate = threading.Barrier(count + 1)

    def one(number: int) -> None:
        gate.wait()
        latencies[number] = work(number)

    threads = [threading.Thread(target=one, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    gate.wait()
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    return Measured(time.perf_counter() - began, [s for own in latencies for s in own])


def _ours(path: Path, commands: int) -> Measured:
    kinds = load_kinds()
    url = f"sqlite:///{path.as_posix()}"
    with Journal.open(url, kinds, clock=SystemClock(), doctrine_hash=DOCTRINE) as journal:
        set_up_area(journal)

        def work(number: int) -> list[float]:
            taken = []
            for verb, record, data, key in steps(number, commands // WRITERS):
                began = time.perf_counter()
                journal.submit(Command("task", verb, data, DISPATCHER, key, record))
                taken.append(time.perf_counter() - began)
            return taken

        return _threads(WRITERS, work)


class PlainChain:
    """What a plain audit log does: one hash-chained row, one commit."""

    def __init__(self, path: Path) -> None:
        self._raw = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._raw.execute("PRAGMA journal_mode=WAL")
        self._raw.execute("PRAGMA synchronous=FULL")
        self._raw.execute("CREATE TABLE log (seq INTEGER PRIMARY KEY, hash BLOB, body TEXT)")
        self._lock = threading.Lock()
        self._seq, self._digest = 0, bytes(32)

    def append(self, record: str, verb: str) -> None:
        """Durable when it returns."""
        with self._lock:
            self._seq += 1
            body = canonical_json({"seq": self._seq, "record": record, "verb": verb, "data": BODY})
            self._digest = hashlib.sha256(self._digest + body).digest()
            self._raw.execute("INSERT INTO log VALUES (?, ?, ?)", (self._seq, self._digest, body.decode()))

    def close(self) -> None:
        """Close the file."""
        self._raw.close()


def _plain(path: Path, commands: int, writers: int) -> Measured:
    with closing(PlainChain(path)) as chain:

        def work(number: int) -> list[float]:
            taken = []
            for index in range(commands // writers):
                began = time.perf_counter()
                chain.append(f"task-{number}-{index}", "open")
                taken.append(time.perf_counter() - began)
            return taken

        return _threads(writers, work)


def _flush_ms(path: Path) -> float:
    """Median time of an fdatasync after 4 KiB."""
    taken = []
    with path.open("wb") as file:
        for _ in range(200):
            file.write(os.urandom(4096))
            file.flush()
            began = time.perf_counter()
            os.fsync(file.fileno())
            taken.append(time.perf_counter() - began)
    return statistics.median(taken) * 1e3


def _eventsourcing(path: Path, commands: int) -> Measured:
    from eventsourcing.application import Application
    from eventsourcing.domain import Aggregate, event

    class Task(Aggregate):
        @event("Opened")
        def __init__(self, body: dict[str, object]) -> None:
            self.body = body
            self.state = "open"

        @event("Moved")
        def move(self, state: str) -> None:
            self.state = state

    settings = {
        "PERSISTENCE_MODULE": "eventsourcing.sqlite",
        "SQLITE_DBNAME": str(path),
        "SQLITE_LOCK_TIMEOUT": "60",
    }
    app: Any = Application(env=settings)
    lock = threading.Lock()

    def work(number: int) -> list[float]:
        taken = []
        for _ in range(commands // WRITERS):
            began = time.perf_counter()
            with lock:
                app.save(Task(dict(BODY)))
            taken.append(time.perf_counter() - began)
        return taken

    try:
        return _threads(WRITERS, work)
    finally:
        app.close()


def _commands(scratch: Path, commands: int) -> list[Row]:
    flush_ms = _flush_ms(scratch / "flush.bin")
    alone = _plain(scratch / "plain-1.sqlite", max(400, commands // 16), 1)
    shared = _plain(scratch / "plain-64.sqlite", max(640, commands // 8), WRITERS)
    ours = _ours(scratch / "ours.sqlite", commands)
    library = _eventsourcing(scratch / "es.sqlite", 640)
    with _ingesting(scratch):
        busy_plain = _plain(scratch / "plain-busy.sqlite", max(640, commands // 16), WRITERS)
        busy = _ours(scratch / "ours-busy.sqlite", commands)
    disk = f"disk flush {flush_ms:.2f} ms (median fsync of 4 KiB)"
    checked = "checked, authorised, chained, projected, durable"
    return [
        Row("durable commands, 64 writers / plain append, one writer alone", ours.per_s, alone.per_s,
            "commands/s", "4x", f"{checked}; {disk}"),
        Row("durable commands, 64 writers / plain append shared by 64", ours.per_s, shared.per_s,
            "commands/s", "4x", f"peer: same chain, one flush a command; {disk}"),
        Row("the same / eventsourcing on SQLite", ours.per_s, library.per_s, "commands/s", "4x",
            f"eventsourcing {version('eventsourcing')}, 64 writers in turn, aggregate saves"),
        Row("latency of a command, p99", ours.p99_ms, shared.p99_ms, "ms", "<= 50", "64 writers"),
        Row("latency of a command, p50", ours.p50_ms, shared.p50_ms, "ms", None, "64 writers", "lower"),
        Row("durable commands during 50,000-row ingests", busy.per_s, busy_plain.per_s, "commands/s", "4x",
            "ingest by another process, series file with synchronous=NORMAL; peer under the same ingest"),
        Row("latency during ingests, p99", busy.p99_ms, busy_plain.p99_ms, "ms", "<= 50", "64 writers"),
    ]  # fmt: skip


class _ingesting:  # noqa: N801 - reads as a phrase
    """A process that ingests 50,000 rows at a time, over and over, into a series file."""

    def __init__(self, scratch: Path) -> None:
        self._path = scratch / "series.sqlite"
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> None:
        command = [sys.executable, "-m", "benchmarks.records.ingest", str(self._path)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        assert self._process.stdout is not None
        self._process.stdout.readline()

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()


# --- a long journal -------------------------------------------------------------------------------------


def _long(scratch: Path, events: int, reads: int) -> list[Row]:
    path = scratch / "long.sqlite"
    store = Store(f"sqlite:///{path.as_posix()}")
    kinds = load_kinds()
    with closing(store):
        span = build(store, kinds, events)
        connection = store.writer()
        with closing(connection):
            connection.begin()
            began = time.perf_counter()
            count = rebuild(connection, kinds)
            connection.commit()
            rebuilt_s = time.perf_counter() - began
        began = time.perf_counter()
        report = verify_store(store, kinds)
        verified_s = time.perf_counter() - began
        if not report.ok:
            raise RuntimeError(f"the long journal does not verify: {report.problems[0]}")
        ours, peer, shown = _as_of(kinds, path, span, reads)
    note = f"{count:,} events, {shown:.0f} open measures on average at a moment"
    return [
        Row("rebuild of all projections", count / rebuilt_s, None, "events/s", ">= 50000",
            f"{count:,} events, rows, indexes and timers, one process"),
        Row("verify: structure, chain, rows, timers", count / verified_s, None, "events/s", None, note),
        Row("open measures at any past minute, p99", ours[1], peer[1], "ms", "<= 20", note),
        Row("open measures at any past minute, p50", ours[0], peer[0], "ms", None,
            "peer: the textbook index (kind, from, to)", "lower"),
        Row("one record at any past minute, p99", ours[2], None, "ms", "<= 20", f"{count:,} events"),
    ]  # fmt: skip


def _quantiles(taken: list[float]) -> tuple[float, float]:
    ordered = sorted(taken)
    return ordered[len(ordered) // 2] * 1e3, ordered[int(len(ordered) * 0.99)] * 1e3


def _as_of(
    kinds: Kinds, path: Path, span: tuple[float, float], reads: int
) -> tuple[tuple[float, float, float], tuple[float, float], float]:
    chance = random.Random(7)
    lists, singles, textbook, shown = [], [], [], []
    with Journal.open(
        f"sqlite:///{path.as_posix()}", kinds, clock=SystemClock(), doctrine_hash=DOCTRINE
    ) as journal:
        for number in range(reads + WARM_UP):
            moment = from_us(int(chance.uniform(*span))).replace(second=0, microsecond=0)
            moment = max(moment, from_us(int(span[0]))) + timedelta(minutes=1)
            began = time.perf_counter()
            rows = journal.list_open("measure", as_of=moment)
            if number < WARM_UP:
                continue
            lists.append(time.perf_counter() - began)
            shown.append(len(rows))
            if rows:
                began = time.perf_counter()
                journal.get(rows[0].id, as_of=moment)
                singles.append(time.perf_counter() - began)
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("CREATE INDEX textbook ON journal_row (kind, from_seq, to_seq)")
        for _ in range(max(10, reads // 20)):
            at = int(chance.uniform(*span))
            began = time.perf_counter()
            [(seq,)] = raw.execute(
                "SELECT max(seq) FROM journal_event WHERE recorded_us <= ?", (at,)
            ).fetchall()
            raw.execute(
                "SELECT data FROM journal_row INDEXED BY textbook WHERE kind = 'measure' AND from_seq <= ? "
                "AND to_seq > ? AND state NOT IN ('closed', 'withdrawn')",
                (seq, seq),
            ).fetchall()
            textbook.append(time.perf_counter() - began)
    return (*_quantiles(lists), _quantiles(singles)[1]), _quantiles(textbook), statistics.mean(shown)
