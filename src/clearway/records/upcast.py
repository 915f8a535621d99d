"""Upcasters: how an event of an older declaration reads today. The stored event never changes.

An upcaster takes the body of an event of one kind version and returns the body of the next. Register it
beside the kind's first use::

    @upcaster("measure", 1)
    def limit_has_a_unit(body: Body) -> Body: ...
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from clearway.kernel.errors import InputError
from clearway.records.bodies import Body

Upcaster = Callable[[Body], Body]

UPCASTERS: Final[dict[tuple[str, int], Upcaster]] = {}


def upcaster(kind: str, from_version: int) -> Callable[[Upcaster], Upcaster]:
    """Register the step from one version of a kind to the next.

    Raises:
        InputError: there is one already.
    """

    def register(call: Upcaster) -> Upcaster:
        if (kind, from_version) in UPCASTERS:
            raise InputError(f"two upcasters for {kind} version {from_version}")
        UPCASTERS[kind, from_version] = call
        return call

    return register


def current_form(body: Body) -> Body:
    """The body as the newest known version of its kind would have it."""
    step = UPCASTERS.get((body.kind, body.kind_version))
    while step is not None:
        version = body.kind_version + 1
        body = msgspec.structs.replace(step(body), kind_version=version)
        step = UPCASTERS.get((body.kind, version))
    return body
