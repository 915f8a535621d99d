"""What is wanted of a solution, and what came out."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final

from clearway.exchange.findings import Finding
from clearway.kernel.language import Text
from clearway.operations.winter.routes.verdict import Verdict

BOUND_S: Final = {"carp": 2.0, "salt_spreading": 12.0}


@dataclass(frozen=True, slots=True)
class Order:
    """What is wanted of a solution.

    Args:
        seconds: of bound and search for each process, by the wall.
        seed: of the search; process k uses ``seed + k``.
        iterations: instead of the time, for runs that must repeat exactly.
        processes: searches beside each other, the best kept.
        vehicles: most vehicles (CARP only); as many as it takes when None.
        bound_s: seconds of these for the lower bound; a tenth and at most the format's when None.
        cpu: whether seconds of search are of processor time, for fair comparison on a busy machine.
    """

    seconds: float = 10.0
    seed: int = 1
    iterations: int | None = None
    processes: int = 1
    vehicles: int | None = None
    bound_s: float | None = None
    cpu: bool = False

    @property
    def clock(self) -> Callable[[], float]:
        """What seconds of search are measured with."""
        return time.process_time if self.cpu else time.perf_counter

    def bound_seconds(self, form: str) -> float:
        """Seconds for the bound of a format."""
        if self.bound_s is not None:
            return self.bound_s
        return BOUND_S[form] if self.iterations is not None else min(BOUND_S[form], 0.1 * self.seconds)

    def less(self, spent_s: float) -> Order:
        """The same with what is left of the seconds."""
        return replace(self, seconds=max(0.1 * self.seconds, self.seconds - max(0.0, spent_s)))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came out.

    Args:
        form: ``carp`` or ``salt_spreading``.
        name: of the instance.
        unit: of the cost: ``m`` or empty (the file's own).
        cost: as the checker computed it; 0 when nothing could be planned.
        lower_bound: proven; the greater of ours and the file's.
        own_bound: the one we proved.
        best_known: stated by the file.
        verdict: of the checker.
        findings: of the file and of posing the problem.
        left_out: roads that are not planned, by their places.
        solution: text of the solution file; empty where only judged.
        words: what a person should know about the time limit.
        dropped: roads to serve that could not be used as the file has them.
    """

    form: str
    name: str
    unit: str
    cost: float
    lower_bound: float | None
    own_bound: float | None
    best_known: float | None
    verdict: Verdict
    findings: tuple[Finding, ...]
    left_out: tuple[str, ...]
    solution: str
    order: Order
    iterations: int = 0
    search_s: float = 0.0
    words: tuple[Text, ...] = ()
    planned: bool = True
    dropped: int = 0
    log: tuple[tuple[float, float], ...] = field(default=(), repr=False)

    @property
    def gap(self) -> float | None:
        """Share by which the cost is above the best known, or above the bound where none is stated."""
        base = self.best_known if self.best_known else self.lower_bound
        return (self.cost - base) / base if base and self.comparable else None

    @property
    def comparable(self) -> bool:
        """Whether the cost is that of a plan that serves all and overloads nobody: else there is no gap."""
        return self.planned and not any(f.grave and f.code != "late" for f in self.verdict.findings)

    @property
    def not_planned(self) -> int:
        """Roads to serve that are in no plan, each named among the findings."""
        return len(self.left_out) + self.dropped

    def as_dict(self) -> dict[str, Any]:
        """Plain form for JSON."""
        bound = self.lower_bound
        return {
            "format": self.form,
            "name": self.name,
            "unit": self.unit,
            "cost": self.cost,
            "lower_bound": bound,
            "own_lower_bound": self.own_bound,
            "best_known": self.best_known,
            "gap": self.gap,
            "gap_to_bound": (self.cost - bound) / bound if bound and self.comparable else None,
            "vehicles": len(self.verdict.routes),
            "routes": [route.as_dict() for route in self.verdict.routes],
            "check": self.verdict.as_dict(),
            "findings": [finding.as_dict() for finding in self.findings],
            "left_out": list(self.left_out),
            "planned_all": self.planned and not self.not_planned,
            "solution": json.loads(self.solution) if self.solution else None,
            "words": [text.as_dict() for text in self.words],
            "seconds": round(self.search_s, 3),
            "seed": self.order.seed,
            "iterations": self.iterations,
            "processes": self.order.processes,
        }
