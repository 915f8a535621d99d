"""Who may do what: one table, role × relation to area × verb × state, derived from the declarations.

The same table answers commands, forms ("which buttons"), the permission matrix of the docs and the tests.
A verb that the life cycle does not know in a state is not a question of authority; see
:class:`Decision.reachable`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from clearway.kernel.language import Text, join
from clearway.records.actors import RELATION_LABELS, RELATIONS, Actor, roles
from clearway.records.areas import AreaTree
from clearway.records.events import RecordRow
from clearway.records.kinds import BUILT_IN_VERBS, NEW, Kind, Kinds, VerbDecl


@dataclass(frozen=True, slots=True)
class Decision:
    """Answer to "may this actor do this?".

    Attributes:
        allowed: the verb exists in this state and the actor's role and area permit it.
        rule: the rule that decided, for logs: ``measure.lift: duty_officer/own``.
        explanation: the same for a person.
        reachable: the life cycle knows the verb in this state at all.
    """

    allowed: bool
    rule: str
    explanation: Text
    reachable: bool = True


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """One cell of the permission matrix."""

    kind: str
    verb: str
    state: str
    role: str
    relation: str
    allowed: bool


_Grants = Mapping[str, frozenset[str]]


class Authority:
    """The table and the area tree it is read against."""

    def __init__(self, kinds: Kinds, areas: AreaTree) -> None:
        self.kinds, self.areas = kinds, areas
        self._table: Mapping[tuple[str, str, str], _Grants] = {
            (kind.name, verb.name, state): _grants(verb, state)
            for kind in kinds.values()
            for verb in kind.verbs.values()
            for state in verb.sources()
        }

    def over(self, areas: AreaTree) -> Authority:
        """The same table, read against another area tree; costs nothing."""
        other = object.__new__(Authority)
        other.kinds, other.areas, other._table = self.kinds, areas, self._table
        return other

    def permits(self, kind: str, verb: str, state: str, area: str, actor: Actor) -> tuple[str, str] | None:
        """The first role and relation of the actor that permit the verb, or None. The fast path."""
        grants = self._table.get((kind, verb, state))
        if grants is None:
            return None
        for role in actor.roles:
            relations = grants.get(role.name)
            if relations is None:
                continue
            relation = self.areas.relation(role.area_id, area)
            if relation in relations:
                return role.name, relation
        return None

    def decide(self, kind: Kind, verb: VerbDecl, state: str, area: str, actor: Actor) -> Decision:
        """Answer with the rule and its words."""
        if (kind.name, verb.name, state) not in self._table:
            return _unreachable(kind, verb, state)
        found = self.permits(kind.name, verb.name, state, area, actor)
        if found:
            return _permitted(kind, verb, *found)
        return self._refused(kind, verb, state, area, actor)

    def may(self, actor: Actor, verb: str, record: RecordRow | Mapping[str, Any]) -> Decision:
        """Whether the actor may do the verb to this record as it stands.

        Raises:
            InputError: the kind or the verb does not exist.
        """
        body = record.as_mapping() if isinstance(record, RecordRow) else record
        kind = self.kinds.kind(body["kind"])
        if verb in BUILT_IN_VERBS:
            return Decision(
                False, f"{kind.name}.{verb}: system", Text("only deadlines do this", "仅由时限触发")
            )
        area = str(body["data"].get(kind.area_field) or "")
        return self.decide(kind, kind.verb(verb), body["state"], area, actor)

    def may_open(self, actor: Actor, kind: str, verb: str, area: str = "") -> Decision:
        """Whether the actor may open a record of the kind in the area."""
        declared = self.kinds.kind(kind)
        return self.decide(declared, declared.verb(verb), NEW, area, actor)

    def verbs_for(self, actor: Actor, record: RecordRow) -> list[str]:
        """Verbs the actor may try on the record now, in order of declaration."""
        kind = self.kinds.kind(record.kind)
        return [name for name in kind.verbs if self.may(actor, name, record).allowed]

    def matrix(self) -> Iterator[MatrixRow]:
        """The whole table: every kind × verb × state × role × relation."""
        for kind in self.kinds.values():
            for verb in kind.verbs.values():
                for state in (NEW, *kind.states):
                    grants = self._table.get((kind.name, verb.name, state), {})
                    for role in roles():
                        held = grants.get(role, frozenset())
                        for relation in RELATIONS:
                            yield MatrixRow(kind.name, verb.name, state, role, relation, relation in held)

    def _refused(self, kind: Kind, verb: VerbDecl, state: str, area: str, actor: Actor) -> Decision:
        grants = self._table[kind.name, verb.name, state]
        needs = join([_grant_words(role, relations) for role, relations in grants.items()])
        held = [_held_words(r.name, self.areas.relation(r.area_id, area)) for r in actor.roles]
        have = join(held) if held else Text("no role", "无角色")
        words = Text(
            "{verb} ({kind}) needs: {needs}. You are: {have}", "“{verb}”（{kind}）需要：{needs}。您是：{have}"
        ).format(verb=verb.label, kind=kind.label, needs=needs, have=have)
        return Decision(False, f"{kind.name}.{verb.name}: {needs.en}", words)


def _grants(verb: VerbDecl, state: str) -> dict[str, frozenset[str]]:
    grants: dict[str, frozenset[str]] = {}
    for allow in verb.allow:
        if allow.states and state not in allow.states:
            continue
        relations = frozenset(RELATIONS if "any" in allow.relations else allow.relations)
        for role in allow.roles:
            grants[role] = grants.get(role, frozenset()) | relations
    return grants


def _role_label(name: str) -> Text:
    declared = roles().get(name)
    return declared.label if declared else Text(name, name)


def _held_words(role: str, relation: str) -> Text:
    return Text("{role} ({relation})", "{role}（{relation}）").format(
        role=_role_label(role), relation=RELATION_LABELS[relation]
    )


def _grant_words(role: str, relations: frozenset[str]) -> Text:
    if relations == frozenset(RELATIONS):
        where = RELATION_LABELS["any"]
    else:
        where = join([RELATION_LABELS[r] for r in RELATIONS if r in relations])
    return Text("{role} ({where})", "{role}（{where}）").format(role=_role_label(role), where=where)


def _permitted(kind: Kind, verb: VerbDecl, role: str, relation: str) -> Decision:
    words = Text("{role} may do this: {verb} ({kind})", "{role}可以“{verb}”（{kind}）").format(
        role=_held_words(role, relation), verb=verb.label, kind=kind.label
    )
    return Decision(True, f"{kind.name}.{verb.name}: {role}/{relation}", words)


def _unreachable(kind: Kind, verb: VerbDecl, state: str) -> Decision:
    sources = join([kind.state_label(s) for s in verb.sources()])
    words = Text(
        "{verb} ({kind}) is not possible while it is: {state}. It is possible when: {sources}",
        "“{verb}”（{kind}）在“{state}”状态下不可进行，仅可在以下状态进行：{sources}",
    ).format(verb=verb.label, kind=kind.label, state=kind.state_label(state), sources=sources)
    return Decision(False, f"{kind.name}.{verb.name}: not from {state}", words, reachable=False)
