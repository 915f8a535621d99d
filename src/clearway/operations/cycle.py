"""The cycle: a pure function from what we know to what we suggest.

Order follows from what desks read and write. Besides fields a desk may read ``situation/<desk>`` (the
situations another desk found) and ``picture/<part>`` (which parts of the picture it looks at; a desk that
names none looks at all of it). A name ending in ``?`` is read when somebody writes it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Final

from clearway.doctrine.model import Doctrine
from clearway.kernel.errors import ClearwayError, InputError, SystemFailureError
from clearway.picture.desk import CycleResult, CycleState, Desk, DeskResult, DeskView
from clearway.picture.fields import Field, Fields
from clearway.picture.findings import Situation
from clearway.picture.picture import Picture

PICTURE: Final = "picture/"
SITUATION: Final = "situation/"

Watch = Callable[[str], AbstractContextManager[object]]
CycleRun = tuple[CycleResult, Mapping[str, float]]
"""A cycle's outcome, and the seconds each desk took."""


class DeskError(SystemFailureError):
    """A desk failed; ``desk`` names it. Nothing of the cycle is kept."""

    code = "desk_failed"

    def __init__(self, desk: str, what: str, *, hint: str = "") -> None:
        super().__init__(what, where=f"desk {desk}", hint=hint)
        self.desk = desk

    def __reduce__(self) -> tuple[object, ...]:
        """Errors cross from the worker's process to ours."""
        return type(self), (self.desk, self.what), self.__dict__


def fields_read(desk: Desk) -> tuple[str, ...]:
    """Names of fields the desk reads, without the ``?`` of optional ones."""
    return tuple(n.rstrip("?") for n in desk.reads if not n.startswith((PICTURE, SITUATION)))


def desks_read(desk: Desk) -> tuple[str, ...]:
    """Names of desks whose situations the desk reads."""
    return tuple(n[len(SITUATION) :].rstrip("?") for n in desk.reads if n.startswith(SITUATION))


def picture_read(desk: Desk) -> tuple[str, ...]:
    """Parts of the picture the desk reads; empty means all of it."""
    return tuple(n[len(PICTURE) :] for n in desk.reads if n.startswith(PICTURE))


def order_desks(desks: Sequence[Desk]) -> tuple[Desk, ...]:
    """Desks in an order in which every reader comes after its writers; ties by name.

    Raises:
        InputError: two desks of one name or two writers of one field, a field nobody writes, or a circle.
    """
    by_name = _by_name(desks)
    writer = _writers(desks)
    needs = {desk.name: _needs(desk, writer, by_name) for desk in desks}
    done: list[Desk] = []
    placed: set[str] = set()
    while len(done) < len(by_name):
        ready = sorted(name for name in needs if name not in placed and needs[name] <= placed)
        if not ready:
            stuck = ", ".join(sorted(set(needs) - placed))
            raise InputError(f"desks wait for each other in a circle: {stuck}", where="cycle")
        placed.add(ready[0])
        done.append(by_name[ready[0]])
    return tuple(done)


def run_cycle(
    picture: Picture,
    state: CycleState,
    doctrine: Doctrine,
    desks: Sequence[Desk],
    *,
    watch: Watch | None = None,
) -> CycleResult:
    """Run every desk once and gather what they hand back.

    Pure: the same picture, state, doctrine and desks give the same bytes. ``watch`` may wrap each desk's
    run for timing; it must not change anything.

    Raises:
        DeskError: a desk failed or broke its contract; names the desk.
        InputError: the desks cannot be put in order.
    """
    fields = Fields()
    results: dict[str, DeskResult] = {}
    for desk in order_desks(desks):
        with (watch or nullcontext)(desk.name):
            results[desk.name] = run_desk(desk, picture, state, doctrine, fields, results)
        fields = fields.with_fields(results[desk.name].fields)
    return gather(picture, fields, results)


class Stopwatch:
    """Takes the time of each desk's run [s]; a ``watch`` for :func:`run_cycle`."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, desk: str) -> Iterator[None]:
        """Around one desk."""
        begun = time.perf_counter()
        yield
        self.seconds[desk] = time.perf_counter() - begun


def timed_cycle(picture: Picture, state: CycleState, doctrine: Doctrine, desks: Sequence[Desk]) -> CycleRun:
    """:func:`run_cycle` with the time of every desk.

    Raises:
        DeskError: see :func:`run_cycle`.
    """
    watch = Stopwatch()
    return run_cycle(picture, state, doctrine, desks, watch=watch), watch.seconds


def run_desk(
    desk: Desk,
    picture: Picture,
    state: CycleState,
    doctrine: Doctrine,
    fields: Fields,
    before: Mapping[str, DeskResult],
) -> DeskResult:
    """Run one desk on the fields and situations it declared to read.

    Raises:
        DeskError: see :func:`run_cycle`.
    """
    seen: list[Situation] = []
    for name in desks_read(desk):
        seen.extend(before[name].situations if name in before else ())
    readable = Fields({n: fields[n] for n in fields_read(desk) if n in fields})
    view = DeskView(picture, state.desks.get(desk.name), readable, tuple(seen), doctrine)
    try:
        result = desk.assess(view)
    except DeskError:
        raise
    except ClearwayError as error:
        where = f" ({error.where})" if error.where else ""
        raise DeskError(desk.name, f"{error.what}{where}", hint=error.hint) from error
    except Exception as error:
        raise DeskError(desk.name, f"{type(error).__name__}: {error}") from error
    _check_contract(desk, result)
    return result


def gather(picture: Picture, fields: Fields, results: Mapping[str, DeskResult]) -> CycleResult:
    """Put desk results together; proposals come sorted by what waiting would cost, then by key."""
    situations = [s for name in sorted(results) for s in results[name].situations]
    proposals = [p for name in sorted(results) for p in results[name].proposals]
    return CycleResult(
        state=CycleState(picture.at, {name: results[name].state for name in sorted(results)}),
        fields=fields,
        situations=tuple(sorted(situations, key=lambda s: (-int(s.level), s.key))),
        proposals=tuple(sorted(proposals, key=lambda p: (-p.loss_by_waiting, p.key))),
    )


def _by_name(desks: Sequence[Desk]) -> dict[str, Desk]:
    names = [desk.name for desk in desks]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"two desks share a name: {', '.join(twice)}", where="cycle")
    return {desk.name: desk for desk in desks}


def _writers(desks: Sequence[Desk]) -> dict[str, str]:
    writer: dict[str, str] = {}
    for desk in desks:
        for name in desk.writes:
            if name in writer:
                raise InputError(f"{writer[name]} and {desk.name} both write {name}", where="cycle")
            writer[name] = desk.name
    return writer


def _needs(desk: Desk, writer: Mapping[str, str], by_name: Mapping[str, Desk]) -> set[str]:
    needs: set[str] = set()
    for name in desk.reads:
        optional = name.endswith("?")
        if name.startswith(PICTURE):
            continue
        if name.startswith(SITUATION):
            other = name[len(SITUATION) :].rstrip("?")
            found = other if other in by_name else None
        else:
            found = writer.get(name.rstrip("?"))
        if found is None and not optional:
            raise InputError(f"desk {desk.name} reads {name}, which no desk writes", where="cycle")
        if found is not None:
            needs.add(found)
    return needs


def _check_contract(desk: Desk, result: DeskResult) -> None:
    declared, written = set(desk.writes), set(result.fields)
    if declared != written:
        missing, extra = sorted(declared - written), sorted(written - declared)
        raise DeskError(desk.name, f"declared and written fields differ: missing {missing}, extra {extra}")
    for name, field in result.fields.items():
        _freeze(desk, name, field)
    signed = {p.desk for p in result.proposals} | {s.desk for s in result.situations}
    strangers = sorted(signed - {desk.name})
    if strangers:
        raise DeskError(desk.name, f"findings signed by another desk: {', '.join(strangers)}")
    keys = [p.key for p in result.proposals] + [s.key for s in result.situations]
    twice = sorted({key for key in keys if keys.count(key) > 1})
    if twice:
        raise DeskError(desk.name, f"keys used twice: {', '.join(twice)}")


def _freeze(desk: Desk, name: str, field: Field) -> None:
    if field.name != name:
        raise DeskError(desk.name, f"field {field.name} handed back as {name}")
    field.values.flags.writeable = False
