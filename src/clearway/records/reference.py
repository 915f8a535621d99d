"""The reference page of all kinds, made from their declarations (``docs/reference/kinds.md``)."""

from __future__ import annotations

from collections.abc import Iterable

from clearway.records.actors import RELATIONS
from clearway.records.effects import EFFECTS
from clearway.records.guards import GUARDS
from clearway.records.kinds import DeadlineDecl, FieldDecl, GuardRef, Kind, Kinds, VerbDecl

HEAD = """# Kinds and their lives

Made from the declarations in `src/clearway/desks/*/kinds/` by `./go journal kinds`; a test fails when this
page is stale. Who may do what, cell by cell: `./go journal permissions`. How a declaration is written:
`src/clearway/records/package.md`.
"""


def reference(kinds: Kinds) -> str:
    """The whole page as Markdown."""
    listed = sorted(kinds.values(), key=lambda kind: kind.name)
    parts = [HEAD, _contents(listed)]
    parts += [_kind(kind) for kind in listed]
    parts.append(_functions(kinds))
    return "\n".join(parts)


def _contents(kinds: list[Kind]) -> str:
    lines = ["| kind | | desk | what |", "|---|---|---|---|"]
    lines += [f"| [{k.name}](#{k.name}) | {k.label.zh} | {k.desk} | {k.help.en} |" for k in kinds]
    return "\n".join(lines) + "\n"


def _kind(kind: Kind) -> str:
    lines = [
        f"## {kind.name}",
        "",
        f"**{kind.label.en} · {kind.label.zh}.** {kind.help.en} {kind.help.zh}",
        "",
    ]
    lines += ["| state | | public | end |", "|---|---|---|---|"]
    for state in kind.states.values():
        public, end = "yes" if state.public else "", "yes" if state.terminal else ""
        lines.append(f"| `{state.name}` {state.label.en} | {state.label.zh} | {public} | {end} |")
    lines += ["", "| verb | from → to | who (area) | demands | sets |", "|---|---|---|---|---|"]
    lines += [_verb(verb) for verb in kind.verbs.values()]
    if kind.deadlines:
        lines += ["", "| deadline | while | due | warned | missed |", "|---|---|---|---|---|"]
        lines += [_deadline(deadline) for deadline in kind.deadlines.values()]
    lines += ["", "| field | | type |", "|---|---|---|"]
    lines += [_field(field) for field in kind.fields.values()]
    return "\n".join(lines) + "\n"


def _verb(verb: VerbDecl) -> str:
    ways = "; ".join(_ways(verb))
    who = "; ".join(f"{', '.join(a.roles)} ({_relations(a.relations)})" for a in verb.allow)
    demands = [*(["a reason"] if verb.reason else []), *verb.requires, *(f"*{ref}*" for ref in verb.guards)]
    sets = [
        *(f"{name} = {value}" for name, value in verb.sets.items()),
        *(f"*{ref}*" for ref in verb.effects),
    ]
    title = f"`{verb.name}` {verb.label.en} · {verb.label.zh}"
    return f"| {title} | {ways} | {who} | {_joined(demands)} | {_joined(sets)} |"


def _ways(verb: VerbDecl) -> Iterable[str]:
    for transition in verb.transitions:
        when = f" if *{', '.join(map(str, transition.when))}*" if transition.when else ""
        yield f"{', '.join(transition.sources)} → {transition.target or 'the same'}{when}"


def _relations(relations: tuple[str, ...]) -> str:
    return "any" if "any" in relations else ", ".join(r for r in RELATIONS if r in relations)


def _joined(words: list[str]) -> str:
    return ", ".join(words)


def _deadline(deadline: DeadlineDecl) -> str:
    due = f"`{deadline.field}`" if deadline.field else f"{deadline.after_min:g} min in the state"
    warned = ", ".join(f"T−{minutes:g} min" for minutes in deadline.warn_min)
    missed = [f"`{deadline.verb}`"] if deadline.verb else []
    if deadline.escalate:
        again = f", again every {deadline.repeat_min:g} min one post higher" if deadline.repeat_min else ""
        missed.append(f"the superior post is called{again}")
    title = f"{deadline.label.en} · {deadline.label.zh}"
    return f"| {title} | {', '.join(deadline.states)} | {due} | {warned} | {', then '.join(missed)} |"


def _field(field: FieldDecl) -> str:
    words = field.type + (f" of {field.items}" if field.items else "")
    if field.values:
        words += ": " + ", ".join(f"{value} ({label.en})" for value, label in field.values.items())
    bounds = [f"{bound:g}" for bound in (field.minimum, field.maximum) if bound is not None]
    if bounds:
        words += f", {' to '.join(bounds) if len(bounds) == 2 else 'from ' + bounds[0]} {field.unit}".rstrip()
    notes = [
        word
        for word, holds in (
            ("required", field.required),
            ("set by the life cycle", field.house),
            ("set only by verbs that name it", field.named),
        )
        if holds
    ]
    title = f"`{field.name}` {field.label.en} | {field.label.zh}"
    return f"| {title} | {words}{' (' + ', '.join(notes) + ')' if notes else ''} |"


def _functions(kinds: Kinds) -> str:
    verbs = [verb for kind in kinds.values() for verb in kind.verbs.values()]
    guards = {ref.name for verb in verbs for ref in _guards_of(verb)}
    effects = {ref.name for verb in verbs for ref in verb.effects}
    lines = ["## Named functions", "", "| guard or condition | holds when |", "|---|---|"]
    lines += [f"| *{name}* | {GUARDS[name].help} |" for name in sorted(guards)]
    lines += ["", "| effect | does |", "|---|---|"]
    lines += [
        f"| *{name}* | {(EFFECTS[name].__doc__ or '').strip().splitlines()[0]} |" for name in sorted(effects)
    ]
    return "\n".join(lines) + "\n"


def _guards_of(verb: VerbDecl) -> Iterable[GuardRef]:
    yield from verb.guards
    for transition in verb.transitions:
        yield from transition.when
