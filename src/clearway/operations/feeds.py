"""Feeds: polled when due, never trusted, never able to stall the rest. How old each is, is data.

A feed that fails is logged once when it begins to fail and once when it works again; in between its state
says so. A feed that hangs is left behind in its own thread and not called again until it returns. What it
delivers goes through the adapters and the quality checks of the series like anything else.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from time import monotonic
from typing import Any, Final, Generic, TypeVar

from clearway.kernel.clock import Clock, epoch_s, from_epoch_s, iso
from clearway.kernel.errors import ClearwayError, InputError
from clearway.kernel.language import Text
from clearway.series.model import IngestReport, Reading
from clearway.series.points import ForecastReading, put_points
from clearway.series.store import SeriesStore

log = logging.getLogger("clearway.feeds")

Delivery = Reading | ForecastReading | None
"""What a feed brings; None when there is nothing new."""
Brought = TypeVar("Brought")


@dataclass(frozen=True, slots=True)
class Feed:
    """A source that is asked regularly.

    Attributes:
        name: unique name, also the default source of its values.
        fetch: called with the present (epoch seconds); fetches and reads in one go. May raise anything, may
            hang: it runs in a thread of its own.
        interval_s: how often to ask.
        stale_s: age of the newest value (for forecasts: of the run) from which the feed counts as stale.
        timeout_s: how long to wait for an answer before going on without it.
    """

    name: str
    fetch: Callable[[int], Delivery]
    interval_s: int
    stale_s: int
    timeout_s: float = 20.0


@dataclass(frozen=True, slots=True)
class FeedState:
    """What is known of a feed; times are epoch seconds, None for never.

    ``status`` is ``waiting`` (not asked yet), ``ok``, ``failing`` or ``stalled``; ``stale`` is judged apart,
    since a feed may answer promptly with old news.
    """

    name: str
    status: str = "waiting"
    last_asked: int | None = None
    last_ok: int | None = None
    last_error: int | None = None
    error: str = ""
    failures: int = 0
    newest: int | None = None
    stale: bool = True
    age_s: int | None = None
    rows: int = 0
    inserted: int = 0
    repeats: int = 0
    problems: int = 0
    flagged: Mapping[str, int] = field(default_factory=dict)

    @property
    def status_label(self) -> Text:
        """The status in words."""
        return _STATUS[self.status]

    @property
    def label(self) -> Text:
        """One line for a screen."""
        status = _STATUS[self.status]
        if not self.stale:
            return status
        if self.newest is None:
            return Text(f"{status.en}, no data yet", f"{status.zh}，尚无资料")
        newest = iso(from_epoch_s(self.newest))
        return Text(f"{status.en}, stale: newest data {newest}", f"{status.zh}，已过期：最新资料 {newest}")


_STATUS: Final = {
    "waiting": Text("not asked yet", "尚未查询"),
    "ok": Text("working", "正常"),
    "failing": Text("failing", "故障"),
    "stalled": Text("does not answer", "无响应"),
}


class _Call:
    """One call of a feed in a daemon thread; its result can be waited for or picked up later."""

    def __init__(self, feed: Feed, now: int) -> None:
        self.result: Delivery = None
        self.error: BaseException | None = None
        self._done = threading.Event()
        self._deadline = monotonic() + feed.timeout_s
        name = f"feed {feed.name}"
        threading.Thread(target=self._run, args=(feed, now), name=name, daemon=True).start()

    def _run(self, feed: Feed, now: int) -> None:
        try:
            self.result = feed.fetch(now)
        except BaseException as error:  # noqa: BLE001  # the boundary: a feed may fail in any way it likes
            self.error = error
        finally:
            self._done.set()

    def wait(self) -> bool:
        """Whether the call has come back; waits until its time is up, counted from its start."""
        return self._done.wait(max(0.0, self._deadline - monotonic()))


class FeedRunner:
    """Asks the feeds that are due and stores what they bring.

    Args:
        store: where observations and forecasts go; states are kept there too.
        clock: the present.
        feeds: what to ask.
        watch: called with a state whenever its status or staleness changes.
    """

    def __init__(
        self,
        store: SeriesStore,
        clock: Clock,
        feeds: list[Feed],
        *,
        watch: Callable[[FeedState], None] | None = None,
    ) -> None:
        self._store, self._clock, self._watch = store, clock, watch
        self._feeds = {feed.name: feed for feed in feeds}
        kept = store.feeds()
        self._states = {name: restored(name, kept.get(name, "")) for name in self._feeds}
        self._calls: dict[str, _Call] = {}

    def states(self) -> tuple[FeedState, ...]:
        """States of all feeds, with their age at this moment."""
        now = epoch_s(self._clock.now())
        return tuple(_aged(s, self._feeds[s.name].stale_s, now) for s in self._states.values())

    def poll(self) -> tuple[FeedState, ...]:
        """Ask every feed that is due, together, and wait no longer than the longest timeout among them.

        Never raises for a feed's sake; a store that cannot be written is the caller's to hear of.

        Raises:
            SystemFailureError: the store cannot be written.
        """
        now = epoch_s(self._clock.now())
        due = [feed for feed in self._feeds.values() if self._is_due(feed, now)]
        for feed in due:
            if feed.name not in self._calls:
                self._calls[feed.name] = _Call(feed, now)
        for feed in due:
            self._collect(feed, now)
        for feed in self._feeds.values():
            if feed not in due:
                self._enter(feed, _aged(self._states[feed.name], feed.stale_s, now))
        return tuple(self._states.values())

    def _is_due(self, feed: Feed, now: int) -> bool:
        asked = self._states[feed.name].last_asked
        backwards = asked is not None and now < asked  # the clock was set back: ask again
        return feed.name in self._calls or asked is None or backwards or now - asked >= feed.interval_s

    def _collect(self, feed: Feed, now: int) -> None:
        call, before = self._calls[feed.name], self._states[feed.name]
        asked = before.last_asked if before.status == "stalled" else now
        if not call.wait():
            error = f"no answer for {feed.timeout_s:g} s"
            self._failed(feed, replace(before, status="stalled", last_asked=asked), error, now)
            return
        del self._calls[feed.name]
        before = replace(before, last_asked=now)
        if call.error is not None:
            words = str(call.error) if isinstance(call.error, ClearwayError) else repr(call.error)
            self._failed(feed, replace(before, status="failing"), words, now)
            return
        try:
            state = self._stored(call.result, before, now)
        except (InputError, TypeError) as error:
            self._failed(feed, replace(before, status="failing"), str(error), now)
            return
        self._enter(feed, _aged(state, feed.stale_s, now))

    def _failed(self, feed: Feed, state: FeedState, error: str, now: int) -> None:
        failures = state.failures + 1
        state = replace(state, last_error=now, error=error[:300], failures=failures)
        self._enter(feed, _aged(state, feed.stale_s, now))

    def _stored(self, brought: Delivery, before: FeedState, now: int) -> FeedState:
        state = replace(before, status="ok", last_ok=now, error="", failures=0)
        if brought is None:
            return state
        if not isinstance(brought, Reading | ForecastReading):
            raise TypeError(f"brought a {type(brought).__name__} instead of a reading")
        state = replace(state, problems=state.problems + len(brought.problems))
        if isinstance(brought, ForecastReading):
            for run in brought.runs:
                put_points(self._store.forecasts, run)
            issued = [run.issued_at for run in brought.runs if run.issued_at <= now]
            return replace(state, rows=state.rows + len(brought.runs), newest=_later(state.newest, issued))
        if brought.stations:
            self._store.put_stations(brought.stations)
        report = self._store.append(brought.batch)
        valid = brought.batch.valid_at[brought.batch.valid_at <= now].tolist()
        return _counted(replace(state, newest=_later(state.newest, valid)), report)

    def _enter(self, feed: Feed, state: FeedState) -> None:
        """Keep a state; log and tell only what changed."""
        before = self._states[feed.name]
        self._states[feed.name] = state
        if state == before:
            return
        self._store.put_feed(state.name, json.dumps(asdict(state), ensure_ascii=False))
        broken, was_broken = state.status in _BROKEN, before.status in _BROKEN
        if broken and not was_broken:
            log.warning("feed %s: %s", feed.name, state.error)
        elif was_broken and not broken:
            log.info("feed %s works again", feed.name)
        if state.stale != before.stale and not (before.status == "waiting" and state.stale):
            log.log(*_staleness(state))
        changed = (state.status, state.stale) != (before.status, before.stale)
        if self._watch is not None and changed:
            self._watch(state)


_BROKEN: Final = ("failing", "stalled")


def _staleness(state: FeedState) -> tuple[int, str, str]:
    level = logging.WARNING if state.stale else logging.INFO
    return level, "feed %s is stale" if state.stale else "feed %s is current", state.name


def _later(newest: int | None, found: list[int]) -> int | None:
    """The newest moment seen, that of this delivery included."""
    return max([*found, *([] if newest is None else [newest])], default=None)


def _counted(state: FeedState, report: IngestReport) -> FeedState:
    names = sorted(set(state.flagged) | set(report.flagged))
    return replace(
        state,
        rows=state.rows + report.rows,
        inserted=state.inserted + report.inserted,
        repeats=state.repeats + report.repeats,
        flagged={n: state.flagged.get(n, 0) + report.flagged.get(n, 0) for n in names},
    )


def _aged(state: FeedState, stale_s: int, now: int) -> FeedState:
    age = None if state.newest is None else now - state.newest
    return replace(state, age_s=age, stale=age is None or age > stale_s)


def restored(name: str, body: str) -> FeedState:
    """The state kept by an earlier run of the program; a stalled call did not survive it."""
    if not body:
        return FeedState(name)
    kept: dict[str, Any] = json.loads(body)
    state = FeedState(**{k: v for k, v in kept.items() if k in FeedState.__dataclass_fields__})
    return replace(state, status="failing") if state.status == "stalled" else state


class Folder(Generic[Brought]):
    """A folder into which files are dropped: each file is read once, again when it changes, oldest first.

    Args:
        path: the folder.
        pattern: which files, as in ``*.csv``.
        read: an adapter's ``read`` with its options filled in, called with the path and the present.
    """

    def __init__(self, path: Path, pattern: str, read: Callable[[Path, int], Brought]) -> None:
        self.path, self.pattern, self._read = path, pattern, read
        self._seen: dict[Path, tuple[int, int]] = {}

    def __call__(self, now: int) -> Brought | None:
        """The next new or changed file, or None; one that cannot be read is left alone until it changes.

        Raises:
            OSError: the folder cannot be listed.
            InputError: from the adapter.
        """
        if not self.path.is_dir():
            raise FileNotFoundError(f"no folder {self.path}")
        waiting = []
        for file in self.path.glob(self.pattern):
            stat = file.stat()
            mark = (stat.st_mtime_ns, stat.st_size)
            if file.is_file() and self._seen.get(file) != mark:
                waiting.append((stat.st_mtime_ns, file.name, file, mark))
        if not waiting:
            return None
        _, _, file, mark = min(waiting)
        self._seen[file] = mark
        return self._read(file, now)
