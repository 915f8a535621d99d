"""What the map shows: packed arrays per column, and the records that lie on roads."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clearway.desks.roadweather.conditions import LOOKS
from clearway.desks.roadweather.explain import READS, ColumnSeries, explain
from clearway.kernel.clock import epoch_s, from_epoch_s, iso, zone
from clearway.kernel.language import Text, from_both
from clearway.kernel.levels import Level
from clearway.network.model import Deck, Origin, RoadClass
from clearway.network.view import corridor_views
from clearway.operations.archive import KEPT, CycleArchive, KeptCycle
from clearway.operations.stated import stated
from clearway.picture.picture import Override
from clearway.records import RecordRow
from clearway.series.quality import LABELS
from clearway.web.console.names import corridor_numbers, indices, network_hash
from clearway.web.said import source_words
from clearway.web.services import Services

MAP_ARRAYS: Final = ("condition", "friction", "rst_c", "p_slippery", "confidence")
SEGMENT_H: Final = 24
_STATION_QUANTITIES: Final = (
    "air_temperature_c", "precipitation_mm", "wind_speed_ms", "visibility_m", "rst_c", "dew_point_c",
)  # fmt: skip
NO_COLUMN: Final = 65535


def base64_of(values: NDArray[Any]) -> str:
    """Little-endian bytes of an array in base64."""
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode()


def network_json(house: Services) -> dict[str, Any]:
    """What does not change between cycles."""
    network = house.network
    columns = house.cycles.columns if house.cycles else None
    mapping = columns.segment_column if columns else np.full(network.count, NO_COLUMN)
    coords = network.coords
    box = [*coords.min(axis=0).tolist(), *coords.max(axis=0).tolist()] if len(coords) else [0, 0, 0, 0]
    return {
        "hash": network_hash(network),
        "count": network.count,
        "columns": columns.count if columns else 0,
        "segment_column": base64_of(mapping.astype("<u2")),
        "corridors": [
            {
                "i": v.index,
                "id": v.id,
                "label": {"en": v.label_en, "zh": v.label_zh},
                "ref": v.ref,
                "class": v.road_class,
                "length_m": v.length_m,
                "km": v.km,
                "box": v.box,
            }
            for v in corridor_views(network)
        ],
        "box": [round(float(v), 5) for v in box],
        "tiles": "/tiles/{z}/{x}/{y}.mvt",
        "zooms": [house.tiles.min_zoom, house.tiles.max_zoom] if house.tiles else None,
        "conditions": [
            {
                "code": int(code),
                "name": code.name.lower(),
                "label": look.label.as_dict(),
                "colour": look.colour,
                "pattern": look.pattern,
            }
            for code, look in LOOKS.items()
        ],
        "levels": [
            {"level": int(v), "label": v.label.as_dict(), "colour": v.colour, "shape": v.shape} for v in Level
        ],
        "attribution": network.attribution,
    }


def state_json(house: Services, asked: datetime | None, lead: int | None) -> dict[str, Any]:
    """State of the roads at a moment, with what is decided and known about them."""
    now = house.clock.now()
    cycle = house.cycles.at(asked) if house.cycles else None
    as_of = asked if asked is not None and asked < now else None
    answer: dict[str, Any] = {
        "at": cycle.at if cycle else None,
        "asked": asked or now,
        "now": now,
        "is_now": as_of is None,
        "simulated": house.simulated,
        "hindsight": house.hindsight,
        "source": source_words(cycle.source if cycle else "").as_dict(),
        "leads": [],
        "columns": house.cycles.columns.count if house.cycles else 0,
        "arrays": {},
        "hours": [iso(h) for h in house.cycles.hours] if house.cycles else [],
        "seq": house.journal.head().seq,
        **_records(house, as_of, now),
        "stations": _stations(house, asked or now),
    }
    if cycle is not None:
        answer["leads"], answer["arrays"] = _arrays(cycle, lead)
    return answer


def _arrays(cycle: KeptCycle, lead: int | None) -> tuple[list[int], dict[str, Any]]:
    count = cycle.arrays["condition"].shape[0]
    leads = list(range(count)) if lead is None else [min(lead, count - 1)]
    arrays = {
        name: {
            "type": KEPT[name].type.lstrip("<"),
            "scale": KEPT[name].scale,
            "missing": KEPT[name].missing,
            "data": base64_of(cycle.arrays[name][leads]),
        }
        for name in MAP_ARRAYS
        if name in cycle.arrays
    }
    return leads, arrays


def _records(house: Services, as_of: datetime | None, now: datetime) -> dict[str, Any]:
    journal, network = house.journal, house.network

    def rows(kind: str, *states: str) -> list[RecordRow]:
        return journal.list(kind, states=states or None, as_of=as_of)

    def on_roads(row: RecordRow, *names: str) -> dict[str, Any]:
        return {
            "id": row.id,
            "state": row.state,
            "corridors": indices(network, row.data.get("corridors") or ()),
            **{n: row.data.get(n) for n in names},
        }

    overrides = rows("override", "in_force")
    return {
        "levels": [
            {
                "id": r.id,
                **{n: r.data.get(n) for n in ("hazard", "level", "headline", "subjects", "starts", "ends")},
                "corridors": (on := indices(network, r.data.get("subjects") or ())),
                "everywhere": not on,
            }
            for r in rows("situation", "active")
        ],
        "measures": [
            on_roads(r, "type", "restrictive", "headline", "kmh", "expiry", "review_at", "on_road")
            for r in rows("measure", "awaiting_second", "ordered", "in_force", "removal_pending")
        ],
        "tasks": [
            on_roads(r, "type", "headline", "unit", "due")
            for r in rows("task", "open", "acknowledged", "started", "done")
        ],
        "incidents": [
            on_roads(r, "type", "headline", "lon", "lat")
            for r in rows("incident", "reported", "confirmed", "responding")
        ],
        "overrides": [on_roads(r, "headline", "until", "quantity", "value") for r in overrides],
        "said": said_segments(house, stated(overrides)),
    }


def said_segments(house: Services, overrides: list[Override]) -> list[list[int]]:
    """Segments whose condition a person stated, with its code."""
    from clearway.desks.roadweather.columns import override_condition, override_segments

    found: dict[int, int] = {}
    for override in overrides:
        if override.quantity == "condition":
            for segment in override_segments(override, house.network).tolist():
                found[segment] = int(override_condition(override))
    return [[segment, code] for segment, code in sorted(found.items())]


def _stations(house: Services, at: datetime) -> list[dict[str, Any]]:
    if house.series is None:
        return []
    latest = house.series.latest(_STATION_QUANTITIES, at, at)
    values: dict[str, dict[str, Any]] = {}
    newest: dict[str, int] = {}
    for i in range(len(latest)):
        subject, valid = str(latest.subject[i]), int(latest.valid_at[i])
        newest[subject] = max(newest.get(subject, 0), valid)
        number = float(latest.value[i])
        values.setdefault(subject, {})[str(latest.quantity[i])] = {
            "value": number if np.isfinite(number) else None,
            "quality": int(latest.quality[i]),
            "flags": [words.as_dict() for flag, words in LABELS.items() if int(latest.quality[i]) & flag],
            "at": from_epoch_s(valid),
        }
    return [
        {
            "id": s.subject,
            "name": s.name or s.subject,
            "label": from_both(s.name or s.subject).as_dict(),
            "lon": s.lon,
            "lat": s.lat,
            "at": from_epoch_s(newest[s.subject]),
            "values": values[s.subject],
        }
        for s in house.series.stations().values()
        if s.subject in values
    ]


def segment_json(house: Services, segment: int, asked: datetime | None) -> dict[str, Any]:
    """Past and coming day of one segment, why it is so, and what is decided on its corridor."""
    network, archive = house.network, house.cycles
    number = int(network.corridor[segment])
    corridor = network.corridors[number] if number >= 0 else None
    now = house.clock.now()
    as_of = asked if asked is not None and asked < now else None
    answer: dict[str, Any] = {
        "segment": segment,
        "corridor": {"i": number, "id": corridor.id, "label": corridor.label.as_dict()} if corridor else None,
        "class": RoadClass(int(network.road_class[segment])).name.lower(),
        "deck": Deck(int(network.deck[segment])).name.lower(),
        "length_m": round(float(network.length_m[segment])),
        "km": _known(float(network.km[segment])) if network.km.size else None,
        "origin": {
            "speed": Origin(int(network.speed_origin[segment])).name.lower(),
            "lanes": Origin(int(network.lanes_origin[segment])).name.lower(),
            "deck": Origin(int(network.deck_origin[segment])).name.lower(),
        },
        "times": [], "now_index": 0, "series": {}, "source": Text("", "").as_dict(), "why": [],
    }  # fmt: skip
    cycle = archive.at(asked) if archive else None
    if archive is not None and cycle is not None:
        answer |= _series(house, archive, cycle, segment)
    answer |= roads_records(house, corridor.id if corridor else "", as_of)
    answer["levels"] = _levels_on(house, corridor.id if corridor else "", as_of)
    return answer


def _levels_on(house: Services, corridor_id: str, as_of: datetime | None) -> list[dict[str, Any]]:
    """Situations that reach a road: those that name it, and those of the whole area."""
    known = corridor_numbers(house.network)
    found = []
    for row in house.journal.list("situation", states=("active",), as_of=as_of):
        subjects = row.data.get("subjects") or ()
        if corridor_id in subjects or not any(s in known for s in subjects):
            names = ("level", "headline", "starts", "ends", "confidence")
            found.append({"id": row.id, "kind": "situation", **{n: row.data.get(n) for n in names}})
    return sorted(found, key=lambda f: -int(f["level"] or 0))


def _series(house: Services, archive: CycleArchive, cycle: KeptCycle, segment: int) -> dict[str, Any]:
    column = int(archive.columns.segment_column[segment])
    past = archive.past(column, cycle.at, SEGMENT_H)
    ahead = archive.ahead(column, cycle, SEGMENT_H)
    times = [cycle.at + timedelta(hours=h) for h in range(-SEGMENT_H, SEGMENT_H + 1)]
    return {
        "times": times,
        "now_index": SEGMENT_H,
        "series": {name: [*past[name], *ahead[name]] for name in ahead},
        "source": source_words(cycle.source).as_dict(),
        "why": [t.as_dict() for t in why(house, archive, cycle, column)],
    }


def why(house: Services, archive: CycleArchive, cycle: KeptCycle, column: int) -> list[Text]:
    """The balance of a column in words; only of the last cycle, whose fields are kept in full."""
    fresh = archive.fresh
    if fresh is None or epoch_s(fresh.picture.at) != epoch_s(cycle.known):
        return []
    if any(name not in fresh.result.fields for name in READS):
        return []
    deck = int(archive.columns.deck[column])
    series = ColumnSeries.of(fresh.result.fields, column, start=cycle.at, deck=deck)
    return explain(series, zone=zone(house.zone))


def roads_records(house: Services, corridor_id: str, as_of: datetime | None) -> dict[str, Any]:
    """What is in force, proposed, said and done on a corridor."""
    journal = house.journal

    def touching(kind: str, *states: str) -> list[dict[str, Any]]:
        names = ("corridors", "subjects")
        rows = journal.list(kind, states=states, as_of=as_of) if corridor_id else []
        return [
            {"id": r.id, "kind": kind, "state": r.state, "headline": r.data["headline"],
             "state_label": house.kinds[kind].state_label(r.state).as_dict(), "updated_at": r.updated_at}
            for r in rows
            if any(corridor_id in (r.data.get(n) or ()) for n in names)
        ]  # fmt: skip

    return {
        "in_force": touching("measure", "awaiting_second", "ordered", "in_force", "removal_pending")
        + touching("notice", "issued"),
        "proposed": touching("proposal", "open"),
        "overrides": touching("override", "in_force"),
        "tasks": touching("task", "open", "acknowledged", "started", "done"),
        "last_treated": last_treated(house, as_of).get(corridor_id),
    }


def last_treated(house: Services, as_of: datetime | None = None) -> dict[str, dict[str, Any]]:
    """The last treatment of every corridor, from finished tasks."""
    found: dict[str, dict[str, Any]] = {}
    known = corridor_numbers(house.network)
    for row in house.journal.list("task", states=("done", "verified"), as_of=as_of):
        if row.data.get("type") != "treat":
            continue
        at = str(row.data.get("done_at") or iso(row.since))
        for corridor in row.data.get("done_corridors") or row.data.get("corridors") or ():
            if corridor in known and at > str(found.get(corridor, {}).get("at", "")):
                found[corridor] = {
                    "task": row.id, "at": at, "action": row.data.get("action"),
                    "rate_g_m2": row.data.get("rate_g_m2"), "unit": row.data.get("unit"),
                    "verified": row.state == "verified",
                }  # fmt: skip
    return found


def _known(value: float) -> float | None:
    return round(value, 2) if np.isfinite(value) else None
