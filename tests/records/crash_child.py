"""A writer for the crash tests. Loads everything once, then forks a child for each run; the children work as
fast as they can, say what was acknowledged, and are killed by the test at any moment.
"""

from __future__ import annotations

import os
import sys
import threading
import traceback
from importlib import import_module

from clearway.kernel.clock import SystemClock
from clearway.records import Command, Journal, Kinds, load_kinds
from tests.records.world import DUTY, set_up, task

THREADS = 3


def say(out: int, *words: object) -> None:
    """One line in one write: what the kernel has taken survives the kill."""
    os.write(out, (" ".join(map(str, words)) + "\n").encode())


def work(journal: Journal, out: int, run: str, name: int) -> None:
    """Open a task and, in one unit, acknowledge it and start it; one line for each answer."""
    number = 0
    while True:
        number += 1
        record = f"t-{run}-{name}-{number}"
        event = journal.submit(Command("task", "open", task(), DUTY, f"{record}/open", record))
        say(out, "A", record, 1, event.seq, event.hash)
        steps = [
            Command("task", "acknowledge", {}, DUTY, f"{record}/ack", record),
            Command("task", "start", {}, DUTY, f"{record}/start", record),
        ]
        last = journal.submit_many(steps)[-1]
        say(out, "A", record, 3, last.seq, last.hash)


def child(url: str, run: str, path: str, kinds: Kinds) -> None:
    """Open the store, whatever happened before, and work until killed."""
    out = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    journal = Journal.open(url, kinds, clock=SystemClock(), doctrine_hash="d" * 64, lease_s=2.0)
    say(out, "O", journal.role)
    if not journal.wait_until_writer(20):
        say(out, "E", "never became the writer")
        return
    if journal.find("county") is None:
        set_up(journal)
    say(out, "R")
    for name in range(THREADS):
        threading.Thread(target=work, args=(journal, out, run, name), daemon=True).start()
    threading.Event().wait()


def main() -> None:
    """For each line ``url run path`` on stdin: fork, say the child's pid, wait for its end."""
    kinds = load_kinds()
    for name in ("clearway.records.journal", "psycopg", "sqlalchemy.dialects.postgresql.psycopg"):
        import_module(name)
    for line in sys.stdin:
        url, run, path = line.split()
        pid = os.fork()
        if pid == 0:
            try:
                child(url, run, path, kinds)
            except BaseException:  # noqa: BLE001 - the test must hear of whatever went wrong
                traceback.print_exc()
            finally:
                os._exit(1)
        print(pid, flush=True)
        os.waitpid(pid, 0)
        print("ended", flush=True)


if __name__ == "__main__":
    main()
