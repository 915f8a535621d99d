"""Read packs, refuse broken ones by file, line and key, and merge the rest into one doctrine."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from clearway.doctrine.check import fault, stricter
from clearway.doctrine.lines import key_lines, line_of
from clearway.doctrine.model import GRADES, Conflict, Doctrine, Sourced
from clearway.kernel.errors import InputError
from clearway.kernel.ids import canonical_json, sha256_hex
from clearway.kernel.language import Text

_META = ("grade", "source", "note")
DEFAULT_YIELDS = Text("a default never overrides a sourced rule", "默认值不得推翻有出处的规则")
LATER_WINS = Text("the later layer wins", "以后加载的层次为准")
STRICTER_WINS = Text("the stricter of two sourced rules wins", "两条规则均有出处，从严取值")


def load_doctrine(
    packs: Sequence[str | Path] = ("cn",), *, desk_defaults: bool = True, overrides: Path | None = None
) -> Doctrine:
    """Load and merge: desk defaults < packs in the given order < local overrides.

    Args:
        packs: names of shipped packs (``cn``, ``us``) or paths of a pack folder or TOML file.
        desk_defaults: include ``desks/*/doctrine.toml``.
        overrides: a local TOML file of the same form.

    Raises:
        InputError: a pack is missing or broken; names file, line and key.
    """
    layers: list[tuple[str, list[Path]]] = []
    if desk_defaults:
        layers.append(("desk defaults", sorted(_package_root().glob("desks/*/doctrine.toml"))))
    layers += [(str(pack), _pack_files(pack)) for pack in packs]
    if overrides is not None:
        layers.append((f"override {overrides.name}", [overrides]))
    values: dict[str, Sourced] = {}
    conflicts: list[Conflict] = []
    caps: list[tuple[str, str]] = []
    for name, paths in layers:
        for path in paths:
            for item in _read(path, name, caps):
                _merge(values, conflicts, item)
    _apply_caps(values, conflicts, caps)
    names = tuple(n for n, _ in layers)
    return Doctrine(values, _hash(values), names, tuple(conflicts), tuple(caps))


def _hash(values: Mapping[str, Sourced]) -> str:
    return sha256_hex(canonical_json({k: [v.value, v.grade, v.source] for k, v in values.items()}))


def with_local(base: Doctrine, items: Iterable[Sourced], *, layer: str = "local rules") -> Doctrine:
    """The doctrine with a last layer of local rules, by the same precedence and under the same caps.

    Raises:
        InputError: a key that no layer has, or a value that cannot stand there.
    """
    values, conflicts, found = dict(base.values), list(base.conflicts), list(items)
    if not found:
        return base
    for item in found:
        if what := misfit(base, item.key, item.value):
            raise InputError(what, where=item.key)
        _merge(values, conflicts, item)
    _apply_caps(values, conflicts, list(base.caps))
    return Doctrine(values, _hash(values), (*base.layers, layer), tuple(conflicts), base.caps)


def misfit(base: Doctrine, key: str, value: Any) -> str:
    """Why a value cannot take the place of the one at ``key``; empty when it can."""
    old = base.values.get(key)
    if old is None:
        return f"doctrine has no rule {key!r}"
    if _shape(old.value) != _shape(value):
        return f"{value!r} is of another kind than {old.value!r}"
    return fault(key, value)


def _shape(value: Any) -> Any:
    if isinstance(value, bool | str):
        return type(value).__name__
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, list):
        return ["list", *sorted({str(_shape(item)) for item in value})]
    return type(value).__name__


def _package_root() -> Path:
    return Path(str(files("clearway")))


def _pack_files(pack: str | Path) -> list[Path]:
    path = Path(pack)
    if not path.exists() and "/" not in str(pack) and path.suffix == "":
        path = _package_root() / "doctrine" / "packs" / str(pack)
    if path.is_dir():
        found = sorted(path.glob("*.toml"))
        if found:
            return found
    elif path.is_file():
        return [path]
    raise InputError(
        f"no doctrine pack {str(pack)!r}", hint="Name a shipped pack (cn, us), a folder or a file"
    )


def _read(path: Path, layer: str, caps: list[tuple[str, str]]) -> Iterator[Sourced]:
    try:
        text = path.read_text(encoding="utf-8")
        data = tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise InputError("not UTF-8", where=f"{path.name}, byte {error.start}") from error
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"not valid TOML: {error}", where=path.name) from error
    lines = key_lines(text)

    def refuse(key: str, what: str) -> InputError:
        return InputError(what, where=f"{path.name}, line {line_of(lines, key)}, key {key}")

    def walk(node: dict[str, Any], prefix: str, grade: str, source: str) -> Iterator[Sourced]:
        grade, source = node.get("grade", grade), node.get("source", source)
        if grade and grade not in GRADES:
            raise refuse(f"{prefix}.grade", f"grade {grade!r} is none of {', '.join(GRADES)}")
        for name, value in node.items():
            key = f"{prefix}.{name}" if prefix else name
            if name in _META:
                if not isinstance(value, str):
                    raise refuse(key, f"{name} must be words")
            elif isinstance(value, dict) and "value" in value:
                yield from leaf(key, value["value"], value.get("grade", grade), value.get("source", source))
            elif isinstance(value, dict):
                yield from walk(value, key, grade, source)
            else:
                yield from leaf(key, value, grade, source)

    def leaf(key: str, value: Any, grade: str, source: str) -> Iterator[Sourced]:
        if grade not in GRADES:
            raise refuse(key, f"no grade ({', '.join(GRADES)}) stands here or above")
        if not source:
            raise refuse(key, "no source stands here or above")
        if what := fault(key, value):
            raise refuse(key, what)
        yield Sourced(key, value, grade, source, layer)

    data.pop("pack", None)
    for cap in data.pop("cap", []):
        if not isinstance(cap, dict) or set(cap) != {"key", "by"}:
            raise refuse("cap", "each [[cap]] holds key and by")
        caps.append((cap["key"], cap["by"]))
    yield from walk(data, "", "", "")


def _merge(values: dict[str, Sourced], conflicts: list[Conflict], new: Sourced) -> None:
    old = values.get(new.key)
    if old is None or old.value == new.value:
        values[new.key] = new if old is None or new.is_sourced or not old.is_sourced else old
        return
    if old.is_sourced and not new.is_sourced:
        conflicts.append(Conflict(new.key, old, new, DEFAULT_YIELDS))
        return
    if old.is_sourced and new.is_sourced:
        pick = stricter(new.key, old.value, new.value)
        keep, drop = (old, new) if pick is not None and pick == old.value else (new, old)
        reason = LATER_WINS if pick is None else STRICTER_WINS
        conflicts.append(Conflict(new.key, keep, drop, reason))
        values[new.key] = keep
        return
    values[new.key] = new


def _apply_caps(values: dict[str, Sourced], conflicts: list[Conflict], caps: list[tuple[str, str]]) -> None:
    for key, by in caps:
        rule, cap = values.get(key), values.get(by)
        if rule is None or cap is None:
            missing = key if rule is None else by
            raise InputError(f"a cap names the rule {missing!r}, which no layer has", where=f"cap on {key}")
        if rule.value > cap.value:
            kept = replace(
                rule, value=cap.value, grade=cap.grade, source=f"{cap.source} (caps {rule.source})"
            )
            conflicts.append(
                Conflict(key, kept, rule, Text(f"{by} caps what may be posted", f"{by}为可设限值的上限"))
            )
            values[key] = kept
