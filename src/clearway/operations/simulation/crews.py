"""Simulated field crews: they do the tasks with a stated delay and rate, and what they do feeds back.

The rules, in words: crews acknowledge after 4 min; a treatment starts 15 min later, or when the fleet is
free, at 25 km/h for every lane and pass, the whole fleet sharing one task after the other; its salting and
ploughing become treatment observations of the road model, corridor by corridor as they are finished. Signs
are out 25 min after the order. A drive-through takes 20 min and finds what the road model's analysis says.
Removal is verified from the field 30 min after a measure is no longer ordered.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clearway.kernel.clock import iso
from clearway.kernel.errors import ClearwayError
from clearway.kernel.language import Text
from clearway.operations.simulation.agenda import Agenda
from clearway.operations.winter.proposals import holds_lists
from clearway.picture.picture import Treatment
from clearway.records import Actor, Command, Journal, RecordRow

ACKNOWLEDGE: Final = timedelta(minutes=4)
SET_OUT: Final = timedelta(minutes=15)
SIGNS_OUT: Final = timedelta(minutes=25)
REMOVAL_SEEN: Final = timedelta(minutes=30)
DRIVE_THROUGH: Final = timedelta(minutes=20)
VERIFY: Final = timedelta(minutes=30)
CREW_SPEED_KMH: Final = 25.0
LANE_WIDTH_M: Final = 3.5

RULES: Final = Text(
    "Simulated crews: acknowledge after 4 min, set out after 15 min or when the fleet is free, treat at "
    "25 km/h per lane and pass, one task after the other; signs out after 25 min; removal verified after "
    "30 min.",
    "模拟现场力量：4分钟确认，15分钟后或车队空闲时出动，以每车道每遍25公里/小时依次作业；标志25分钟到位；"
    "解除30分钟后核实撤除。",
)
_TREATING: Final = ("treat",)
_SPREADING: Final = ("salt", "plough_salt", "brine", "prewet")


@dataclass(slots=True)
class SimulatedCrews:
    """Works tasks and measures; ``lane_km`` is the lane length of each corridor [km] by id."""

    journal: Journal
    agenda: Agenda
    field_actor: Actor
    dispatcher: Actor
    lane_km: Mapping[str, float]
    corridor_number: Mapping[str, int]
    ploughs: int
    on_treatment: Callable[[Treatment], None]
    surface: Callable[[str], Mapping[str, Any]]
    on_lists: Callable[[], frozenset[int]] = frozenset
    """Corridors that plough lists take care of; tasks leave them out."""
    planned: set[str] = field(default_factory=set)
    refused_by_journal: list[str] = field(default_factory=list)
    salt_kg: float = 0.0
    fleet_free_at: datetime | None = None

    def look(self, at: datetime) -> None:
        """Pick up new tasks, orders to be placed and removals to be verified."""
        for row in self.journal.list("task", states=("open",)):
            if holds_lists(row):
                continue
            self._once(f"task:{row.id}", at + ACKNOWLEDGE, self._acknowledge(row.id))
        for row in self.journal.list("measure", states=("ordered",)):
            self._once(f"place:{row.id}", at + SIGNS_OUT, self._place(row.id))
        for row in self.journal.list("measure", states=("removal_pending",)):
            self._once(f"removed:{row.id}", at + REMOVAL_SEEN, self._verify_removed(row.id))

    def _once(self, key: str, at: datetime, act: Callable[[datetime], None]) -> None:
        if key not in self.planned:
            self.planned.add(key)
            self.agenda.add(at, act)

    def _do(
        self, row: RecordRow, verb: str, data: Mapping[str, Any], at: datetime, actor: Actor, reason: str = ""
    ) -> bool:
        command = Command(row.kind, verb, data, actor, f"{row.id}:{verb}:{iso(at)}", row.id, reason=reason)
        try:
            self.journal.submit(command)
        except ClearwayError as error:
            self.refused_by_journal.append(f"{at.isoformat()} {row.kind} {row.id} {verb}: {error}")
            return False
        return True

    def _acknowledge(self, task_id: str) -> Callable[[datetime], None]:
        def act(at: datetime) -> None:
            row = self.journal.get(task_id)
            if row.state != "open":
                return
            begin = self._reserve(row, at) if row.data["type"] in _TREATING else at + DRIVE_THROUGH / 2
            if self._do(row, "acknowledge", {}, at, self.field_actor):
                self.agenda.add(begin, self._start(task_id))

        return act

    def _reserve(self, row: RecordRow, at: datetime) -> datetime:
        """When the fleet can begin a treatment; the fleet is then busy until it is through with it."""
        begin = max(at + SET_OUT, self.fleet_free_at or at)
        hours = self._hours(row, self._known(row))
        self.fleet_free_at = begin + timedelta(hours=float(hours[-1]) if hours.size else 0.0)
        return begin

    def _known(self, row: RecordRow) -> list[str]:
        listed = self.on_lists()
        return [
            c for c in row.data.get("corridors", []) if self.corridor_number.get(c, -1) not in {-1, *listed}
        ]

    def _start(self, task_id: str) -> Callable[[datetime], None]:
        def act(at: datetime) -> None:
            row = self.journal.get(task_id)
            if row.state != "acknowledged" or not self._do(row, "start", {}, at, self.field_actor):
                return
            if row.data["type"] in _TREATING:
                self._treat(row, at)
            else:
                self.agenda.add(at + DRIVE_THROUGH, self._look_around(task_id))

        return act

    def _treat(self, row: RecordRow, at: datetime) -> None:
        corridors = self._known(row)
        finish = at + timedelta(0)
        for corridor, hours in zip(corridors, self._hours(row, corridors), strict=True):
            finish = at + timedelta(hours=float(hours))
            self.agenda.add(finish, self._treated(row, corridor))
        done = finish + timedelta(minutes=2)
        salt = self._salt_kg(row, corridors)
        rest = len(row.data.get("corridors", [])) - len(corridors)
        evidence = {
            "text": {
                "en": f"treated {len(corridors)} roads, {salt / 1000:.1f} t of salt (simulated crew)"
                + (f"; {rest} are on plough lists" if rest else ""),
                "zh": f"已处置{len(corridors)}条道路，撒布{salt / 1000:.1f}吨（模拟）"
                + (f"；{rest}条已列入除雪作业单" if rest else ""),
            },
            "valid_at": iso(done),
            "source": "simulated crew report",
            "value": round(salt),
            "unit": "kg",
        }
        self.agenda.add(done, self._finish(row.id, [evidence], {"salt_kg": round(salt)}))

    def _hours(self, row: RecordRow, corridors: Sequence[str]) -> NDArray[np.float64]:
        """Hours after setting out at which each corridor is finished, the fleet sharing the work in order."""
        lane_km = np.array([self.lane_km.get(c, 0.0) for c in corridors])
        passes = int((row.data.get("details") or {}).get("passes") or 1)
        return np.asarray(passes * np.cumsum(lane_km) / (CREW_SPEED_KMH * max(self.ploughs, 1)))

    def _salt_kg(self, row: RecordRow, corridors: list[str]) -> float:
        if row.data.get("action") not in _SPREADING:
            return 0.0
        lane_m = sum(self.lane_km.get(c, 0.0) for c in corridors) * 1000
        return lane_m * LANE_WIDTH_M * float(row.data.get("rate_g_m2") or 0.0) / 1000

    def _treated(self, row: RecordRow, corridor: str) -> Callable[[datetime], None]:
        def act(at: datetime) -> None:
            action = str(row.data.get("action") or "salt")
            rate = float(row.data.get("rate_g_m2") or 0.0)
            self.salt_kg += self._salt_kg(row, [corridor])
            self.on_treatment(
                Treatment(self.corridor_number[corridor], action, rate, at, "simulated crew report")
            )

        return act

    def _look_around(self, task_id: str) -> Callable[[datetime], None]:
        def act(at: datetime) -> None:
            seen: dict[str, dict[str, Any]] = {}
            for corridor in self.journal.get(task_id).data.get("corridors") or ():
                found = self.surface(corridor)
                group = seen.setdefault(str(found.get("condition", "")), {**found, "corridors": []})
                group["corridors"].append(corridor)
                group["valid_at"] = iso(at)
            words = Text("seen on site (simulated crew)", "现场已查看（模拟）")
            self._finish(task_id, list(seen.values()) or [_fact(words, at)])(at)

        return act

    def finished(
        self, task_id: str, evidence: Mapping[str, Any], details: Mapping[str, Any], at: datetime
    ) -> None:
        """A task that others worked off is done; it is verified like any other."""
        self._finish(task_id, [evidence], details)(at)

    def _finish(
        self, task_id: str, evidence: Sequence[Mapping[str, Any]], details: Mapping[str, Any] | None = None
    ) -> Callable[[datetime], None]:
        def act(at: datetime) -> None:
            row = self.journal.get(task_id)
            data = {"evidence": [dict(e) for e in evidence], "progress": 1.0, "done_at": iso(at)}
            if details:
                data["details"] = {**(row.data.get("details") or {}), **details}
            if self._do(row, "done", data, at, self.field_actor):
                self.agenda.add(at + VERIFY, self._verify(task_id))

        return act

    def _verify(self, task_id: str) -> Callable[[datetime], None]:
        def act(at: datetime) -> None:
            row = self.journal.get(task_id)
            if row.state == "done" and self._do(row, "verify", {}, at, self.dispatcher):
                self._clear_findings(row, at)

        return act

    def _clear_findings(self, task: RecordRow, at: datetime) -> None:
        """What a removal task took away is off the road; the dispatcher, another post, says so."""
        words = Text("gone from the site (simulated crew)", "现场已清除（模拟）")
        for finding in (task.data.get("details") or {}).get("found") or ():
            row = self.journal.get(str(finding))
            if row.state in ("found", "linked", "unlinked"):
                self._do(row, "remove", {"evidence": [_fact(words, at)]}, at, self.dispatcher)

    def _place(self, measure_id: str) -> Callable[[datetime], None]:
        def act(at: datetime) -> None:
            row = self.journal.get(measure_id)
            if row.state == "ordered":
                words = Text("signs show it on site (simulated crew)", "现场标志已显示（模拟）")
                self._do(row, "place", {"evidence": [_fact(words, at)]}, at, self.field_actor)

        return act

    def _verify_removed(self, measure_id: str) -> Callable[[datetime], None]:
        def act(at: datetime) -> None:
            row = self.journal.get(measure_id)
            if row.state == "removal_pending":
                words = Text("signs are gone from the site (simulated crew)", "现场标志已撤除（模拟）")
                self._do(row, "verify_removed", {"evidence": [_fact(words, at)]}, at, self.field_actor)

        return act


def _fact(words: Text, at: datetime) -> dict[str, Any]:
    return {"text": words.as_dict(), "valid_at": iso(at), "source": "simulated crew report"}
