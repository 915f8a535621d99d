"""From decided notices to published CAP messages: composed once, committed, then signed and written out.

A message is composed before the decision is committed, so that its identifier stands in the journal; it is
published after the commit. If the process dies between the two, :meth:`Newsroom.catch_up` composes it again
from the journal and publishes it, and refuses if the identifier would differ.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from clearway.exchange.cap.chain import active_set, references_for
from clearway.exchange.cap.compose import Publisher, Stamp, notice_message
from clearway.exchange.cap.identifiers import file_name
from clearway.exchange.cap.model import Alert, Reference
from clearway.exchange.cap.render import render
from clearway.exchange.cap.signature import Signer, publish
from clearway.exchange.feeds import atom, rss
from clearway.exchange.feeds.listing import Feed
from clearway.kernel.clock import iso, parse_utc
from clearway.kernel.errors import SystemFailureError
from clearway.kernel.language import Text
from clearway.records import Event

ADMIN_CODE: Final = "GB/T 2260"
"""Name of the geocode: administrative division codes of China, six digits."""


@dataclass(frozen=True, slots=True)
class Message:
    """A composed message and the entry that the journal keeps of it."""

    alert: Alert
    entry: Mapping[str, Any]


class Newsroom:
    """Composes, signs and keeps the public messages of one deployment."""

    def __init__(
        self,
        publisher: Publisher,
        signer: Signer | None,
        folder: Path,
        *,
        names: Mapping[str, Text],
        doctrine_hash: str,
        hindsight: bool,
        polygon: Sequence[Sequence[float]] = (),
        geocode: str = "",
        on_publish: Callable[[Alert, bytes], None] | None = None,
    ) -> None:
        self._publisher, self._signer, self._folder = publisher, signer, folder
        self._names, self._doctrine, self._hindsight = names, doctrine_hash, hindsight
        self._polygon = [list(point) for point in polygon]
        self._geocode = geocode
        self._on_publish = on_publish
        self._chains: dict[str, list[Alert]] = {}
        self._composed: dict[str, Alert] = {}
        self._files: dict[str, Path] = {}
        folder.mkdir(parents=True, exist_ok=True)

    def set_doctrine(self, digest: str) -> None:
        """From now on messages carry this hash of the rules."""
        self._doctrine = digest

    @property
    def messages(self) -> list[Alert]:
        """All published messages, oldest first."""
        return sorted((a for chain in self._chains.values() for a in chain), key=lambda a: a.sent)

    def active(self, at: datetime) -> list[Alert]:
        """Messages in force at a moment."""
        return active_set(self.messages, at)

    def feed(self, form: str, at: datetime, *, base_url: str = "https://clearway.demo.example") -> bytes:
        """The ``atom`` or ``rss`` feed of all messages whose chain has not expired."""
        base = base_url.rstrip("/")
        feed = Feed(
            id=f"urn:clearway:feed:{self._publisher.sender}",
            title=Text("{name}: warnings", "{name}：预警").format(name=self._publisher.name),
            author=self._publisher.name,
            feed_url=lambda language: f"{base}/feed.{form}?lang={language}",
            cap_url=lambda alert: f"{base}/cap/{alert.identifier}",
            page_url=lambda language: f"{base}/?lang={language}",
        )
        make = atom if form == "atom" else rss
        return make(self.messages, feed, as_of=at)

    def file(self, identifier: str) -> bytes | None:
        """A published message exactly as signed, None when there is none of that name."""
        path = self._files.get(identifier)
        return path.read_bytes() if path is not None else None

    def compose(
        self,
        notice_id: str,
        data: Mapping[str, Any],
        msg_type: str,
        at: datetime,
        *,
        head: str,
        reason: Text | None = None,
        keep: bool = True,
    ) -> Message:
        """Compose the next message of a notice; ``data`` is its body after the decision.

        ``keep`` False makes a preview that will not be published.

        Raises:
            InputError: a field of the notice is missing or impossible, or the message would break CAP.
        """
        chain = self._chains.get(notice_id, [])
        previous = int(data["messages"][-1]["level"]) if data.get("messages") else None
        references = references_for(chain, at) if msg_type != "Alert" else ()
        entry: dict[str, Any] = {
            "msg_type": msg_type,
            "sent": iso(at.replace(microsecond=0)),
            "level": int(data["level"]),
            "starts": data.get("starts", ""),
            "head": head,
            "references": [[r.sender, r.identifier, iso(r.sent) if r.sent else ""] for r in references],
        }
        if reason is not None:
            entry["reason"] = reason.as_dict()
        alert = self._alert(notice_id, data, entry, references, previous)
        render(alert)
        if keep:
            self._composed[alert.identifier] = alert
        return Message(alert, {"identifier": alert.identifier, **entry})

    def published(self, event: Event, data: Mapping[str, Any]) -> list[Alert]:
        """Publish the messages that a committed notice event brought; returns those that are new.

        Raises:
            SystemFailureError: signing failed, or the message cannot be made again as committed.
        """
        done: list[Alert] = []
        chain = self._chains.setdefault(event.record_id, [])
        known = {a.identifier for a in chain}
        entries = list(data.get("messages") or ())
        for number, entry in enumerate(entries):
            if entry["identifier"] in known:
                continue
            alert = self._composed.pop(entry["identifier"], None)
            if alert is None:
                previous = int(entries[number - 1]["level"]) if number else None
                references = tuple(
                    Reference(sender, name, parse_utc(sent) if sent else None)
                    for sender, name, sent in entry["references"]
                )
                alert = self._alert(event.record_id, data, entry, references, previous)
                if alert.identifier != entry["identifier"]:
                    raise SystemFailureError(
                        f"message {entry['identifier']} cannot be made again as it was committed",
                        where=f"notice {event.record_id}",
                        hint="Restore the notices folder from a backup",
                    )
            chain.append(alert)
            path = self._folder / file_name(alert)
            self._files[alert.identifier] = path
            if path.exists():
                continue
            body = publish(alert, self._signer)
            _write(path, body)
            done.append(alert)
            if self._on_publish is not None:
                self._on_publish(alert, body)
        return done

    def catch_up(self, events: Iterable[tuple[Event, Mapping[str, Any]]]) -> int:
        """Publish what was committed but not written out before a stop; returns how many messages."""
        return sum(len(self.published(event, data)) for event, data in events)

    def _placed(self, data: Mapping[str, Any]) -> Mapping[str, Any]:
        """The body with the deployment's own polygon and geocode where the notice names none."""
        extra: dict[str, Any] = {}
        if not data.get("polygons") and self._polygon:
            extra["polygons"] = [self._polygon]
        if not data.get("geocodes") and self._geocode:
            extra["geocodes"] = [{"name": ADMIN_CODE, "value": self._geocode}]
        return {**data, **extra}

    def _alert(
        self,
        notice_id: str,
        data: Mapping[str, Any],
        entry: Mapping[str, Any],
        references: tuple[Reference, ...],
        previous: int | None,
    ) -> Alert:
        return notice_message(
            self._placed(data),
            msg_type=entry["msg_type"],
            sent=parse_utc(entry["sent"]),
            sender=self._publisher,
            references=references,
            notice_id=notice_id,
            previous_level=previous,
            stamp=Stamp(self._doctrine, entry["head"], self._hindsight),
            names=self._names,
            reason=Text.of(entry["reason"]) if entry.get("reason") else None,
        )


def _write(path: Path, body: bytes) -> None:
    temporary = path.with_suffix(".part")
    with temporary.open("wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
