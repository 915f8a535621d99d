"""The reference page says what the declarations say."""

from __future__ import annotations

from pathlib import Path

from clearway.records import Kinds
from clearway.records.reference import reference

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "kinds.md"


def test_the_page_is_not_stale(kinds: Kinds) -> None:
    """The page is the one made now; make it with: ./go journal kinds > docs/reference/kinds.md."""
    assert PAGE.read_text(encoding="utf-8") == reference(kinds)


def test_the_page_names_everything(kinds: Kinds) -> None:
    """Every state, verb, field and deadline of every kind, in both languages."""
    page = reference(kinds)
    for kind in kinds.values():
        section = page.split(f"\n## {kind.name}\n")[1].split("\n## ")[0]
        for state in kind.states.values():
            assert f"`{state.name}` {state.label.en} | {state.label.zh}" in section
        for verb in kind.verbs.values():
            assert f"`{verb.name}` {verb.label.en} · {verb.label.zh}" in section
        for field in kind.fields.values():
            assert f"`{field.name}` {field.label.en} | {field.label.zh}" in section
        for deadline in kind.deadlines.values():
            assert f"{deadline.label.en} · {deadline.label.zh}" in section
