"""Errors of a forecast that grow with lead time and are consistent from run to run.

A forecast error at run r for hour t is what has not yet been learnt of t: the sum of the corrections that
later runs r+1 … t will make. Each correction is drawn once, from a seed of its own (hour of the run that
makes it, member, model name), so that the next run differs from this one by exactly one correction, errors
shrink as the hour comes near, and the same hour gives the same bytes in any order of calls. This is the
martingale model of forecast evolution: Heath and Jackson (1994), IIE Transactions 26(3), 17-30.
"""

from __future__ import annotations

import threading
import tomllib
from collections import OrderedDict
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clearway.kernel.errors import InputError
from clearway.kernel.geometry import distance_m
from clearway.kernel.ids import canonical_json, sha256_hex
from clearway.operations.forecast.cells import Cells

QUANTITIES: Final = (
    "air_temperature_c",
    "dew_point_c",
    "wind_speed",
    "pressure_hpa",
    "precipitation_shift",
    "precipitation_amount",
    "precipitation_false",
    "cloud_fraction",
)
HORIZON_H: Final = 48
"""Hours over which corrections reach; later leads keep the error of the last."""
MODES: Final = 6
"""Spatial patterns drawn for each correction."""
_KEPT: Final = 2000
"""Corrections kept at most (some 40 MB): those of 180 hours with ten members."""


@dataclass(frozen=True, slots=True)
class Curve:
    """Error of one quantity: standard deviation by lead 1 … 48 h, correlation in time, length in space."""

    sigma: NDArray[np.float64]
    per_hour: float
    length_m: float
    provenance: tuple[str, str]


@dataclass(frozen=True, slots=True)
class ErrorModel:
    """All curves, the share of dew-point error that is temperature error, and the false precipitation."""

    name: str
    curves: dict[str, Curve]
    dew_with_temperature: float
    false_amount_mm: float
    false_depression_c: float

    def sigma(self, quantity: str, leads_h: NDArray[np.int64]) -> NDArray[np.float64]:
        """Standard deviation at whole leads; 0 at lead 0 and before."""
        curve = self.curves[quantity].sigma
        return np.where(leads_h > 0, curve[np.clip(leads_h - 1, 0, curve.size - 1)], 0.0)


def parse_error_model(text: str, *, file: str = "error_model.toml") -> ErrorModel:
    """Read an error model from TOML.

    Raises:
        InputError: not TOML, a curve missing, of wrong length, negative or falling with lead time, a
            correlation outside 0 … 1, or no source; names file and table.
    """
    try:
        document = tomllib.loads(text)
        hours = [float(h) for h in document["leads"]["hours"]]
        curves = {q: _curve(document[q], hours, f"{file} [{q}]") for q in QUANTITIES}
        false = document["false_precipitation"]
        return ErrorModel(
            name=str(document["name"]),
            curves=curves,
            dew_with_temperature=float(document["dew_point_c"]["with_temperature"]),
            false_amount_mm=float(false["amount_mm"]),
            false_depression_c=float(false["depression_c"]),
        )
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"not TOML: {error}", where=file) from error
    except KeyError as error:
        raise InputError(f"{error.args[0]!r} is missing", where=file) from error


def _curve(row: dict[str, Any], hours: list[float], where: str) -> Curve:
    sigma = [float(s) for s in row["sigma"]]
    if len(sigma) != len(hours) or any(a > b for a, b in pairwise([0.0, *sigma])):
        raise InputError("sigma must have one number a lead, not negative and not falling", where=where)
    if not 0 <= row["per_hour"] < 1 or row["length_km"] <= 0:
        raise InputError("per_hour must lie in 0 … 1 and length_km above 0", where=where)
    if row.get("grade") not in ("A", "B", "C", "R", "D") or not row.get("source"):
        raise InputError("a curve needs a grade and a source", where=where)
    leads = np.arange(1, HORIZON_H + 1, dtype=np.float64)
    return Curve(
        np.interp(leads, hours, sigma),
        float(row["per_hour"]),
        1000.0 * float(row["length_km"]),
        (row["grade"], row["source"]),
    )


@cache
def default_error_model() -> ErrorModel:
    """The error model shipped with Clearway."""
    return parse_error_model((files(__package__) / "error_model.toml").read_text("utf-8"))


@dataclass(slots=True)
class Errors:
    """Draws errors for one map; keeps the corrections of recent runs, since neighbouring runs share them."""

    model: ErrorModel
    cells: Cells
    patterns: dict[str, NDArray[np.float64]] = field(init=False)
    _filters: NDArray[np.float64] = field(init=False)
    _drawn: OrderedDict[tuple[int, int], NDArray[np.float64]] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        curves = [self.model.curves[q] for q in QUANTITIES]
        self._filters = np.stack([_filter(curve) for curve in curves])
        by_length: dict[float, NDArray[np.float64]] = {}
        for curve in curves:
            if curve.length_m not in by_length:
                by_length[curve.length_m] = _patterns(self.cells, curve.length_m)
        self.patterns = {q: by_length[c.length_m] for q, c in zip(QUANTITIES, curves, strict=True)}

    def _correction(self, run_h: int, member: int) -> NDArray[np.float64]:
        """Correction [quantities, leads 0 … 47, modes] that the run of hour ``run_h`` makes to a member."""
        key = (run_h, member)
        found = self._drawn.get(key)
        if found is not None:
            return found
        seed = int(sha256_hex(canonical_json([self.model.name, run_h, member]))[:32], 16)
        draw = np.random.Generator(np.random.PCG64(seed))
        white = draw.standard_normal((len(QUANTITIES), HORIZON_H, MODES))
        correction = self._filters @ white
        with self._lock:
            self._drawn[key] = correction
            while len(self._drawn) > _KEPT:
                self._drawn.popitem(last=False)
        return correction

    def scores(self, run_h: int, members: int, ahead_h: int) -> NDArray[np.float64]:
        """Errors as pattern scores [quantities, members + 1, ahead, modes] at leads 1 … ``ahead_h``.

        Member 0 is the error of the centre, the others scatter about it. In units of each quantity.

        Args:
            run_h: hours since 1970 of the run.
            members: number of members.
            ahead_h: leads wanted.
        """
        reach = min(ahead_h, HORIZON_H)
        total = np.zeros((len(QUANTITIES), members + 1, ahead_h, MODES))
        for step in range(1, reach + 1):
            part = np.stack([self._correction(run_h + step, m) for m in range(members + 1)], axis=1)
            total[:, :, step - 1 : reach] += part[:, :, : reach - step + 1]
        if ahead_h > reach:
            total[:, :, reach:] = total[:, :, reach - 1 : reach]
        return total

    def fields(self, scores: NDArray[np.float64], quantity: str) -> NDArray[np.float64]:
        """Errors of one quantity on the cells [members + 1, ahead, cells]."""
        return np.asarray(scores[QUANTITIES.index(quantity)] @ self.patterns[quantity].T)


_shared: OrderedDict[tuple[str, bytes], Errors] = OrderedDict()
_sharing: Final = threading.Lock()


def shared_errors(model: ErrorModel, cells: Cells) -> Errors:
    """The drawer of a model and map: one object for the same centres, so that corrections are reused."""
    key = (model.name, cells.lon.tobytes() + cells.lat.tobytes())
    with _sharing:
        if key not in _shared or _shared[key].model is not model:
            _shared[key] = Errors(model, cells)
        _shared.move_to_end(key)
        while len(_shared) > 4:
            _shared.popitem(last=False)
        return _shared[key]


def _filter(curve: Curve) -> NDArray[np.float64]:
    """Matrix that turns white noise by lead into corrections with the right size and correlation in time."""
    lag = np.arange(HORIZON_H)
    unit = np.zeros((HORIZON_H, HORIZON_H))
    for j in range(HORIZON_H):
        unit[j, 1 : j + 1] = np.sqrt(1 - curve.per_hour**2) * curve.per_hour ** (j - lag[1 : j + 1])
        unit[j, 0] = curve.per_hour**j
    variance = np.diff(np.concatenate([[0.0], curve.sigma**2]))
    return np.asarray(np.sqrt(variance)[:, None] * unit)


def _patterns(cells: Cells, length_m: float) -> NDArray[np.float64]:
    """Leading patterns [cells, modes] of exp(−d / length), each cell scaled to variance 1."""
    apart = distance_m(cells.lon[:, None], cells.lat[:, None], cells.lon, cells.lat)
    size, vectors = np.linalg.eigh(np.exp(-apart / length_m))
    keep = np.argsort(size)[::-1][:MODES]
    modes = vectors[:, keep] * np.sqrt(np.clip(size[keep], 0.0, None))
    largest = np.argmax(np.abs(modes), axis=0)
    modes = modes * np.where(modes[largest, np.arange(keep.size)] < 0, -1.0, 1.0)
    modes = modes / np.linalg.norm(modes, axis=1, keepdims=True)
    padded = np.zeros((cells.count, MODES))
    padded[:, : keep.size] = modes
    return padded
