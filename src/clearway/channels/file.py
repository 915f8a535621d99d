"""Writes each message as a file: whole or not at all, and on the disk before it counts."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from clearway.channels.model import DeliveryError, OutMessage, Receipt, check_name


class FileChannel:
    """One file per message in a folder; a file once written is never changed."""

    def __init__(self, name: str, folder: Path) -> None:
        self._name, self._folder = check_name(name), folder

    @property
    def name(self) -> str:
        """Name of the channel."""
        return self._name

    def deliver(self, message: OutMessage, attempt: int) -> Receipt:
        """Write, flush to disk, then give the file its name.

        Raises:
            DeliveryError: the disk says no (try again), or a different file has that name (do not).
        """
        path = self._folder / message.safe_name
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            if path.exists():
                if path.read_bytes() != message.body:
                    raise DeliveryError(f"{path} exists with other content", retryable=False)
                return Receipt(True, reference=path.name, detail="was there already")
            _write(path, message.body)
        except OSError as error:
            raise DeliveryError(f"cannot write {path}: {error.strerror or error}") from error
        return Receipt(True, reference=path.name)


def _write(path: Path, body: bytes) -> None:
    partial = path.with_name(f".{path.name}.part")
    try:
        with partial.open("wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except OSError:
        with contextlib.suppress(OSError):
            partial.unlink()
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make the new name durable; Windows has no such thing for folders."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
