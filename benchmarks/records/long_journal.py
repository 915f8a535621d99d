"""A long journal, made fast: events of years of measures and tasks, written straight into the chain."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from clearway.kernel.clock import iso
from clearway.kernel.ids import canonical_json
from clearway.records.batch import EVENT_COLUMNS
from clearway.records.bodies import chained, genesis
from clearway.records.events import from_us, to_us
from clearway.records.kinds import Kinds
from clearway.records.layout import lay_out
from clearway.records.replay import store_id
from clearway.records.store import Store

START_US = to_us(datetime(2010, 1, 1, tzinfo=UTC))
STEP_US = 60_000_000
OPEN_AT_ONCE = 150
"""Measures open at a time; as many tasks beside them."""

LIVES = {
    "measure": [("order", "ordered"), ("place", "in_force"), ("review", "in_force"), ("review", "in_force"),
                ("lift", "removal_pending"), ("verify_removed", "closed")],
    "task": [("open", "open"), ("acknowledge", "acknowledged"), ("start", "started"), ("done", "done"),
             ("verify", "verified")],
}  # fmt: skip

OPENING: dict[str, dict[str, Any]] = {
    "measure": {
        "type": "SPEED", "kmh": 60, "headline": {"en": "Limit", "zh": "限速"}, "corridors": ["c-1", "c-2"],
        "restrictive": True, "legal_basis": "Road Traffic Safety Law art. 40", "decider": "post-duty",
        "area": "city", "lift_condition": {"en": "grip above 0.4 for an hour", "zh": "附着系数高于0.4一小时"},
    },
    "task": {
        "type": "treat", "headline": {"en": "Salt", "zh": "撒盐"}, "corridors": ["cor-1"], "area": "city",
        "action": "salt", "rate_g_m2": 20,
    },
}  # fmt: skip


def _lives(events: int) -> Iterator[tuple[str, str, str, str, str, int]]:
    """Record, kind, verb, state before, state after, version: many lives side by side, long and short."""
    chance = random.Random(1)
    alive: list[list[Any]] = []
    made = 0
    for _ in range(events):
        if len(alive) < 2 * OPEN_AT_ONCE:
            kind = "measure" if made % 2 else "task"
            alive.append([f"{kind}-{made}", kind, 0, "new"])
            made += 1
        index = chance.randrange(len(alive)) if chance.random() < 0.7 else len(alive) - 1
        life = alive[index]
        record, kind, step, before = life
        verb, after = LIVES[kind][step]
        yield record, kind, verb, before, after, step + 1
        life[2], life[3] = step + 1, after
        if step + 1 == len(LIVES[kind]):
            alive.pop(index)


def _body(seq: int, at: str, record: str, kind: str, verb: str, before: str, after: str, number: int) -> str:
    data = OPENING[kind] if number == 1 else {"evidence": [{"what": verb, "n": seq}]}
    body = {
        "actor": {"id": "li", "post": "post-duty", "roles": [["duty_officer", "city"]], "simulated": True},
        "at": at, "content": f"{seq:032x}", "data": data, "doctrine": "d" * 64, "from": before,
        "key": f"long/{seq}", "kind": kind, "kind_version": 1, "note": "", "reason": "", "record": record,
        "recorded_at": at, "seq": seq, "sets": {}, "state": after, "verb": verb, "version": number,
    }  # fmt: skip
    return canonical_json(body).decode()


def build(store: Store, kinds: Kinds, events: int) -> tuple[float, float]:
    """Write the events; projections are left to the rebuild. Returns first and last time [µs since 1970]."""
    lay_out(store)
    connection = store.writer()
    try:
        connection.begin()
        digest, chunk = genesis(store_id(connection)), []
        for seq, (record, kind, verb, before, after, number) in enumerate(_lives(events), 1):
            at_us = START_US + seq * STEP_US
            body = _body(seq, iso(from_us(at_us)), record, kind, verb, before, after, number)
            digest = chained(digest, body.encode())
            chunk.append((seq, at_us, f"long/{seq}", digest, body))
            if len(chunk) == 20_000:
                connection.bulk("journal_event", EVENT_COLUMNS, chunk)
                chunk = []
        connection.bulk("journal_event", EVENT_COLUMNS, chunk)
        connection.commit()
    finally:
        connection.close()
    return START_US + STEP_US, START_US + events * STEP_US
