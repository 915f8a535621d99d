"""From form fields to record bodies and back, as a kind declares them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from starlette.datastructures import FormData

from clearway.kernel.clock import iso, parse_utc
from clearway.kernel.errors import InputError
from clearway.kernel.language import Text
from clearway.records.kinds import FieldDecl, Kind, VerbDecl
from clearway.web.console.forms import Visit
from clearway.web.console.names import find_roads

FORM_TYPES: Final = (
    "string", "text", "words", "integer", "number", "boolean", "time", "id", "enum", "level",
)  # fmt: skip


def form_fields(kind: Kind, verb: VerbDecl) -> list[FieldDecl]:
    """Fields a generated form asks for: what the verb accepts or requires and a person can type."""
    wanted = list(verb.requires)
    if verb.accepts is not None:
        wanted += [name for name in kind.fields if name in verb.accepts and name not in wanted]
    found = [kind.fields[name] for name in wanted if name in kind.fields]
    return [f for f in found if not f.house and (f.type in FORM_TYPES or f.name in ("evidence", "corridors"))]


def read_fields(
    visit: Visit,
    form: FormData,
    kind: Kind,
    names: Iterable[str],
    *,
    shown: Mapping[str, Any] | None = None,
    needed: Collection[str] = (),
) -> dict[str, Any]:
    """The body a form gives; empty fields are left out, except where somebody emptied what the form showed.

    Args:
        visit: who sends it.
        form: what was sent.
        kind: the kind of record.
        names: the fields to read.
        shown: values the form came with; one that was emptied reaches the command as taken back.
        needed: fields that cannot be taken back, besides those every record of the kind must have.

    Raises:
        InputError: a value that cannot be read, or a needed one taken back; names the field.
    """
    body: dict[str, Any] = {}
    for name in names:
        declared = kind.fields[name]
        value = _read(visit, form, declared)
        if value is not None:
            body[name] = value
        elif _emptied(form, declared, (shown or {}).get(name)):
            if name in kind.required or name in needed:
                label = declared.label
                words = Text(f"{label.en} cannot be left empty", f"{label.zh}不能为空")
                raise InputError(words.en, where=name, words=words)
            body[name] = [] if declared.type == "list" else None
    return body


def _emptied(form: FormData, declared: FieldDecl, before: Any) -> bool:
    """Whether a field that showed a value was sent without one. No select offers level 0 or an unset yes."""
    sent = declared.name in form or f"{declared.name}.en" in form
    return sent and (bool(before) or (declared.type in ("integer", "number") and before is not None))


def _read(visit: Visit, form: FormData, declared: FieldDecl) -> Any:
    name = declared.name
    if declared.type == "words":
        return words_of(form, name)
    if name == "evidence":
        return evidence_of(visit, form)
    text = str(form.get(name, "")).strip()
    if not text:
        return None
    if name == "corridors":
        return roads_of(visit, text)
    if declared.type == "time":
        return iso(local_time(text, visit.house.zone, name))
    if declared.type == "boolean":
        return text == "yes"
    if declared.type in ("integer", "level", "number"):
        return _number(text, declared)
    return text


def _number(text: str, declared: FieldDecl) -> int | float:
    try:
        return int(text) if declared.type in ("integer", "level") else float(text)
    except ValueError as error:
        label = declared.label
        words = Text(f"{label.en}: {text!r} is not a number", f"{label.zh}：“{text}”不是数字")
        raise InputError(words.en, where=declared.name, words=words) from error


def words_of(form: FormData, name: str) -> dict[str, str] | None:
    """Words in two languages; where only one was given it serves both."""
    en, zh = (str(form.get(f"{name}.{language}", "")).strip() for language in ("en", "zh"))
    return {"en": en or zh, "zh": zh or en} if en or zh else None


def local_time(text: str, zone: str, where: str) -> datetime:
    """A time typed without a zone is local time of the area.

    Raises:
        InputError: not a time.
    """
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        words = Text(f"{text!r} is not a time", f"“{text}”不是有效时间")
        raise InputError(words.en, where=where, words=words) from error
    return parse_utc((at if at.tzinfo else at.replace(tzinfo=ZoneInfo(zone))).isoformat(), where=where)


def evidence_of(visit: Visit, form: FormData) -> list[dict[str, Any]] | None:
    """What somebody saw: words, perhaps a value, now."""
    text = str(form.get("evidence", "")).strip()
    if not text:
        return None
    value = str(form.get("evidence.value", "")).strip()
    item: dict[str, Any] = {
        "text": {"en": text, "zh": text},
        "valid_at": iso(visit.now),
        "source": visit.who.account.name[visit.language],
    }
    if value:
        item["value"] = _number(value, FieldDecl("evidence.value", Text("value", "数值"), "number"))
        item["unit"] = str(form.get("evidence.unit", "")).strip()[:20]
    return [item]


def roads_of(visit: Visit, text: str) -> list[str]:
    """Corridor ids for lines of names, numbers or ids.

    Raises:
        InputError: a line fits no road, or several roads equally well.
    """
    network, found = visit.house.network, []
    for line in (part.strip() for part in text.replace("；", "\n").replace(";", "\n").splitlines()):
        if not line:
            continue
        matches = find_roads(network, line, limit=6)
        if not matches:
            words = Text(f"no road called {line!r}", f"未找到道路“{line}”")
            raise InputError(words.en, where="corridors", words=words)
        named = [m for m in matches if line in (network.corridors[m].id, *_names(visit, m))]
        if not named and len(matches) > 1:
            options = "; ".join(network.corridors[m].label[visit.language] for m in matches)
            words = Text(f"several roads fit {line!r}: {options}", f"“{line}”对应多条道路：{options}")
            raise InputError(words.en, where="corridors", hint="Write one of them in full", words=words)
        found += [network.corridors[m].id for m in (named or matches[:1])]
    return list(dict.fromkeys(found))


def _names(visit: Visit, number: int) -> tuple[str, ...]:
    corridor = visit.house.network.corridors[number]
    return (corridor.name.en, corridor.name.zh, corridor.ref, corridor.label.en, corridor.label.zh)
