"""What may never become a field or a figure: persons, their traces, and targets that harm fair enforcement.

Looks at every name in the declarations of the desks and the doctrine packs: keys, and values that are names.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

_NAME: Final = re.compile(r"[a-z][a-z0-9]*(?:[_.-][a-z0-9]+)*")
_OFFICERS: Final = re.compile(r"(?:one|two|second|other)_persons?(?=_|$)")
"""What only looks forbidden: the rule that two officers must agree."""

_NEVER: Final[tuple[tuple[re.Pattern[str], str], ...]] = (
    (
        re.compile(
            r"(?:^|_)(?:person|persons|person_id|driver_name|driver_id|passenger_name|passenger_id|citizen"
            r"|id_card|id_number|identity_number|passport|full_name|date_of_birth|ethnicity|religion)(?:_|$)"
        ),
        "no person entity beyond staff accounts",
    ),
    (
        re.compile(
            r"(?:^|_)(?:plate|plates|plate_number|number_plate|licence_plate|license_plate|vin)(?:_|$)"
        ),
        "no plates",
    ),
    (re.compile(r"(?:^|_)(?:face|faces|facial|biometric|gait|iris|fingerprint_image)(?:_|$)"), "no faces"),
    (
        re.compile(
            r"(?:^|_)(?:device_id|imei|imsi|msisdn|mac_address|advertising_id|track_id|trajectory_id)(?:_|$)"
        ),
        "no device ids, no tracking",
    ),
    (
        re.compile(r"(?:^|_)(?:sentiment|risk_score|person_score|credit_score|blacklist)(?:_|$)"),
        "no scoring of people",
    ),
    (
        re.compile(
            r"(?:^|_)(?:fine_amount|fines|fines_count|tickets_issued|detention|detentions|arrest|arrests|cases_solved"
            r"|case_quota|clearance_rate|quota)(?:_|$)"
        ),
        "no figure on fines, detentions or cases",
    ),
)


_LIST_OF_FORBIDDEN: Final = "forbidden_kpi"
"""The one table in which a forbidden figure may be named: the doctrine's list of what the law forbids."""


def names_in(value: Any) -> Iterator[str]:
    """Every name in parsed TOML: keys, and strings that are written like a name."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key != _LIST_OF_FORBIDDEN:
                yield key
                yield from names_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from names_in(inner)
    elif isinstance(value, str) and _NAME.fullmatch(value):
        yield value


def problems(root: Path) -> list[str]:
    """One line for each forbidden name, and for each declaration that is not TOML."""
    found = []
    places = (root / "src" / "clearway" / "desks", root / "src" / "clearway" / "doctrine" / "packs")
    for path in sorted(path for place in places for path in place.rglob("*.toml")):
        where = path.relative_to(root).as_posix()
        try:
            declared = tomllib.loads(path.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            found.append(f"{where}: cannot be read: {error}")
            continue
        for name in sorted(set(names_in(declared))):
            plain = _OFFICERS.sub("officers", re.sub(r"[.-]", "_", name))
            found += [f"{where}: {name!r}: {why}" for pattern, why in _NEVER if pattern.search(plain)]
    return found
