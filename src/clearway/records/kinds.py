"""Declared kinds: states, verbs, fields, deadlines. Plain data; nothing here decides anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from clearway.kernel.errors import InputError
from clearway.kernel.language import Text

NEW: Final = "new"
"""Source state of a verb that opens a record."""

BUILT_IN_VERBS: Final = {
    "warn_deadline": Text("deadline is near", "时限临近"),
    "escalate": Text("escalated to the superior post", "升级至上级岗位"),
}
"""Verbs of every kind that only deadlines use; they change no state."""


@dataclass(frozen=True, slots=True)
class StateDecl:
    """A state of a kind. ``public``: may be shown to the public; ``terminal``: nothing more is expected."""

    name: str
    label: Text
    public: bool = False
    terminal: bool = False


@dataclass(frozen=True, slots=True)
class FieldDecl:
    """A field of a record body.

    ``type`` is one of ``string, text, words, integer, number, boolean, time, id, enum, level, list, map,
    sealed``; ``items`` is the type of a list's items. ``words`` is ``{en, zh}``. ``sealed`` holds a
    reference into the sealed store, never the content.
    """

    name: str
    label: Text
    type: str
    required: bool = False
    items: str = ""
    values: Mapping[str, Text] = field(default_factory=dict)
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    house: bool = False
    """Set by the life cycle alone; a command may not give it."""
    named: bool = False
    """Only verbs that name it may set it; a verb that accepts everything does not."""


@dataclass(frozen=True, slots=True)
class GuardRef:
    """A named guard or condition with its arguments, written ``name`` or ``name:arg,arg``."""

    name: str
    args: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.name}:{','.join(self.args)}" if self.args else self.name


@dataclass(frozen=True, slots=True)
class Allow:
    """Who may: any of the roles, standing in any of the relations; empty ``states`` means all."""

    roles: tuple[str, ...]
    relations: tuple[str, ...]
    states: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Transition:
    """From any of ``sources`` to ``target`` (empty: the state stays) when all conditions hold."""

    sources: tuple[str, ...]
    target: str
    when: tuple[GuardRef, ...] = ()


@dataclass(frozen=True)
class VerbDecl:
    """What can be done to a record of the kind."""

    name: str
    label: Text
    help: Text
    allow: tuple[Allow, ...]
    transitions: tuple[Transition, ...]
    accepts: frozenset[str] | None = frozenset()
    """Fields the verb may set; None for all."""
    requires: tuple[str, ...] = ()
    reason: bool = False
    guards: tuple[GuardRef, ...] = ()
    effects: tuple[GuardRef, ...] = ()
    sets: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def opens(self) -> bool:
        """Whether the verb can open a record."""
        return any(NEW in t.sources for t in self.transitions)

    def sources(self) -> tuple[str, ...]:
        """All states the verb starts from, in order of declaration."""
        return tuple(dict.fromkeys(s for t in self.transitions for s in t.sources))


@dataclass(frozen=True, slots=True)
class DeadlineDecl:
    """A durable timer of a record, armed while it is in one of ``states``.

    Due at the time in ``field``, or ``after_min`` minutes after the state was entered. ``warn_min`` are
    minutes before. When missed: the system does ``verb``, and with ``escalate`` the superior post is
    called, again every ``repeat_min`` minutes (0: once), one post higher each time.
    """

    name: str
    label: Text
    states: tuple[str, ...]
    field: str = ""
    after_min: float = 0.0
    warn_min: tuple[float, ...] = ()
    verb: str = ""
    escalate: bool = False
    repeat_min: float = 0.0


@dataclass(frozen=True, eq=False)
class Kind:
    """One kind of matter and its whole life cycle."""

    name: str
    version: int
    desk: str
    label: Text
    help: Text
    id_prefix: str
    states: Mapping[str, StateDecl]
    fields: Mapping[str, FieldDecl]
    verbs: Mapping[str, VerbDecl]
    deadlines: Mapping[str, DeadlineDecl] = field(default_factory=dict)
    params: Mapping[str, Any] = field(default_factory=dict)
    area_field: str = "area"
    post_field: str = ""
    """Field that names the responsible post; open records of the kind are handed over with it."""
    summary: str = "headline"
    extra_fields: bool = False
    source: str = ""

    @cached_property
    def required(self) -> tuple[str, ...]:
        """Fields without which no record is opened."""
        return tuple(name for name, declared in self.fields.items() if declared.required)

    @cached_property
    def _armed(self) -> dict[str, tuple[DeadlineDecl, ...]]:
        return {
            state: tuple(d for d in self.deadlines.values() if state in d.states) for state in self.states
        }

    def deadlines_in(self, state: str) -> tuple[DeadlineDecl, ...]:
        """Deadlines armed in a state."""
        return self._armed.get(state, ())

    @cached_property
    def open_states(self) -> frozenset[str]:
        """States in which something more is expected."""
        return frozenset(name for name, state in self.states.items() if not state.terminal)

    def verb(self, name: str) -> VerbDecl:
        """The verb of that name.

        Raises:
            InputError: the kind has no such verb.
        """
        found = self.verbs.get(name)
        if found is None:
            known = ", ".join(sorted(self.verbs))
            raise InputError(f"{self.name} has no verb {name!r}", hint=f"Verbs: {known}")
        return found

    def state_label(self, name: str) -> Text:
        """Words for a state; an old state that is no longer declared is shown by its name."""
        if name == NEW:
            return Text("new", "新建")
        state = self.states.get(name)
        return state.label if state else Text(name, name)


class Kinds(Mapping[str, Kind]):
    """All kinds by name; ``hash`` identifies the declarations."""

    def __init__(self, kinds: Mapping[str, Kind], digest: str) -> None:
        self._kinds = dict(kinds)
        self.hash = digest

    def __getitem__(self, name: str) -> Kind:
        return self._kinds[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._kinds)

    def __len__(self) -> int:
        return len(self._kinds)

    def kind(self, name: str) -> Kind:
        """The kind of that name.

        Raises:
            InputError: no such kind; names those there are.
        """
        found = self._kinds.get(name)
        if found is None:
            raise InputError(f"there is no kind {name!r}", hint=f"Kinds: {', '.join(sorted(self._kinds))}")
        return found
