"""Treatments done and people's readings as observations, with a corridor (or segment) as subject."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from clearway.kernel.errors import InputError
from clearway.series.model import IngestReport, ObservationBatch
from clearway.series.quality import Quality
from clearway.series.store import Moment, SeriesStore, seconds

ACTIONS: Final = ("salt", "plough", "plough_salt", "brine", "abrasive")
_SPREAD: Final = {
    "salt": "treatment_salt_g_m2",
    "plough_salt": "treatment_salt_g_m2",
    "brine": "treatment_brine_g_m2",
    "abrasive": "treatment_abrasive_g_m2",
}
_PLOUGH: Final = "treatment_plough"
_QUANTITIES: Final = (*dict.fromkeys(_SPREAD.values()), _PLOUGH)
READINGS: Final = ("reading_condition", "reading_rst_c", "reading_visibility_m")


@dataclass(frozen=True, slots=True)
class TreatmentDone:
    """A treatment of a corridor. ``action`` is one of :data:`ACTIONS`; ``rate_g_m2`` is dry NaCl
    equivalent (abrasive: the material itself) and 0 for ploughing alone."""

    corridor: str
    action: str
    rate_g_m2: float
    at: int
    known_at: int
    source: str


@dataclass(frozen=True, slots=True)
class ManualReading:
    """What a person read at a subject; ``quantity`` is one of :data:`READINGS`."""

    subject: str
    quantity: str
    value: float
    at: int
    known_at: int
    source: str


def treatment_batch(
    corridor: str, action: str, rate_g_m2: float, at: Moment, *, source: str, known_at: Moment | None = None
) -> ObservationBatch:
    """A treatment as observations: the amount spread, and a row for the plough where one was used.

    Raises:
        InputError: unknown action, a rate below zero, or a rate of zero for something that spreads.
    """
    where = f"treatment of {corridor}"
    if action not in ACTIONS:
        raise InputError(f"unknown action {action!r}", where=where, hint=f"Use one of {', '.join(ACTIONS)}")
    if not rate_g_m2 >= 0 or (rate_g_m2 == 0) != (action == "plough"):
        raise InputError(f"rate {rate_g_m2} g/m² does not go with {action}", where=where)
    rows = []
    if action in _SPREAD:
        rows.append((_SPREAD[action], float(rate_g_m2)))
    if action.startswith("plough"):
        rows.append((_PLOUGH, 1.0))
    return ObservationBatch.build(
        corridor,
        [quantity for quantity, _ in rows],
        seconds(at),
        [value for _, value in rows],
        known_at=seconds(at if known_at is None else known_at),
        source=source,
        quality=int(Quality.MANUAL),
    )


def write_treatment(
    store: SeriesStore,
    corridor: str,
    action: str,
    rate_g_m2: float,
    at: Moment,
    *,
    source: str,
    known_at: Moment | None = None,
) -> IngestReport:
    """Store a treatment; the same treatment told twice is kept once."""
    return store.append(treatment_batch(corridor, action, rate_g_m2, at, source=source, known_at=known_at))


def treatments(
    store: SeriesStore, t_from: Moment, t_to: Moment, known_by: Moment | None = None
) -> tuple[TreatmentDone, ...]:
    """Treatments done in [t_from, t_to] as known at ``known_by``, in order of time and corridor."""
    found = store.window(_QUANTITIES, t_from, t_to, known_by)
    together: dict[tuple[int, str, str], dict[str, tuple[float, int]]] = {}
    for i in range(len(found)):
        key = (int(found.valid_at[i]), str(found.subject[i]), str(found.source[i]))
        value = (float(found.value[i]), int(found.known_at[i]))
        together.setdefault(key, {})[str(found.quantity[i])] = value
    out = []
    for (at, corridor, source), parts in sorted(together.items()):
        ploughed = parts.pop(_PLOUGH, None)
        for quantity, (rate, known) in sorted(parts.items()):
            action = quantity.removeprefix("treatment_").removesuffix("_g_m2")
            if ploughed and action == "salt":
                action, ploughed = "plough_salt", None
            out.append(TreatmentDone(corridor, action, rate, at, known, source))
        if ploughed:
            out.append(TreatmentDone(corridor, "plough", 0.0, at, ploughed[1], source))
    return tuple(out)


def write_reading(
    store: SeriesStore,
    subject: str,
    quantity: str,
    value: float,
    at: Moment,
    *,
    source: str,
    known_at: Moment | None = None,
) -> IngestReport:
    """Store what a person read.

    Raises:
        InputError: a quantity people do not read.
    """
    if quantity not in READINGS:
        raise InputError(
            f"{quantity!r} is no manual reading", where=subject, hint=f"Use one of {', '.join(READINGS)}"
        )
    known = seconds(at if known_at is None else known_at)
    batch = ObservationBatch.build(
        subject, quantity, seconds(at), value, known_at=known, source=source, quality=int(Quality.MANUAL)
    )
    return store.append(batch)


def readings(
    store: SeriesStore, t_from: Moment, t_to: Moment, known_by: Moment | None = None
) -> tuple[ManualReading, ...]:
    """Manual readings in [t_from, t_to] as known at ``known_by``, by time and subject."""
    found = store.window(READINGS, t_from, t_to, known_by)
    rows = zip(
        found.valid_at.tolist(),
        found.subject.tolist(),
        found.quantity.tolist(),
        found.value.tolist(),
        found.known_at.tolist(),
        found.source.tolist(),
        strict=True,
    )
    return tuple(
        ManualReading(subject, quantity, value, at, known, source)
        for at, subject, quantity, value, known, source in sorted(rows)
    )
