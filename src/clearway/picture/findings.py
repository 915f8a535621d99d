"""What desks hand back: situations and proposals, complete enough to be shown and argued with."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from clearway.kernel.clock import iso
from clearway.kernel.ids import content_id
from clearway.kernel.language import Text
from clearway.kernel.levels import Level


@dataclass(frozen=True, slots=True)
class Evidence:
    """One fact a finding rests on, with its time, source and uncertainty."""

    text: Text
    value: float | None = None
    unit: str = ""
    valid_at: datetime | None = None
    source: str = ""
    uncertainty: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Plain form for records."""
        return {
            "text": self.text.as_dict(),
            "value": self.value,
            "unit": self.unit,
            "valid_at": iso(self.valid_at) if self.valid_at else None,
            "source": self.source,
            "uncertainty": self.uncertainty,
        }


@dataclass(frozen=True, slots=True)
class RuleRef:
    """The rule behind a finding: its id, words, legal or scientific source and grade."""

    id: str
    text: Text
    source: str
    grade: str

    def as_dict(self) -> dict[str, Any]:
        """Plain form for records."""
        return {"id": self.id, "text": self.text.as_dict(), "source": self.source, "grade": self.grade}


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another way to answer the same need. Rank 0 restricts least."""

    text: Text
    restrictive_rank: int
    effect: Text
    chosen: bool = False
    least_restrictive: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Plain form for records."""
        return {
            "text": self.text.as_dict(),
            "restrictive_rank": self.restrictive_rank,
            "effect": self.effect.as_dict(),
            "chosen": self.chosen,
            "least_restrictive": self.least_restrictive,
        }


@dataclass(frozen=True, slots=True)
class Situation:
    """An assessed state of some subjects. ``key`` stays the same while the matter stays the same."""

    key: str
    desk: str
    hazard: str
    level: Level
    headline: Text
    subjects: tuple[str, ...]
    starts: datetime
    ends: datetime
    cause: Text
    confidence: float
    rule: RuleRef
    evidence: tuple[Evidence, ...]
    data: dict[str, Any] = field(default_factory=dict)

    def as_data(self) -> dict[str, Any]:
        """Body of the situation record."""
        return {
            "key": self.key,
            "desk": self.desk,
            "hazard": self.hazard,
            "level": int(self.level),
            "headline": self.headline.as_dict(),
            "subjects": list(self.subjects),
            "starts": iso(self.starts),
            "ends": iso(self.ends),
            "cause": self.cause.as_dict(),
            "confidence": round(self.confidence, 3),
            "rule": self.rule.as_dict(),
            "evidence": [e.as_dict() for e in self.evidence],
            **self.data,
        }


@dataclass(frozen=True, slots=True)
class Proposal:
    """Something the system suggests; a person decides.

    ``act`` is ``open`` (a new measure, task or notice), ``change`` (of ``target``) or ``lift`` (of
    ``target``). ``target_kind`` is ``measure``, ``task`` or ``notice``; ``payload`` is the body of the
    record to be opened or the changed part of it.
    """

    key: str
    desk: str
    rule: RuleRef
    act: str
    target_kind: str
    payload: dict[str, Any]
    headline: Text
    why: Text
    if_nothing: Text
    benefit: Text
    cost: Text
    evidence: tuple[Evidence, ...]
    alternatives: tuple[Alternative, ...]
    subjects: tuple[str, ...]
    level: Level
    decide_by: datetime
    expires: datetime
    loss_by_waiting: float
    post: str
    confidence: float
    target: str = ""

    def record_id(self, at: datetime) -> str:
        """Identifier of the proposal when first made at ``at``."""
        return content_id("prop", self.key, iso(at))

    def as_data(self) -> dict[str, Any]:
        """Body of the proposal record."""
        return {
            "key": self.key,
            "desk": self.desk,
            "rule": self.rule.as_dict(),
            "act": self.act,
            "target_kind": self.target_kind,
            "target": self.target,
            "payload": self.payload,
            "headline": self.headline.as_dict(),
            "why": self.why.as_dict(),
            "if_nothing": self.if_nothing.as_dict(),
            "benefit": self.benefit.as_dict(),
            "cost": self.cost.as_dict(),
            "evidence": [e.as_dict() for e in self.evidence],
            "alternatives": [a.as_dict() for a in self.alternatives],
            "subjects": list(self.subjects),
            "level": int(self.level),
            "decide_by": iso(self.decide_by),
            "expires": iso(self.expires),
            "loss_by_waiting": round(self.loss_by_waiting, 3),
            "post": self.post,
            "confidence": round(self.confidence, 3),
        }
