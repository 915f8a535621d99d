"""Working speeds as trucks really drove them, for the next plan; what is stated counts until enough is known.

A sample is one stop between two reports of the same crew: the time the stop was planned with at stated speed,
over the time it took. The median of the samples, within bounds, multiplies the stated speeds of all trucks.
Everything is told with its number and may be put aside again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from clearway.desks.winter.judging import pace_samples
from clearway.desks.winter.plan_model import many
from clearway.desks.winter.progress import Progress
from clearway.doctrine.model import Doctrine
from clearway.kernel.clock import iso, parse_utc
from clearway.kernel.language import Text
from clearway.operations.winter.build import PLOUGHING, Settings, Site

KINDS: Final = ("plough", "spread")
WORDS: Final = {"plough": Text("ploughing", "推雪"), "spread": Text("spreading", "撒布")}
FILE: Final = "winter-speeds.json"


@dataclass(frozen=True, slots=True)
class Speed:
    """One working speed: ``factor`` is what plans use, 1 while too little is known."""

    kind: str
    stated_kmh: float
    factor: float
    runs: int
    least_runs: int
    until: datetime | None

    @property
    def kmh(self) -> float:
        """What plans are made with."""
        return self.stated_kmh * self.factor

    @property
    def learnt(self) -> bool:
        """Whether enough runs are known."""
        return self.runs >= self.least_runs

    def words(self, zone: str) -> Text:
        """The speed with its source."""
        what, n = WORDS[self.kind], many(self.runs, "run")
        if not self.learnt:
            return Text(
                f"{what.en}: {self.stated_kmh:.0f} km/h as stated ({n} reported so far, {self.least_runs} "
                "are needed to learn)",
                f"{what.zh}：按设定{self.stated_kmh:.0f}公里/小时（已上报{self.runs}次，满{self.least_runs}次后采用实测）",
            )
        at = self.until.astimezone(ZoneInfo(zone)) if self.until else None
        day = Text(f" until {at:%d %b %H:%M}", f"，截至{at:%d日%H:%M}") if at else Text("", "")
        return Text(
            f"{what.en}: {self.kmh:.1f} km/h, learnt from {n}{day.en} (stated {self.stated_kmh:.0f} km/h)",
            f"{what.zh}：{self.kmh:.1f}公里/小时，由{self.runs}次作业实测{day.zh}（设定{self.stated_kmh:.0f}公里/小时）",
        )


@dataclass(slots=True)
class Speeds:
    """Samples by kind of work, the latest last."""

    samples: dict[str, list[float]] = field(default_factory=lambda: {k: [] for k in KINDS})
    until: datetime | None = None
    keep_in: Path | None = None

    def take(self, progress: Progress, settings: Settings, at: datetime, most: int) -> None:
        """Take in what crews reported on the lists of a chapter that is over."""
        for action, ratios in pace_samples(progress).items():
            kind = KINDS[action not in PLOUGHING]
            applied = settings.learnt_plough if kind == "plough" else settings.learnt_spread
            self.samples[kind] = [*self.samples[kind], *(applied * r for r in ratios)][-most:]
            self.until = at
        self._keep()

    def told(self, settings: Settings, doctrine: Doctrine) -> tuple[Speed, ...]:
        """Both speeds as plans use them now."""
        rule = doctrine.number
        low, high = rule("winter.learn.slowest_factor"), rule("winter.learn.fastest_factor")
        least, found = int(rule("winter.learn.least_runs")), []
        for kind in KINDS:
            runs = self.samples[kind]
            stated = settings.plough_kmh if kind == "plough" else settings.spread_kmh
            middle = float(np.median(runs)) if len(runs) >= least else 1.0
            factor = round(min(max(middle, low), high), 3)
            found.append(Speed(kind, stated, factor, len(runs), least, self.until))
        return tuple(found)

    def applied(self, site: Site, doctrine: Doctrine) -> Site:
        """A site whose work takes as long as was learnt."""
        plough, spread = (s.factor for s in self.told(site.settings, doctrine))
        settings, problem = site.settings, site.problem
        if (plough, spread) == (settings.learnt_plough, settings.learnt_spread):
            return site
        new = replace(settings, learnt_plough=plough, learnt_spread=spread)
        stops = tuple(
            replace(s, work_s=new.work_s(problem.stretches[s.stretch].length_m, s.action))
            for s in problem.stops
        )
        return replace(site, settings=new, problem=replace(problem, stops=stops))

    def forget(self) -> None:
        """Back to what is stated."""
        self.samples, self.until = {k: [] for k in KINDS}, None
        self._keep()

    def _keep(self) -> None:
        if self.keep_in is not None:
            body = {"samples": self.samples, "until": iso(self.until) if self.until else None}
            beside = self.keep_in.with_suffix(".new")
            beside.write_text(json.dumps(body), encoding="utf-8")
            beside.replace(self.keep_in)

    @classmethod
    def kept(cls, path: Path) -> Speeds:
        """What was learnt before a restart; nothing where the file is missing or makes no sense."""
        try:
            body = json.loads(path.read_text(encoding="utf-8"))
            samples = {k: [float(x) for x in body["samples"][k] if 0.0 < float(x) < 10.0] for k in KINDS}
            until = parse_utc(body["until"], where=path.name) if body["until"] else None
        except (OSError, ValueError, KeyError, TypeError):
            return cls(keep_in=path)
        return cls(samples, until, path)
