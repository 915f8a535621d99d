"""What the public page shows, as plain data; decides here, and only here, what is public."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np

from clearway.desks.roadweather.conditions import LOOKS, SLIPPERY, Condition
from clearway.kernel.clock import full_hour, parse_utc
from clearway.kernel.language import Text
from clearway.network.model import Network, RoadClass
from clearway.operations.board import SEVERITY, Board
from clearway.web.finding import Part, search_of
from clearway.web.said import said

_PUBLIC_MEASURE_STATES = ("ordered", "in_force", "removal_pending")
_ROWS = 20
_MORE_ROWS = 120
CONTROL_NEWS = "traffic_control"
_MODEL: Final = re.compile(r"^Clearway road model (?P<version>[0-9.]+)$")


@dataclass(frozen=True, slots=True)
class PublicWarning:
    """One public notice that is active at the moment of reading."""

    id: str
    level: int
    headline: Text
    description: Text
    instruction: Text
    starts: datetime
    expires: datetime
    next_update_by: datetime | None
    identifier: str
    news: bool = False
    """News of traffic controls: shown without a warning colour."""


@dataclass(frozen=True, slots=True)
class Restriction:
    """One measure as the public may read it."""

    headline: Text
    why: Text
    roads: tuple[Text, ...]
    more_roads: int
    starts: datetime
    expiry: datetime | None
    """None where no end was set, as for advice until further notice."""
    removal_pending: bool
    restrictive: bool
    legal_basis: Text
    decider: Text
    exemptions: tuple[Text, ...]
    detour: Text
    lift_condition: Text
    id: str = ""
    corridors: frozenset[str] = frozenset()
    placed: bool = True
    """Whether somebody has said that it stands on the road; what is only ordered does not."""

    def ahead(self, at: datetime) -> bool:
        """Whether it is ordered for a later time."""
        return self.starts > at and not self.over(at)

    def over(self, at: datetime) -> bool:
        """Whether it is no longer ordered: its time is up, though it may still stand on the road."""
        return self.removal_pending or (self.expiry is not None and self.expiry <= at)


@dataclass(frozen=True, slots=True)
class RoadRow:
    """Condition and outlook of one corridor."""

    label: Text
    road_class: str
    now: Condition
    worst: Condition
    worst_at: datetime
    rst_c: float
    rst_min_c: float
    p_slippery: float
    confidence: float
    id: str = ""
    restrictions: tuple[Restriction, ...] = ()
    """What restricts this road now."""

    @property
    def slippery(self) -> bool:
        """Whether grip is reduced now."""
        return self.now in SLIPPERY


@dataclass(frozen=True, slots=True)
class PublicView:
    """Everything on the public page."""

    area: Text
    as_of: datetime
    warnings: tuple[PublicWarning, ...]
    restrictions: tuple[Restriction, ...]
    roads: tuple[RoadRow, ...]
    roads_hidden: int
    query: str
    numbers: tuple[tuple[str, str], ...]
    head_hash: str
    doctrine_hash: str
    attribution: str
    source: str
    simulated: bool
    hindsight: bool
    clock_offset_ms: int = 0
    """Machine time minus the time shown; not 0 in a replay."""
    roads_at: datetime | None = None
    """When the road conditions were computed."""
    parts: tuple[Part, ...] = ()
    part: str = ""
    """The part of the area that was asked for, empty for all."""
    everything: bool = False
    """Whether all main roads were asked for."""

    @property
    def orders(self) -> tuple[Restriction, ...]:
        """What restricts traffic."""
        return tuple(r for r in self.restrictions if r.restrictive)

    @property
    def advice(self) -> tuple[Restriction, ...]:
        """What only advises."""
        return tuple(r for r in self.restrictions if not r.restrictive)

    @property
    def source_words(self) -> tuple[Text, str]:
        """Who computed the conditions, in words, and the technical rest."""
        head, _, rest = self.source.partition(";")
        match = _MODEL.match(head.strip())
        words = Text(head.strip(), f"畅途路面模式{match['version']}" if match else head.strip())
        return words, rest.strip()

    def next_change(self) -> datetime | None:
        """The first moment at which something shown here begins or is no longer so."""
        ends = [w.expires for w in self.warnings] + [r.expiry for r in self.restrictions]
        ends += [r.starts for r in self.restrictions]
        return min((end for end in ends if end is not None and end > self.as_of), default=None)

    @property
    def looks(self) -> Mapping[Condition, Any]:
        """Words, colours and patterns of the condition classes."""
        return LOOKS


def public_warnings(notices: Iterable[Mapping[str, Any]], at: datetime) -> tuple[PublicWarning, ...]:
    """Issued notices that have not expired at ``at``, the highest level first."""
    found = []
    for row in notices:
        data = row["data"]
        expires = parse_utc(data["expires"])
        if row["state"] != "issued" or expires <= at:
            continue
        messages = data.get("messages") or []
        next_by = data.get("next_update_by")
        found.append(
            PublicWarning(
                id=row["id"],
                level=int(data["level"]),
                headline=Text.of(data["headline"]),
                description=Text.of(data.get("description") or ""),
                instruction=Text.of(data.get("instruction") or ""),
                starts=_begun(row),
                expires=expires,
                next_update_by=parse_utc(next_by) if next_by else None,
                identifier=messages[-1]["identifier"] if messages else "",
                news=data.get("hazard") == CONTROL_NEWS,
            )
        )
    return tuple(sorted(found, key=lambda w: (-w.level, w.starts, w.id)))


def _begun(row: Mapping[str, Any]) -> datetime:
    """When it begins; where nobody said so, when it was issued or entered."""
    data = row["data"]
    at = data.get("starts") or data.get("issued_at") or row["created_at"]
    return at if isinstance(at, datetime) else parse_utc(at)


def public_restrictions(measures: Iterable[Mapping[str, Any]], network: Network) -> tuple[Restriction, ...]:
    """Measures that are ordered, on the road, or whose removal is still to be verified."""
    labels = {c.id: c.label for c in network.corridors}
    found = []
    for row in measures:
        if row["state"] not in _PUBLIC_MEASURE_STATES:
            continue
        data = row["data"]
        roads = [labels[c] for c in data.get("corridors", []) if c in labels]
        why = data.get("reasons") or (data.get("rule") or {}).get("text") or ""
        found.append(
            Restriction(
                headline=Text.of(data["headline"]),
                why=Text.of(why),
                roads=tuple(roads[:12]),
                more_roads=max(0, len(roads) - 12),
                starts=_begun(row),
                expiry=parse_utc(data["expiry"]) if data.get("expiry") else None,
                removal_pending=row["state"] == "removal_pending",
                placed=row["state"] != "ordered",
                restrictive=bool(data.get("restrictive")),
                legal_basis=said(data.get("legal_basis") or ""),
                decider=said(data.get("decider") or ""),
                exemptions=tuple(said(e) for e in data.get("exemptions", [])),
                detour=Text.of(data.get("detour") or ""),
                lift_condition=Text.of(data.get("lift_condition") or ""),
                id=str(row["id"]),
                corridors=frozenset(str(c) for c in data.get("corridors", [])),
            )
        )
    return tuple(sorted(found, key=lambda r: (not r.restrictive, r.removal_pending, r.starts)))


def road_rows(
    network: Network,
    board: Board,
    query: str = "",
    part: Part | None = None,
    restrictions: Sequence[Restriction] = (),
    *,
    everything: bool = False,
) -> tuple[tuple[RoadRow, ...], int]:
    """Rows to show and how many stay hidden.

    With ``query`` the roads that fit it by name, number or pinyin, best first; else main roads, worst first.
    """
    if query.strip():
        found = [m.corridor for m in search_of(network).find(query, limit=_MORE_ROWS)]
        numbers = [i for i in found if part is None or network.corridors[i].id in part.corridors]
    else:
        numbers = _main_roads(network, board, part)
    limit = _MORE_ROWS if everything else _ROWS
    rows = tuple(_row(network, board, i, restrictions) for i in numbers[:limit])
    return rows, max(0, len(numbers) - limit)


def _main_roads(network: Network, board: Board, part: Part | None) -> list[int]:
    severity = np.array(SEVERITY)
    ranked = []
    for i, corridor in enumerate(network.corridors):
        if part is not None and corridor.id not in part.corridors:
            continue
        if corridor.road_class > RoadClass.PRIMARY or corridor.length_m < 2_000:
            continue
        now, worst = int(severity[board.now[i]]), int(severity[board.worst[i]])
        ranked.append((-max(now, worst), -now, int(corridor.road_class), -corridor.length_m, i))
    return [key[-1] for key in sorted(ranked)]


def _row(network: Network, board: Board, i: int, restrictions: Sequence[Restriction]) -> RoadRow:
    corridor = network.corridors[i]
    return RoadRow(
        label=corridor.label,
        road_class=corridor.road_class.name.lower(),
        now=Condition(int(board.now[i])),
        worst=Condition(int(board.worst[i])),
        worst_at=full_hour(board.at) + timedelta(hours=int(board.worst_lead_h[i])),
        rst_c=float(board.rst_now_c[i]),
        rst_min_c=float(board.rst_min_c[i]),
        p_slippery=float(board.p_slippery[i]),
        confidence=float(board.confidence[i]),
        id=corridor.id,
        restrictions=tuple(r for r in restrictions if r.restrictive and corridor.id in r.corridors),
    )
