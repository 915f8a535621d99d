"""The house that is measured, in a process of its own: ``python -m benchmarks.live.house DIR SESSIONS``.

Clearway over the shipped roads of Beijing as ``clearway serve`` runs it, cycles in their worker. Prints one
JSON line (port, token, secrets of the sessions) and then obeys lines on its input: ``cycle`` runs one and
answers with its seconds, ``stalls`` answers with the event loop's longest waits since the last asking,
``stop`` ends.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from clearway.cli.serving import demo_accounts, keep_cycles, listen, serve_on, storm_services
from clearway.operations.apart import CycleProcess
from clearway.operations.storm import DEFAULT_FROM, open_storm
from clearway.web.app import create_app
from clearway.web.services import Services

START = DEFAULT_FROM + timedelta(hours=44)
TICK_S = 0.005


class Stalls:
    """How late the event loop comes back to a task that sleeps for a moment."""

    def __init__(self) -> None:
        self.late_s: list[float] = []

    async def watch(self) -> None:
        """Look again and again."""
        while True:
            due = time.perf_counter() + TICK_S
            await asyncio.sleep(TICK_S)
            self.late_s.append(max(0.0, time.perf_counter() - due))

    def take(self) -> dict[str, float]:
        """Longest and 99th percentile since the last time [ms]."""
        late, self.late_s = sorted(self.late_s), []
        if not late:
            return {"max": 0.0, "p99": 0.0}
        return {"max": late[-1] * 1e3, "p99": late[int(0.99 * (len(late) - 1))] * 1e3}


def _sessions(house: Services, count: int) -> tuple[str, list[str]]:
    access = house.access
    duty = next(a for a in access.accounts() if a.login == "duty")
    token = access.issue_token(duty.id, scopes=frozenset({"read", "command"}), label="bench")
    return token, [access.open_session(duty.id, strong=False, agent="bench")[0] for _ in range(count)]


def _watched(app: FastAPI, stalls: Stalls) -> FastAPI:
    inner = app.router.lifespan_context

    @asynccontextmanager
    async def running(it: FastAPI) -> AsyncIterator[Any]:
        async with inner(it) as state:
            task = asyncio.create_task(stalls.watch())
            yield state
            task.cancel()

    app.router.lifespan_context = running
    return app


def _say(value: object) -> None:
    print(json.dumps(value), flush=True)


def main(folder: Path, count: int) -> None:
    """Serve until told to stop, or until whoever began this is gone."""
    storm = open_storm(folder, START, simulate=False)
    session = storm.session
    cycles = keep_cycles(session)
    session.runner = worker = CycleProcess(session.ground)
    worker.start()
    session.step(START)
    house = storm_services(storm, folder, 0, cycles, worker)
    demo_accounts(house.access, storm.deployment.area)
    token, secrets = _sessions(house, count)
    listener, stalls = listen("127.0.0.1", 0), Stalls()
    listener.listen(2048)
    known = {"port": listener.getsockname()[1], "token": token, "sessions": secrets}
    _say({**known, "worker": worker.pid, "corridor": storm.network.corridors[0].id})

    def obey() -> None:
        at = START
        for line in sys.stdin:
            if line.strip() == "cycle":
                at += timedelta(hours=1)
                begun = time.perf_counter()
                session.step(at)
                _say(time.perf_counter() - begun)
            elif line.strip() == "stalls":
                _say(stalls.take())
            elif line.strip() == "stop":
                break
        worker.close()
        os._exit(0)

    threading.Thread(target=obey, daemon=True).start()
    serve_on(_watched(create_app(house), stalls), listener)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
