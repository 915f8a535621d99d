"""The plan in force over a restart: one file, with the hash of what it holds, taken up again when it fits.

Roads and ways are not kept; they are built again from the network, and the file says which network it was.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

from clearway.desks.winter.plan_model import Crew, Depot, Plan, Stop, Visit
from clearway.desks.winter.progress import Done, Progress
from clearway.kernel.errors import InputError
from clearway.kernel.ids import sha256_hex
from clearway.kernel.language import Text
from clearway.network.model import Network
from clearway.operations.winter.build import Order, Site, standing_at
from clearway.operations.winter.check import Verdict
from clearway.operations.winter.ledger import Ledger
from clearway.operations.winter.live import Control
from clearway.operations.winter.plain import plain, shaped
from clearway.operations.winter.replan import Busy
from clearway.operations.winter.state import Asked, Change, Draft, Running

FORM: Final = 1


@dataclass(frozen=True, slots=True)
class KeptLists:
    """Lists over a site: what is to be done, by whom, from where, and when."""

    start: datetime
    stops: tuple[Stop, ...]
    crews: tuple[Crew, ...]
    depots: tuple[Depot, ...]
    left_out: tuple[Text, ...]
    closed: tuple[int, ...]
    order: tuple[tuple[int, ...], ...]
    visits: tuple[tuple[Visit, ...], ...]
    cost: float
    rounds: int
    seconds: float

    @classmethod
    def of(cls, site: Site, plan: Plan) -> KeptLists:
        """From a plan in force."""
        p = plan.problem
        shut = tuple(int(i) for i in np.flatnonzero(site.closed))
        return cls(
            p.start,
            p.stops,
            p.crews,
            p.depots,
            p.left_out,
            shut,
            plan.order,
            plan.visits,
            plan.cost,
            plan.rounds,
            plan.seconds,
        )

    def again(self, base: Site) -> tuple[Site, Plan]:
        """The site and the plan, on the roads of a freshly built site."""
        stood = standing_at(base, self.crews, np.array(self.closed, np.int32))
        problem = replace(
            stood.problem, start=self.start, stops=self.stops, depots=self.depots, left_out=self.left_out
        )
        plan = Plan(problem, self.order, self.visits, self.cost, self.rounds, self.seconds)
        return replace(stood, problem=problem), plan


@dataclass(frozen=True, slots=True)
class KeptPlan:
    """A plan in force with everything that happened to it."""

    task: str
    proposal: str
    made: datetime
    first: KeptLists
    verdict: Verdict
    why: Text
    asked_first: dict[int, Asked]
    orders_first: dict[int, Order]
    now: KeptLists
    done: dict[int, Done]
    place: list[int]
    load_kg: dict[int, float]
    seen_s: dict[int, float]
    where: dict[int, tuple[float, float]]
    lost_crews: dict[int, float]
    ledger_stops: list[Stop]
    batches: dict[str, str]
    ledger_done: dict[str, Done]
    past: dict[str, list[Visit]]
    taken_kg: dict[str, float]
    orders: dict[int, Order]
    approved: datetime
    busy: dict[str, Busy]
    asked: dict[int, Asked]
    lost: dict[str, datetime]
    changes: list[Change]
    relieved: datetime | None
    asked_kg: float
    times: dict[int, int]
    released: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, running: Running) -> KeptPlan:
        """From the plan in force."""
        progress, ledger, first = running.progress, running.ledger, running.first
        return cls(
            running.task,
            first.proposal,
            first.at,
            KeptLists.of(first.site, first.plan),
            first.verdict,
            first.why,
            dict(first.asked),
            dict(first.orders),
            KeptLists.of(running.control.site, progress.plan),
            progress.done,
            progress.place,
            progress.load_kg,
            progress.seen_s,
            progress.where,
            progress.lost,
            ledger.stops,
            ledger.batches(),
            ledger.done,
            ledger.past,
            ledger.taken_kg,
            running.orders,
            running.approved,
            running.busy,
            running.asked,
            running.lost,
            running.changes,
            running.relieved,
            running.asked_kg,
            running.times,
            sorted(ledger.released),
        )

    def again(self, base: Site) -> Running:
        """The plan in force, as it was when it was kept."""
        first_site, first_plan = self.first.again(base)
        draft = Draft(
            self.proposal,
            self.made,
            first_site,
            first_plan,
            self.verdict,
            self.orders_first,
            self.why,
            self.asked_first,
        )
        site, plan = self.now.again(base)
        progress = Progress(
            plan, self.done, self.place, self.load_kg, self.seen_s, self.where, self.lost_crews
        )
        ledger = Ledger(first_site)
        for batch in dict.fromkeys(self.batches.values()):
            ledger.ask([s for s in self.ledger_stops if self.batches[s.id] == batch], batch)
        ledger.stops = list(self.ledger_stops)
        ledger.number = {s.id: k for k, s in enumerate(ledger.stops)}
        for stop, done in self.ledger_done.items():
            ledger.finish(stop, done)
        ledger.past, ledger.taken_kg = self.past, self.taken_kg
        ledger.released = set(self.released)
        return Running(
            self.task,
            draft,
            Control(site, progress),
            ledger,
            self.orders,
            self.approved,
            self.busy,
            self.asked,
            self.lost,
            self.changes,
            self.relieved,
            self.asked_kg,
            self.times,
            known=len(progress.done),
        )


def fingerprint(network: Network) -> str:
    """Hash of the roads a plan lies on."""
    return sha256_hex(
        np.asarray(network.from_node, np.int64).tobytes(),
        np.asarray(network.to_node, np.int64).tobytes(),
        np.asarray(network.length_m, np.float32).tobytes(),
    )


def keep(path: Path, running: Running | None, roads: str) -> None:
    """Write the plan in force, or take the file away when there is none; never half a file."""
    if running is None:
        path.unlink(missing_ok=True)
        return
    body = json.dumps(plain(KeptPlan.of(running)), ensure_ascii=False)
    text = json.dumps({"form": FORM, "roads": roads, "hash": sha256_hex(body.encode()), "plan": body})
    beside = path.with_suffix(".new")
    with beside.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def kept(path: Path, roads: str) -> KeptPlan | None:
    """The plan that was kept; None where there is none.

    Raises:
        InputError: damaged, of another form, or of other roads.
    """
    if not path.exists():
        return None
    try:
        found: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        whole = found["hash"] == sha256_hex(found["plan"].encode())
        fits = found["form"] == FORM and found["roads"] == roads
        if whole and fits:
            return shaped(KeptPlan, json.loads(found["plan"]))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _not_taken_up(path, Text("it is damaged", "文件已损坏")) from error
    words = (
        Text("the roads have changed since", "路网已变更") if whole else Text("it is damaged", "文件已损坏")
    )
    raise _not_taken_up(path, words)


def _not_taken_up(path: Path, why: Text) -> InputError:
    words = Text(
        "the plan that was in force is not taken up again: {w}; make a new one",
        "原生效计划未能恢复：{w}；请重新编制",
    ).format(w=why)
    return InputError(words.en, where=path.name, words=words)
