"""Rules that register themselves: one rule, one small file, its docstring the public page."""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, ParamSpec, TypeVar

from clearway.doctrine.model import Doctrine
from clearway.kernel.language import Text
from clearway.picture.findings import RuleRef

P = ParamSpec("P")
R = TypeVar("R")

_GRADE_ORDER = "ABCRD"


@dataclass(frozen=True, slots=True)
class Rule:
    """A registered rule.

    Attributes:
        id: ``desk.name``, for example ``signals.road_icing``.
        title: what people call it.
        page: the docstring, public as the rule's page.
        keys: doctrine keys (or section prefixes) the rule works with; the first is its main source.
        run: the function.
    """

    id: str
    title: Text
    page: str
    keys: tuple[str, ...]
    run: Callable[..., Any]

    @property
    def desk(self) -> str:
        """Name of the desk the rule belongs to."""
        return self.id.partition(".")[0]


_RULES: dict[str, Rule] = {}


def rule(id: str, *, title: Text, keys: Iterable[str]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Register the decorated function as the rule ``id``.

    Raises:
        ValueError: the id is taken by another function, or the function has no docstring.
    """

    def register(function: Callable[P, R]) -> Callable[P, R]:
        page = inspect.getdoc(function)
        if not page:
            raise ValueError(f"rule {id} has no docstring, so it would have no public page")
        known = _RULES.get(id)
        if known is not None and known.run.__module__ != function.__module__:
            raise ValueError(f"rule {id} is defined twice: {known.run.__module__} and {function.__module__}")
        _RULES[id] = Rule(id, title, page, tuple(keys), function)
        return function

    return register


def load_rules(package: str) -> tuple[Rule, ...]:
    """Import every module of a ``rules`` package and return its desk's rules, sorted by id."""
    root = import_module(package)
    for module in pkgutil.iter_modules(root.__path__):
        import_module(f"{package}.{module.name}")
    return tuple(r for r in all_rules() if r.run.__module__.startswith(package + "."))


def all_rules() -> tuple[Rule, ...]:
    """Every rule registered so far, sorted by id."""
    return tuple(_RULES[key] for key in sorted(_RULES))


def find_rule(id: str) -> Rule:
    """The rule of that id.

    Raises:
        KeyError: no such rule.
    """
    return _RULES[id]


def reference(id: str, doctrine: Doctrine, *, keys: Iterable[str] = (), text: Text | None = None) -> RuleRef:
    """What a finding quotes of a rule: its words, the sources behind it and the weakest grade among them.

    Args:
        id: the rule's id.
        doctrine: the rules in force.
        keys: doctrine keys this finding rests on; the rule's own keys when empty.
        text: words for this finding; the rule's title when left out.
    """
    found = _RULES[id]
    sources: list[str] = []
    grades: list[str] = []
    for key in tuple(keys) or found.keys:
        entries = [doctrine.values[key]] if key in doctrine.values else list(doctrine.section(key).values())
        for entry in entries:
            if entry.source not in sources:
                sources.append(entry.source)
            grades.append(entry.grade)
    grade = max(grades, key=_GRADE_ORDER.index, default="D")
    return RuleRef(id, text or found.title, "; ".join(sources), grade)
