"""The projection: fold one event into the row it makes. The same for live work and for rebuilding.

It needs no declaration: what a life cycle decided is in the event.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from clearway.records.kinds import BUILT_IN_VERBS

Marks = dict[str, Any]

FOLD_VERSION: Final = 2
"""Raise it whenever the same events give other rows or timers than before: open stores are then folded anew,
and ``clearway journal verify`` does not take the old rows for tampering (see :mod:`clearway.records.built`).
"""


def fold_data(
    before: dict[str, Any], data: Mapping[str, Any], sets: Mapping[str, Any], verb: str
) -> dict[str, Any]:
    """Body after the event; a deadline's own events change no field."""
    return before if verb in BUILT_IN_VERBS else {**before, **data, **sets}


def fold_marks(before: Marks, verb: str, data: Mapping[str, Any], actor_id: str, post: str) -> Marks:
    """What the house remembers after the event.

    ``by``: verb → [actor, post] of who did it last. ``fired``: deadline → [due µs, stage].
    ``escalated``: deadline → {to, due}: the post called last when it was missed.
    """
    if verb not in BUILT_IN_VERBS:
        return {**before, "by": {**before.get("by", {}), verb: [actor_id, post]}}
    fired = {**before.get("fired", {}), data["deadline"]: [data["due_us"], data["stage"]]}
    if verb == "escalate":
        call = {"to": data["escalated_to"], "due": data["due"]}
        escalated = {**before.get("escalated", {}), data["deadline"]: call}
        return {**before, "fired": fired, "escalated": escalated}
    return {**before, "fired": fired}


def fork_node(first: int, last: int) -> int:
    """The node of the virtual interval tree where the interval [first, last] is registered.

    Relational Interval Tree (Kriegel, Pötke, Seidl: Managing Intervals Efficiently in Object-Relational
    Databases, VLDB 2000): the topmost node inside the interval. ``1 <= first <= last``.
    """
    shift = ((first - 1) ^ last).bit_length() - 1
    return (last >> shift) << shift


def path_nodes(seq: int, height: int) -> tuple[list[int], list[int]]:
    """Nodes on the way from the root (2**(height-1)) to ``seq``: those ≤ seq, and those > seq."""
    left: list[int] = []
    right: list[int] = []
    for level in range((seq & -seq).bit_length() - 1, height):
        node = ((seq >> (level + 1)) << (level + 1)) | (1 << level)
        (left if node <= seq else right).append(node)
    return left, right
