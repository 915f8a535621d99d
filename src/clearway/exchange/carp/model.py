"""What a capacitated arc routing file holds, whichever of its dialects it is written in."""

from __future__ import annotations

from dataclasses import dataclass, replace

from clearway.exchange.findings import Finding


@dataclass(frozen=True, slots=True)
class CarpRoad:
    """One edge or arc of the file.

    Args:
        tail: label of the first node.
        head: label of the second node.
        cost: of driving it once, in the file's unit, served or not.
        demand: of serving it, in the unit of the capacity.
        required: whether it must be served.
        directed: True when it may be driven from ``tail`` to ``head`` only.
        line: line of the file, counted from 1.
    """

    tail: int
    head: int
    cost: float
    demand: float
    required: bool
    directed: bool
    line: int

    @property
    def where(self) -> str:
        """Place in words: line and nodes."""
        return f"line {self.line} ({self.tail}, {self.head})"


@dataclass(frozen=True, slots=True)
class CarpInstance:
    """A capacitated arc routing problem as read.

    Args:
        name: of the instance.
        dialect: ``compact`` or ``spanish``.
        roads: edges and arcs in the order of the file.
        depot: label of the node where all routes start and end.
        vehicles: stated number of vehicles, 0 when not stated. Benchmarks treat it as advice.
        capacity: of each vehicle.
        lower_bound: stated in the file; None when it is not.
        best_known: stated upper bound; None when it is not.
        comment: the file's own remark.
        findings: faults of roads and header that did not stop reading.
        dropped: roads to serve that cannot be used; each has a finding.
    """

    name: str
    dialect: str
    roads: tuple[CarpRoad, ...]
    depot: int
    vehicles: int
    capacity: float
    lower_bound: float | None
    best_known: float | None
    comment: str = ""
    findings: tuple[Finding, ...] = ()
    dropped: int = 0

    @property
    def required(self) -> tuple[int, ...]:
        """Numbers of the roads to serve, into ``roads``."""
        return tuple(i for i, road in enumerate(self.roads) if road.required)

    def with_findings(self, *more: Finding) -> CarpInstance:
        """The same with further findings."""
        return replace(self, findings=self.findings + more)
