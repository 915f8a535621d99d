"""The board: one cycle's outcome per corridor, as screens, public page and report read it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clearway.desks.roadweather.conditions import Condition
from clearway.kernel.clock import full_hour, iso, parse_utc
from clearway.picture.corridors import corridor_index
from clearway.picture.fields import Fields
from clearway.picture.picture import Picture

SEVERITY: Final = (0, 1, 2, 4, 5, 6, 7, 8, 3)
"""Rank of each condition code: dry, damp, wet, frost, slush, snow, compacted snow, ice, black ice."""
BY_RANK: Final = tuple(int(np.argsort(SEVERITY)[rank]) for rank in range(len(SEVERITY)))
SHARE_THAT_COUNTS: Final = 0.1
"""A corridor is called by the worst class that covers at least a tenth of its length."""
OUTLOOK_H: Final = 24


@dataclass(frozen=True, slots=True, eq=False)
class Board:
    """State and outlook of every corridor at ``at``; all arrays have length (corridors,).

    ``now`` and ``worst`` are condition codes; ``worst_lead_h`` is the first hour ahead (0-24) at which
    the worst is reached; ``slippery_share`` is the share of length with little grip now, and
    ``p_slippery`` the highest probability of it within 24 h.
    """

    at: datetime
    corridor_ids: tuple[str, ...]
    now: NDArray[np.int8]
    worst: NDArray[np.int8]
    worst_lead_h: NDArray[np.int16]
    rst_now_c: NDArray[np.float32]
    rst_min_c: NDArray[np.float32]
    friction_now: NDArray[np.float32]
    friction_min: NDArray[np.float32]
    slippery_share: NDArray[np.float32]
    p_slippery: NDArray[np.float32]
    confidence: NDArray[np.float32]
    source: str

    def row(self, index: int) -> dict[str, Any]:
        """Plain form of one corridor for pages and the API."""
        return {
            "corridor": self.corridor_ids[index],
            "at": iso(self.at),
            "condition": Condition(int(self.now[index])).name.lower(),
            "worst": Condition(int(self.worst[index])).name.lower(),
            "worst_at": iso(full_hour(self.at) + timedelta(hours=int(self.worst_lead_h[index]))),
            "rst_c": _rounded(self.rst_now_c[index], 1),
            "rst_min_24h_c": _rounded(self.rst_min_c[index], 1),
            "friction": _rounded(self.friction_now[index], 2),
            "friction_min_24h": _rounded(self.friction_min[index], 2),
            "p_slippery_24h": _rounded(self.p_slippery[index], 2),
            "confidence": _rounded(self.confidence[index], 2),
            "source": self.source,
        }

    def as_dict(self) -> dict[str, Any]:
        """Plain form of the whole board, columns as lists."""
        arrays = {
            name: np.round(getattr(self, name).astype(float), 3).tolist()
            for name in self.__slots__
            if isinstance(getattr(self, name), np.ndarray)
        }
        return {"at": iso(self.at), "corridor_ids": list(self.corridor_ids), "source": self.source, **arrays}

    @classmethod
    def of_dict(cls, data: dict[str, Any]) -> Board:
        """Read back :meth:`as_dict`."""
        kinds = {"now": np.int8, "worst": np.int8, "worst_lead_h": np.int16}
        arrays = {
            name: np.array(value, dtype=kinds.get(name, np.float32))
            for name, value in data.items()
            if name not in ("at", "corridor_ids", "source")
        }
        return cls(
            at=parse_utc(data["at"]),
            corridor_ids=tuple(data["corridor_ids"]),
            source=data["source"],
            **arrays,
        )


def build_board(picture: Picture, fields: Fields) -> Board:
    """Reduce the road fields of a cycle to corridors.

    Needs the fields ``condition``, ``rst_c``, ``friction``, ``p_slippery`` and ``confidence`` on
    (lead, column); see docs/architecture.md.
    """
    index = corridor_index(picture.network, picture.columns)
    leads = slice(0, OUTLOOK_H + 1)
    rank = np.array(SEVERITY, dtype=np.int8)[fields.array("condition")[leads]]
    called = np.zeros((rank.shape[0], index.count), dtype=np.int8)
    for threshold in range(1, len(SEVERITY)):
        called[index.share(rank >= threshold) >= SHARE_THAT_COUNTS] = threshold
    worst = called.max(axis=0)
    codes = np.array(BY_RANK, dtype=np.int8)
    rst, friction = index.mean(fields.array("rst_c")[leads]), index.mean(fields.array("friction")[leads])
    return Board(
        at=picture.at,
        corridor_ids=index.ids,
        now=codes[called[0]],
        worst=codes[worst],
        worst_lead_h=np.argmax(called == worst[None, :], axis=0).astype(np.int16),
        rst_now_c=rst[0].astype(np.float32),
        rst_min_c=rst.min(axis=0).astype(np.float32),
        friction_now=friction[0].astype(np.float32),
        friction_min=friction.min(axis=0).astype(np.float32),
        slippery_share=index.share(rank[0] >= SEVERITY[int(Condition.FROST)]).astype(np.float32),
        p_slippery=index.mean(fields.array("p_slippery")[leads]).max(axis=0).astype(np.float32),
        confidence=index.mean(fields.array("confidence")[leads])[0].astype(np.float32),
        source=fields["rst_c"].source,
    )


def _rounded(value: float, digits: int) -> float | None:
    return round(float(value), digits) if np.isfinite(value) else None
