"""What is published enters the outbox for every channel; a drill records, live channels come by settings."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from clearway.channels.file import FileChannel
from clearway.channels.webhook import WebhookChannel
from clearway.exchange.cap.render import render
from clearway.kernel.clock import ManualClock, SystemClock
from clearway.kernel.errors import ForbiddenError, InputError
from clearway.operations.delivery import Delivery, live_channels, message_of
from tests.exchange.cap.making import SENT, message

HOUR = timedelta(hours=1)


def test_a_drill_records_for_every_channel(tmp_path: Path) -> None:
    """Alert and Cancel are kept in a folder per channel, in order, and counted; a repeat changes nothing."""
    clock = ManualClock(SENT)
    delivery = Delivery.drill(tmp_path / "outbox.sqlite", ("radio", "neighbours"), clock, tmp_path / "sent")
    alert = message("urn:a", headline="Icy roads")
    cancel = message("urn:c", "Cancel", SENT + HOUR, refers=(alert,))
    delivery.on_publish(alert, render(alert))
    clock.set(SENT + 2 * HOUR)
    delivery.on_publish(cancel, render(cancel))
    delivery.on_publish(cancel, render(cancel))
    counts = delivery.counts()
    delivery.close()
    assert counts == {
        "total": 4,
        "acknowledged": 4,
        "not_acknowledged": 0,
        "by_channel": {"neighbours": {"acknowledged": 2}, "radio": {"acknowledged": 2}},
        "drill": True,
    }
    for name in ("radio", "neighbours"):
        assert len(list((tmp_path / "sent" / name).iterdir())) == 2


def test_a_cancel_without_expiry_is_worth_sending(tmp_path: Path) -> None:
    """It goes out also hours after the moment it was made; an Alert that has expired does not."""
    alert = message("urn:a", life_h=6)
    cancel = message("urn:c", "Cancel", refers=(alert,), life_h=0)
    assert message_of(alert, b"x", simulated=True).expires == SENT + 6 * HOUR
    assert message_of(cancel, b"x", simulated=True).expires == SENT + 24 * HOUR
    delivery = Delivery.drill(tmp_path / "outbox.sqlite", ("radio",), ManualClock(SENT + 7 * HOUR))
    delivery.on_publish(alert, render(alert))
    delivery.on_publish(cancel, render(cancel))
    states = {s.message_id: s.state.value for s in delivery.outbox.status()}
    assert delivery.counts()["not_acknowledged"] == 1
    delivery.close()
    assert states == {"urn:a": "expired", "urn:c": "acknowledged"}


def test_live_channels_are_emptied_in_the_background(tmp_path: Path) -> None:
    """A file channel of the settings gets the notice; the live outbox takes no drill message."""
    clock = SystemClock()
    settings = {"channel": [{"name": "radio", "kind": "file", "folder": "out"}]}
    delivery = Delivery.live(tmp_path / "outbox.sqlite", settings, clock)
    alert = message("urn:a", sent=clock.now().replace(microsecond=0))
    try:
        with pytest.raises(ForbiddenError):
            delivery.outbox.enqueue(message_of(alert, b"x", simulated=True), ("radio",))
        delivery.start()
        delivery.on_publish(alert, render(alert))
        until = time.monotonic() + 10
        while delivery.counts()["acknowledged"] < 1 and time.monotonic() < until:
            time.sleep(0.02)
        assert delivery.trouble() == {}
    finally:
        delivery.close()
    [written] = (tmp_path / "out").glob("*.xml")
    assert written.read_bytes() == render(alert)


def test_channels_from_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file and a webhook; the secret comes from the environment."""
    monkeypatch.setenv("HOOK_SECRET", "s" * 20)
    hook = {"name": "b", "kind": "webhook", "url": "https://x.example/in", "secret_env": "HOOK_SECRET"}
    settings = {"channel": [{"name": "a", "kind": "file", "folder": "out"}, hook]}
    made = live_channels(settings, tmp_path, SystemClock()).channels
    assert isinstance(made["a"], FileChannel)
    assert isinstance(made["b"], WebhookChannel)
    assert live_channels({}, tmp_path, SystemClock()).channels == {}


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"name": "a", "kind": "pigeon"}, "no kind of channel"),
        ({"name": "a", "kind": "file"}, "folder missing"),
        ({"name": "a", "kind": "file", "folder": "x", "speed": 1}, "unknown: speed"),
        ({"name": "a", "kind": "webhook", "url": "https://x.example", "secret_env": "NOT_SET"}, "NOT_SET"),
    ],
)
def test_wrong_channels_are_named(tmp_path: Path, table: dict[str, Any], words: str) -> None:
    """Which table, and what is wrong with it."""
    with pytest.raises(InputError, match=words) as caught:
        live_channels({"channel": [table]}, tmp_path, SystemClock())
    assert "channel 1" in caught.value.where
