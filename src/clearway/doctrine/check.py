"""What a doctrine value may be: limits by unit suffix, and which direction is the stricter."""

from __future__ import annotations

from typing import Any

_LIMITS: tuple[tuple[str, float, float], ...] = (
    ("_kmh", 0, 200),
    ("_pct", 0, 100),
    ("_share", 0, 1),
    ("_c", -90, 90),
    ("_h", 0, 24 * 366),
    ("_min", 0, 60 * 24 * 31),
    ("_s", 0, 86_400),
    ("_days", 0, 3_660),
    ("_bft", 0, 18),
    ("_m", 0, 1_000_000),
    ("_mm", 0, 5_000),
    ("_mm_we", 0, 5_000),
    ("_cm", 0, 2_000),
    ("_ms", 0, 120),
    ("_g_m2", 0, 200),
    ("_p_m2", 0, 12),
    ("_vehicles", 0, 100_000),
    ("_passes", 0, 20),
)
"""Suffix, least, greatest. The longest matching suffix counts; anything else must not be negative."""

_STRICTER_LOWER = ("max_kmh", "_expiry_h", "_review_min", "_expiry_days", "_max_cm", "max_vehicles")
_STRICTER_HIGHER = ("gap_m", "officers_min", "first_warning_m", "hold_min", "_lt_m", "lift_vis_gt_m")


def fault(key: str, value: Any) -> str:
    """Why ``value`` cannot stand at ``key``; empty when it can."""
    if isinstance(value, bool | str):
        return ""
    if isinstance(value, list):
        faults = (fault(key, item) for item in value)
        return next((f for f in faults if f), "")
    if not isinstance(value, int | float):
        return f"a {type(value).__name__} is not a doctrine value"
    if value != value or value in (float("inf"), float("-inf")):
        return "not a finite number"
    last = "_" + key.rpartition(".")[2]
    matching = [limit for limit in _LIMITS if last.endswith(limit[0])]
    suffix, least, greatest = max(matching, key=lambda m: len(m[0]), default=("", 0.0, float("inf")))
    if value < least or value > greatest:
        span = f"{least:g} to {greatest:g}" if greatest < float("inf") else f"at least {least:g}"
        return f"{value:g} is outside {span}" + (f" (unit suffix {suffix})" if suffix else "")
    return ""


def stricter(key: str, a: Any, b: Any) -> Any:
    """The stricter of two values of the same key, or None where no direction is known."""
    last = "_" + key.rpartition(".")[2]
    if not all(isinstance(v, int | float) and not isinstance(v, bool) for v in (a, b)):
        return None
    if last.endswith(_STRICTER_LOWER):
        return min(a, b)
    if last.endswith(_STRICTER_HIGHER):
        return max(a, b)
    return None
