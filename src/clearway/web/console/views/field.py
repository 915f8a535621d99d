"""The field's view: tasks of one unit, and the outbox of a phone that was offline."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from pydantic import ValidationError

from clearway.kernel.clock import iso, parse_utc
from clearway.kernel.errors import ClearwayError, ConflictError, InputError, SystemFailureError
from clearway.kernel.language import Text
from clearway.operations.winter.proposals import holds_lists
from clearway.records import Actor, Command, Event, RecordRow
from clearway.web.access import Principal
from clearway.web.api.routes import CommandIn
from clearway.web.console.names import indices, roads
from clearway.web.guard import actor_of
from clearway.web.services import Services
from clearway.web.submit import submit

MAX_ITEMS: Final = 200
FIELD_VERBS: Final = ("acknowledge", "start", "report", "done", "attach", "decline")
OPEN: Final = ("open", "acknowledged", "started")
CLOCKS_DIFFER: Final = timedelta(minutes=5)
"""How far a phone's clock may run ahead of the house's."""
PHOTO_AFTER: Final = timedelta(hours=2)
"""How long a task that is done stays on the unit's page, for a photo that was forgotten."""


def field_tasks(house: Services, unit: str = "") -> list[RecordRow]:
    """Open tasks, soonest due first: those of the unit, or all when none is named.

    Plans of a whole fleet are not among them: each truck has its own list.
    """
    rows = [row for row in house.journal.list("task", states=OPEN) if not holds_lists(row)]
    if unit:
        rows = [r for r in rows if r.data.get("unit") in (unit, None, "")]
        since = house.clock.now() - PHOTO_AFTER
        done = house.journal.list("task", states=("done",))
        rows += [r for r in done if r.data.get("unit") == unit and r.since >= since]
    return sorted(
        rows,
        key=lambda r: (r.state == "done", r.data.get("unit") != unit, str(r.data.get("due") or "9"), r.id),
    )


def field_json(house: Services, actor: Actor, unit: str = "") -> dict[str, Any]:
    """The field island's data."""
    authority = house.journal.authority()
    found = house.journal.find(unit) if unit else None
    shown = ("type", "headline", "due", "unit", "instruction", "action", "rate_g_m2", "level", "progress")
    return {
        "unit": {"id": found.id, "name": Text.of(found.data["name"]).as_dict()} if found else None,
        "tasks": [
            {
                "id": row.id,
                "version": row.version,
                "state": row.state,
                "state_label": house.kinds["task"].state_label(row.state).as_dict(),
                **{name: row.data.get(name) for name in shown},
                "corridors": indices(house.network, row.data.get("corridors") or ()),
                "roads": roads(house.network, row.data.get("corridors") or (), limit=8).as_dict(),
                "verbs": [v for v in FIELD_VERBS if authority.may(actor, v, row).allowed],
            }
            for row in field_tasks(house, unit)
        ],
        "seq": house.journal.head().seq,
        "now": house.clock.now(),
    }


def sync(house: Services, who: Principal, items: list[Any]) -> list[dict[str, Any]]:
    """Do each item once, in order; what one item comes to does not stop the next.

    Raises:
        InputError: more items than may be sent at once.
    """
    if len(items) > MAX_ITEMS:
        raise InputError(f"at most {MAX_ITEMS} items at once", where="items", hint="Send the rest after")
    return [_one(house, who, item) for item in items]


def _one(house: Services, who: Principal, item: Any) -> dict[str, Any]:
    key = str(item.get("key", "")) if isinstance(item, dict) else ""
    try:
        command = command_of(_in_time(house, CommandIn.model_validate(item)), who)
        event = _done_before(house, command) or submit(house, who, command)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        return _answer(key, "refused", {"code": "bad_input", "what": str(first["msg"]), "where": where})
    except ConflictError as error:
        return _answer(key, "conflict", _problem(error), _present(house, item))
    except SystemFailureError as error:
        return _answer(key, "retry", _problem(error))
    except ClearwayError as error:
        return _answer(key, "refused", _problem(error), _present(house, item))
    done = {"seq": event.seq, "record_id": event.record_id, "state": event.state, "version": event.version}
    return {"key": key, "status": "done", **done}


def _in_time(house: Services, body: CommandIn) -> CommandIn:
    """A phone whose clock runs ahead by minutes did it now; a longer lead is refused as it stands."""
    now = house.clock.now()
    changed: dict[str, Any] = {}
    if body.at is not None and body.at.tzinfo is not None and now < body.at <= now + CLOCKS_DIFFER:
        changed["at"] = now
    try:
        done_at = parse_utc(str(body.data["done_at"]))
    except (KeyError, InputError):
        done_at = now
    if now < done_at <= now + CLOCKS_DIFFER:
        changed["data"] = {**body.data, "done_at": iso(now)}
    return body.model_copy(update=changed) if changed else body


def _done_before(house: Services, command: Command) -> Event | None:
    """The event of an item that was sent before; its time may have been set right then."""
    before = house.journal.event_by_key(command.key)
    if before is None or before.actor.id != command.actor.id:
        return None
    same = (before.kind, before.verb, before.record_id) == (command.kind, command.verb, command.record_id)
    return before if same else None


def command_of(body: CommandIn, who: Principal) -> Command:
    """The command of a request, keyed by the account that sends it."""
    return Command(
        kind=body.kind, verb=body.verb, data=body.data, actor=actor_of(who),
        key=f"{who.account.id}:{body.key}", record_id=body.record_id,
        expected_version=body.expected_version, reason=body.reason, at=body.at,
    )  # fmt: skip


def _answer(
    key: str, status: str, error: dict[str, Any], present: dict[str, Any] | None = None
) -> dict[str, Any]:
    return {"key": key, "status": status, "error": error, **({"present": present} if present else {})}


def _problem(error: ClearwayError) -> dict[str, Any]:
    words = {"words": error.words.as_dict()} if error.words else {}
    return {"code": error.code, "what": error.what, "where": error.where, "hint": error.hint, **words}


def _present(house: Services, item: Any) -> dict[str, Any] | None:
    """The record as it stands, so that a person can see both sides of a conflict."""
    row = house.journal.find(str(item.get("record_id") or "")) if isinstance(item, dict) else None
    if row is None:
        return None
    return {"id": row.id, "state": row.state, "version": row.version, "updated_at": iso(row.updated_at)}
