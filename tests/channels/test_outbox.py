"""What is enqueued goes out once the disk has it: in order, retried, receipted, never after its expiry."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clearway.channels.model import FINAL, DeliveryError, OutMessage, Receipt, State
from clearway.channels.outbox import Outbox
from clearway.channels.policy import RetryPolicy
from clearway.channels.registry import DrillChannels, LiveChannels
from clearway.kernel.clock import ManualClock
from clearway.kernel.errors import (
    ConflictError,
    ForbiddenError,
    InputError,
    NotFoundError,
    SystemFailureError,
)
from tests.channels.making import DOWN, NEVER, QUICK, T0, ScriptedChannel, out, outbox


@pytest.fixture
def clock() -> ManualClock:
    """A clock that stands still."""
    return ManualClock(T0)


def states(box: Outbox) -> dict[tuple[str, str], State]:
    """State by message and channel."""
    return {(s.message_id, s.channel): s.state for s in box.status()}


def test_a_message_goes_out_once_per_channel(tmp_path: Path, clock: ManualClock) -> None:
    """Each channel gets it once, with a receipt; a second pass does nothing."""
    box, one, two = outbox(tmp_path, clock), ScriptedChannel("one"), ScriptedChannel("two")
    channels = LiveChannels([one, two])
    assert box.enqueue(out("a"), ["one", "two"]) == 2
    assert box.deliver(channels) == 2
    assert box.deliver(channels) == 0
    assert one.seen == two.seen == [("a", 1)]
    (first, _) = box.status("a")
    assert (first.state, first.receipt, first.attempts) == (State.ACKNOWLEDGED, "ok", 1)
    assert first.sent_at == first.acknowledged_at == T0
    assert first.next_at is None
    assert box.counts() == {"one": {"acknowledged": 1}, "two": {"acknowledged": 1}}
    assert first.as_dict()["acknowledged_at"] == "2015-11-22T01:00:00Z"


def test_enqueueing_is_idempotent(tmp_path: Path, clock: ManualClock) -> None:
    """The same message may be enqueued again, also for more channels; other content under its id may not."""
    box = outbox(tmp_path, clock)
    assert box.enqueue(out("a"), ["one"]) == 1
    assert box.enqueue(out("a"), ["one"]) == 0
    assert box.enqueue(out("a"), ["one", "two"]) == 1
    with pytest.raises(ConflictError):
        box.enqueue(out("a", body=b"<other/>"), ["one"])
    with pytest.raises(ConflictError):
        box.enqueue_all([(out("b"), ("one",)), (out("a", body=b"<other/>"), ("one",))])
    assert box.status("b") == []


def test_delivered_bytes_are_the_enqueued_bytes(tmp_path: Path, clock: ManualClock) -> None:
    """A message comes out of the file as it went in."""
    box, got = outbox(tmp_path, clock), list[OutMessage]()
    message = out("a", "earlier", body=bytes(range(1, 256)))
    box.enqueue(message, ["one"])
    box.deliver(LiveChannels([ScriptedChannel("one", hook=got.append)]))
    assert got == [message]


def test_retries_with_growing_pauses(tmp_path: Path, clock: ManualClock) -> None:
    """A failing channel is tried again after growing pauses, then given up; every attempt is on record."""
    box, channel = outbox(tmp_path, clock), ScriptedChannel("one", DOWN)
    channels = LiveChannels([channel])
    box.enqueue(out("a"), ["one"])
    pauses = []
    while True:
        box.deliver(channels)
        (status,) = box.status("a")
        if status.state is State.EXHAUSTED:
            break
        assert status.state is State.FAILED
        assert status.next_at is not None
        pauses.append((status.next_at - clock.now()).total_seconds())
        clock.set(status.next_at - timedelta(milliseconds=1))
        assert box.deliver(channels) == 0
        clock.set(status.next_at)
    assert [n for _, n in channel.seen] == [1, 2, 3, 4, 5]
    assert all(whole / 2 <= pause <= whole for pause, whole in zip(pauses, (2, 4, 8, 16), strict=True))
    attempts = box.attempts("a")
    assert [(a["number"], a["outcome"]) for a in attempts] == [(n, "failed") for n in range(1, 5)] + [
        (5, "retry_exhausted")
    ]
    assert status.error == "no answer"


def test_success_after_failures(tmp_path: Path, clock: ManualClock) -> None:
    """When the receiver comes back, the message arrives."""
    box = outbox(tmp_path, clock)
    channels = LiveChannels([ScriptedChannel("one", DOWN, DOWN, Receipt(True, "r3"))])
    box.enqueue(out("a"), ["one"])
    for _ in range(3):
        box.deliver(channels)
        clock.advance(timedelta(minutes=2))
    assert states(box) == {("a", "one"): State.ACKNOWLEDGED}
    assert box.status("a")[0].error == ""


def test_final_refusals_are_not_retried(tmp_path: Path, clock: ManualClock) -> None:
    """What the receiver refuses for good is not sent again, and does not hold up other messages."""
    box, channel = outbox(tmp_path, clock), ScriptedChannel("one", NEVER, Receipt(True))
    box.enqueue_all([(out("a"), ("one",)), (out("b"), ("one",))])
    assert box.deliver(LiveChannels([channel])) == 2
    assert states(box) == {("a", "one"): State.REFUSED, ("b", "one"): State.ACKNOWLEDGED}


def test_a_failing_channel_is_left_alone_for_the_pass(tmp_path: Path, clock: ManualClock) -> None:
    """A dead receiver costs one try a pass, not one per message; what was not tried has lost nothing."""
    box, channel = outbox(tmp_path, clock), ScriptedChannel("one", DOWN, Receipt(True))
    box.enqueue_all([(out(f"m{i}"), ("one",)) for i in range(5)])
    assert box.deliver(LiveChannels([channel])) == 1
    assert [s.attempts for s in box.status()] == [1, 0, 0, 0, 0]
    assert box.deliver(LiveChannels([channel])) == 4
    assert states(box)["m0", "one"] is State.FAILED


def test_what_the_receiver_asks_for_is_honoured(tmp_path: Path, clock: ManualClock) -> None:
    """A Retry-After is kept, up to the longest pause."""
    box = outbox(tmp_path, clock)
    busy = DeliveryError("busy", retry_after_s=45.0)
    box.enqueue(out("a"), ["one"])
    box.deliver(LiveChannels([ScriptedChannel("one", busy)]))
    assert box.next_due() == T0 + timedelta(seconds=45)


def test_an_update_waits_for_its_alert(tmp_path: Path, clock: ManualClock) -> None:
    """On each channel by itself, the Update goes out only after the Alert was acknowledged or given up."""
    box, good, bad = outbox(tmp_path, clock), ScriptedChannel("good"), ScriptedChannel("bad", DOWN)
    channels = LiveChannels([good, bad])
    box.enqueue_all(
        [(out("a"), ("good", "bad")), (out("u", "a"), ("good", "bad")), (out("x"), ("good", "bad"))]
    )
    box.deliver(channels)
    assert [m for m, _ in good.seen] == ["a", "u", "x"] or [m for m, _ in good.seen] == ["a", "x", "u"]
    assert states(box)["u", "bad"] is State.QUEUED
    for _ in range(40):
        clock.advance(timedelta(minutes=2))
        box.deliver(channels)
    order = [m for m, _ in bad.seen]
    assert order.index("u") > max(i for i, m in enumerate(order) if m == "a")
    assert states(box)["a", "bad"] is State.EXHAUSTED
    assert order.count("u") == QUICK.max_attempts


def test_order_of_enqueueing_does_not_matter_for_unknown_messages(tmp_path: Path, clock: ManualClock) -> None:
    """A message that follows one which was never enqueued here is not held up."""
    box, channel = outbox(tmp_path, clock), ScriptedChannel("one")
    box.enqueue(out("u", "never-seen"), ["one"])
    assert box.deliver(LiveChannels([channel])) == 1


def test_expired_messages_are_not_sent(tmp_path: Path, clock: ManualClock) -> None:
    """Expiry is looked at right before sending; a message that waits on an expired one may go."""
    box, channel = outbox(tmp_path, clock), ScriptedChannel("one")
    box.enqueue_all([(out("a", life_h=1), ("one",)), (out("u", "a", life_h=3), ("one",))])
    clock.advance(timedelta(hours=1))
    assert box.deliver(LiveChannels([channel])) == 1
    assert states(box) == {("a", "one"): State.EXPIRED, ("u", "one"): State.ACKNOWLEDGED}
    assert channel.seen == [("u", 1)]


def test_receipts_that_come_later(tmp_path: Path, clock: ManualClock) -> None:
    """Sent without a receipt waits; the receipt ends it, whenever it comes and however often."""
    box = outbox(tmp_path, clock)
    channels = LiveChannels([ScriptedChannel("one", Receipt(False, "job-7"))])
    box.enqueue_all([(out("a"), ("one",)), (out("u", "a"), ("one",))])
    box.deliver(channels)
    assert states(box) == {("a", "one"): State.SENT, ("u", "one"): State.QUEUED}
    box.acknowledge("a", "one", "seen by 40,000")
    box.acknowledge("a", "one")
    (status,) = box.status("a")
    assert (status.state, status.receipt) == (State.ACKNOWLEDGED, "seen by 40,000")
    box.deliver(channels)
    assert states(box)["u", "one"] is State.SENT
    with pytest.raises(NotFoundError):
        box.acknowledge("a", "two")


def test_a_receipt_that_overtakes_its_delivery_counts(tmp_path: Path, clock: ManualClock) -> None:
    """A receipt that comes before the channel has even returned is not undone by what the channel says."""
    box = outbox(tmp_path, clock)

    def receipt_first(message: OutMessage) -> None:
        box.acknowledge(message.id, "one", "early")

    box.enqueue_all([(out("a"), ("one",)), (out("b"), ("one",))])
    box.deliver(LiveChannels([ScriptedChannel("one", Receipt(False), NEVER, hook=receipt_first)]))
    assert {(s.message_id, s.state, s.receipt) for s in box.status()} == {
        ("a", State.ACKNOWLEDGED, "early"),
        ("b", State.ACKNOWLEDGED, "early"),
    }


def test_missing_receipts_end(tmp_path: Path, clock: ManualClock) -> None:
    """Without a receipt it is sent again a few times, then given up; a late receipt still counts."""
    box, channel = outbox(tmp_path, clock), ScriptedChannel("one", Receipt(False))
    box.enqueue(out("a"), ["one"])
    for _ in range(5):
        box.deliver(LiveChannels([channel]))
        clock.advance(timedelta(seconds=31))
    assert channel.seen == [("a", 1), ("a", 2)]
    assert states(box) == {("a", "one"): State.EXHAUSTED}
    assert box.status("a")[0].error == "no receipt came"
    box.acknowledge("a", "one", "late")
    assert states(box) == {("a", "one"): State.ACKNOWLEDGED}


def test_a_broken_channel_stops_nobody(tmp_path: Path, clock: ManualClock) -> None:
    """A channel with a bug counts as failed; the error is on record and the others deliver."""
    box = outbox(tmp_path, clock)
    channels = LiveChannels([ScriptedChannel("bug", ZeroDivisionError("oops")), ScriptedChannel("good")])
    box.enqueue(out("a"), ["bug", "good"])
    box.deliver(channels)
    assert states(box) == {("a", "bug"): State.FAILED, ("a", "good"): State.ACKNOWLEDGED}
    assert "ZeroDivisionError: oops" in box.status("a")[0].error


def test_clock_set_back_does_not_strand_messages(tmp_path: Path, clock: ManualClock) -> None:
    """If the clock jumps back a day, waiting messages are not kept waiting for a day."""
    box, channel = outbox(tmp_path, clock), ScriptedChannel("one", DOWN, Receipt(True))
    box.enqueue_all([(out("a"), ("one",)), (out("b"), ("one",))])
    box.deliver(LiveChannels([channel]))
    clock.advance(timedelta(days=-1))
    assert box.deliver(LiveChannels([channel])) == 2
    assert set(states(box).values()) == {State.ACKNOWLEDGED}


def test_a_restart_repeats_what_was_under_way(tmp_path: Path, clock: ManualClock) -> None:
    """A delivery that was under way when the process died is made again, with the same id."""
    box = outbox(tmp_path, clock)
    box.enqueue(out("a"), ["one"])

    class DiedError(BaseException):
        """Stands for the end of the process."""

    def die(message: OutMessage) -> None:
        raise DiedError

    with pytest.raises(DiedError):
        box.deliver(LiveChannels([ScriptedChannel("one", hook=die)]))
    assert states(box) == {("a", "one"): State.SENDING}
    box.close()
    again, channel = outbox(tmp_path, clock), ScriptedChannel("one")
    assert again.deliver(LiveChannels([channel])) == 1
    assert channel.seen == [("a", 2)]


CHILD = """
import sys
from pathlib import Path
from tests.channels.making import out
from clearway.channels.outbox import Outbox
box = Outbox(Path(sys.argv[1]))
for number in range(100_000):
    box.enqueue(out(f"m{number}"), ["one", "two"])
    print(number, flush=True)
"""


@pytest.mark.skipif(os.name != "posix", reason="needs kill -9")
def test_kill_9_loses_nothing_that_was_accepted(tmp_path: Path) -> None:
    """Whatever was enqueued before the process was killed is in the file, whole, for both channels."""
    path = tmp_path / "outbox.sqlite"
    root = Path(__file__).resolve().parents[2]
    for round_ in range(3):
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(path)],
            stdout=subprocess.PIPE,
            cwd=root,
            text=True,
            env={**os.environ, "PYTHONPATH": str(root)},
        )
        assert child.stdout is not None
        accepted = -1
        for line in child.stdout:
            accepted = int(line)
            if accepted >= 10 + 7 * round_:
                break
        child.send_signal(signal.SIGKILL)
        accepted = max([accepted, *(int(line) for line in child.stdout if line.endswith("\n"))])
        child.wait()
        child.stdout.close()
        box = Outbox(path)
        found = {s.message_id for s in box.status() if s.channel == "one"}
        assert {f"m{n}" for n in range(accepted + 1)} <= found
        assert found == {s.message_id for s in box.status() if s.channel == "two"}
        box.close()


def test_simulated_messages_cannot_enter_a_live_outbox(tmp_path: Path, clock: ManualClock) -> None:
    """What a drill made is stopped at the door of the real outbox."""
    box = outbox(tmp_path, clock)
    with pytest.raises(ForbiddenError):
        box.enqueue(out("a", simulated=True), ["one"])
    assert box.status() == []


def test_modes_do_not_mix(tmp_path: Path, clock: ManualClock) -> None:
    """A drill's outbox is never emptied by real channels, nor the other way round; files keep their mode."""
    (tmp_path / "live").mkdir()
    live, drill = outbox(tmp_path / "live", clock), outbox(tmp_path, clock, mode="drill")
    drill.enqueue(out("a", simulated=True), ["one"])
    real = ScriptedChannel("one")
    with pytest.raises(ForbiddenError):
        drill.deliver(LiveChannels([real]))
    with pytest.raises(ForbiddenError):
        live.deliver(DrillChannels(["one"]))
    assert real.seen == []
    drill.close()
    with pytest.raises(ForbiddenError):
        outbox(tmp_path, clock, mode="live")
    assert outbox(tmp_path, clock, mode="drill").deliver(DrillChannels(["one"])) == 1


@pytest.mark.parametrize("name", ["", "One", "a b", "../x", "-a", "x" * 65])
def test_channel_names(tmp_path: Path, clock: ManualClock, name: str) -> None:
    """Names that could not be a folder or a header are refused."""
    with pytest.raises(InputError):
        outbox(tmp_path, clock).enqueue(out("a"), [name])


def test_empty_messages_are_refused() -> None:
    """A message without id or body is none."""
    for id_, body in (("", b"x"), ("a", b"")):
        with pytest.raises(InputError):
            out(id_, body=body)


def test_files_that_are_no_outbox(tmp_path: Path, clock: ManualClock) -> None:
    """A broken file and one of another version are named, not repaired by guess."""
    (tmp_path / "outbox.sqlite").write_bytes(b"this is not a database, it is a diary" * 100)
    with pytest.raises(SystemFailureError, match="cannot be opened"):
        outbox(tmp_path, clock)
    other = tmp_path / "other"
    other.mkdir()
    outbox(other, clock).close()
    with sqlite3.connect(other / "outbox.sqlite") as db:
        db.execute("UPDATE meta SET value = '99' WHERE key = 'version'")
    db.close()
    with pytest.raises(SystemFailureError, match="version 99"):
        outbox(other, clock)


def test_policy_numbers_are_checked() -> None:
    """A policy that would never pause or never try is refused; pauses never exceed the cap."""
    with pytest.raises(InputError):
        RetryPolicy(base_s=0.0)
    rng, policy = Random(3), RetryPolicy()
    assert all(0 < policy.pause_s(n, rng) <= policy.cap_s for n in range(1, 2000))
    total = sum(policy.pause_s(n, rng) for n in range(1, policy.max_attempts))
    assert 6 * 3600 < total < 12 * 3600


@given(
    st.lists(st.sampled_from(["ok", "later", "down", "never", "bug"]), min_size=1, max_size=30),
    st.lists(st.integers(0, 4), min_size=5, max_size=5),
)
@settings(max_examples=15)
def test_every_delivery_ends(
    tmp_path_factory: pytest.TempPathFactory, answers: list[str], links: list[int]
) -> None:
    """Whatever a channel answers, each delivery reaches an end, in order, and none is sent after its end."""
    clock = ManualClock(T0)
    box = outbox(tmp_path_factory.mktemp("box"), clock)
    made: dict[str, Receipt | Exception] = {
        "ok": Receipt(True),
        "later": Receipt(False),
        "down": DOWN,
        "never": NEVER,
        "bug": ValueError("x"),
    }
    channel = ScriptedChannel("one", *(made[a] for a in answers))
    messages = [out(f"m{i}", *(f"m{links[i]}" for _ in range(links[i] < i))) for i in range(5)]
    box.enqueue_all([(m, ("one",)) for m in messages])
    ended: dict[str, int] = {}
    for _ in range(200):
        box.deliver(LiveChannels([channel]))
        for status in box.status():
            if status.state in FINAL:
                ended.setdefault(status.message_id, len(channel.seen))
        due = box.next_due()
        if due is None:
            break
        clock.set(max(clock.now() + timedelta(seconds=1), due))
    assert len(ended) == 5
    for message in messages:
        tries = [i for i, (m, _) in enumerate(channel.seen) if m == message.id]
        for earlier in message.follows:
            last = max((i for i, (m, _) in enumerate(channel.seen) if m == earlier), default=-1)
            assert not tries or tries[0] > last
        assert len(tries) <= QUICK.max_attempts
    box.close()
