"""What a salt-spreading instance holds: a mixed graph with one-ways, turn bans, trucks, depots, a limit."""

from __future__ import annotations

from dataclasses import dataclass

from clearway.exchange.findings import Finding


@dataclass(frozen=True, slots=True)
class SaltRoad:
    """One road of the file.

    Args:
        tail: label of the first node.
        head: label of the second node.
        length_m: of the road [m].
        time_min: of driving it once [min], served or not.
        demand: of serving it, in the unit of the capacity; 0 for roads that are only driven.
        kind: ``A`` (may be driven tail to head), ``A_R`` (one-way, served tail to head) or ``E_R`` (served
            once, in either direction, and driven in both).
        index: number in its list.
    """

    tail: str
    head: str
    length_m: float
    time_min: float
    demand: float
    kind: str
    index: int

    @property
    def required(self) -> bool:
        """Whether it must be served."""
        return self.kind != "A"

    @property
    def where(self) -> str:
        """Place in words: list, number and nodes."""
        return f"{self.kind}[{self.index}] ({self.tail}, {self.head})"


@dataclass(frozen=True, slots=True)
class Truck:
    """A vehicle: it starts full at ``home`` and carries ``capacity``."""

    id: str
    home: str
    capacity: float


@dataclass(frozen=True, slots=True)
class Refill:
    """A depot: ``refill`` is what a truck can take on there at one visit."""

    label: str
    refill: float


@dataclass(frozen=True, slots=True)
class SaltInstance:
    """A salt-spreading problem as read.

    Args:
        name: of the instance.
        max_time_min: all salting must be done within [min]; the way to the last depot counts, home does not.
        nodes: labels.
        trucks: vehicles.
        depots: places to refill.
        roads: all roads, in the order A, A_R, E_R.
        u_turns: nodes where a truck may turn back into the road it came by.
        findings: faults that did not stop reading.
        dropped: roads to serve that cannot be used; each has a finding.
    """

    name: str
    max_time_min: float
    nodes: tuple[str, ...]
    trucks: tuple[Truck, ...]
    depots: tuple[Refill, ...]
    roads: tuple[SaltRoad, ...]
    u_turns: frozenset[str]
    findings: tuple[Finding, ...] = ()
    dropped: int = 0

    @property
    def required(self) -> tuple[int, ...]:
        """Numbers of the roads to serve, into ``roads``."""
        return tuple(i for i, road in enumerate(self.roads) if road.required)


@dataclass(frozen=True, slots=True)
class Leg:
    """One road driven by a truck; ``salted`` is None where the solution does not say."""

    tail: str
    head: str
    salted: bool | None = None


@dataclass(frozen=True, slots=True)
class SaltRoute:
    """All a truck drives, from its home to its last depot; refills happen wherever it passes a depot."""

    truck: str
    legs: tuple[Leg, ...]


@dataclass(frozen=True, slots=True)
class SaltSolution:
    """Routes as read, and what was odd about the file."""

    routes: tuple[SaltRoute, ...]
    form: str
    findings: tuple[Finding, ...] = ()
