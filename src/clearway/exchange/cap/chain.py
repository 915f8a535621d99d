"""Which messages are in force: a function of the messages and the moment, whatever order they arrived in.

The rules, after CAP 1.2 section 3.2.1 (msgType, references):

* An Update or Cancel takes out of force every message it references, for good: neither the expiry nor the
  cancellation of an Update brings its original back.
* It does so only to messages that were sent no later than itself, by the same sender, with the same status
  (an exercise never cancels a real warning), and never to itself. Messages of one second that reference
  each other in a circle do not touch each other.
* In force is an Alert or Update that is sent, not expired and not taken out. Cancel, Ack, Error and Draft
  messages never are.
* A message received twice counts once. Different messages under one identifier are all kept: no warning is
  lost because a sender reuses identifiers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from clearway.exchange.cap.model import Alert, Reference
from clearway.exchange.cap.reading import Problem

DEFAULT_LIFE: Final = timedelta(hours=24)
"""Life of a message without expiry: 24 h, as in a provincial system in Zhejiang (grade B)."""

Key = tuple[str, str, int]
Authority = Callable[[Alert, Reference], bool]


def same_sender(message: Alert, reference: Reference) -> bool:
    """Only who sent a message may replace it."""
    return message.sender == reference.sender


def expires_at(alert: Alert, default_life: timedelta = DEFAULT_LIFE) -> datetime:
    """When the last info of a message expires; an info without expiry lives ``default_life`` from sent."""
    default = alert.sent + default_life
    return max((info.expires or default for info in alert.infos), default=default)


def has_default_expiry(alert: Alert) -> bool:
    """Whether an expiry had to be assumed."""
    return not alert.infos or any(info.expires is None for info in alert.infos)


def active_set(
    messages: Iterable[Alert],
    at: datetime,
    *,
    default_life: timedelta = DEFAULT_LIFE,
    authority: Authority = same_sender,
) -> list[Alert]:
    """Messages in force at ``at``, oldest first.

    Args:
        messages: in any order, with duplicates.
        at: the moment; messages sent later are not known yet.
        default_life: life of a message without expiry.
        authority: whether a message may replace what it references; by default only its own sender's.
    """
    known = distinct(m for m in messages if m.sent <= at)
    replaced = {key for keys in replacements(known, authority).values() for key in keys}
    return [
        m
        for m in known
        if m.msg_type in ("Alert", "Update")
        and m.status != "Draft"
        and (m.key, m.status) not in replaced
        and expires_at(m, default_life) > at
    ]


def distinct(messages: Iterable[Alert]) -> list[Alert]:
    """Every different message once, ordered by time, sender and identifier, then by content."""
    by_key: dict[Key, list[Alert]] = defaultdict(list)
    for message in messages:
        if message not in by_key[message.key]:
            by_key[message.key].append(message)
    ordered: list[Alert] = []
    for key in sorted(by_key, key=lambda k: (k[2], k[0], k[1])):
        same = by_key[key]
        ordered.extend(sorted(same, key=repr) if len(same) > 1 else same)
    return ordered


def replacements(
    messages: Sequence[Alert], authority: Authority = same_sender
) -> dict[tuple[Key, str], set[tuple[Key, str]]]:
    """For each Update or Cancel, as (key, status), what it takes out of force."""
    candidates: dict[tuple[Key, str], set[tuple[Key, str]]] = defaultdict(set)
    for message in messages:
        if message.msg_type not in ("Update", "Cancel"):
            continue
        for reference in message.references:
            target = _target(message, reference, authority)
            if target is not None:
                candidates[message.key, message.status].add((target, message.status))
    return {source: _without_circles(source, targets, candidates) for source, targets in candidates.items()}


def _target(message: Alert, reference: Reference, authority: Authority) -> Key | None:
    """Key a reference may act upon, or ``None``."""
    if reference.sent is None:
        return None
    key = (reference.sender, reference.identifier, int(reference.sent.timestamp()))
    if key == message.key or key[2] > message.key[2] or not authority(message, reference):
        return None
    return key


def _without_circles(
    source: tuple[Key, str],
    targets: set[tuple[Key, str]],
    edges: dict[tuple[Key, str], set[tuple[Key, str]]],
) -> set[tuple[Key, str]]:
    """Targets from which no way leads back to ``source``; only messages of one second can form a circle."""
    second = source[0][2]
    return {t for t in targets if t[0][2] < second or not _leads_to(t, source, edges)}


def _leads_to(
    start: tuple[Key, str], goal: tuple[Key, str], edges: dict[tuple[Key, str], set[tuple[Key, str]]]
) -> bool:
    seen, queue = {start}, [start]
    while queue:
        for target in edges.get(queue.pop(), ()):
            if target == goal:
                return True
            if target not in seen and target[0][2] == goal[0][2]:
                seen.add(target)
                queue.append(target)
    return False


def chains(messages: Iterable[Alert]) -> list[list[Alert]]:
    """Group messages that belong together through references, each group oldest first."""
    known = distinct(messages)
    parent: dict[Key, Key] = {m.key: m.key for m in known}

    def root(key: Key) -> Key:
        while parent[key] != key:
            parent[key] = parent[parent[key]]
            key = parent[key]
        return key

    for message in known:
        for reference in message.references:
            if reference.sent is not None:
                key = (reference.sender, reference.identifier, int(reference.sent.timestamp()))
                parent.setdefault(key, key)
                parent[root(key)] = root(message.key)
    groups: dict[Key, list[Alert]] = defaultdict(list)
    for message in known:
        groups[root(message.key)].append(message)
    return list(groups.values())


def references_for(chain: Iterable[Alert], at: datetime) -> tuple[Reference, ...]:
    """What the next Update or Cancel of a chain must reference: all its unexpired Alerts and Updates.

    If all have expired, the latest one, so that the message never stands alone.

    Source: CAP profile of MET Norway and IPAWS 1.0 (all messages still valid are referenced).
    """
    earlier = [m for m in distinct(chain) if m.msg_type in ("Alert", "Update") and m.sent <= at]
    valid = [m for m in earlier if expires_at(m) > at]
    return tuple(m.reference() for m in (valid or earlier[-1:]))


def chain_problems(messages: Iterable[Alert]) -> list[Problem]:
    """Name what is odd in a set of messages; :func:`active_set` copes with all of it.

    An Update of a cancelled message is odd only while nothing took the Update itself out of force: a Cancel
    that names the whole chain is how a chain should end.
    """
    known = distinct(messages)
    by_key: dict[Key, list[Alert]] = defaultdict(list)
    for message in known:
        by_key[message.key].append(message)
    problems = [
        Problem("duplicate-identifier", key[1], f"{len(same)} different messages under one identifier")
        for key, same in by_key.items()
        if len(same) > 1
    ]
    taken = replacements(known)
    cancelled = {k for m in known if m.msg_type == "Cancel" for k in taken.get((m.key, m.status), ())}
    replaced = {key for keys in taken.values() for key in keys}
    for message in known:
        for reference in message.references:
            found = _reference_problem(message, reference, by_key)
            if found:
                problems.append(Problem(found[0], message.identifier, found[1]))
        mark = (message.key, message.status)
        if message.msg_type == "Update" and mark not in replaced and taken.get(mark, set()) & cancelled:
            what = "an Update of a cancelled message that no Cancel names; it is in force until it expires"
            problems.append(Problem("update-of-cancelled", message.identifier, what))
    return problems


def _reference_problem(
    message: Alert, reference: Reference, by_key: dict[Key, list[Alert]]
) -> tuple[str, str] | None:
    if reference.sent is None:
        return "bad-reference", f"{reference.raw!r} cannot be read"
    key = (reference.sender, reference.identifier, int(reference.sent.timestamp()))
    if key[:2] == message.key[:2]:
        return "self-reference", "the message references itself"
    if key[2] > message.key[2]:
        return "postdated-reference", f"{reference.identifier} was sent later"
    if not same_sender(message, reference):
        return "foreign-sender", f"{reference.sender} sent {reference.identifier}; it stays in force"
    targets = by_key.get(key, [])
    if not targets:
        return "unknown-reference", f"{reference.identifier} is not known here"
    if all(t.status != message.status for t in targets):
        return "other-status", f"{reference.identifier} is {targets[0].status}, this is {message.status}"
    back = [r for t in targets for r in t.references if r.sent is not None]
    if any((r.sender, r.identifier, int(r.sent.timestamp())) == message.key for r in back if r.sent):
        return "circular-reference", f"{reference.identifier} references this message too"
    return None
