"""A simulated fleet that follows a plan: what trucks would report, for demo, exercise and tests.

Each crew has its own pace (drawn once from the seed, by default 5 % either way), stops where it breaks down,
and reports every finished stop with what it spread.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np

from clearway.desks.winter.plan_model import Plan
from clearway.kernel.clock import iso
from clearway.operations.winter.build import Site
from clearway.operations.winter.live import Control, Message


@dataclass(slots=True)
class SimulatedFleet:
    """Trucks on a plan. ``breaks`` are crews by unit and the second they break down."""

    site: Site
    plan: Plan
    seed: int = 1
    spread: float = 0.05
    breaks: Mapping[str, float] = field(default_factory=dict)

    def pace(self) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """How much longer than planned each crew takes for everything, by number."""
        units = [c.id for c in self.plan.problem.crews]
        draws = [np.random.default_rng([self.seed, *unit.encode()]).uniform(-1, 1) for unit in units]
        return 1.0 + self.spread * np.array(draws)

    def messages(self, from_s: float, to_s: float) -> Iterator[Message]:
        """What is reported after ``from_s`` up to ``to_s``, in order of time."""
        found: list[tuple[float, Message]] = []
        for number, factor in enumerate(self.pace()):
            found += self._of_crew(number, float(factor), from_s, to_s)
        for _, message in sorted(found, key=lambda each: (each[0], each[1].unit)):
            yield message

    def _of_crew(
        self, number: int, factor: float, from_s: float, to_s: float
    ) -> Iterator[tuple[float, Message]]:
        problem, network = self.plan.problem, self.site.network
        crew = problem.crews[number]
        broken = self.breaks.get(crew.id, np.inf)
        start = crew.ready_s
        for visit in self.plan.visits[number]:
            at = start + (visit.done_s - start) * factor
            if at > min(to_s, broken):
                break
            if at <= from_s or visit.kind != "stop":
                continue
            stop = problem.stops[visit.index]
            node = int(network.to_node[problem.stretches[stop.stretch].segments[-1]])
            yield (
                at,
                Message(
                    crew.id,
                    problem.start + timedelta(seconds=float(at)),
                    float(network.node_lon[node]),
                    float(network.node_lat[node]),
                    max(0.0, float(visit.load_kg)),
                    stop.id,
                    float(stop.dry_kg),
                ),
            )
        if from_s < broken <= to_s:
            moment = problem.start + timedelta(seconds=float(broken))
            yield broken, Message(crew.id, moment, status="broken")


def play(control: Control, fleet: SimulatedFleet, from_s: float, to_s: float) -> int:
    """Let a fleet report to a control; returns how many messages there were."""
    count = 0
    for message in fleet.messages(from_s, to_s):
        control.take(message)
        count += 1
    return count


def as_json(message: Message) -> dict[str, object]:
    """A message as it goes over the wire."""
    data: dict[str, object] = {"unit": message.unit, "at": iso(message.at)}
    for name in ("lon", "lat", "load_kg", "salt_kg"):
        if (value := getattr(message, name)) is not None:
            data[name] = value
    if message.stop:
        data["stop"] = message.stop
    return data | ({"status": message.status} if message.status != "ok" else {})
