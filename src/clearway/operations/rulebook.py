"""The rules in force now: packs and overrides as loaded, and local rules agreed on by two administrators.

Local rules are records of kind ``local_rule``. When one comes into force or goes, the book is made anew and
everybody who computes by it is told; each event of the journal carries the hash of the rules it was made by.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from clearway.doctrine.loader import misfit, with_local
from clearway.doctrine.model import Doctrine, Sourced
from clearway.kernel.errors import ClearwayError, InputError
from clearway.kernel.language import Text, both
from clearway.records import Journal, RecordRow
from clearway.records.tickets import Written

log = logging.getLogger("clearway.rules")
KIND: Final = "local_rule"
FORCE: Final = ("in_force", "retiring")
_MARK: Final = f'"kind":"{KIND}"'


class RuleBook:
    """Keeps the doctrine of a house in line with its local rules.

    Args:
        base: packs and the overrides of the file, as loaded at the start.
        journal: where local rules are kept.
        area: area of the whole house; a local rule of another area binds nobody here.
    """

    def __init__(self, base: Doctrine, journal: Journal, area: str) -> None:
        self.base, self._journal, self.area = base, journal, area
        self._lock = threading.Lock()
        self._listeners: list[Callable[[Doctrine], None]] = []
        self._doctrine = base
        journal.on_commit(self._committed)

    @property
    def doctrine(self) -> Doctrine:
        """The rules in force."""
        return self._doctrine

    def listen(self, listener: Callable[[Doctrine], None]) -> None:
        """Tell somebody of the rules in force, now and whenever they change."""
        with self._lock:
            self._listeners.append(listener)
            listener(self._doctrine)

    def refresh(self) -> Doctrine:
        """Make the rules anew from the journal; listeners hear of it when they have changed."""
        rows = self._journal.list(KIND, states=FORCE)
        made = with_local(self.base, self._usable(rows))
        with self._lock:
            if made.hash != self._doctrine.hash:
                self._doctrine = made
                self._journal.set_doctrine(made.hash)
                for listener in self._listeners:
                    listener(made)
        return made

    def _usable(self, rows: Iterable[RecordRow]) -> list[Sourced]:
        """Local rules that can stand; one that came in by another way and cannot is left out and named."""
        found = []
        for row in sorted(rows, key=lambda r: (r.created_at, r.id)):
            data = row.data
            wrong = misfit(self.base, str(data.get("key")), data.get("value"))
            if wrong or data.get("area") != self.area:
                log.warning("local rule %s is not used: %s", row.id, wrong or "it is for another area")
                continue
            key, source = str(data["key"]), str(data["source"])
            found.append(Sourced(key, data["value"], str(data["grade"]), source, f"local {row.id}"))
        return found

    def check(self, data: Mapping[str, Any]) -> Sourced:
        """Whether a local rule would do what it says.

        Raises:
            InputError: no such rule, a value that cannot stand there, or one that the precedence of sources
                would not let through; says why.
        """
        key, value, grade = str(data.get("key", "")), data.get("value"), str(data.get("grade", ""))
        if data.get("area") != self.area:
            words = Text("a local rule is for the whole area of this house", "本地规则适用于本系统全辖区")
            raise InputError(words.en, where="area", hint=self.area, words=words)
        if wrong := misfit(self.base, key, value):
            words = Text(wrong, f"取值不符合要求：{wrong}")
            raise InputError(wrong, where="value" if key in self.base.values else "key", words=words)
        item = Sourced(key, value, grade, str(data.get("source", "")), "local")
        result = with_local(self.base, [item]).values[key]
        if result.value != value:
            raise _stays(self.base.values[key], result)
        return item

    def _committed(self, written: Sequence[Written]) -> None:
        if any(_MARK in w.body for w in written):
            threading.Thread(target=self._refresh_quietly, name="rules", daemon=True).start()

    def _refresh_quietly(self) -> None:
        try:
            self.refresh()
        except ClearwayError as error:
            log.warning("rules not refreshed: %s", error)


def _stays(old: Sourced, result: Sourced) -> InputError:
    words = Text(
        f"this would not take effect: {result.value} ({result.grade}, {result.source}) stays in force",
        f"此规则不会生效：仍执行 {result.value}（{result.grade}，{result.source}）",
    )
    hint = Text(
        "A default (C, R, D) never overrides a sourced rule (A, B); of two sourced ones the stricter wins;"
        " nothing exceeds a cap of general law"
        if old.is_sourced
        else "A cap of general law limits this rule",
        "无出处的规定（C、R、D）不得推翻有出处的规则（A、B）；两项均有出处时从严；不得超过法律上限"
        if old.is_sourced
        else "该规则受法律上限约束",
    )
    return InputError(words.en, where="value", hint=both(hint), words=words)
