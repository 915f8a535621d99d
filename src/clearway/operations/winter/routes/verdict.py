"""What the checkers say of a plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from clearway.exchange.findings import Finding


@dataclass(frozen=True, slots=True)
class RouteFigures:
    """One route as driven by the checker.

    Args:
        name: of the truck or number of the route.
        cost: whole way, in the file's unit.
        served_cost: part of it that serves.
        time_min: of the whole way [min]; 0 where the file has no times.
        loads: demand served from filling to filling.
        nodes: labels of all nodes passed.
        served: for each step from node to node whether it serves.
    """

    name: str
    cost: float
    served_cost: float
    time_min: float
    loads: tuple[float, ...]
    nodes: tuple[str, ...]
    served: tuple[bool, ...]

    @property
    def way(self) -> str:
        """The whole way in one line: ``=`` before a node reached serving, a blank where only driven."""
        steps = zip(self.served, self.nodes[1:], strict=True)
        return "".join([*self.nodes[:1], *(("=" if serving else " ") + node for serving, node in steps)])

    def as_dict(self) -> dict[str, Any]:
        """Plain form for JSON."""
        return {
            "name": self.name,
            "cost": self.cost,
            "served_cost": self.served_cost,
            "time_min": round(self.time_min, 3),
            "loads": list(self.loads),
            "nodes": list(self.nodes),
            "served": list(self.served),
        }


@dataclass(frozen=True, slots=True)
class Verdict:
    """The checker's judgement: all figures are its own.

    Args:
        cost: of all routes, recomputed.
        routes: figures of each.
        served: roads served.
        findings: what was wrong; grave ones make the plan unfit.
        late_min: by how much the time limit is exceeded, summed over trucks [min].
    """

    cost: float
    routes: tuple[RouteFigures, ...]
    served: int
    findings: tuple[Finding, ...]
    late_min: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether no rule is broken."""
        return not any(finding.grave for finding in self.findings)

    def as_dict(self) -> dict[str, Any]:
        """Plain form for JSON, without the routes."""
        return {
            "ok": self.ok,
            "cost": self.cost,
            "served": self.served,
            "late_min": round(self.late_min, 3),
            "findings": [finding.as_dict() for finding in self.findings],
        }
