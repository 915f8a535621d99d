"""Commands and public reads over HTTP, beside bare uvicorn serving the same bytes in the same run.

Client and server share the machine's cores. Bare uvicorn gives the same head and body from a function that
does nothing else, over the same parser and event loop.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.harness import Row

CONNECTIONS = 64
ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Load:
    """Answers per second and latencies [s] of one run."""

    per_s: float
    p50_s: float
    p99_s: float
    failed: int


async def _worker(port: int, requests: Sequence[bytes], times: list[float], failed: list[int]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for request in requests:
        begun = time.perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1])
            for line in head.lower().split(b"\r\n")
            if line.startswith(b"content-length")
        )
        await reader.readexactly(length)
        times.append(time.perf_counter() - begun)
        if not head.startswith(b"HTTP/1.1 2"):
            failed.append(1)
    writer.close()


async def _load(port: int, per_worker: Sequence[Sequence[bytes]]) -> Load:
    times: list[float] = []
    failed: list[int] = []
    begun = time.perf_counter()
    await asyncio.gather(*(_worker(port, requests, times, failed) for requests in per_worker))
    wall = time.perf_counter() - begun
    p50, p99 = np.quantile(times, [0.5, 0.99])
    return Load(len(times) / wall, float(p50), float(p99), len(failed))


def _get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept-Language: en\r\n\r\n".encode()


def _incident(token: str, key: str) -> bytes:
    body = json.dumps(
        {
            "kind": "incident",
            "verb": "report",
            "key": key,
            "data": {
                "type": "slippery",
                "headline": {"en": "ice on the ramp", "zh": "匝道结冰"},
                "area": "town",
                "corridors": ["cor-0"],
            },
        }
    ).encode()
    head = (
        "POST /api/v1/commands HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {token}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _start(mode: str, folder: Path) -> tuple[subprocess.Popen[bytes], int, str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.http_house", mode, str(folder)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    port, token = process.stdout.readline().decode().split()
    for _ in range(200):
        try:
            asyncio.run(_load(int(port), [[_get("/")]]))
            break
        except OSError:
            time.sleep(0.1)
    return process, int(port), token


def _reads(folder: Path, path: str, count: int) -> tuple[Load, Load]:
    """Ours and the bare one in turns, so that both meet the same machine; the median round of each."""
    started = [_start(mode, folder / mode[:4]) for mode in ("house", f"bare:{path}")]
    rounds: list[list[Load]] = [[], []]
    try:
        for _ in range(ROUNDS):
            for (_, port, _), loads in zip(started, rounds, strict=True):
                work = [[_get(path)] * (count // CONNECTIONS)] * CONNECTIONS
                loads.append(asyncio.run(_load(port, work)))
    finally:
        for process, _, _ in started:
            process.terminate()
            process.wait()
    ours, bare = (sorted(loads, key=lambda load: load.per_s)[len(loads) // 2] for loads in rounds)
    return ours, bare


def _commands(folder: Path, count: int) -> Load:
    process, port, token = _start("house", folder)
    try:
        each = count // CONNECTIONS
        work = [[_incident(token, f"bench-{w}-{i}") for i in range(each)] for w in range(CONNECTIONS)]
        asyncio.run(_load(port, [[_incident(token, "warm-up-0001")]]))
        return asyncio.run(_load(port, work))
    finally:
        process.terminate()
        process.wait()


def run(quick: bool) -> list[Row]:
    """Measure commands with authorisation, the public page and the feed."""
    count = 640 if quick else 6400
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        load = _commands(folder / "c", count)
        words = f"{CONNECTIONS} connections, {load.failed} failed"
        rows.append(
            Row("durable commands over HTTP with authorisation", load.per_s, None, "1/s", ">= 500", words)
        )
        rows.append(Row("command latency p99", load.p99_s * 1000, None, "ms", None, words))
        for path, label in (("/", "public page"), ("/feed.atom", "feed")):
            ours, bare = _reads(folder / label.replace(" ", ""), path, 4 * count)
            note = (
                f"p99 {ours.p99_s * 1000:.0f} ms, {ours.failed} failed; peer: bare uvicorn, the same bytes; "
                f"median of {ROUNDS} rounds in turn"
            )
            rows.append(Row(f"{label}, answers", ours.per_s, bare.per_s, "1/s", "0.7x", note))
    return rows
