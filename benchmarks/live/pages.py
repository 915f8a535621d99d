"""A thousand open pages and the posts that give commands, on plain sockets and cheap."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

POSTS = 32
"""Connections on which commands are given."""


class OpenPage(asyncio.Protocol):
    """One stream: notes when it was told of which journal position; names the last one when it comes back."""

    def __init__(self, secret: str) -> None:
        self.secret = secret
        self.told: list[tuple[float, int]] = []
        self.known, self.hello_at, self.lost = 0, 0.0, False
        self.resyncs = 0
        self.transport: asyncio.BaseTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the stream."""
        self.transport, self.lost, self.hello_at = transport, False, 0.0
        known = f"?seq={self.known}" if self.known else ""
        head = f"GET /console/live{known} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        head += f"Cookie: cw_session={self.secret}\r\n\r\n"
        assert isinstance(transport, asyncio.WriteTransport)
        transport.write(head.encode())

    def data_received(self, data: bytes) -> None:
        """Note the newest position; messages here are far smaller than a segment."""
        place = data.rfind(b"\nid: ")
        if place >= 0:
            start = place + 5
            self.known = int(data[start : data.index(b"\n", start)])
            self.told.append((time.perf_counter(), self.known))
        if not self.hello_at and b"event: hello" in data:
            self.hello_at = time.perf_counter()
            start = data.index(b'"seq":') + 6
            self.known = max(self.known, int(data[start : data.index(b"}", start)]))
        if b"event: resync" in data:
            self.resyncs += 1

    def connection_lost(self, error: Exception | None) -> None:
        """The house has gone, or has asked this page to go."""
        self.lost = True


@dataclass(slots=True)
class Given:
    """What became of the commands: from when each was due to its answer, and the position it got."""

    latency_s: list[float] = field(default_factory=list)
    answered_at: list[float] = field(default_factory=list)
    seqs: list[int] = field(default_factory=list)
    asked: int = 0
    refused: int = 0


async def open_pages(port: int, secrets: Sequence[str]) -> list[OpenPage]:
    """Open a stream for every session and wait until each has been greeted."""
    pages = [OpenPage(secret) for secret in secrets]
    await connect(port, pages)
    return pages


async def connect(port: int, pages: Sequence[OpenPage]) -> NDArray[np.float64]:
    """Connect all at once; returns how long each waited for its greeting [s]."""
    loop, begun = asyncio.get_running_loop(), time.perf_counter()

    async def one(page: OpenPage) -> None:
        await loop.create_connection(lambda: page, "127.0.0.1", port)

    await asyncio.gather(*(one(page) for page in pages))
    until = time.perf_counter() + 60
    while not all(page.hello_at for page in pages):
        if time.perf_counter() > until:
            raise RuntimeError("not every page was greeted within a minute")
        await asyncio.sleep(0.02)
    return np.array([page.hello_at - begun for page in pages])


def _incident(token: str, corridor: str, key: str) -> bytes:
    data = {
        "type": "crash", "headline": {"en": "two cars, one lane blocked", "zh": "两车相撞，占用一条车道"},
        "area": "beijing", "corridors": [corridor],
    }  # fmt: skip
    body = json.dumps({"kind": "incident", "verb": "report", "key": key, "data": data}).encode()
    head = (
        "POST /api/v1/commands HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {token}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def give(port: int, token: str, corridor: str, per_s: float, seconds: float, name: str) -> Given:
    """So many commands a second for so long, each at its time whether or not the ones before are answered."""
    given, queue = Given(), asyncio.Queue[tuple[float, int] | None]()

    async def post() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while (item := await queue.get()) is not None:
            due, number = item
            writer.write(_incident(token, corridor, f"{name}-{number:06d}"))
            head = await reader.readuntil(b"\r\n\r\n")
            length = head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]
            answer = json.loads(await reader.readexactly(int(length)))
            now = time.perf_counter()
            given.latency_s.append(now - due)
            if "seq" in answer:
                given.answered_at.append(now)
                given.seqs.append(answer["seq"])
            else:
                given.refused += 1
        writer.close()

    posts = [asyncio.create_task(post()) for _ in range(POSTS)]
    begun, count = time.perf_counter() + 0.1, round(per_s * seconds)
    for number in range(count):
        due = begun + number / per_s
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        queue.put_nowait((due, number))
        given.asked += 1
    for _ in posts:
        queue.put_nowait(None)
    await asyncio.wait_for(asyncio.gather(*posts), 60)
    return given


def agreement_s(pages: Sequence[OpenPage], given: Given) -> NDArray[np.float64]:
    """For every command and every page: from the answer to when the page was told; infinite if never."""
    seqs, answered = np.array(given.seqs), np.array(given.answered_at)
    waits = []
    for page in pages:
        times = np.array([t for t, _ in page.told] + [np.inf])
        known = np.maximum.accumulate(np.array([s for _, s in page.told] or [0]))
        waits.append(np.maximum(times[np.searchsorted(known, seqs)] - answered, 0.0))
    return np.concatenate(waits)
