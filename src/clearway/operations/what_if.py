"""What if: fork the picture with one change and re-run only the desks downstream of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from clearway.doctrine.model import Doctrine
from clearway.kernel.clock import iso
from clearway.kernel.errors import InputError
from clearway.kernel.ids import content_id
from clearway.kernel.language import Text
from clearway.operations.identity import digest
from clearway.operations.rerun import rerun, same_values
from clearway.picture.desk import CycleResult, CycleState, Desk
from clearway.picture.fields import Fields
from clearway.picture.findings import Proposal, Situation
from clearway.picture.picture import Override, Picture, Treatment, Weather


class Change(Protocol):
    """One change of the picture."""

    @property
    def touches(self) -> tuple[str, ...]:
        """Names of the parts of the picture it changes."""
        ...

    def apply(self, picture: Picture) -> Picture:
        """A fork of ``picture`` with the change made."""
        ...

    def text(self) -> Text:
        """The change in words."""
        ...


@dataclass(frozen=True, slots=True)
class AddTreatments:
    """Suppose these treatments had been done."""

    treatments: tuple[Treatment, ...]
    touches: tuple[str, ...] = ("treatments",)

    def apply(self, picture: Picture) -> Picture:
        """Add them; a corridor the network does not have is refused."""
        for treatment in self.treatments:
            if not 0 <= treatment.corridor < len(picture.network.corridors):
                raise InputError(f"no corridor number {treatment.corridor}", where="what-if treatment")
        return replace(picture, treatments=(*picture.treatments, *self.treatments))

    def text(self) -> Text:
        """The change in words."""
        n = len(self.treatments)
        return Text(f"{n} more treatments done", f"另外完成{n}次除冰雪作业")


@dataclass(frozen=True, slots=True)
class AddMeasure:
    """Suppose this measure were in force (``data`` as in the measure record)."""

    data: Mapping[str, Any]
    touches: tuple[str, ...] = ("records/measure",)

    def apply(self, picture: Picture) -> Picture:
        """Add it as a record in force."""
        record = {
            "id": content_id("whatif", dict(self.data)),
            "kind": "measure",
            "state": "in_force",
            "version": 1,
            "data": dict(self.data),
            "updated_at": iso(picture.at),
        }
        measures = (*picture.records.get("measure", ()), record)
        return replace(picture, records={**picture.records, "measure": measures})

    def text(self) -> Text:
        """The change in words."""
        return Text.of(self.data.get("headline", "a measure in force"))


@dataclass(frozen=True, slots=True)
class EndMeasures:
    """Suppose these measures had ended."""

    measures: tuple[str, ...]
    touches: tuple[str, ...] = ("records/measure",)

    def apply(self, picture: Picture) -> Picture:
        """Take them out; one that is not there is refused."""
        _known(picture, self.measures)
        kept = tuple(r for r in picture.records.get("measure", ()) if r["id"] not in self.measures)
        return replace(picture, records={**picture.records, "measure": kept})

    def text(self) -> Text:
        """The change in words."""
        n = len(self.measures)
        return Text(f"{n} measure{'' if n == 1 else 's'} ended", f"{n}项措施结束")


@dataclass(frozen=True, slots=True)
class RenewMeasures:
    """Suppose these measures had been renewed: new ``expiry`` and ``review_at`` by measure."""

    times: Mapping[str, Mapping[str, str]]
    touches: tuple[str, ...] = ("records/measure",)

    def apply(self, picture: Picture) -> Picture:
        """Give them their new times; one that is not there is refused."""
        _known(picture, self.times)
        measures = tuple(
            {**r, "data": {**r["data"], **self.times[r["id"]]}} if r["id"] in self.times else r
            for r in picture.records.get("measure", ())
        )
        return replace(picture, records={**picture.records, "measure": measures})

    def text(self) -> Text:
        """The change in words."""
        n = len(self.times)
        return Text(f"{n} measure{'' if n == 1 else 's'} renewed", f"{n}项措施续期")


def _known(picture: Picture, measures: Iterable[str]) -> None:
    missing = set(measures) - {r["id"] for r in picture.records.get("measure", ())}
    if missing:
        words = Text(
            f"the last cycle did not know {min(missing)}; ask again after the next",
            f"上次研判时尚无{min(missing)}，请待下次研判后再试",
        )
        raise InputError(words.en, where="what-if measure", words=words)


@dataclass(frozen=True, slots=True)
class AddOverride:
    """Suppose a person said so."""

    override: Override
    touches: tuple[str, ...] = ("overrides",)

    def apply(self, picture: Picture) -> Picture:
        """Add the override."""
        return replace(picture, overrides=(*picture.overrides, self.override))

    def text(self) -> Text:
        """The change in words."""
        o = self.override
        return Text(f"{o.quantity} of {o.subject} is {o.value}", f"{o.subject}的{o.quantity}为{o.value}")


@dataclass(frozen=True, slots=True)
class WeatherShift:
    """Suppose the coming weather were different: warmer, wetter, windier, or so many hours later."""

    temperature_k: float = 0.0
    precipitation_factor: float = 1.0
    wind_factor: float = 1.0
    later_h: int = 0
    touches: tuple[str, ...] = ("weather",)

    def apply(self, picture: Picture) -> Picture:
        """Shift everything after the last known hour; what has been observed stays."""
        return replace(picture, weather=self.shifted(picture.weather))

    def shifted(self, weather: Weather) -> Weather:
        """The weather with its future shifted.

        Raises:
            InputError: a negative factor or time.
        """
        if min(self.precipitation_factor, self.wind_factor, self.later_h) < 0:
            raise InputError("factors and hours must not be negative", where="what-if weather")
        first = weather.now_index + 1

        def moved(values: NDArray[np.float32], add: float, factor: float) -> NDArray[np.float32]:
            out = values.copy()
            hours = np.arange(first, values.shape[1])
            taken = values[:, np.maximum(hours - self.later_h, first - 1)]
            out[:, first:] = taken * np.float32(factor) + np.float32(add)
            return out

        return replace(
            weather,
            air_temperature_c=moved(weather.air_temperature_c, self.temperature_k, 1.0),
            dew_point_c=moved(weather.dew_point_c, self.temperature_k, 1.0),
            precipitation_mm=moved(weather.precipitation_mm, 0.0, self.precipitation_factor),
            wind_speed_ms=moved(weather.wind_speed_ms, 0.0, self.wind_factor),
        )

    def text(self) -> Text:
        """The change in words."""
        en: list[str] = []
        zh: list[str] = []
        if self.temperature_k:
            en.append(f"{abs(self.temperature_k):g} °C {'warmer' if self.temperature_k > 0 else 'colder'}")
            zh.append(f"气温{'高' if self.temperature_k > 0 else '低'}{abs(self.temperature_k):g}℃")
        if self.precipitation_factor != 1:
            en.append(f"{self.precipitation_factor:g} times the precipitation")
            zh.append(f"降水为{self.precipitation_factor:g}倍")
        if self.wind_factor != 1:
            en.append(f"{self.wind_factor:g} times the wind")
            zh.append(f"风速为{self.wind_factor:g}倍")
        if self.later_h:
            en.append(f"{self.later_h} h later")
            zh.append(f"推迟{self.later_h}小时")
        return Text(", ".join(en) or "no change", "，".join(zh) or "无变化")


@dataclass(frozen=True, slots=True)
class FieldDifference:
    """How a field of the fork differs: share of values that changed, mean and largest change."""

    name: str
    unit: str
    changed_share: float
    mean_change: float
    largest_change: float


@dataclass(frozen=True, slots=True)
class Difference:
    """What the change would change; lists hold keys of situations and proposals."""

    change: Text
    reran: tuple[str, ...]
    fields: tuple[FieldDifference, ...]
    situations_gained: tuple[str, ...]
    situations_lost: tuple[str, ...]
    situations_changed: tuple[str, ...]
    proposals_gained: tuple[str, ...]
    proposals_lost: tuple[str, ...]
    proposals_changed: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class WhatIf:
    """A fork's result and how it differs from the base."""

    result: CycleResult
    difference: Difference


def what_if(
    picture: Picture,
    state: CycleState,
    doctrine: Doctrine,
    desks: Sequence[Desk],
    change: Change,
    base: CycleResult,
) -> WhatIf:
    """Re-run the desks a change reaches and compare.

    Args:
        picture, state, doctrine, desks: what ``base`` was computed from (``state`` is the one before it).
        change: the one change.
        base: the cycle's own result; desks that the change does not reach keep their part of it.

    Raises:
        InputError: the change cannot be made in this picture.
        DeskError: a desk failed on the fork.
    """
    fork = change.apply(picture)
    outcome, reran = rerun(fork, state, doctrine, desks, base, change.touches)
    return WhatIf(outcome, _difference(change.text(), reran, base, outcome))


def _difference(change: Text, reran: tuple[str, ...], base: CycleResult, fork: CycleResult) -> Difference:
    fields = [d for name in sorted(fork.fields) if (d := _field_difference(name, base.fields, fork.fields))]
    gained, lost, changed = _compare(base.situations, fork.situations)
    p_gained, p_lost, p_changed = _compare(base.proposals, fork.proposals)
    return Difference(change, reran, tuple(fields), gained, lost, changed, p_gained, p_lost, p_changed)


def _field_difference(name: str, base: Fields, fork: Fields) -> FieldDifference | None:
    new, old = fork[name], base.get(name)
    if old is None or old.values.shape != new.values.shape or same_values(new, old):
        return None
    with np.errstate(invalid="ignore"):  # both without end (no water to freeze): no difference to tell
        gap = np.asarray(new.values, float) - np.asarray(old.values, float)
    known = gap[np.isfinite(gap)]
    if not known.size:
        return None
    largest = float(known[np.abs(known).argmax()])
    return FieldDifference(name, new.unit, float(np.mean(known != 0)), float(known.mean()), largest)


def _compare(
    base: Sequence[Situation] | Sequence[Proposal], fork: Sequence[Situation] | Sequence[Proposal]
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    before, after = {f.key: f for f in base}, {f.key: f for f in fork}
    changed = (k for k in before.keys() & after.keys() if digest(before[k]) != digest(after[k]))
    return (
        tuple(sorted(after.keys() - before.keys())),
        tuple(sorted(before.keys() - after.keys())),
        tuple(sorted(changed)),
    )
