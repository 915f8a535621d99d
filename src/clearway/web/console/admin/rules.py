"""Rules: every number with its source; packs side by side; local rules by two administrators."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Response

from clearway.doctrine import Conflict, Doctrine, Sourced, load_doctrine
from clearway.kernel.clock import iso
from clearway.kernel.errors import InputError, NotFoundError
from clearway.kernel.language import Text, both
from clearway.records import Command
from clearway.web.console.admin.common import admin_page, require_admin
from clearway.web.console.bodies import local_time
from clearway.web.console.forms import Sent, Visit, Visitor
from clearway.web.submit import submit

router = APIRouter(prefix="/console/admin")
_SHOWN: Final = 200
_MOST: Final = 400


@dataclass(frozen=True, slots=True)
class Beside:
    """One key in the house and in a pack."""

    key: str
    here: Sourced | None
    there: Sourced | None


@router.get("/rules")
def rules(
    visitor: Visitor,
    q: Annotated[str, Query(max_length=80)] = "",
    compare: Annotated[str, Query(max_length=40, pattern=r"^[a-z0-9_-]*$")] = "",
) -> Response:
    """Rules in force, searched; a pack beside them."""
    require_admin(visitor)
    return _page(visitor, q=q, compare=compare)


def _page(visitor: Visit, *, q: str = "", compare: str = "") -> Response:
    house, wanted = visitor.house, q.strip().lower()
    found = [r for r in house.rules.values.values() if not wanted or _fits(r, wanted)]
    journal = house.journal
    return admin_page(
        visitor,
        "rules",
        q=q,
        doctrine=house.rules,
        rules=found[:_SHOWN],
        hidden=max(0, len(found) - _SHOWN),
        packs=pack_names(),
        compare=compare,
        beside=[b for b in side_by_side(house.rules, compare) if not wanted or wanted in b.key.lower()]
        if compare
        else [],
        local=journal.list("local_rule", states=("proposed", "in_force", "retiring")),
        past=journal.list("local_rule", states=("withdrawn", "dropped", "expired"))[-20:],
        local_kind=house.kinds["local_rule"],
        may={
            row.id: [
                v
                for v in ("confirm", "withdraw", "drop")
                if journal.authority().may(visitor.actor, v, row).allowed
            ]
            for row in journal.list("local_rule", states=("proposed", "in_force", "retiring"))
        },
        names={account.id: account.name for account in house.access.accounts()},
        key=secrets.token_urlsafe(12),
    )


def _fits(rule: Sourced, wanted: str) -> bool:
    return wanted in rule.key.lower() or wanted in rule.source.lower() or wanted == str(rule.value).lower()


def pack_names() -> list[str]:
    """Packs that ship."""
    folder = files("clearway.doctrine").joinpath("packs")
    return sorted(entry.name for entry in folder.iterdir() if entry.is_dir())


@lru_cache(maxsize=8)
def _pack(name: str) -> Doctrine:
    return load_doctrine([name], desk_defaults=False)


def side_by_side(here: Doctrine, pack: str) -> list[Beside]:
    """Every key the pack speaks of, and those of the same section it is silent about.

    Raises:
        NotFoundError: no such pack.
    """
    if pack not in pack_names():
        raise NotFoundError(f"no doctrine pack {pack!r}", hint=", ".join(pack_names()))
    there = _pack(pack).values
    return [Beside(key, here.values.get(key), rule) for key, rule in sorted(there.items())][:_MOST]


@router.get("/rules/{key}")
def rule(visitor: Visitor, key: str) -> Response:
    """One rule: where its value comes from, what else was said, and the form for a local one."""
    require_admin(visitor)
    house = visitor.house
    found = house.rules.values.get(key)
    if found is None:
        words = Text(f"there is no rule {key!r}", f"没有规则“{key}”")
        raise NotFoundError(words.en, where="key", words=words)
    base = house.rulebook.base if house.rulebook else house.rules
    names = [cap for cap in base.caps if key in cap]
    return admin_page(
        visitor,
        "rule",
        rule=found,
        base=base.values.get(key),
        conflicts=[c for c in house.rules.conflicts if _about(c, key)],
        packs=[(name, _pack(name).values[key]) for name in pack_names() if key in _pack(name).values],
        caps=names,
        local=[row for row in house.journal.list("local_rule") if row.data.get("key") == key],
        local_kind=house.kinds["local_rule"],
        grades=house.kinds["local_rule"].fields["grade"].values,
        shown=json.dumps(found.value, ensure_ascii=False),
        open=house.rulebook is not None,
        key=secrets.token_urlsafe(12),
    )


def _about(conflict: Conflict, key: str) -> bool:
    return conflict.key == key


@router.post("/rules/{key}")
def propose(visitor: Visitor, form: Sent, key: str) -> Response:
    """Propose a local rule; a second administrator confirms it."""
    require_admin(visitor, change=True)
    house = visitor.house
    if house.rulebook is None:
        words = Text("no local rules can be made here", "此处不能设置本地规则")
        raise NotFoundError(words.en, words=words)
    old = house.rules.values.get(key)
    value = _value(str(form.get("value", "")), old.value if old else None)
    until = str(form.get("until", "")).strip()
    source = str(form.get("source", "")).strip()
    if not source:
        words = Text("say where the value comes from", "请填写取值来源")
        raise InputError(words.en, where="source", words=words)
    data: dict[str, Any] = {
        "key": key,
        "value": value,
        "replaces": old.value if old else None,
        "grade": str(form.get("grade", "")),
        "source": source[:400],
        "area": house.rulebook.area,
        "headline": Text(f"{key} = {value}", f"{key} = {value}").as_dict(),
        **({"until": iso(local_time(until, house.zone, "until"))} if until else {}),
    }
    command = Command(
        "local_rule",
        "propose",
        data,
        visitor.actor,
        f"{visitor.who.account.id}:rule:{form.get('key') or secrets.token_urlsafe(9)}",
        reason=str(form.get("reason", "")).strip(),
    )
    submit(house, visitor.who, command)
    return visitor.done(
        "/console/admin/rules", Text("Waits for a second administrator", "待另一名管理员确认")
    )


def _value(text: str, old: Any) -> Any:
    """A typed value of the kind that stands there now.

    Raises:
        InputError: it cannot be read so.
    """
    plain = text.strip()
    if isinstance(old, str):
        return plain
    try:
        return json.loads(plain)
    except ValueError as error:
        words = Text(f"{plain!r} cannot be read as a value", f"“{plain}”无法识别为取值")
        hint = both(
            Text(
                "Numbers plain, lists as [1, 2], yes and no as true and false",
                "数字直接填写，列表写作 [1, 2]，是否写作 true 或 false",
            )
        )
        raise InputError(words.en, where="value", hint=hint, words=words) from error
