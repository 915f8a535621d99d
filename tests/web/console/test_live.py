"""The live stream against slow, lost, late and revoked listeners: nobody misses anything or costs much."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import time
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clearway.kernel.clock import ManualClock
from clearway.operations.storm import kinds_of_house
from clearway.records import SYSTEM, Actor, Command, Journal, Role
from clearway.web.access import AccessStore, Grant
from clearway.web.console import live
from clearway.web.console.live import BYE, NAMED, QUEUE, RESYNC, Hub
from clearway.web.console.window import Commit, Window
from tests.desks.world import AT
from tests.web.browser.conftest import serving, wait_until
from tests.web.conftest import House, house

__all__ = ["house"]


ROOT = "root-area"
GIVER = Actor("li", (Role("duty_officer", ROOT),))


@dataclass
class Stand:
    """What a hub needs of a house, and no more."""

    journal: Journal
    access: AccessStore
    clock: ManualClock = field(default_factory=lambda: ManualClock(AT))
    at: Any = None

    def board(self) -> Any:
        """A board that is only its time."""
        return SimpleNamespace(at=self.at) if self.at is not None else None

    def commit(self, record: str) -> int:
        """Report an incident or change it; returns the position."""
        row = self.journal.find(record)
        version = 0 if row is None else row.version
        data: dict[str, Any] = {"headline": {"en": f"{record} {version}", "zh": "某"}}
        if row is None:
            data |= {"type": "crash", "area": ROOT}
        verb = "update" if row else "report"
        key = f"{record}-{version}-key"
        return self.journal.submit(Command("incident", verb, data, GIVER, key, record)).seq

    def root(self) -> None:
        """The area above all others."""
        data = {"name": {"en": "root", "zh": "根"}, "level": "city"}
        self.journal.submit(Command("area", "open", data, SYSTEM, "root", ROOT))

    def fresh(self) -> dict[str, int]:
        """What a page made now would show: every record and its version."""
        return {row.id: row.version for row in self.journal.list("incident")}


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[Stand]:
    """An empty journal and an empty access store."""
    clock = ManualClock(AT)
    url = f"sqlite:///{(tmp_path / 'journal.sqlite').as_posix()}"
    with Journal.open(url, kinds_of_house(), clock=clock, doctrine_hash="d" * 64) as journal:
        access = AccessStore(tmp_path / "access.sqlite", clock)
        stand = Stand(journal, access, clock)
        stand.root()
        yield stand
        access.close()


def in_hub(stand: Stand, work: Callable[[Hub], Coroutine[Any, Any, None]]) -> None:
    """Run ``work`` beside a hub whose own rounds are left to the test."""

    async def run() -> None:
        hub = Hub(stand)  # type: ignore[arg-type]  # as much of a house as the hub looks at
        hub._loop, hub._wake = asyncio.get_running_loop(), asyncio.Event()
        hub._window.prime(*hub._lately())
        hub._told = hub._window.head
        await work(hub)

    asyncio.run(run())


def frames(data: bytes) -> list[tuple[str, dict[str, Any]]]:
    """Name and content of each event."""
    found = []
    for block in data.decode().split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
        if "event" in lines:
            found.append((lines["event"], json.loads(lines["data"])))
    return found


class Page:
    """A client as it should be: reads again what it is told has changed, everything on ``resync``."""

    def __init__(self, stand: Stand) -> None:
        self.stand, self.known = stand, 0
        self.shown: dict[str, int] = {}
        self.listener: Any = None

    def load(self) -> None:
        """Made on the server at this moment."""
        self.known = self.stand.journal.head().seq
        self.shown = self.stand.fresh()

    def join(self, hub: Hub) -> None:
        """Open the stream, naming the last position known."""
        self.listener = hub.join("session")
        self.hear(hub.hello(self.known))

    def hear(self, data: bytes) -> None:
        """Do what the events say."""
        for name, told in frames(data):
            if name == "change":
                self.known = told["seq"]
                wanted = list(self.stand.fresh()) if told["more"] else told["records"]
                for record in wanted:
                    self.shown[record] = self.stand.journal.get(record).version
            elif name == "resync":
                self.shown = self.stand.fresh()

    def read(self) -> None:
        """Take what is queued."""
        if self.listener is not None:
            self.hear(b"".join(self.listener.queue))
            self.listener.queue.clear()


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("commit"), st.integers(0, 6)),
        st.tuples(st.just("burst"), st.integers(0, 6)),
        st.tuples(st.just("tell"), st.just(0)),
        st.tuples(st.just("read"), st.integers(0, 2)),
        st.tuples(st.just("drop"), st.integers(0, 2)),
        st.tuples(st.just("join"), st.integers(0, 2)),
    ),
    max_size=60,
)


@settings(max_examples=40)
@given(steps=STEPS, kept=st.integers(3, 40))
def test_whoever_applies_the_stream_sees_what_a_fresh_page_sees(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]], kept: int
) -> None:
    """However pages come, go, come back late or read slowly: in the end they show what is."""
    folder = tmp_path_factory.mktemp("stream")
    url = f"sqlite:///{(folder / 'journal.sqlite').as_posix()}"
    clock = ManualClock(AT)
    with Journal.open(url, kinds_of_house(), clock=clock, doctrine_hash="d" * 64) as journal:
        stand = Stand(journal, SimpleNamespace(), clock)  # type: ignore[arg-type]  # nobody signs in here
        stand.root()

        async def work(hub: Hub) -> None:
            hub._window = Window(kept)
            hub._window.prime(1, [])
            pages = [Page(stand) for _ in range(3)]
            for page in pages:
                page.load()
                page.join(hub)
            for what, number in steps:
                page = pages[number % 3]
                if what == "commit":
                    stand.commit(f"area-{number}")
                elif what == "burst":
                    for other in range(NAMED // 10 + number):
                        stand.commit(f"area-{other}")
                elif what == "tell":
                    await hub._tell()
                elif what == "read":
                    page.read()
                elif what == "drop" and page.listener is not None:
                    hub.leave(page.listener)
                    page.listener = None
                elif what == "join" and page.listener is None:
                    page.join(hub)
            for page in pages:
                if page.listener is None:
                    page.join(hub)
            await hub._tell()
            for page in pages:
                page.read()
                assert page.shown == stand.fresh()
                assert len(page.listener.queue) <= QUEUE

        in_hub(stand, work)


@given(
    head=st.integers(0, 30),
    sizes=st.lists(st.integers(1, 7), max_size=12),
    limit=st.integers(1, 25),
    after=st.integers(0, 80),
    span=st.integers(0, 80),
)
def test_window_gives_all_between_or_says_that_it_cannot(
    head: int, sizes: list[int], limit: int, after: int, span: int
) -> None:
    """Never a part: either every commit between two positions, or None."""
    window = Window(limit)
    window.prime(head, [Commit(n, "k", str(n)) for n in range(max(1, head - limit + 1), head + 1)])
    last = head
    for size in sizes:
        window.add(Commit(n, "k", str(n)) for n in range(max(1, last - 1), last + size + 1))
        last += size
    assert window.head == last
    found = window.between(after, after + span)
    if found is not None:
        assert [c.seq for c in found] == list(range(after + 1, after + span + 1))
    elif span:
        assert after + span > last or after < last - limit


def test_a_gap_begins_the_window_anew() -> None:
    """Commits that were never seen make everything before them useless: the answer is None, not a part."""
    window = Window(10)
    window.prime(3, [Commit(n, "k", str(n)) for n in (1, 2, 3)])
    window.add([Commit(7, "k", "7")])
    assert window.between(2, 7) is None
    assert window.between(6, 7) == [Commit(7, "k", "7")]


def test_positions_too_old_or_of_another_journal_are_resynchronised(stand: Stand) -> None:
    """A page that knows a position before the window, or after the end, loads anew; others catch up."""

    async def work(hub: Hub) -> None:
        hub._window = Window(5)
        hub._window.prime(1, [])
        for number in range(12):
            stand.commit(f"a{number}")
        await hub._tell()
        assert RESYNC in hub.hello(3)
        assert RESYNC in hub.hello(99_999)
        (_, _), (name, told) = frames(hub.hello(10))
        assert (name, told["records"], told["seq"]) == ("change", ["a9", "a10", "a11"], 13)
        assert frames(hub.hello(13)) == frames(hub.hello(None))
        ahead = stand.commit("b")
        assert [name for name, _ in frames(hub.hello(ahead))] == ["hello"], "it comes as a change"

    in_hub(stand, work)


def test_a_thousand_who_come_back_cost_one_message(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a restart everybody names about the same position: what they missed is put together once."""

    async def work(hub: Hub) -> None:
        for number in range(30):
            stand.commit(f"a{number}")
        await hub._tell()
        made: list[int] = []

        def message(_: Hub, commits: list[Commit]) -> bytes:
            made.append(len(commits))
            return b"event: change\n\n"

        monkeypatch.setattr(Hub, "_message", message)
        monkeypatch.setattr(Journal, "events", lambda *_: pytest.fail("the store was asked"))
        for number in range(1000):
            hub.join(f"session-{number}")
            assert b"event: change" in hub.hello(25)
        assert made == [6]
        assert hub.listeners == 1000

    in_hub(stand, work)


def test_who_never_reads_costs_eight_messages_and_is_ended(stand: Stand) -> None:
    """A full queue becomes one word; a client that takes nothing for long is ended, its stream cancelled."""
    account = stand.access.create_account("li", "Li")
    stand.access.grant(account.id, Grant("duty_officer", "town"))
    secret, _ = stand.access.open_session(account.id, strong=False, agent="")

    async def work(hub: Hub) -> None:
        from clearway.web.access.base import digest_of

        listener, ended = hub.join(digest_of(secret)), []
        listener.end = lambda: ended.append(1)
        for number in range(100):
            stand.commit(f"a{number % 3}")
            await hub._tell()
            assert len(listener.queue) <= QUEUE
        assert RESYNC in listener.queue
        await hub.sweep(listener.told_at + live.STUCK_S - 1)
        assert (ended, listener.closing) == ([], False)
        await hub.sweep(listener.told_at + live.STUCK_S + 1)
        assert (ended, listener.closing) == ([1], True)

    in_hub(stand, work)


@pytest.mark.parametrize("how", ["signed out", "disabled", "no role", "token revoked"])
def test_revoked_while_streaming_is_told_to_leave_however_much_comes(stand: Stand, how: str) -> None:
    """A busy stream ends as well: the look does not wait for silence."""
    from clearway.web.access.base import digest_of

    account = stand.access.create_account("li", "Li")
    stand.access.grant(account.id, Grant("duty_officer", "town"))
    token = stand.access.issue_token(account.id, scopes=frozenset({"read"}), label="x")
    session, _ = stand.access.open_session(account.id, strong=False, agent="")
    other = stand.access.create_account("wang", "Wang")
    stand.access.grant(other.id, Grant("duty_officer", "town"))
    stays, _ = stand.access.open_session(other.id, strong=False, agent="")

    async def work(hub: Hub) -> None:
        mine = hub.join(digest_of(token if how == "token revoked" else session))
        others = hub.join(digest_of(stays))
        await hub.sweep(time.monotonic())
        assert not mine.closing
        match how:
            case "signed out":
                stand.access.end_session(session)
            case "disabled":
                stand.access.disable(account.id)
            case "no role":
                stand.access.revoke_grant(account.id, "duty_officer", "town")
            case _:
                stand.access.revoke_tokens(account.id)
        stand.commit("a")
        await hub._tell()
        await hub.sweep(time.monotonic())
        assert list(mine.queue) == [BYE]
        stand.commit("b")
        await hub._tell()
        assert list(mine.queue) == [BYE], "nothing is told to who may not know"
        assert not others.closing

    in_hub(stand, work)


def test_a_new_cycle_is_told_under_constant_load_and_failures_end_nothing(
    stand: Stand, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Commits without a pause do not keep the cycle back; a board that cannot be read is said once."""
    monkeypatch.setattr(live, "PAUSE_S", 0.0)
    monkeypatch.setattr(live, "LOOK_S", 0.01)

    async def run() -> None:
        hub = Hub(stand)  # type: ignore[arg-type]  # as much of a house as the hub looks at
        async with hub.running():
            listener = hub.join("s")
            heard: set[str] = set()

            async def until(name: str) -> None:
                number = 0
                while name not in heard:
                    await asyncio.to_thread(stand.commit, f"a{number % 5}")
                    number += 1
                    message = await listener.next()
                    heard.update(kind for kind, _ in frames(message or b""))

            await until("change")
            stand.at = AT
            await until("cycle")
            heard.clear()
            monkeypatch.setattr(Stand, "board", lambda self: 1 / 0)
            await until("change")
            heard.clear()
            await until("change")
            monkeypatch.undo()

    with caplog.at_level(logging.ERROR):
        asyncio.run(run())
    assert sum("ZeroDivisionError" in r.message for r in caplog.records) == 1


def test_revoked_session_and_taken_alarm_are_told_at_once(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A change of the access store is followed by a look at once, not by the next regular one."""
    from clearway.web.access.base import digest_of

    monkeypatch.setattr(live, "SWEEP_S", 1e6)
    account = stand.access.create_account("li", "Li")
    stand.access.grant(account.id, Grant("duty_officer", "town"))
    session, _ = stand.access.open_session(account.id, strong=False, agent="")

    start = stand.clock.now()

    async def run() -> None:
        hub = Hub(stand, lambda: repr(stand.access.alarms_seen()))  # type: ignore[arg-type]  # as above
        async with hub.running():
            listener = hub.join(digest_of(session))

            async def until(words: bytes) -> None:
                heard = b""
                while words not in heard:
                    heard = await asyncio.wait_for(listener.next(), 60) or b""  # type: ignore[arg-type]  # Awaitable
                    assert heard or not listener.closing, "the stream ended"

            await asyncio.to_thread(stand.access.take_alarm, "some|alarm", account.id, start, start)
            await until(b"some|alarm")
            await asyncio.to_thread(stand.access.revoke_session, account.id, digest_of(session)[:16])
            await until(BYE)
            assert listener.closing

    asyncio.run(run())


def _connect(port: int, headers: dict[str, str], after: int | None = None) -> socket.socket:
    link = socket.create_connection(("127.0.0.1", port))
    known = f"?seq={after}" if after is not None else ""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    link.sendall(f"GET /console/live{known} HTTP/1.1\r\nHost: 127.0.0.1\r\n{lines}\r\n".encode())
    return link


def _until(link: socket.socket, words: bytes) -> bytes:
    link.settimeout(20)
    heard = b""
    while words not in heard:
        data = link.recv(65_536)
        assert data, f"the stream ended before {words!r}: {heard!r}"
        heard += data
    return heard


def test_over_real_sockets_gone_half_open_and_back_after_a_restart(house: House) -> None:
    """Streams whose other end is gone are forgotten; after a restart many come back at once and catch up."""
    headers = [house.token("duty_officer", "read", login=f"reader-{n}") for n in range(40)]
    incident = {
        "kind": "incident", "verb": "report",
        "data": {"type": "crash", "headline": {"en": "x", "zh": "某"}, "area": "town"},
    }  # fmt: skip
    giver = house.token("duty_officer")

    def report(key: str) -> int:
        answer = house.client.post("/api/v1/commands", json={**incident, "key": key}, headers=giver)
        return int(answer.json()["seq"])

    with serving(house.services) as address:
        port = int(address.rsplit(":", 1)[1])
        links = [_connect(port, h) for h in headers]
        for link in links:
            _until(link, b"event: hello")
        seq = report("while-they-listen")
        for link in links:
            assert b"incident" in _until(link, f"id: {seq}\n".encode())
        hub = _hub_of(port)
        assert hub.listeners == 40
        for link in links[:20]:
            link.close()
        for link in links[20:]:
            link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
            link.close()
        wait_until(lambda: hub.listeners == 0, "streams of pages that are gone are still open")
    missed = [report(f"while-it-was-away-{n}") for n in range(3)]
    with serving(house.services) as address:
        port = int(address.rsplit(":", 1)[1])
        links = [_connect(port, h, seq) for h in headers]
        for link in links:
            assert b'"incident"' in _until(link, f"id: {missed[-1]}\n".encode())
            link.close()


def _hub_of(port: int) -> Hub:
    import gc

    hubs = [o for o in gc.get_objects() if isinstance(o, Hub) and o._loop is not None and o.listeners == 40]
    assert len(hubs) == 1, port
    return hubs[0]


def test_too_many_windows_of_one_session(house: House) -> None:
    """The fifth window of a session sends the first one away with a word."""
    headers = house.token("duty_officer", "read")
    with serving(house.services) as address:
        port = int(address.rsplit(":", 1)[1])
        links = []
        for _ in range(live.PER_SESSION + 1):
            links.append(_connect(port, headers))
            _until(links[-1], b"event: hello")
        assert b"event: bye" in _until(links[0], b"event: bye")
        for link in links:
            link.close()


def test_strangers_heads_and_nonsense(house: House) -> None:
    """Nobody listens without a session; HEAD ends at once; a position that is no number counts as none."""
    assert house.client.get("/console/live").status_code == 401
    headers = house.token("duty_officer", "read")
    assert house.client.head("/console/live", headers=headers).status_code == 200
    assert house.client.post("/console/live", headers=headers).status_code == 405
    with serving(house.services) as address:
        port = int(address.rsplit(":", 1)[1])
        for wrong in ("-1", "1e9", "9" * 40, "%00"):
            link = socket.create_connection(("127.0.0.1", port))
            token = headers["authorization"]
            asked = f"GET /console/live?seq={wrong} HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\n\r\n"
            link.sendall(asked.encode())
            assert b"200 OK" in _until(link, b"event: hello")
            link.close()
