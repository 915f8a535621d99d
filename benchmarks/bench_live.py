"""A thousand listening sessions and a hundred commands a second, with and without a cycle, on this machine.

The house is a process of its own over the shipped roads of Beijing, with its worker for cycles; this process
opens one event stream for each session and gives commands (an incident each, authorised, durable) on 32
connections, each at its due time whatever became of the ones before. Latency counts from the due time. View
agreement is counted for every command and every session, from the command's answer to the moment at which
that session's stream has told of it; what a page then fetches is not in it. House, worker and this client
share the machine's cores. A storm of reconnects drops all streams while commands go on, and lets all come
back at once.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness import Row
from benchmarks.live.pages import Given, OpenPage, agreement_s, connect, give, open_pages

PER_S = 100.0


class House:
    """The house's process, and lines to and from it."""

    def __init__(self, folder: Path, sessions: int) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.live.house", str(folder), str(sessions)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.known: dict[str, Any] = self.answer()

    def answer(self) -> Any:
        """The next line it says.

        Raises:
            RuntimeError: it has ended.
        """
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("the house has ended")
        return json.loads(line)

    def ask(self, words: str) -> Any:
        """Say a line and wait for the answer."""
        assert self.process.stdin is not None
        self.process.stdin.write(words + "\n")
        self.process.stdin.flush()
        return self.answer()

    def memory_mib(self, pid: int | None = None) -> float:
        """Resident memory of the house, or of its worker; 0 where the system does not tell."""
        status = Path(f"/proc/{pid or self.process.pid}/status")
        if not status.exists():
            return 0.0
        line = next(x for x in status.read_text().splitlines() if x.startswith("VmRSS:"))
        return int(line.split()[1]) / 1024.0

    def cpu_s(self) -> float:
        """Processor time of the house so far; 0 where the system does not tell."""
        stat = Path(f"/proc/{self.process.pid}/stat")
        if not stat.exists():
            return 0.0
        fields = stat.read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        """End it."""
        self.process.kill()
        self.process.communicate()


async def _cycles(house: House, until: Callable[[], bool]) -> list[float]:
    """Cycle after cycle until told; seconds of each."""
    taken: list[float] = []
    while not until():
        taken.append(float(await asyncio.to_thread(house.ask, "cycle")))
    return taken


async def _storm(house: House, pages: list[OpenPage], name: str) -> tuple[np.ndarray[Any, Any], Given]:
    """Drop every stream while commands go on, and let all come back at once."""
    known = house.known
    commands = asyncio.create_task(give(known["port"], known["token"], known["corridor"], PER_S, 4.0, name))
    await asyncio.sleep(1.0)
    for page in pages:
        assert isinstance(page.transport, asyncio.Transport)
        page.transport.abort()
    await asyncio.sleep(1.0)
    waits = await connect(known["port"], pages)
    given = await commands
    await asyncio.sleep(2.0)
    return waits, given


async def _measure(house: House, seconds: float) -> dict[str, Any]:
    known = house.known
    before_mib = house.memory_mib()
    pages = await open_pages(known["port"], known["sessions"])
    opened_mib = house.memory_mib()
    await asyncio.to_thread(house.ask, "stalls")
    begun, cpu, own = time.perf_counter(), house.cpu_s(), time.process_time()
    quiet = await give(known["port"], known["token"], known["corridor"], PER_S, seconds, "quiet")
    quiet_stalls = await asyncio.to_thread(house.ask, "stalls")
    commands = asyncio.create_task(
        give(known["port"], known["token"], known["corridor"], PER_S, 2 * seconds, "busy")
    )
    cycles = await _cycles(house, commands.done)
    busy = await commands
    await asyncio.sleep(2.0)
    wall = time.perf_counter() - begun
    shares = ((house.cpu_s() - cpu) / wall, (time.process_time() - own) / wall)
    busy_stalls = await asyncio.to_thread(house.ask, "stalls")
    lost = sum(page.lost for page in pages)
    agree = [agreement_s(pages, given) for given in (quiet, busy)]
    resyncs = sum(page.resyncs for page in pages)
    waits, during = await _storm(house, pages, "storm")
    return {
        "quiet": quiet, "busy": busy, "agree": agree, "cycles": cycles, "lost": lost, "resyncs": resyncs,
        "stalls": (quiet_stalls, busy_stalls), "shares": shares, "memory": (before_mib, opened_mib),
        "end_mib": house.memory_mib(), "worker_mib": house.memory_mib(known["worker"]),
        "waits": waits, "missed": float(np.isinf(agreement_s(pages, during)).sum()), "during": during,
    }  # fmt: skip


def run(quick: bool) -> list[Row]:
    """Measure."""
    sessions, seconds = (200, 3.0) if quick else (1000, 10.0)
    with tempfile.TemporaryDirectory() as folder:
        house = House(Path(folder) / "house", sessions)
        try:
            found = asyncio.run(_measure(house, seconds))
        finally:
            house.close()
    return _rows(found, sessions, seconds)


def _rows(found: dict[str, Any], sessions: int, seconds: float) -> list[Row]:
    quiet, busy, during = found["quiet"], found["busy"], found["during"]
    asked = quiet.asked + busy.asked + during.asked
    answered = len(quiet.seqs) + len(busy.seqs) + len(during.seqs)
    house, client = found["shares"]
    ran = f"{len(found['cycles'])} cycles of {np.median(found['cycles']):.1f} s, one after the other"
    load = f"{sessions} sessions, {PER_S:.0f} commands/s, {seconds:.0f} s"
    cores = f"processor: house {house:.0%}, this client {client:.0%} of one core"
    (q50, q95), (b50, b95) = (np.quantile(g.latency_s, [0.5, 0.95]) * 1e3 for g in (quiet, busy))
    agree, agree_busy = (np.quantile(a, [0.95, 1.0]) * 1e3 for a in found["agree"])
    before, opened = found["memory"]
    each = (opened - before) / sessions * 1024
    back_ms = float(np.quantile(found["waits"], 0.95) * 1e3)
    low: dict[str, Any] = {"better": "lower"}
    return [
        Row("commands answered", 100 * answered / asked, None, "%", ">= 100", f"{asked} given; {load}"),
        Row("streams kept", 100 * (1 - found["lost"] / sessions), None, "%", ">= 100",
            f"{found['resyncs']} told to load anew"),
        Row("command latency p50, no cycle", float(q50), None, "ms", None, f"{load}; {cores}", **low),
        Row("command latency p95, no cycle", float(q95), None, "ms", "<= 200", load),
        Row("command latency p50, cycles running", float(b50), None, "ms", None, ran, **low),
        Row("command latency p95, cycles running", float(b95), None, "ms", "<= 200", ran),
        Row("view agreement p95, no cycle", float(agree[0]), None, "ms", "<= 1000",
            "every command and every session"),
        Row("view agreement p95, cycles running", float(agree_busy[0]), None, "ms", "<= 1000", ran),
        Row("view agreement, worst of all", float(max(agree[1], agree_busy[1])), None, "ms", "<= 2000",
            "every open view within two seconds of a commit"),
        Row("longest stall of the event loop, no cycle", found["stalls"][0]["max"], None, "ms", None,
            f"p99 {found['stalls'][0]['p99']:.1f} ms", **low),
        Row("longest stall of the event loop, cycles running", found["stalls"][1]["max"], None, "ms", None,
            f"p99 {found['stalls'][1]['p99']:.1f} ms", **low),
        Row("all streams dropped and back at once: greeted, p95", back_ms, None, "ms", "<= 2000",
            f"{sessions} at once while commands go on; {found['missed']:.0f} commits missed"),
        Row("memory of the house at the end", found["end_mib"], None, "MiB", None,
            f"{each:.0f} KiB for each stream; worker {found['worker_mib']:.0f} MiB", **low),
    ]  # fmt: skip
