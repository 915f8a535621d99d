"""The board, and the page of one record: all of it, its whole history, and what may be done with it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Response

from clearway.kernel.errors import InputError
from clearway.kernel.language import Text
from clearway.operations.announce import SPOKEN
from clearway.records import Command, Decision, RecordRow
from clearway.records.kinds import FieldDecl, Kind, VerbDecl
from clearway.web.console.bodies import form_fields, read_fields
from clearway.web.console.forms import Sent, Visit, Visitor, VisitorThen
from clearway.web.console.inbox import account_names
from clearway.web.console.named import Namer
from clearway.web.console.names import indices, post_names, roads
from clearway.web.console.sealed import attach, given_in, kept_of, offered
from clearway.web.console.views.board import VIEWS, board_view, flags_of, marks_of
from clearway.web.console.views.inbox import confirm_verb, verb_label
from clearway.web.console.views.updates import standing
from clearway.web.public.view import public_warnings
from clearway.web.strong import is_decision, roles_of
from clearway.web.submit import submit

router = APIRouter(include_in_schema=False)
TWO_PEOPLE: Final = ("measure", "notice")
SHEET_ROADS: Final = 12
"""Roads a measure names on the printed sheet; the rest is counted."""
_SYSTEM_ONLY: Final = frozenset({"open", "expire", "lapse", "withdraw_by_system"})


@dataclass(frozen=True, slots=True, eq=False)
class Act:
    """A verb on the record page: the form it needs, or why it may not be done."""

    verb: VerbDecl
    decision: Decision
    fields: list[FieldDecl]
    sealed: list[FieldDecl]
    strong: bool


@router.get("/console/board")
def board(
    visitor: VisitorThen,
    view: Annotated[str, Query(max_length=20)] = "all",
    area: Annotated[str, Query(max_length=120)] = "",
) -> Response:
    """Measures and tasks with filters."""
    if view not in VIEWS:
        raise InputError(f"no view {view!r}", where="view", hint=f"Views: {', '.join(VIEWS)}")
    house, at = visitor.house, visitor.at
    areas = {
        str(r.data.get("area") or "")
        for k in ("measure", "task")
        for r in house.journal.list_open(k, as_of=at)
    }
    return visitor.page(
        "board.html",
        board=board_view(house, view, at or visitor.now, as_of=at, area=area),
        view=view,
        views=VIEWS,
        areas=sorted(areas - {""}),
        d=Namer(house),
        area_chosen=area,
    )


@router.get("/console/in-force")
def in_force(visitor: VisitorThen) -> Response:
    """One page to print: everything that is in force now."""
    house, at = visitor.house, visitor.at
    journal = house.journal
    return visitor.page(
        "inforce.html",
        measures=journal.list("measure", states=("ordered", "in_force", "removal_pending"), as_of=at),
        notices=public_warnings(
            (r.as_mapping() for r in journal.list("notice", states=("issued",), as_of=at)), at or visitor.now
        ),
        tasks=journal.list("task", states=("open", "acknowledged", "started", "done"), as_of=at),
        incidents=journal.list("incident", states=("reported", "confirmed", "responding"), as_of=at),
        overrides=journal.list("override", states=("in_force",), as_of=at),
        posts=journal.list("post", states=("active",), as_of=at),
        accounts=account_names(visitor),
        kinds=house.kinds,
        roads_of=lambda row: roads(house.network, row.data.get("corridors") or (), limit=SHEET_ROADS),
        d=Namer(house),
        head=journal.head() if at is None else None,
    )


@router.get("/console/record/{record}")
def record(visitor: VisitorThen, record: str, do: Annotated[str, Query(max_length=40)] = "") -> Response:
    """A record, now or at a past moment; ``do`` opens the form of one verb."""
    house, at = visitor.house, visitor.at
    row = house.journal.get(record, as_of=at)
    kind = house.kinds[row.kind]
    history = house.journal.history(record)
    if at is not None:
        history = [event for event in history if event.recorded_at <= at]
    flags = flags_of(row, at or visitor.now) if row.kind in ("measure", "task") else ()
    return visitor.page(
        "record.html",
        row=row,
        kind=kind,
        state=standing(row, kind),
        shown=[
            (kind.fields.get(name), name, value) for name, value in row.data.items() if _worth(name, value)
        ],
        roads=roads(house.network, row.data.get("corridors") or row.data.get("subjects") or (), limit=30),
        corridors=indices(house.network, row.data.get("corridors") or ()),
        marks=marks_of(row, flags),
        history=list(reversed(history)),
        verb_label=lambda event: verb_label(kind, event),
        accounts=account_names(visitor),
        posts=post_names(house),
        acts=[] if at else acts_of(visitor, row, kind),
        speaks=SPOKEN,
        d=Namer(house),
        sealed=kept_of(visitor, row, kind),
        do=do,
        key=secrets.token_urlsafe(12),
    )


def _worth(name: str, value: Any) -> bool:
    return value not in (None, "", [], {}) and name not in ("polygons", "messages")


def acts_of(visitor: Visit, row: RecordRow, kind: Kind) -> list[Act]:
    """Verbs the life cycle knows in this state; for each the form, or the rule that forbids it."""
    authority = visitor.house.journal.authority()
    found = []
    for verb in kind.verbs.values():
        decision = authority.may(visitor.actor, verb.name, row)
        if not decision.reachable or all(a.roles in (("system",), ("desk", "system")) for a in verb.allow):
            continue
        if row.kind == "proposal" or (row.kind, verb.name) == ("notice", "propose_update"):
            continue
        if (row.kind, verb.name) == ("notice", "drop_update") and not row.data.get("pending_change"):
            continue
        confirms = row.kind in TWO_PEOPLE and verb.name in ("confirm", "confirm_update")
        if confirms and verb.name != confirm_verb(row):
            continue  # nothing waits to be confirmed
        fields = form_fields(kind, verb)
        strong = is_decision(verb, roles_of(visitor.who))
        found.append(Act(verb, decision, fields, offered(visitor, kind, verb, fields), strong))
    return found


@router.post("/console/record/{record}/{verb}")
def act(visitor: Visitor, form: Sent, record: str, verb: str) -> Response:
    """Do a verb with what the generated form gave."""
    house = visitor.house
    row = house.journal.get(record)
    kind = house.kinds[row.kind]
    declared = kind.verb(verb)
    fields = form_fields(kind, declared)
    shown = {f.name: row.data.get(f.name) for f in fields if f.name in declared.requires and f.type != "list"}
    data = read_fields(visitor, form, kind, [f.name for f in fields], shown=shown, needed=declared.requires)
    given = given_in(form, kind)
    version = str(form.get("version", ""))
    command = Command(
        row.kind,
        verb,
        data,
        visitor.actor,
        f"{visitor.who.account.id}:console:{record}:{verb}:{form.get('key') or row.version}",
        record,
        expected_version=int(version) if version.isdecimal() else None,
        reason=str(form.get("reason", "")).strip(),
        at=None,
    )
    only_sealed = given and not data and declared.accepts is not None and not command.reason
    if not only_sealed or given[0].field not in (declared.accepts or ()):
        submit(house, visitor.who, command)
    note = Text("Done: {v}", "已完成：{v}").format(v=declared.label)
    lost = attach(visitor, record, given, str(form.get("key") or row.version))
    if lost is not None:
        note = Text(f"{note.en}; {lost.en}", f"{note.zh}；{lost.zh}")
    back = str(form.get("back", "")) or f"/console/record/{record}"
    return visitor.done(back if back.startswith("/console") or back == "/field" else "/console", note)
