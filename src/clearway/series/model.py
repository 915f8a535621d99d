"""Columns of observations, and what happened to them on the way in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clearway.kernel.errors import InputError


@dataclass(frozen=True, slots=True, eq=False)
class ObservationBatch:
    """Observations as equally long columns; row i is one value of one quantity at one subject.

    Attributes:
        subject: station, corridor, segment, cell or place id.
        quantity: name with unit suffix, see :mod:`clearway.series.quantities`.
        valid_at: epoch seconds the value holds for (sums: end of the period).
        known_at: epoch seconds at which we learnt it.
        value: the number in the unit of the quantity; NaN means "reported as missing".
        source: feed or person the value comes from.
        quality: bits of :class:`clearway.series.quality.Quality`.
    """

    subject: NDArray[np.str_]
    quantity: NDArray[np.str_]
    valid_at: NDArray[np.int64]
    known_at: NDArray[np.int64]
    value: NDArray[np.float64]
    source: NDArray[np.str_]
    quality: NDArray[np.uint8]

    def __post_init__(self) -> None:
        sizes = {f.name: getattr(self, f.name).shape for f in fields(self)}
        if any(shape != (self.value.size,) for shape in sizes.values()):
            raise InputError(f"columns of a batch differ in length: {sizes}", where="observations")

    def __len__(self) -> int:
        return int(self.value.size)

    @classmethod
    def build(
        cls,
        subject: ArrayLike,
        quantity: ArrayLike,
        valid_at: ArrayLike,
        value: ArrayLike,
        *,
        known_at: ArrayLike | None = None,
        source: ArrayLike = "",
        quality: ArrayLike = 0,
    ) -> Self:
        """Make a batch from columns or scalars, which are repeated to the longest column.

        ``known_at`` defaults to ``valid_at``: an archive without arrival times takes each value as known
        at its own hour.

        Raises:
            InputError: columns of different length, or of a type that cannot be converted.
        """
        try:
            times = np.asarray(valid_at, np.int64)
            columns = np.broadcast_arrays(
                np.atleast_1d(np.asarray(subject, np.str_)),
                np.asarray(quantity, np.str_),
                times,
                np.asarray(times if known_at is None else known_at, np.int64),
                np.asarray(value, np.float64),
                np.asarray(source, np.str_),
                np.asarray(quality, np.uint8),
            )
        except (ValueError, TypeError, OverflowError) as error:
            raise InputError(
                f"observations cannot be read as columns: {error}", where="observations"
            ) from error
        return cls(*(np.ascontiguousarray(column) for column in columns))

    @classmethod
    def empty(cls) -> Self:
        """A batch without rows."""
        return cls.build(np.empty(0, np.str_), "", np.empty(0, np.int64), np.empty(0))

    @classmethod
    def concat(cls, batches: Sequence[ObservationBatch]) -> Self:
        """All rows of ``batches`` one after another."""
        if not batches:
            return cls.empty()
        return cls(*(np.concatenate([getattr(b, f.name) for b in batches]) for f in fields(cls)))

    def select(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> ObservationBatch:
        """The rows of a mask or an index array, in that order."""
        return ObservationBatch(*(getattr(self, f.name)[rows] for f in fields(self)))

    def of(self, quantity: str) -> ObservationBatch:
        """The rows of one quantity."""
        return self.select(self.quantity == quantity)


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What one ``append`` did. ``rows = inserted + repeats``: nothing else can happen to a row.

    ``corrections`` are inserted rows that changed a value known before; ``flagged`` counts inserted rows
    by quality flag.
    """

    rows: int
    inserted: int
    repeats: int
    corrections: int
    new_series: int
    flagged: Mapping[str, int] = field(default_factory=dict)

    def __add__(self, other: IngestReport) -> IngestReport:
        """Sum of two reports."""
        names = sorted(set(self.flagged) | set(other.flagged))
        return IngestReport(
            rows=self.rows + other.rows,
            inserted=self.inserted + other.inserted,
            repeats=self.repeats + other.repeats,
            corrections=self.corrections + other.corrections,
            new_series=self.new_series + other.new_series,
            flagged={n: self.flagged.get(n, 0) + other.flagged.get(n, 0) for n in names},
        )


@dataclass(frozen=True, slots=True)
class Station:
    """Where a subject lies. ``elevation_m`` is None where nobody told."""

    subject: str
    lon: float
    lat: float
    elevation_m: float | None = None
    name: str = ""
    source: str = ""

    def __post_init__(self) -> None:
        if not (-180 <= self.lon <= 180 and -90 <= self.lat <= 90):
            raise InputError(
                f"position {self.lon}, {self.lat} is not on the Earth", where=f"station {self.subject}"
            )


@dataclass(frozen=True, slots=True)
class Problem:
    """Something an adapter could not use: where it stands and what is wrong with it."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What an adapter made of a file: observations, stations, notes, and every part it could not use."""

    batch: ObservationBatch
    problems: tuple[Problem, ...] = ()
    stations: tuple[Station, ...] = ()
    notes: tuple[str, ...] = ()
