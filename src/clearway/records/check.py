"""Does a declaration make sense? Every finding names file and key."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from clearway.kernel.errors import InputError
from clearway.records.actors import RELATIONS, roles
from clearway.records.effects import EFFECTS
from clearway.records.fields import problem_of
from clearway.records.guards import GUARDS
from clearway.records.kinds import BUILT_IN_VERBS, NEW, DeadlineDecl, GuardRef, Kind, VerbDecl

_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")


def check_kind(kind: Kind) -> None:
    """Check one kind.

    Raises:
        InputError: the first thing that cannot work.
    """
    if kind.version < 1:
        raise _bad(kind, "version", "starts at 1")
    _check_names(kind)
    for name in (kind.area_field, kind.summary, *([kind.post_field] if kind.post_field else [])):
        if name not in kind.fields:
            raise _bad(kind, "fields", f"lacks {name!r}, which the kind refers to")
    for verb in kind.verbs.values():
        _check_verb(kind, verb)
    if not kind.verbs or not any(v.opens for v in kind.verbs.values()):
        raise _bad(kind, "verbs", f"none opens a record (from = [{NEW!r}])")
    for deadline in kind.deadlines.values():
        _check_deadline(kind, deadline)
    _check_reachable(kind)


def _bad(kind: Kind, key: str, what: str, hint: str = "") -> InputError:
    return InputError(what, where=f"{kind.source}: {key}", hint=hint)


def _check_names(kind: Kind) -> None:
    sections = {
        "states": kind.states,
        "fields": kind.fields,
        "verbs": kind.verbs,
        "deadlines": kind.deadlines,
    }
    for section, names in sections.items():
        for name in names:
            if not _NAME.fullmatch(name):
                raise _bad(kind, f"{section}.{name}", "is not a lower-case name")
    if NEW in kind.states:
        raise _bad(kind, f"states.{NEW}", "is a reserved name")
    taken = sorted(set(kind.verbs) & set(BUILT_IN_VERBS))
    if taken:
        raise _bad(kind, f"verbs.{taken[0]}", "is a verb of the house itself")


def _check_verb(kind: Kind, verb: VerbDecl) -> None:
    key = f"verbs.{verb.name}"
    if not verb.allow:
        raise _bad(kind, f"{key}.allow", "nobody may do this")
    if not verb.transitions:
        raise _bad(kind, f"{key}.transitions", "leads nowhere")
    sources = verb.sources()
    for index, transition in enumerate(verb.transitions):
        at = f"{key}.transitions[{index}]"
        _known(kind, f"{at}.from", transition.sources, (NEW, *kind.states), "state")
        if transition.target:
            _known(kind, f"{at}.to", (transition.target,), kind.states, "state")
        elif NEW in transition.sources:
            raise _bad(kind, f"{at}.to", "a verb that opens a record names the state it leads to")
        _check_refs(kind, f"{at}.when", transition.when)
    for index, allow in enumerate(verb.allow):
        at = f"{key}.allow[{index}]"
        _known(kind, f"{at}.roles", allow.roles, roles(), "role")
        _known(kind, f"{at}.relations", allow.relations, (*RELATIONS, "any"), "relation")
        _known(kind, f"{at}.states", allow.states, sources, "state of this verb")
    for state in sources:
        if not any(not a.states or state in a.states for a in verb.allow):
            raise _bad(kind, f"{key}.allow", f"nobody may do this from {state!r}")
        if all(t.when for t in verb.transitions if state in t.sources) and _shadowed(verb, state):
            raise _bad(kind, f"{key}.transitions", f"two transitions from {state!r} have the same condition")
    _check_verb_fields(kind, verb, key)
    _check_refs(kind, f"{key}.guards", verb.guards)
    for ref in verb.effects:
        if ref.name not in EFFECTS:
            raise _bad(
                kind, f"{key}.effects", f"there is no effect {ref.name!r}", f"Effects: {_list(EFFECTS)}"
            )


def _shadowed(verb: VerbDecl, state: str) -> bool:
    conditions = [t.when for t in verb.transitions if state in t.sources]
    return len(set(conditions)) < len(conditions)


def _check_verb_fields(kind: Kind, verb: VerbDecl, key: str) -> None:
    _known(kind, f"{key}.accepts", verb.accepts or (), kind.fields, "field")
    _known(kind, f"{key}.requires", verb.requires, kind.fields, "field")
    _known(kind, f"{key}.sets", verb.sets, kind.fields, "field")
    for name, value in verb.sets.items():
        wrong = problem_of(kind.fields[name], value)
        if wrong:
            raise _bad(kind, f"{key}.sets.{name}", wrong)
    if verb.opens and verb.accepts is not None:
        missing = [n for n, f in kind.fields.items() if f.required and n not in verb.accepts]
        if missing:
            raise _bad(kind, f"{key}.accepts", f"opens a record but may not set {', '.join(missing)}")


def _check_refs(kind: Kind, key: str, refs: Iterable[GuardRef]) -> None:
    for ref in refs:
        spec = GUARDS.get(ref.name)
        if spec is None:
            raise _bad(kind, key, f"there is no guard {ref.name!r}", f"Guards: {_list(GUARDS)}")
        if bool(spec.args) != bool(ref.args):
            raise _bad(kind, key, f"guard {ref.name!r} takes {spec.args or 'no'} arguments")
        if spec.args == "verb":
            _known(kind, key, ref.args, kind.verbs, "verb")
        elif spec.args == "field":
            names = ref.args[:1] if ref.name == "is_kind" else ref.args
            _known(kind, key, names, kind.fields, "field")


def _check_deadline(kind: Kind, deadline: DeadlineDecl) -> None:
    key = f"deadlines.{deadline.name}"
    if not deadline.states:
        raise _bad(kind, f"{key}.states", "is empty: the deadline would never be armed")
    _known(kind, f"{key}.states", deadline.states, kind.states, "state")
    if bool(deadline.field) == bool(deadline.after_min):
        raise _bad(kind, key, "needs either a field that holds the time, or after_min")
    if deadline.after_min < 0 or deadline.repeat_min < 0:
        raise _bad(kind, key, "minutes are not negative")
    if deadline.field:
        _known(kind, f"{key}.field", (deadline.field,), kind.fields, "field")
        if kind.fields[deadline.field].type != "time":
            raise _bad(kind, f"{key}.field", f"{deadline.field!r} is not a time")
    if not deadline.verb and not deadline.escalate:
        raise _bad(kind, key, "nothing happens when it is missed: name a verb, or escalate = true")
    if deadline.repeat_min and (deadline.verb or not deadline.escalate):
        raise _bad(kind, f"{key}.repeat_min", "only an escalation without a verb is repeated")
    if deadline.verb:
        _check_deadline_verb(kind, deadline, key)


def _check_deadline_verb(kind: Kind, deadline: DeadlineDecl, key: str) -> None:
    verb = kind.verbs.get(deadline.verb)
    if verb is None:
        raise _bad(kind, f"{key}.verb", f"there is no verb {deadline.verb!r}", f"Verbs: {_list(kind.verbs)}")
    if not any("system" in a.roles and "any" in a.relations for a in verb.allow):
        raise _bad(kind, f"{key}.verb", f"the system may not do {verb.name!r}")
    if verb.reason or verb.requires:
        raise _bad(kind, f"{key}.verb", f"{verb.name!r} needs a reason or fields that a deadline cannot give")
    for state in deadline.states:
        targets = [t.target or state for t in verb.transitions if state in t.sources]
        if not targets:
            raise _bad(kind, f"{key}.verb", f"{verb.name!r} is not possible from {state!r}")
        if any(t in deadline.states for t in targets):
            raise _bad(
                kind, f"{key}.verb", f"{verb.name!r} from {state!r} leaves the deadline armed for ever"
            )


def _check_reachable(kind: Kind) -> None:
    reached, frontier = {NEW}, [NEW]
    while frontier:
        state = frontier.pop()
        for verb in kind.verbs.values():
            for transition in verb.transitions:
                target = transition.target or state
                if state in transition.sources and target not in reached:
                    reached.add(target)
                    frontier.append(target)
    for name, declared in kind.states.items():
        if name not in reached:
            raise _bad(kind, f"states.{name}", "cannot be reached")
        leaves = any(
            name in t.sources and t.target not in ("", name)
            for v in kind.verbs.values()
            for t in v.transitions
        )
        if not declared.terminal and not leaves:
            raise _bad(kind, f"states.{name}", "is not terminal, yet nothing leads out of it")


def _known(kind: Kind, key: str, names: Iterable[str], known: Iterable[str], what: str) -> None:
    table = list(known)
    for name in names:
        if name not in table:
            raise _bad(kind, key, f"there is no {what} {name!r}", f"Known: {_list(table)}")


def _list(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
