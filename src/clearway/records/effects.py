"""Named effects: fields that the house itself sets when a verb is done.

An effect returns the fields to set; it never changes state and never looks at a clock or a store beyond its
context. Declarations name them as ``name`` or ``name:arg,arg``.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from clearway.kernel.clock import iso
from clearway.records.guards import Context, needs_second, owed_to_two
from clearway.records.kinds import GuardRef

Effect = Callable[..., dict[str, Any]]

EFFECTS: Final[dict[str, Effect]] = {}


def effect(name: str) -> Callable[[Effect], Effect]:
    """Register an effect under its name in declarations."""

    def register(call: Effect) -> Effect:
        EFFECTS[name] = call
        return call

    return register


def run_effects(refs: tuple[GuardRef, ...], ctx: Context) -> dict[str, Any]:
    """All fields the effects set, each seeing those before it."""
    sets: dict[str, Any] = {}
    for ref in refs:
        fields = EFFECTS[ref.name](ctx, *ref.args)
        sets.update(fields)
        ctx.data.update(fields)
    return sets


@effect("mark_simulated")
def mark_simulated(ctx: Context) -> dict[str, Any]:
    """What a simulated post opens is simulated."""
    return {"simulated": True} if ctx.actor.simulated else {}


@effect("mark_restrictive")
def mark_restrictive(ctx: Context) -> dict[str, Any]:
    """Types that restrict are restrictive, whatever the caller says."""
    restricts = ctx.data.get("type") in ctx.kind.params["restrictive_types"]
    return {"restrictive": True} if restricts and not ctx.data.get("restrictive") else {}


@effect("mark_two_person")
def mark_two_person(ctx: Context) -> dict[str, Any]:
    """Closing types and public red notices are two-person, whatever the caller says."""
    if needs_second(ctx) is None and not ctx.data.get("two_person"):
        return {"two_person": True}
    return {}


@effect("owe_confirmation")
def owe_confirmation(ctx: Context) -> dict[str, Any]:
    """Break-glass: who, why, and by when a second person must confirm."""
    used = {"by": ctx.actor.id, "post": ctx.actor.post, "at": iso(ctx.now), "reason": ctx.reason}
    return {"break_glass": used, "confirm_by": _confirm_by(ctx)}


@effect("owe_if_two")
def owe_if_two(ctx: Context) -> dict[str, Any]:
    """Entered by one after the fact: where the matter needs two, by when a second person must confirm."""
    return {"two_person": True, "confirm_by": _confirm_by(ctx)} if owed_to_two(ctx) else {}


def _confirm_by(ctx: Context) -> str:
    return iso(ctx.now + timedelta(minutes=ctx.kind.params["break_glass_min"]))


@effect("confirmed")
def confirmed(ctx: Context) -> dict[str, Any]:
    """The second person's name is on it; nothing is owed any more."""
    return {"confirm_by": None, "confirmed": {"by": ctx.actor.id, "post": ctx.actor.post, "at": iso(ctx.now)}}


@effect("default_field")
def default_field(ctx: Context, name: str, value: str) -> dict[str, Any]:
    """A plain text value for a field that was not given."""
    return {} if ctx.data.get(name) is not None else {name: value}


@effect("actor_into")
def actor_into(ctx: Context, name: str) -> dict[str, Any]:
    """Write down the actor's id."""
    return {name: ctx.actor.id}


@effect("time_into")
def time_into(ctx: Context, name: str) -> dict[str, Any]:
    """Write down when it happened."""
    return {name: iso(ctx.at)}


@effect("clear")
def clear(_ctx: Context, *names: str) -> dict[str, Any]:
    """Empty the named fields."""
    return dict.fromkeys(names)


@effect("append")
def append(ctx: Context, *names: str) -> dict[str, Any]:
    """Lists given with the command are added to what is there; items already there are not doubled."""
    sets: dict[str, Any] = {}
    for name in names:
        given = ctx.patch.get(name)
        old = ctx.before(name)
        if isinstance(given, list) and isinstance(old, list) and old:
            sets[name] = old + [item for item in given if item not in old]
    return sets


@effect("apply_pending")
def apply_pending(ctx: Context) -> dict[str, Any]:
    """The second person's yes puts the proposed change into force."""
    return {**(ctx.before("pending_change") or {}), "pending_change": None}


@effect("hold_words")
def hold_words(ctx: Context) -> dict[str, Any]:
    """The proposed change holds all words as they shall stand, not only what differs from today's.

    Whatever else is done to the record while it waits, what is confirmed is what was composed.
    """
    names = ctx.kind.verbs[ctx.kind.params["change_verb"]].accepts or ()
    whole = {n: v for n in names if n != "messages" and (v := ctx.data.get(n)) is not None}
    return {"pending_change": {**whole, **(ctx.data.get("pending_change") or {})}}


@effect("owe_second_person")
def owe_second_person(ctx: Context) -> dict[str, Any]:
    """Who proposed the change and when, and by when a second person is called above the first post."""
    due = ctx.now + timedelta(minutes=ctx.kind.params["second_person_min"])
    by = {"by": ctx.actor.id, "post": ctx.actor.post, "at": iso(ctx.now)}
    return {"update_proposed": by, "update_confirm_by": iso(due)}


@effect("lowered_to_one_person")
def lowered_to_one_person(ctx: Context) -> dict[str, Any]:
    """A notice whose level has fallen below that of two people is one person's again."""
    bound = ctx.kind.params["two_person_level"]
    fallen = (ctx.before("level") or 0) >= bound > (ctx.data.get("level") or 0)
    return {"two_person": False} if fallen and ctx.data.get("two_person") else {}


@effect("take_post")
def take_post(ctx: Context) -> dict[str, Any]:
    """The actor holds the post from now on; open items not acknowledged stay listed."""
    seen = set(ctx.data.get("acknowledged") or ())
    items = [item for item in ctx.world.open_items(ctx.record_id) if item not in seen]
    head = ctx.world.head()
    return {
        "holder": ctx.actor.id,
        "held_since": iso(ctx.now),
        "previous_holder": ctx.before("holder"),
        "handover": None,
        "acknowledged": None,
        "unacknowledged": items,
        "handover_head": str(head),
    }


@effect("offer_post")
def offer_post(ctx: Context) -> dict[str, Any]:
    """The offer lists what is open and the journal's head, so that the successor signs for both."""
    offer = ctx.patch.get("handover") or {}
    return {
        "handover": {
            **offer,
            "from": ctx.actor.id,
            "offered_at": iso(ctx.now),
            "items": ctx.world.open_items(ctx.record_id),
            "head": str(ctx.world.head()),
        },
        "acknowledged": None,
    }


@effect("leave_post")
def leave_post(ctx: Context) -> dict[str, Any]:
    """Nobody holds the post."""
    return {"holder": None, "previous_holder": ctx.before("holder"), "handover": None}
