"""Checks of record bodies against the declared fields."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Final, Protocol

from clearway.kernel.errors import InputError
from clearway.records.kinds import FieldDecl, Kind, VerbDecl

TYPES: Final = (
    "string", "text", "words", "integer", "number", "boolean", "time", "id", "enum", "level", "list", "map",
    "sealed", "any",
)  # fmt: skip

MAX_STRING: Final = 400
MAX_TEXT: Final = 20_000
MAX_DEPTH: Final = 12
MAX_ITEMS: Final = 50_000

_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)")
_SEALED: Final = frozenset({"sealed", "sha256"})


def _string(value: Any, limit: int = MAX_STRING) -> str:
    if not isinstance(value, str):
        return "is not a string"
    return f"is longer than {limit} characters" if len(value) > limit else ""


def _text(value: Any) -> str:
    return _string(value, MAX_TEXT)


def _words(value: Any) -> str:
    if not isinstance(value, dict) or set(value) != {"en", "zh"}:
        return "must hold the words in two languages, {en, zh}"
    return _text(value["en"]) or _text(value["zh"])


def _integer(value: Any) -> str:
    return "" if isinstance(value, int) and not isinstance(value, bool) else "is not a whole number"


def _number(value: Any) -> str:
    return "" if isinstance(value, int | float) and not isinstance(value, bool) else "is not a number"


def _boolean(value: Any) -> str:
    return "" if isinstance(value, bool) else "is neither true nor false"


def _time(value: Any) -> str:
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        return "is not an ISO 8601 time with a zone, such as 2015-11-22T06:00:00Z"
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return "is not a time that exists"
    return ""


def _level(value: Any) -> str:
    return _integer(value) or ("" if 0 <= value <= 4 else "is not a level from 0 to 4")


def _map(value: Any) -> str:
    return "" if isinstance(value, dict) else "is not a table of names and values"


def _list(value: Any) -> str:
    if not isinstance(value, list):
        return "is not a list"
    return f"has more than {MAX_ITEMS} items" if len(value) > MAX_ITEMS else ""


def _sealed(value: Any) -> str:
    if isinstance(value, dict) and set(value) >= _SEALED:
        return ""
    return "must be a reference into the sealed store ({sealed, sha256, …}), not the content itself"


def _any(_value: Any) -> str:
    return ""


_CHECKS: Final[dict[str, Callable[[Any], str]]] = {
    "string": _string,
    "text": _text,
    "words": _words,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "time": _time,
    "id": _string,
    "enum": _string,
    "level": _level,
    "list": _list,
    "map": _map,
    "sealed": _sealed,
    "any": _any,
}


def problem_of(declared: FieldDecl, value: Any) -> str:
    """What is wrong with a value, or an empty string. None (not known, taken back) is always fine."""
    if value is None:
        return ""
    wrong = _CHECKS[declared.type](value)
    if wrong:
        return wrong
    if declared.type == "enum" and value not in declared.values:
        return f"is {value!r}, not one of {', '.join(declared.values)}"
    if declared.type in ("integer", "number"):
        if declared.minimum is not None and value < declared.minimum:
            return f"is {value}, below {declared.minimum:g} {declared.unit}".rstrip()
        if declared.maximum is not None and value > declared.maximum:
            return f"is {value}, above {declared.maximum:g} {declared.unit}".rstrip()
    if declared.type == "list" and declared.items:
        check = _CHECKS[declared.items]
        for index, item in enumerate(value):
            wrong = check(item)
            if wrong:
                return f"item {index} {wrong}"
    return ""


def is_missing(value: Any) -> bool:
    """Whether a required field counts as not given: absent, null, or empty text, list or table."""
    if value is None:
        return True
    if isinstance(value, str):
        return not value.strip()
    if isinstance(value, dict) and set(value) == {"en", "zh"}:
        return not (str(value["en"]).strip() and str(value["zh"]).strip())
    return isinstance(value, list | dict) and not value


def check_body(kind: Kind, data: Mapping[str, Any], verb: VerbDecl, *, where: str) -> None:
    """Check names and types of a patch.

    A field that the house sets may be given empty, or where the verb sets it anyway.

    Raises:
        InputError: an undeclared field, one the verb may not set, or a value of the wrong type.
    """
    declared, accepts = kind.fields, verb.accepts
    for name, value in data.items():
        spec = declared.get(name)
        if spec is None:
            if kind.extra_fields and accepts is None and not name.startswith("_"):
                continue
            hint = f"Fields of {kind.name}: {', '.join(sorted(declared))}"
            raise InputError(f"{kind.name} has no field {name!r}", where=where, hint=hint)
        if accepts is None and spec.named and value is not None:
            raise InputError(f"{name!r} is set by a verb of its own", where=where)
        if accepts is not None and name not in accepts:
            may = ", ".join(sorted(accepts)) or "none"
            raise InputError(f"this verb may not set {name!r}", where=where, hint=f"It may set: {may}")
        if spec.house and value is not None and name not in verb.sets:
            raise InputError(f"{name!r} is set by the life cycle, never by a command", where=where)
        wrong = problem_of(spec, value)
        if wrong:
            raise InputError(f"{name} {wrong}", where=where)


class HasPlace(Protocol):
    """Something that knows where an error about it lies; the words are only made when needed."""

    @property
    def where(self) -> str:
        """Kind, record and verb."""
        ...


def check_required(kind: Kind, names: Iterable[str], data: Mapping[str, Any], command: HasPlace) -> None:
    """Check that the merged body holds what the verb requires.

    Raises:
        InputError: names every missing field, in both languages.
    """
    missing = [name for name in names if is_missing(data.get(name))]
    if missing:
        labels = [kind.fields[name].label.en for name in missing]
        raise InputError(
            f"missing: {', '.join(missing)}", where=command.where, hint=f"Needed here: {', '.join(labels)}"
        )


def check_plain(value: Any, *, where: str, depth: int = 0) -> None:
    """Refuse text that no store can keep (NUL, half surrogates) and bodies nested too deep.

    Raises:
        InputError: names the problem.
    """
    if depth > MAX_DEPTH:
        raise InputError(f"nested deeper than {MAX_DEPTH} levels", where=where)
    if isinstance(value, str):
        if "\x00" in value:
            raise InputError("text holds a NUL character", where=where)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str):
                raise InputError(f"name {key!r} is not text", where=where)
            check_plain(key, where=where, depth=depth + 1)
            check_plain(item, where=where, depth=depth + 1)
    elif isinstance(value, list | tuple):
        for item in value:
            check_plain(item, where=where, depth=depth + 1)
