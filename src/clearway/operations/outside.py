"""Warnings of others in the picture: CAP messages dropped into a folder become situations.

A weather service or a neighbour warns; the warning stands beside our own assessments as a situation of the
desk ``signals`` with the source ``outside warning``, for as long as CAP says that it is in force: an Update
carries it on, a Cancel or its expiry ends it, and a message that comes twice changes nothing. Somebody on
duty may overrule it like any situation; the same message then does not come back.

Only messages about the real world (status Actual) of others count, and those with polygons or circles only
where these come near our area. A hostile or broken file is named in the log and passed over. Programs that
drop files write them under a name that begins with a dot and rename them when they are complete.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime
from math import cos, radians
from pathlib import Path
from typing import Any, Final

from clearway.exchange.cap.chain import active_set, expires_at
from clearway.exchange.cap.codes import hazard_of, level_of
from clearway.exchange.cap.intake import Received, parse
from clearway.exchange.cap.model import Alert, Info
from clearway.exchange.cap.signature import Pins
from clearway.exchange.xml_safe import RefusedXMLError
from clearway.kernel.clock import epoch_s, from_epoch_s, iso, parse_utc
from clearway.kernel.ids import content_id
from clearway.kernel.language import Text
from clearway.operations.feeds import Folder
from clearway.operations.reconcile import OUTSIDE
from clearway.picture.findings import Evidence, RuleRef, Situation
from clearway.records import Command, Journal, RecordRow
from clearway.records.actors import desk_actor

log = logging.getLogger("clearway.outside")

DESK: Final = "signals"
KM_PER_DEG: Final = 111.2
MOST_WORDS: Final = 400
CONFIDENCE: Final = {"Observed": 1.0, "Likely": 0.75, "Possible": 0.4, "Unlikely": 0.1}
"""Certainty in numbers: CAP calls "Likely" what is more probable than not."""
RULE: Final = RuleRef(
    "outside.warning",
    Text("A warning of others is in force", "外部发布的预警信息正在生效"),
    "CAP 1.2, sections 3.2.1 and 3.2.2",
    "A",
)
Box = tuple[float, float, float, float]
"""West, south, east, north [°]."""


class OutsideWarnings:
    """Keeps the situations of outside warnings in line with the messages in a folder.

    Args:
        journal: where situations are kept.
        folder: where CAP files, or Atom, RSS or EDXL-DE files with alerts, are dropped.
        area: jurisdiction of the installation.
        box: its extent; messages with shapes wholly outside are left out. None: all are taken.
        own_sender: our own sender, whose messages are no news here.
        pins: certificates whose signatures count; without them signatures are only labelled.
    """

    def __init__(
        self,
        journal: Journal,
        folder: Path,
        *,
        area: str,
        box: Box | None = None,
        own_sender: str = "",
        pins: Pins | None = None,
    ) -> None:
        self._journal, self._area, self._box = journal, area, box
        self._own, self._pins = own_sender, pins
        self._files = Folder(folder, "[!.]*", self._read)
        self._known: dict[str, Received] = {}

    def poll(self, now: datetime) -> int:
        """Read what is new in the folder and bring the situations into line; returns how many changed.

        Raises:
            SystemFailureError: the journal cannot be written.
        """
        if self._files.path.is_dir():
            while (found := self._files(epoch_s(now))) is not None:
                self.take(found)
        return self.settle(now)

    def take(self, received: Iterable[Received]) -> None:
        """Remember messages; repeats, drills and our own are left out."""
        for one in received:
            alert = one.alert
            if alert.status == "Actual" and alert.sender != self._own:
                self._known.setdefault(name_of(alert), one)

    def settle(self, now: datetime) -> int:
        """Open, update and end situations so that they are the messages in force; returns how many."""
        rows = {
            str(row.data["message"]): row
            for row in self._journal.list("situation", states=("active",))
            if row.data.get("source") == OUTSIDE
        }
        active = [a for a in active_set((r.alert for r in self._known.values()), now) if self._is_near(a)]
        standing = {name_of(alert) for alert in active}
        commands: list[Command] = []
        for alert in active:
            row = rows.pop(name_of(alert), None)
            if row is not None:
                continue
            before = next((n for n in self._ancestors(alert) if n in rows and n not in standing), None)
            command = self._carried_on(alert, rows.pop(before)) if before else self._opened(alert)
            if self._journal.event_by_key(command.key) is None:
                commands.append(command)
        commands.extend(c for name, row in rows.items() if (c := self._ended(name, row, now)) is not None)
        if commands:
            self._journal.submit_many(commands)
        return len(commands)

    def _read(self, path: Path, now: int) -> tuple[Received, ...]:
        try:
            parsed = parse(path.read_bytes(), pins=self._pins, at=from_epoch_s(now), where=path.name)
        except RefusedXMLError as error:
            log.warning("outside warnings: %s: %s", path.name, error.what)
            return ()
        except OSError as error:
            log.warning("outside warnings: %s cannot be read: %s", path.name, error.strerror)
            return ()
        for unusable in parsed.unusable:
            log.warning("outside warnings: %s: %s", path.name, "; ".join(map(str, unusable.problems)))
        return parsed.received

    def _ancestors(self, alert: Alert) -> list[str]:
        """Messages this one follows, through all that is known, nearest first."""
        found: list[str] = []
        queue = [alert]
        while queue:
            for reference in queue.pop(0).references:
                if reference.sent is None or reference.sender != alert.sender:
                    continue
                name = _name(reference.sender, reference.identifier, reference.sent)
                if name not in found:
                    found.append(name)
                    queue.extend(r.alert for r in [self._known.get(name)] if r is not None)
        return found

    def _opened(self, alert: Alert) -> Command:
        key = content_id("outside", name_of(alert))
        return Command(
            "situation", "open", {**self._body(alert), "key": key}, desk_actor(DESK), f"{key}:open"
        )

    def _carried_on(self, alert: Alert, row: RecordRow) -> Command:
        body = {n: v for n, v in self._body(alert).items() if row.data.get(n) != v}
        key = f"{content_id('outside', name_of(alert))}:update"
        return Command("situation", "update", body, desk_actor(DESK), key, row.id)

    def _ended(self, name: str, row: RecordRow, now: datetime) -> Command | None:
        """End what is not in force any more; a message whose file is gone stands until it expires."""
        expired = bool(row.data.get("ends")) and parse_utc(row.data["ends"]) <= now
        if not expired and name not in self._known:
            return None
        why = "it expired" if expired else "its sender cancelled or replaced it"
        key = content_id("outside-end", row.id, name)
        return Command("situation", "end", {"end_reason": why}, desk_actor(DESK), key, row.id, reason=why)

    def _body(self, alert: Alert) -> dict[str, Any]:
        one = self._known[name_of(alert)]
        infos = alert.infos or (Info("", (), "", "", ""),)
        worst = max(infos, key=level_of)
        hazard = next((h.key for h in map(hazard_of, infos) if h is not None), "other")
        begins = [t for i in infos for t in (i.onset or i.effective,) if t is not None]
        situation = Situation(
            key="",
            desk=DESK,
            hazard=hazard,
            level=level_of(worst),
            headline=_text(infos, ("headline", "event")),
            subjects=tuple(dict.fromkeys(a.description for i in infos for a in i.areas if a.description)),
            starts=min(begins, default=alert.sent),
            ends=expires_at(alert),
            cause=Text("warning issued by {who}", "由{who}发布的预警").format(who=_sender(alert)),
            confidence=CONFIDENCE.get(worst.certainty, 0.5),
            rule=RULE,
            evidence=(
                Evidence(
                    _text(infos, ("description", "headline", "event")),
                    valid_at=alert.sent,
                    source=alert.sender,
                    uncertainty=worst.certainty,
                ),
            ),
            data={
                "source": OUTSIDE,
                "area": self._area,
                "message": name_of(alert),
                "signature": one.signature,
                "instruction": _text(infos, ("instruction",)).as_dict(),
            },
        )
        return situation.as_data()

    def _is_near(self, alert: Alert) -> bool:
        """Whether a shape of the message touches our box; one without shapes is taken at its word."""
        boxes = [box for info in alert.infos for area in info.areas for box in _boxes(area)]
        mine = self._box
        if mine is None or not boxes:
            return True
        return any(w <= mine[2] and e >= mine[0] and s <= mine[3] and n >= mine[1] for w, s, e, n in boxes)


def name_of(alert: Alert) -> str:
    """What CAP tells a message by: sender, identifier and time."""
    return _name(alert.sender, alert.identifier, alert.sent)


def _name(sender: str, identifier: str, sent: datetime) -> str:
    return f"{sender},{identifier},{iso(sent)}"


def _sender(alert: Alert) -> str:
    return next((info.sender_name for info in alert.infos if info.sender_name), alert.sender)


def _text(infos: Sequence[Info], names: tuple[str, ...]) -> Text:
    """The first words that are there, in Chinese and in whatever else there is."""

    def words(chosen: list[Info]) -> str:
        found = (str(getattr(info, name)) for name in names for info in chosen)
        return next((f for f in found if f.strip()), "")[:MOST_WORDS]

    chinese = [i for i in infos if i.language.lower().startswith("zh")]
    english = [i for i in infos if not i.language or i.language.lower().startswith("en")]
    zh, en = words(chinese), words(english) or words([i for i in infos if i not in chinese])
    return Text(en or zh, zh or en)


def _boxes(area: Any) -> list[Box]:
    found: list[Box] = []
    for ring in area.polygons:
        lons, lats = [p[0] for p in ring], [p[1] for p in ring]
        found.append((min(lons), min(lats), max(lons), max(lats)))
    for circle in area.circles:
        high = circle.radius_km / KM_PER_DEG
        wide = high / max(0.01, cos(radians(circle.lat)))
        found.append((circle.lon - wide, circle.lat - high, circle.lon + wide, circle.lat + high))
    return found
