"""What cannot wait for the full hour: a word from the road, a warning from outside, a closure, a wide limit.

A cycle at once follows such an entry: after a moment, in which more of the same may come, and not more often
than the spacing allows, however much comes. What a cycle writes itself never asks for another one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from clearway.doctrine.model import Doctrine
from clearway.kernel.language import Text
from clearway.network.model import Network
from clearway.operations.reconcile import OUTSIDE
from clearway.records import Event, Journal

WAIT_S: Final = 3.0
"""How long a cycle at once waits for more of the same."""
SPACING_S: Final = 30.0
"""Least time between a cycle and one at once after it."""
QUEUED: Final = 5_000

CLOSING: Final = frozenset({"CLOSE", "CLOSE_ST", "MAINLINE"})
_STANDS: Final = frozenset({"order", "confirm", "break_glass", "record_done"})
_ENDS: Final = frozenset({"lift", "expire"})
_IN_POWER: Final = frozenset({"ordered", "in_force"})
_INCIDENTS: Final = frozenset({"slippery", "blocked", "flooding", "stranded"})
"""Types of incidents that change what the road is, not only what happens on it."""


@dataclass(frozen=True, slots=True)
class Importance:
    """Judges single events; ``km_of`` gives the length of corridors, ``wide_km`` what counts as wide."""

    journal: Journal
    km_of: Callable[[Iterable[str]], float]
    wide_km: float

    @classmethod
    def of(cls, journal: Journal, network: Network, doctrine: Doctrine) -> Importance:
        """By the roads and the doctrine of a deployment: wide is what the public is told of."""
        length = {c.id: float(c.length_m) / 1000.0 for c in network.corridors}

        def km_of(corridors: Iterable[str]) -> float:
            return sum(length.get(c, 0.0) for c in corridors)

        return cls(journal, km_of, doctrine.number("notice.controls_least_km"))

    def why(self, event: Event) -> Text | None:
        """Why an event cannot wait for the full hour, None when it can."""
        kind, verb = event.kind, event.verb
        if kind == "override" and verb in ("state", "withdraw"):
            return Text("a word from the road or about a sensor", "现场对路况或测站的说明")
        if kind == "incident" and verb == "report" and event.changes.get("type") in _INCIDENTS:
            return Text("a report of ice, water or a blocked road", "关于结冰、积水或道路中断的报告")
        if kind == "situation" and verb in ("open", "update") and self._data(event).get("source") == OUTSIDE:
            return Text("a warning from outside", "外部预警信息")
        if kind == "restriction_found" and verb == "report" and not event.actor.id.startswith("desk:"):
            return Text("a restriction found on the road", "现场发现的限制措施")
        if kind == "measure":
            return self._of_measure(event)
        return None

    def _of_measure(self, event: Event) -> Text | None:
        if event.verb not in _STANDS | _ENDS:
            return None
        data = self._data(event)
        if not data.get("restrictive"):
            return None
        closes = data.get("type") in CLOSING
        if event.verb in _ENDS:
            return Text("a closure has ended", "封闭措施结束") if closes else None
        if event.state not in _IN_POWER:
            return None
        if event.verb == "record_done":
            return Text("a restriction was put up on scene", "现场已先行实施限制")
        if closes or self.km_of(map(str, data.get("corridors") or ())) >= self.wide_km:
            return Text("a closure or wide limit was ordered", "已下达封闭或大范围限行决定")
        return None

    def _data(self, event: Event) -> dict[str, Any]:
        row = self.journal.find(event.record_id)
        return {**(row.data if row is not None else {}), **event.changes}


class Attention:
    """Listens to a journal and says when a cycle is due at once. For one thread; close it when done.

    Args:
        journal: what to listen to.
        importance: what counts.
        wait_s, spacing_s: see :data:`WAIT_S` and :data:`SPACING_S`; in the time :meth:`due` is asked in.
    """

    def __init__(
        self,
        journal: Journal,
        importance: Importance,
        *,
        wait_s: float = WAIT_S,
        spacing_s: float = SPACING_S,
    ) -> None:
        self._events = journal.subscribe(QUEUED)
        self._importance, self._wait_s, self._spacing_s = importance, wait_s, spacing_s
        self._since: float | None = None
        self._last: float | None = None
        self.reasons: tuple[Text, ...] = ()
        """Why the cycle that is due, or was last, is due; each reason once."""

    def due(self, now_s: float) -> bool:
        """Whether a cycle should run now.

        Args:
            now_s: seconds on any clock that does not run backwards, always the same one.
        """
        self._look(now_s)
        if self._since is None or now_s < self._since + self._wait_s:
            return False
        return self._last is None or now_s >= self._last + self._spacing_s

    def ran(self, now_s: float) -> None:
        """A cycle begins: what has come until now is in its picture."""
        self._look(now_s)
        self._since, self._last = None, now_s

    def failed(self, now_s: float) -> None:
        """The cycle that began came to nothing: it is still due."""
        self._since = self._since if self._since is not None else now_s

    def close(self) -> None:
        """Listen no more."""
        self._events.close()

    def _look(self, now_s: float) -> None:
        events: Sequence[Event] = self._events.take()
        found = [why for why in map(self._importance.why, events) if why is not None]
        if self._events.lagged:
            found.append(Text("more came than could be looked at", "来不及逐条查看的大量记录"))
        if not found:
            return
        kept = self.reasons if self._since is not None else ()
        self.reasons = tuple(dict.fromkeys((*kept, *found)))
        if self._since is None:
            self._since = now_s
