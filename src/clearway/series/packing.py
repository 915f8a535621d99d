"""How forecast arrays become bytes: raw, as int16 parts with scale and shift, or as class summaries."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

PART_TIMES: Final = 24
"""Times in one packed part: a day can be read without unpacking the rest."""
MISSING: Final = -32768
"""int16 code of NaN."""
_STEPS: Final = 65_000

STATISTICS: Final = ("count", "min", "p10", "median", "p90", "max")


@dataclass(frozen=True, slots=True)
class Part:
    """A run of times of one field. ``scale`` 0 marks raw bytes, otherwise value = code × scale + shift."""

    first: int
    scale: float
    shift: float
    data: bytes


def encode_whole(values: NDArray[Any]) -> list[Part]:
    """One raw part; reading it back is a copy of memory."""
    return [Part(0, 0.0, 0.0, np.ascontiguousarray(values).tobytes())]


def encode_packed(values: NDArray[Any]) -> list[Part]:
    """Parts of a day each as compressed int16; whole numbers within ±32,000 stay exact."""
    return [_pack(values[first : first + PART_TIMES], first) for first in range(0, len(values), PART_TIMES)]


def _pack(values: NDArray[Any], first: int) -> Part:
    numbers = values.astype(np.float64)
    finite = np.isfinite(numbers)
    low, high = (float(numbers[finite].min()), float(numbers[finite].max())) if finite.any() else (0.0, 0.0)
    if values.dtype.kind in "iub" and low >= -32_000 and high <= 32_000:
        scale, shift = 1.0, 0.0
    else:
        scale, shift = max(high - low, 1e-12) / _STEPS, (high + low) / 2.0
    codes = np.full(numbers.shape, MISSING, np.int16)
    codes[finite] = np.rint((numbers[finite] - shift) / scale).astype(np.int16)
    return Part(first, scale, shift, zlib.compress(codes.tobytes(), 1))


def decode(
    parts: Sequence[Part], dtype: str, shape: tuple[int, ...], wanted: slice | None = None
) -> NDArray[Any]:
    """Array of ``shape`` cut to the ``wanted`` times; only parts that touch them are unpacked."""
    times = shape[0]
    start, stop, _ = (wanted or slice(0, times)).indices(times)
    out = np.empty((max(stop - start, 0), *shape[1:]), np.dtype(dtype))
    for i, part in enumerate(parts):
        end = parts[i + 1].first if i + 1 < len(parts) else times
        low, high = max(part.first, start), min(end, stop)
        if low >= high:
            continue
        block = _unpack(part, (end - part.first, *shape[1:]), np.dtype(dtype))
        out[low - start : high - start] = block[low - part.first : high - part.first]
    return out


def _unpack(part: Part, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    if part.scale == 0.0:
        return np.frombuffer(part.data, dtype).reshape(shape)
    codes = np.frombuffer(zlib.decompress(part.data), np.int16).reshape(shape)
    if dtype.kind in "iub":
        return codes.astype(dtype)
    return np.where(codes == MISSING, np.nan, codes * part.scale + part.shift).astype(dtype)


def summarise(
    values: NDArray[Any], classes: NDArray[np.int32] | None
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Statistics per time and class over all other axes [times, classes, 6], and the classes.

    Statistics as :data:`STATISTICS`; NaN is left out, a class without any number has count 0 and NaN.
    """
    kinds = np.zeros(values.shape[-1], np.int32) if classes is None else classes
    present = np.unique(kinds)
    out = np.full((values.shape[0], present.size, len(STATISTICS)), np.nan, np.float32)
    for k, kind in enumerate(present.tolist()):
        part = values[..., kinds == kind].reshape(values.shape[0], -1).astype(np.float64)
        out[:, k, 0] = np.isfinite(part).sum(axis=1)
        known = out[:, k, 0] > 0
        if known.any():
            quantiles = np.nanquantile(part[known], [0.0, 0.1, 0.5, 0.9, 1.0], axis=1)
            out[known, k, 1:] = quantiles.T
    return out, present.astype(np.int32)
