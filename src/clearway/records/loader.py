"""Read kind declarations from TOML. A broken one is refused with file and key.

The layout is described in ``package.md`` beside this file.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from clearway.kernel.errors import InputError
from clearway.kernel.ids import canonical_json, sha256_hex
from clearway.kernel.language import Text
from clearway.records.check import check_kind
from clearway.records.fields import TYPES
from clearway.records.kinds import (
    Allow,
    DeadlineDecl,
    FieldDecl,
    GuardRef,
    Kind,
    Kinds,
    StateDecl,
    Transition,
    VerbDecl,
)

_MISSING: Final = object()


class Table:
    """A TOML table that remembers where it is, and which keys nobody asked for."""

    def __init__(self, values: Mapping[str, Any], file: str, path: str = "") -> None:
        self._values, self._file, self._path = values, file, path
        self._asked: set[str] = set()

    def at(self, key: str) -> str:
        """``file: dotted.key``."""
        dotted = f"{self._path}.{key}" if self._path else key
        return f"{self._file}: {dotted}"

    def fail(self, key: str, what: str, hint: str = "") -> InputError:
        """An error at a key of this table."""
        return InputError(what, where=self.at(key), hint=hint)

    def get(self, key: str, kind: type | tuple[type, ...], default: Any = _MISSING) -> Any:
        """A value of the right type.

        Raises:
            InputError: missing without a default, or of another type.
        """
        self._asked.add(key)
        value = self._values.get(key, _MISSING)
        if value is _MISSING:
            if default is _MISSING:
                raise self.fail(key, "is missing")
            return default
        kinds = kind if isinstance(kind, tuple) else (kind,)
        if not isinstance(value, kind) or (isinstance(value, bool) and bool not in kinds):
            raise self.fail(
                key, f"is {type(value).__name__}, expected {' or '.join(k.__name__ for k in kinds)}"
            )
        return value

    def texts(self, key: str, default: Any = _MISSING) -> tuple[str, ...]:
        """A list of strings."""
        values = self.get(key, list, default)
        for value in values:
            if not isinstance(value, str):
                raise self.fail(key, f"holds {value!r}, expected text")
        return tuple(values)

    def words(self, key: str, default: Any = _MISSING) -> Text:
        """A label in both languages; both must have words."""
        value = self.get(key, dict, default)
        if isinstance(value, Text):
            return value
        if set(value) != {"en", "zh"} or not all(isinstance(v, str) and v.strip() for v in value.values()):
            raise self.fail(key, "needs words in both languages: { en = …, zh = … }")
        return Text(value["en"], value["zh"])

    def tables(self, key: str, default: Any = _MISSING) -> dict[str, Table]:
        """Named sub-tables."""
        values = self.get(key, dict, default)
        prefix = f"{self._path}.{key}" if self._path else key
        for name, value in values.items():
            if not isinstance(value, dict):
                raise InputError("is not a table", where=f"{self._file}: {prefix}.{name}")
        return {name: Table(value, self._file, f"{prefix}.{name}") for name, value in values.items()}

    def items(self, key: str, default: Any = _MISSING) -> list[Table]:
        """A list of tables."""
        values = self.get(key, list, default)
        prefix = f"{self._path}.{key}" if self._path else key
        for index, value in enumerate(values):
            if not isinstance(value, dict):
                raise InputError("is not a table", where=f"{self._file}: {prefix}[{index}]")
        return [Table(value, self._file, f"{prefix}[{index}]") for index, value in enumerate(values)]

    def done(self) -> None:
        """Refuse keys that mean nothing here (a typing error must not pass silently)."""
        unknown = sorted(set(self._values) - self._asked)
        if unknown:
            known = ", ".join(sorted(self._asked))
            raise self.fail(unknown[0], "means nothing here", hint=f"Known keys: {known}")


def shipped_folders() -> list[Path]:
    """The ``kinds`` folders of the desks that come with Clearway."""
    desks = Path(__file__).resolve().parent.parent / "desks"
    return sorted(folder for folder in desks.glob("*/kinds") if folder.is_dir())


def load_kinds(folders: Iterable[str | Path] | None = None) -> Kinds:
    """Load every ``*.toml`` of the folders (default: those shipped).

    Raises:
        InputError: a folder that is not there, a broken file, a kind declared twice; names file and key.
    """
    found: dict[str, Kind] = {}
    chosen = shipped_folders() if folders is None else [Path(f) for f in folders]
    for folder in chosen:
        if not folder.is_dir():
            raise InputError("there is no such folder of kinds", where=str(folder))
        for path in sorted(folder.glob("*.toml")):
            kind = load_kind(path)
            if kind.name in found:
                first = found[kind.name].source
                raise InputError(f"kind {kind.name!r} is already declared in {first}", where=str(path))
            found[kind.name] = kind
    if not found:
        raise InputError("no kinds found", where=", ".join(str(f) for f in chosen))
    digest = sha256_hex(canonical_json({k.name: _digest_of(k) for k in found.values()}))
    return Kinds(found, digest)


def _digest_of(kind: Kind) -> str:
    return sha256_hex(Path(kind.source).read_bytes())


def load_kind(path: Path) -> Kind:
    """Load one declaration.

    Raises:
        InputError: not UTF-8, not TOML, or not a valid declaration; names file and key or line.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"is not TOML: {error}", where=str(path)) from error
    kind = _kind(Table(values, str(path)), path)
    check_kind(kind)
    return kind


def _kind(table: Table, path: Path) -> Kind:
    name = table.get("kind", str)
    if name != path.stem:
        raise table.fail("kind", f"is {name!r} but the file is called {path.name}")
    kind = Kind(
        name=name,
        version=table.get("version", int),
        desk=table.get("desk", str),
        label=table.words("label"),
        help=table.words("help"),
        id_prefix=table.get("id_prefix", str, name),
        states={n: _state(n, t) for n, t in table.tables("states").items()},
        fields={n: _field(n, t) for n, t in table.tables("fields").items()},
        verbs={n: _verb(n, t) for n, t in table.tables("verbs").items()},
        deadlines={n: _deadline(n, t) for n, t in table.tables("deadlines", {}).items()},
        params=table.get("params", dict, {}),
        area_field=table.get("area_field", str, "area"),
        post_field=table.get("post_field", str, ""),
        summary=table.get("summary", str, "headline"),
        extra_fields=table.get("extra_fields", bool, False),
        source=str(path),
    )
    table.done()
    return kind


def _state(name: str, table: Table) -> StateDecl:
    state = StateDecl(
        name, table.words("label"), table.get("public", bool, False), table.get("terminal", bool, False)
    )
    table.done()
    return state


def _field(name: str, table: Table) -> FieldDecl:
    kind = table.get("type", str)
    if kind not in TYPES:
        raise table.fail("type", f"{kind!r} is no field type", hint=f"Types: {', '.join(TYPES)}")
    items = table.get("items", str, "")
    if items and (items not in TYPES or kind != "list"):
        raise table.fail("items", "names the type of a list's items", hint=f"Types: {', '.join(TYPES)}")
    values = table.get("values", dict, {})
    if (kind == "enum") != bool(values):
        raise table.fail("values", "an enum lists its values, and only an enum does")
    named = Table(values, *_place(table, "values"))
    field = FieldDecl(
        name=name,
        label=table.words("label"),
        type=kind,
        required=table.get("required", bool, False),
        items=items,
        values={value: named.words(value) for value in values},
        unit=table.get("unit", str, ""),
        minimum=table.get("minimum", (int, float), None),
        maximum=table.get("maximum", (int, float), None),
        house=table.get("house", bool, False),
        named=table.get("named", bool, False),
    )
    table.done()
    return field


def _place(table: Table, key: str) -> tuple[str, str]:
    file, _, path = table.at(key).partition(": ")
    return file, path


def _ref(table: Table, key: str, text: str) -> GuardRef:
    name, _, args = text.partition(":")
    if not name.strip():
        raise table.fail(key, f"{text!r} names nothing")
    return GuardRef(name.strip(), tuple(a.strip() for a in args.split(",") if a.strip()))


def _refs(table: Table, key: str) -> tuple[GuardRef, ...]:
    return tuple(_ref(table, key, text) for text in table.texts(key, []))


def _verb(name: str, table: Table) -> VerbDecl:
    accepts = table.get("accepts", (list, str), [])
    if isinstance(accepts, str) and accepts != "*":
        raise table.fail("accepts", 'is a list of fields, or "*" for all')
    label = table.words("label")
    verb = VerbDecl(
        name=name,
        label=label,
        help=table.words("help", label),
        allow=tuple(_allow(t) for t in table.items("allow")),
        transitions=tuple(_transition(t) for t in table.items("transitions")),
        accepts=None if accepts == "*" else frozenset(table.texts("accepts", [])),
        requires=table.texts("requires", []),
        reason=table.get("reason", bool, False),
        guards=_refs(table, "guards"),
        effects=_refs(table, "effects"),
        sets=table.get("sets", dict, {}),
    )
    table.done()
    return verb


def _allow(table: Table) -> Allow:
    allow = Allow(table.texts("roles"), table.texts("relations"), table.texts("states", []))
    table.done()
    return allow


def _transition(table: Table) -> Transition:
    transition = Transition(table.texts("from"), table.get("to", str, ""), _refs(table, "when"))
    table.done()
    return transition


def _deadline(name: str, table: Table) -> DeadlineDecl:
    warn = table.get("warn_min", list, [])
    for value in warn:
        if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
            raise table.fail("warn_min", f"holds {value!r}, expected minutes before the deadline")
    deadline = DeadlineDecl(
        name=name,
        label=table.words("label"),
        states=table.texts("states"),
        field=table.get("field", str, ""),
        after_min=float(table.get("after_min", (int, float), 0)),
        warn_min=tuple(sorted((float(w) for w in warn), reverse=True)),
        verb=table.get("verb", str, ""),
        escalate=table.get("escalate", bool, False),
        repeat_min=float(table.get("repeat_min", (int, float), 0)),
    )
    table.done()
    return deadline
