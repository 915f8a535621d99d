"""The desk protocol and the cycle's state and result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from clearway.doctrine.model import Doctrine
from clearway.picture.fields import Field, Fields
from clearway.picture.findings import Proposal, Situation
from clearway.picture.picture import Picture


@dataclass(frozen=True, slots=True, eq=False)
class DeskView:
    """All a desk may see: the picture, its own state, fields and situations of desks before it."""

    picture: Picture
    state: Any
    fields: Fields
    situations: tuple[Situation, ...]
    doctrine: Doctrine


@dataclass(frozen=True, slots=True, eq=False)
class DeskResult:
    """What a desk hands back; ``state`` comes back to it in the next cycle."""

    state: Any = None
    fields: Mapping[str, Field] = field(default_factory=dict)
    situations: tuple[Situation, ...] = ()
    proposals: tuple[Proposal, ...] = ()


class Desk(Protocol):
    """One duty. Pure: no clock, no store, no network, no random source of its own."""

    name: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]

    def assess(self, view: DeskView) -> DeskResult:
        """Assess the picture and propose; the same view gives the same result."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class CycleState:
    """What lasts between cycles: each desk's own state, by desk name."""

    at: datetime | None = None
    desks: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class CycleResult:
    """Outcome of one cycle."""

    state: CycleState
    fields: Fields
    situations: tuple[Situation, ...]
    proposals: tuple[Proposal, ...]
