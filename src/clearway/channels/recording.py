"""Channels that reach nobody: one remembers, one forgets. This module knows no network."""

from __future__ import annotations

from pathlib import Path
from threading import Lock

from clearway.channels.model import OutMessage, Receipt, check_name


class RecordingChannel:
    """Keeps what would have gone out, in memory and, given a folder, as files."""

    def __init__(self, name: str, folder: Path | None = None) -> None:
        self._name, self._folder, self._lock = check_name(name), folder, Lock()
        self._messages: list[OutMessage] = []

    @property
    def name(self) -> str:
        """Name of the channel it stands for."""
        return self._name

    @property
    def messages(self) -> tuple[OutMessage, ...]:
        """Everything delivered so far, in order, each message once."""
        with self._lock:
            return tuple(self._messages)

    def deliver(self, message: OutMessage, attempt: int) -> Receipt:
        """Record the message; a second delivery of the same one changes nothing."""
        with self._lock:
            if all(m.id != message.id for m in self._messages):
                self._messages.append(message)
                if self._folder is not None:
                    self._folder.mkdir(parents=True, exist_ok=True)
                    (self._folder / message.safe_name).write_bytes(message.body)
            number = next(i for i, m in enumerate(self._messages, 1) if m.id == message.id)
        return Receipt(True, reference=f"recorded-{number}", detail="recorded only; nothing left the drill")


class NullChannel:
    """Takes everything and keeps nothing."""

    def __init__(self, name: str = "null") -> None:
        self._name = check_name(name)

    @property
    def name(self) -> str:
        """Name of the channel."""
        return self._name

    def deliver(self, message: OutMessage, attempt: int) -> Receipt:
        """Forget the message."""
        return Receipt(True, reference="null")
