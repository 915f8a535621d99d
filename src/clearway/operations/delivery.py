"""From the newsroom to the channels: what is published enters the outbox, for every channel there is.

The same way live and in a drill. A live delivery is emptied by a worker with a thread per channel; in a drill
everything is recorded at once, by channels that cannot reach anybody (:class:`DrillChannels`).
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from clearway.channels.file import FileChannel
from clearway.channels.model import DRILL, LIVE, Channel, OutMessage, State
from clearway.channels.outbox import Outbox
from clearway.channels.registry import Channels, DrillChannels, LiveChannels
from clearway.channels.webhook import WebhookChannel
from clearway.channels.worker import DeliveryWorker
from clearway.exchange.cap.chain import expires_at
from clearway.exchange.cap.model import MEDIA_TYPE, Alert
from clearway.kernel.clock import Clock
from clearway.kernel.errors import InputError

CANCEL_LIVES: Final = timedelta(hours=24)
"""How long a Cancel is worth sending: as long as a message without expiry may be believed in."""
_FIELDS: Final = {
    "file": frozenset({"name", "kind", "folder"}),
    "webhook": frozenset({"name", "kind", "url", "secret_env", "await_receipt"}),
}


class Delivery:
    """Takes what is published and sees it through; give :meth:`on_publish` to the newsroom.

    Args:
        outbox: durable queue; its mode must be that of the channels.
        channels: where everything goes.
    """

    def __init__(self, outbox: Outbox, channels: Channels) -> None:
        self.outbox, self.channels = outbox, channels
        self._drill = channels.mode == DRILL
        self._worker = None if self._drill else DeliveryWorker(outbox, channels)

    @classmethod
    def live(cls, file: Path, settings: Mapping[str, Any], clock: Clock) -> Delivery:
        """The delivery of an installation, with the channels its settings name.

        Raises:
            InputError: a channel that cannot be.
            SystemFailureError: the outbox cannot be opened.
        """
        channels = live_channels(settings, file.parent, clock)
        return cls(Outbox(file, clock=clock, mode=LIVE), channels)

    @classmethod
    def drill(cls, file: Path, names: Sequence[str], clock: Clock, folder: Path | None = None) -> Delivery:
        """A delivery that records what would have gone out, in a folder per channel."""
        return cls(Outbox(file, clock=clock, mode=DRILL), DrillChannels(names, folder))

    def start(self) -> None:
        """Begin to empty the outbox in the background; a drill needs nothing."""
        if self._worker is not None:
            self._worker.start()

    def on_publish(self, alert: Alert, body: bytes) -> None:
        """Take a published message for all channels; safe to repeat."""
        self.outbox.enqueue(message_of(alert, body, simulated=self._drill), tuple(self.channels.channels))
        if self._worker is not None:
            self._worker.wake()
        else:
            self.outbox.deliver(self.channels)

    def trouble(self) -> dict[str, str]:
        """What keeps a channel from working, by name."""
        return dict(self._worker.trouble) if self._worker is not None else {}

    def counts(self) -> dict[str, Any]:
        """Deliveries by channel and state, and how many are not acknowledged.

        Anything unfinished or given up counts as not acknowledged: nobody can say that it arrived.
        """
        by_channel = self.outbox.counts()
        total = sum(sum(states.values()) for states in by_channel.values())
        arrived = sum(states.get(State.ACKNOWLEDGED, 0) for states in by_channel.values())
        return {
            "total": total,
            "acknowledged": arrived,
            "not_acknowledged": total - arrived,
            "by_channel": by_channel,
            "drill": self._drill,
        }

    def close(self) -> None:
        """Stop the background work and close the outbox."""
        if self._worker is not None:
            self._worker.stop()
        self.outbox.close()


def message_of(alert: Alert, body: bytes, *, simulated: bool) -> OutMessage:
    """A published CAP message as something to deliver, after what it references."""
    expires = expires_at(alert)
    if alert.msg_type == "Cancel":
        expires = max(expires, alert.sent + CANCEL_LIVES)
    return OutMessage(
        alert.identifier,
        body,
        MEDIA_TYPE,
        alert.sent,
        expires,
        tuple(reference.identifier for reference in alert.references),
        headline=next((info.headline for info in alert.infos if info.headline), ""),
        simulated=simulated,
    )


def live_channels(settings: Mapping[str, Any], folder: Path, clock: Clock) -> LiveChannels:
    """Channels of the tables ``[[channel]]``: ``file`` (folder) and ``webhook`` (url, secret_env).

    The secret of a webhook never stands in the file: ``secret_env`` names the environment variable with it.

    Raises:
        InputError: names the table and what is wrong with it.
    """
    tables = settings.get("channel", ())
    if not isinstance(tables, list | tuple) or not all(isinstance(t, Mapping) for t in tables):
        raise InputError("channels are tables [[channel]]", where="clearway.toml: channel")
    return LiveChannels(_channel(table, n, folder, clock) for n, table in enumerate(tables, 1))


def _channel(table: Mapping[str, Any], number: int, folder: Path, clock: Clock) -> Channel:
    where = f"clearway.toml: channel {number}"
    fields = _FIELDS.get(str(table.get("kind", "")))
    if fields is None:
        raise InputError(f"{table.get('kind')!r} is no kind of channel", where=where, hint=", ".join(_FIELDS))
    if strange := sorted(table.keys() - fields):
        raise InputError(f"unknown: {', '.join(strange)}", where=where, hint=", ".join(sorted(fields)))
    if missing := sorted(fields - {"await_receipt"} - table.keys()):
        raise InputError(f"{', '.join(missing)} missing", where=where)
    name = str(table["name"])
    if table["kind"] == "file":
        return FileChannel(name, folder / str(table["folder"]))
    secret = os.environ.get(str(table["secret_env"]), "")
    if not secret:
        raise InputError(f"the environment has no {table['secret_env']}", where=where)
    waits = bool(table.get("await_receipt", False))
    return WebhookChannel(name, str(table["url"]), secret.encode(), await_receipt=waits, clock=clock)
