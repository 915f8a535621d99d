"""Fold SQLite's write-ahead log back into the file beside the writer; no commit has to wait for it."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Final

LOOK_S: Final = 0.25
FOLD_BYTES: Final = 16 << 20
"""From this size on the log is folded, while the writer goes on."""

RESTART_BYTES: Final = 64 << 20
"""From this size on the log also starts anew, for which the writer waits a moment."""


class LogFolder:
    """A thread that looks after the log of one SQLite file.

    A fold copies pages to the file and flushes it while commits go on appending to the log. Only starting the
    log anew needs the writer to stand still; folding right before keeps that short. If the thread cannot do
    its work (a locked or full disk), the writer's own limit still holds (:data:`WAL_PAGES` of the store).
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._log = path.with_name(path.name + "-wal")
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="clearway-log", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread."""
        self._ending.set()
        self._thread.join()

    def _size(self) -> int:
        try:
            return self._log.stat().st_size
        except FileNotFoundError:
            return 0

    def _run(self) -> None:
        folded = 0
        while not self._ending.wait(LOOK_S):
            size = self._size()
            if size < FOLD_BYTES:
                folded = 0
            elif size >= folded + FOLD_BYTES or size >= RESTART_BYTES:
                folded = size if self._fold(restart=size >= RESTART_BYTES) else 0

    def _fold(self, *, restart: bool) -> bool:
        """Whether it could be done; a store that is busy or failing is left to the writer."""
        try:
            with closing(sqlite3.connect(self._path, timeout=1.0, isolation_level=None)) as raw:
                raw.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
                if restart:
                    raw.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
                    raw.execute("PRAGMA wal_checkpoint(RESTART)").fetchall()
        except sqlite3.Error:
            return False
        return True
