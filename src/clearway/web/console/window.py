"""The last commits as far as open pages need them: number, kind, record and verb; what a page missed is here.

Filled by the journal's writer thread, read by the event loop. A page that comes back after less than the
window holds is told what it missed without a look into the store, however many come back at once.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Final, NamedTuple

import msgspec

from clearway.records.tickets import Written

KEPT: Final = 2_000


class Commit(NamedTuple):
    """One commit as pages hear of it."""

    seq: int
    kind: str
    record: str
    verb: str = ""


class _Named(msgspec.Struct):
    kind: str
    record: str
    verb: str


_named: Final = msgspec.json.Decoder(_Named).decode


class Window:
    """The last ``limit`` commits in order, without gaps. Thread safe."""

    def __init__(self, limit: int = KEPT) -> None:
        self._commits: deque[Commit] = deque(maxlen=limit)
        self._lock = threading.Lock()
        self._head = 0

    @property
    def head(self) -> int:
        """Number of the last commit."""
        return self._head

    def prime(self, head: int, commits: Sequence[Commit]) -> None:
        """Begin with what the store holds; what was put meanwhile stays."""
        with self._lock:
            later = [c for c in self._commits if c.seq > head]
            self._commits.clear()
            self._commits.extend([*commits, *later])
            self._head = max(self._head, head)

    def put(self, written: Iterable[Written]) -> None:
        """Commits of this process, called by the writer."""
        self.add(Commit(w.seq, *_read(w.body)) for w in written)

    def add(self, commits: Iterable[Commit]) -> None:
        """Commits in order; those known already are passed over, and a gap begins the window anew."""
        with self._lock:
            for commit in commits:
                if commit.seq <= self._head:
                    continue
                if commit.seq != self._head + 1:
                    self._commits.clear()
                self._commits.append(commit)
                self._head = commit.seq

    def between(self, after: int, upto: int) -> list[Commit] | None:
        """Commits with ``after < seq <= upto``; None when some of them are not here."""
        with self._lock:
            if after >= upto:
                return []
            if not self._commits or after + 1 < self._commits[0].seq or upto > self._head:
                return None
            first = after + 1 - self._commits[0].seq
            return list(islice(self._commits, first, first + upto - after))


def _read(body: str) -> tuple[str, str, str]:
    found = _named(body)
    return found.kind, found.record, found.verb
