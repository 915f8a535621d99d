"""One way in for every command given over the web: second factor, then decisions, notices, records."""

from __future__ import annotations

from typing import Final

from clearway.kernel.errors import ConflictError, InputError
from clearway.kernel.language import Text
from clearway.operations.announce import announce
from clearway.operations.stated import check_stated
from clearway.records import Command, Event
from clearway.web.access import Principal
from clearway.web.services import Services
from clearway.web.strong import require_strong

_NO_POST: Final = Text("choose the post to hand over to", "请选择转交的岗位")
CARRIED_OUT: Final = frozenset({"notice", "proposal", "override", "local_rule"})
"""Kinds of which some verbs do more than write one event, or need a check of their own."""


def submit(house: Services, who: Principal, command: Command) -> Event:
    """Do a command and return its last event.

    Raises:
        SecondFactorNeededError: a decision in a session without a second factor.
        ClearwayError: why it was refused; nothing was written.
    """
    require_strong(who, house.kinds, command.kind, command.verb)
    if command.kind == "override" and command.verb == "state":
        check_stated({"quantity": "", "value": "", **command.data})
    if command.kind == "local_rule" and command.verb == "propose" and house.rulebook is not None:
        house.rulebook.check(command.data)
    if command.kind == "proposal" and command.verb == "hand_over":
        _check_post(house, str(command.data.get("post", "")))
    if house.decider is None:
        return house.journal.submit(command)
    now = house.clock.now()
    if command.kind == "notice":
        before = house.journal.event_by_key(command.key)
        return _again(before, command) if before else announce(house.decider, command, now)[-1]
    if command.kind == "proposal" and command.verb in ("approve", "approve_changed", "approve_work"):
        row = house.journal.get(command.record_id)
        if command.expected_version not in (None, row.version):
            raise ConflictError("the proposal has changed since you read it", where=row.id)
        changes = command.data.get("changes") or None
        verb = command.verb if command.verb == "approve_work" else ""
        return house.decider.approve(
            row, command.actor, now, changes=changes, reason=command.reason, verb=verb
        )[-1]
    return house.journal.submit(command)


def _check_post(house: Services, post: str) -> None:
    """A proposal goes to a post that exists; else nobody would ever be called.

    Raises:
        InputError: no such post.
    """
    row = house.journal.find(post) if post else None
    if row is None or row.kind != "post" or row.state != "active":
        words = Text(f"there is no post {post!r}", f"没有岗位“{post}”") if post else _NO_POST
        raise InputError(words.en, where="post", words=words)


def _again(before: Event, command: Command) -> Event:
    """The event a key led to, when it is the same command sent again.

    Raises:
        ConflictError: the key was used for something else.
    """
    same = (before.kind, before.verb) == (command.kind, command.verb)
    if not same or command.record_id not in ("", before.record_id) or before.actor.id != command.actor.id:
        raise ConflictError("this key was used for another command", where=command.key)
    return before
