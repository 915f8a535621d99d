"""How an approved proposal on measures becomes commands: order, replace, lift whole or in part, renew."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from clearway.kernel.clock import iso, parse_utc
from clearway.records import Actor, Command, RecordRow

IN_POWER: Final = ("awaiting_second", "ordered", "in_force")
LIFTABLE: Final = ("ordered", "in_force")
NOT_OF_THE_RECORD: Final = ("replaces", "targets", "renew")
"""Parts of a payload that say what to do with other records; they are no fields of the new one."""
EVIDENCE_KEPT: Final = 3
"""Items of new evidence a renewal adds to the record; the proposal keeps all of it."""

_RENEWED: Final = ("expiry", "review_at")
RUNNING_TIMES: Final = {
    "measure": ("starts", "expiry", "review_at"),
    "notice": ("next_update_by", "expires"),
}

Get = Callable[[str], RecordRow]


@dataclass(frozen=True, slots=True)
class Order:
    """Who decides what, and under which idempotency key."""

    proposal: RecordRow
    actor: Actor
    at: datetime
    reason: str

    @property
    def delay(self) -> timedelta:
        """How long the proposal has waited as it stands."""
        return max(self.at - self.proposal.updated_at, timedelta(0))

    def command(self, verb: str, data: Mapping[str, Any], target: RecordRow, step: str) -> Command:
        """A command on a measure that the proposal concerns."""
        key = f"{self.proposal.id}:{step}:{target.id}"
        return Command("measure", verb, dict(data), self.actor, key, target.id, reason=self.reason)


def body_of(payload: Mapping[str, Any], kind: str, delay: timedelta) -> dict[str, Any]:
    """The new record's body: the payload without what concerns other records or only the deciding screen.

    Times that run from the decision (a measure's start, expiry and review, a notice's promise and end) move
    by ``delay``, the time the proposal has waited; due times of tasks stay what they are.
    """
    payload = _moved(payload, RUNNING_TIMES.get(kind, ()), delay)
    body = {k: v for k, v in payload.items() if k not in NOT_OF_THE_RECORD}
    details = body.get("details")
    if isinstance(details, Mapping) and "items" in details:
        body["details"] = {k: v for k, v in details.items() if k != "items"}
    return body


def replaced(order: Order, payload: Mapping[str, Any], get: Get) -> list[Command]:
    """End, in whole or in part, the measures that a new order takes the place of."""
    return _taken_down(order, payload.get("replaces") or (), get, "replace", {})


def lifted(order: Order, payload: Mapping[str, Any], get: Get) -> list[Command]:
    """Lift every target, or the part of it that is named."""
    data = {
        "evidence": list(payload.get("evidence") or order.proposal.data.get("evidence") or ()),
        "reasons": order.proposal.data["why"],
    }
    return _taken_down(order, payload.get("targets") or (), get, "lift", data)


def renewed(order: Order, payload: Mapping[str, Any], get: Get) -> list[Command]:
    """Give every target its later expiry, with the proposal's evidence; ended ones are passed over.

    An expiry or review in the payload itself was set by whoever decides: it holds for all targets as it is.
    """
    asked = {name: payload[name] for name in _RENEWED if payload.get(name)}
    evidence = list(order.proposal.data.get("evidence") or ())[:EVIDENCE_KEPT]
    commands = []
    for item in payload.get("renew") or ():
        target = get(str(item["measure"]))
        if target.state in LIFTABLE:
            times = {**_moved(item, _RENEWED, order.delay), **asked}
            data = {**{name: times[name] for name in _RENEWED}, "evidence": evidence}
            commands.append(order.command("renew", data, target, "renew"))
    return commands


def _moved(body: Mapping[str, Any], names: Sequence[str], delay: timedelta) -> dict[str, Any]:
    moved = {n: iso(parse_utc(str(body[n]), where=n) + delay) for n in names if body.get(n)}
    return {**body, **moved}


def _taken_down(
    order: Order, targets: Sequence[Mapping[str, Any]], get: Get, step: str, lift_data: Mapping[str, Any]
) -> list[Command]:
    commands = []
    for item in targets:
        target = get(str(item["measure"]))
        if target.state not in IN_POWER:
            continue
        gone = set(map(str, item.get("corridors") or ()))
        left = [c for c in target.data.get("corridors") or () if c not in gone]
        if target.state == "awaiting_second":
            commands.append(order.command("withdraw", {}, target, step))
        elif item.get("whole") or not left:
            commands.append(order.command("lift", lift_data, target, step))
        else:
            change = {"corridors": left, "proposal": order.proposal.id}
            commands.append(order.command("change", change, target, step))
    return commands
