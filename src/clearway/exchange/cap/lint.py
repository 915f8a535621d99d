"""Rules beyond the schema: what the world's CAP profiles ask of a message.

A rule is one small function in :mod:`clearway.exchange.cap.rules`; its docstring is what the rule says.
Profiles: ``base`` (sound for everybody), ``clearway`` (our own words), ``google``, ``ipaws``, ``cap-au``,
``cap-cp``, ``met-norway``. Sources are named in each module.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from clearway.exchange.cap.model import Alert
from clearway.kernel.errors import InputError

Check = Callable[[Alert], Iterator[tuple[str, str]]]
ERROR: Final = "error"
ADVICE: Final = "advice"
OWN_PROFILES: Final = ("base", "clearway", "google", "met-norway")
"""Profiles our own messages must satisfy."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A registered rule."""

    id: str
    profile: str
    severity: str
    says: str
    check: Check


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that a message breaks, where, and how."""

    rule: str
    profile: str
    severity: str
    where: str
    text: str

    def __str__(self) -> str:
        return f"{self.severity} {self.profile}/{self.rule} at {self.where}: {self.text}"


_RULES: dict[tuple[str, str], Rule] = {}


def rule(profile: str, severity: str = ERROR) -> Callable[[Check], Check]:
    """Register a check; its name with hyphens is the rule's id, its docstring what the rule says."""

    def register(check: Check) -> Check:
        name: str = getattr(check, "__name__", "")
        says = " ".join((check.__doc__ or "").split())
        rule_id = name.replace("_", "-")
        _RULES[profile, rule_id] = Rule(rule_id, profile, severity, says, check)
        return check

    return register


def rules() -> tuple[Rule, ...]:
    """All rules, by profile and id."""
    import clearway.exchange.cap.rules  # noqa: F401  (registers them)

    return tuple(_RULES[key] for key in sorted(_RULES))


def lint(alert: Alert, profiles: Iterable[str] = OWN_PROFILES) -> list[Finding]:
    """Check a message against the rules of some profiles.

    Raises:
        InputError: no such profile.
    """
    wanted, known = set(profiles), rules()
    strange = wanted - {r.profile for r in known}
    if strange:
        names = ", ".join(sorted({r.profile for r in known}))
        raise InputError(f"no CAP profile {', '.join(sorted(strange))}", hint=f"There are {names}")
    return [
        Finding(r.id, r.profile, r.severity, where, text)
        for r in known
        if r.profile in wanted
        for where, text in r.check(alert)
    ]
