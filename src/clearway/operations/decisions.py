"""What a decision on a proposal does to the journal: one atomic unit of commands per decision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from clearway.kernel.errors import ConflictError, InputError
from clearway.kernel.ids import content_id
from clearway.kernel.language import Text, both
from clearway.operations.carry_out import Order, body_of, lifted, renewed, replaced
from clearway.operations.publishing import Newsroom
from clearway.records import Actor, Command, Event, Journal, Kinds, RecordRow, takes_two

TWO_PERSON_LEVEL: Final = 4
_OPENING_VERB: Final = {"measure": "order", "task": "open", "notice": "issue"}
_RENEWING: Final = ("expiry", "review_at", "evidence", "lift_condition", "legal_basis", "details")
_REVIEWING: Final = ("review_outcome", "review_at", "evidence", "reasons", "details")


@dataclass(frozen=True, slots=True)
class Decider:
    """Turns decisions into commands and submits them."""

    journal: Journal
    kinds: Kinds
    newsroom: Newsroom

    def approve(
        self,
        proposal: RecordRow,
        actor: Actor,
        at: datetime,
        *,
        changes: Mapping[str, Any] | None = None,
        reason: str = "",
        verb: str = "",
    ) -> list[Event]:
        """Approve a proposal as it stands or with ``changes`` to its payload.

        ``verb`` is ``approve_work`` when the dispatcher approves a plan of work.

        Raises:
            ClearwayError: the journal refused; nothing was written.
        """
        payload = {**proposal.data["payload"], **(changes or {})}
        commands, outcome = self.commands(proposal, payload, actor, at, reason)
        data: dict[str, Any] = {"outcome": outcome}
        if changes:
            data["changes"] = dict(changes)
        commands.append(
            Command(
                "proposal",
                verb or ("approve_changed" if changes else "approve"),
                data,
                actor,
                f"{proposal.id}:approve",
                proposal.id,
                expected_version=proposal.version,
                reason=reason,
            )
        )
        return self._publish(self.journal.submit_many(commands))

    def refuse(self, proposal: RecordRow, actor: Actor, reason: str) -> list[Event]:
        """Refuse with a reason."""
        command = Command(
            "proposal",
            "refuse",
            {},
            actor,
            f"{proposal.id}:refuse",
            proposal.id,
            expected_version=proposal.version,
            reason=reason,
        )
        return [self.journal.submit(command)]

    def confirm(self, row: RecordRow, actor: Actor, at: datetime) -> list[Event]:
        """Second person's confirmation of a measure, a notice or the update of a notice."""
        verb, data, msg_type = "confirm", {}, ""
        body = dict(row.data)
        if row.kind == "notice":
            msg_type = "Alert"
            if row.state == "issued" and row.data.get("pending_change"):
                verb, msg_type = "confirm_update", "Update"
                body.update(row.data["pending_change"])
            data = {"messages": [self._entry(row.id, body, msg_type, at)]}
        key = f"{row.id}:{verb}:{row.version}"
        command = Command(row.kind, verb, data, actor, key, row.id, expected_version=row.version)
        return self._publish([self.journal.submit(command)])

    def commands(
        self, proposal: RecordRow, payload: Mapping[str, Any], actor: Actor, at: datetime, reason: str
    ) -> tuple[list[Command], str]:
        """Commands that carry out an approved proposal, and the record it leads to."""
        act, kind = str(proposal.data["act"]), str(proposal.data["target_kind"])
        why = reason or both(proposal.data["headline"])
        order = Order(proposal, actor, at, why)
        if act == "open":
            commands, outcome = self._open(
                proposal, kind, body_of(payload, kind, order.delay), actor, at, reason
            )
            return [*commands, *replaced(order, payload, self.journal.get)], outcome
        target = self.journal.get(str(proposal.data["target"]))
        if payload.get("targets") or payload.get("renew"):
            work = lifted if act == "lift" else renewed
            commands = work(order, payload, self.journal.get)
            if not commands:
                raise ConflictError("none of the measures is in power any longer", where=proposal.id)
            return commands, target.id
        if act == "lift":
            return [self._lift(proposal, target, payload, actor, at, reason)], target.id
        if act != "change":
            raise InputError(f"act {act!r} is none of open, change, lift", where=f"proposal {proposal.id}")
        return self._change(proposal, target, payload, actor, at, reason), target.id

    def _open(
        self,
        proposal: RecordRow,
        kind: str,
        payload: Mapping[str, Any],
        actor: Actor,
        at: datetime,
        reason: str,
    ) -> tuple[list[Command], str]:
        key = f"{proposal.id}:open"
        record_id = content_id(self.kinds[kind].id_prefix, kind, key)
        data = {**payload, "proposal": proposal.id}
        data.setdefault("area", proposal.data.get("area", ""))
        if kind == "measure":
            data.setdefault("alternatives", list(proposal.data.get("alternatives") or ()))
            data.setdefault("reasons", proposal.data["why"])
        if kind == "notice" and actor.simulated:
            data["simulated"] = True
        if kind == "notice" and not _two_person(data):
            data["messages"] = [self._entry(record_id, data, "Alert", at)]
        return [Command(kind, _OPENING_VERB[kind], data, actor, key, record_id, reason=reason)], record_id

    def _change(
        self,
        proposal: RecordRow,
        target: RecordRow,
        payload: Mapping[str, Any],
        actor: Actor,
        at: datetime,
        reason: str,
    ) -> list[Command]:
        key = f"{proposal.id}:change"
        data = body_of(payload, target.kind, Order(proposal, actor, at, reason).delay)
        why = reason or both(proposal.data["headline"])
        if target.kind == "notice":
            data["proposal"] = proposal.id
            if takes_two(TWO_PERSON_LEVEL, target.data, {**target.data, **data}):
                pending = {"pending_change": data}
                return [Command("notice", "propose_update", pending, actor, key, target.id, reason=why)]
            body = {**target.data, **data}
            data["messages"] = [self._entry(target.id, body, "Update", at)]
            return [Command("notice", "update", data, actor, key, target.id, reason=why)]
        if target.kind == "task":
            return [Command("task", "change", data, actor, key, target.id, reason=why)]
        return _measure_changes(proposal, target, data, actor, key, why)

    def _lift(
        self,
        proposal: RecordRow,
        target: RecordRow,
        payload: Mapping[str, Any],
        actor: Actor,
        at: datetime,
        reason: str,
    ) -> Command:
        key = f"{proposal.id}:lift"
        why = reason or both(proposal.data["why"])
        if target.kind == "notice":
            words = Text.of(proposal.data["why"])
            entry = self._entry(target.id, target.data, "Cancel", at, reason=words)
            return Command("notice", "cancel", {"messages": [entry]}, actor, key, target.id, reason=why)
        if target.kind == "task":
            return Command("task", "cancel", {}, actor, key, target.id, reason=why)
        evidence = list(payload.get("evidence") or proposal.data.get("evidence") or ())
        data = {"evidence": evidence, "reasons": proposal.data["why"]}
        return Command("measure", "lift", data, actor, key, target.id, reason=why)

    def _entry(
        self,
        notice_id: str,
        data: Mapping[str, Any],
        msg_type: str,
        at: datetime,
        *,
        reason: Text | None = None,
    ) -> dict[str, Any]:
        head = str(self.journal.head())
        message = self.newsroom.compose(notice_id, data, msg_type, at, head=head, reason=reason)
        return dict(message.entry)

    def _publish(self, events: Sequence[Event]) -> list[Event]:
        for event in events:
            if event.kind == "notice":
                self.newsroom.published(event, self.journal.get(event.record_id).data)
        return list(events)


def _two_person(data: Mapping[str, Any]) -> bool:
    return bool(data.get("two_person")) or int(data.get("level") or 0) >= TWO_PERSON_LEVEL


def _measure_changes(
    proposal: RecordRow, target: RecordRow, data: dict[str, Any], actor: Actor, key: str, why: str
) -> list[Command]:
    if data.get("review_outcome"):
        kept = _taken(data, _REVIEWING)
        return [Command("measure", "review", kept, actor, key, target.id, reason=why)]
    commands = []
    if data.get("expiry"):
        kept = _taken(data, _RENEWING)
        data = {name: value for name, value in data.items() if name not in kept}
        kept.setdefault("evidence", list(proposal.data.get("evidence") or ()))
        commands.append(Command("measure", "renew", kept, actor, f"{key}:renew", target.id, reason=why))
    if data:
        data = {**data, "proposal": proposal.id}
        commands.append(Command("measure", "change", data, actor, key, target.id, reason=why))
    return commands


def _taken(data: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: data[name] for name in names if name in data}
