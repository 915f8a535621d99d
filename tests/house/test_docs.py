"""What the documents promise is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tools.source import ROOT, files

DECISIONS = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))


def test_links_lead_somewhere() -> None:
    """Every relative link of a page leads to a file of the repository."""
    lost = []
    for page in (path for path in files(ROOT) if path.suffix == ".md"):
        text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
        targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", text)
        lost += [(page.name, t) for t in targets if "://" not in t and not (page.parent / t).exists()]
    assert lost == []


@pytest.mark.parametrize("page", DECISIONS, ids=lambda p: p.stem)
def test_decisions_have_one_shape_and_are_listed(page: Path) -> None:
    """A decision says what, why and what follows, carries its number, and stands in the list."""
    text = page.read_text("utf-8")
    heads = [text.find(f"**{head}.**") for head in ("Decision", "Why", "What follows")]
    assert -1 < heads[0] < heads[1] < heads[2]
    assert text.startswith(f"# {int(page.stem[:4])}. ")
    title = text.splitlines()[0].partition(". ")[2]
    assert f"| [{page.stem[:4]}]({page.name}) | {title} |" in (page.parent / "README.md").read_text("utf-8")


def test_decision_numbers_have_no_gap_or_double() -> None:
    """Decisions are numbered one by one."""
    assert [int(page.stem[:4]) for page in DECISIONS] == list(range(1, len(DECISIONS) + 1))


def test_scope_has_all_lines_with_a_state() -> None:
    """Every line of what was asked for is there once, with an honest word on its state."""
    text = (ROOT / "docs" / "scope.md").read_text("utf-8")
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text.splitlines()
        if line.startswith("| ")
    ]
    lines = [row for row in rows if row[0].isdigit()]
    assert [int(row[0]) for row in lines] == list(range(1, 27))
    assert all(re.match(r"(works|partly|planned)\b", row[4]) for row in lines)


def test_data_that_ships_is_attributed() -> None:
    """Each data set inside the package is named in NOTICE, or is declared to be our own by being TOML."""
    notice = (ROOT / "NOTICE").read_text("utf-8")
    folder = ROOT / "src" / "clearway" / "data"
    shipped = [p for p in files(ROOT) if folder in p.parents and p.suffix not in {".py", ".toml"}]
    lost = [
        p.relative_to(ROOT).as_posix()
        for p in shipped
        if p.relative_to(ROOT).as_posix() not in notice
        and f"{p.parent.relative_to(ROOT).as_posix()}/\n" not in notice
    ]
    assert lost == []


def test_licence_is_apache_2() -> None:
    """LICENSE holds the whole of Apache-2.0, whatever the metadata says."""
    text = (ROOT / "LICENSE").read_text("utf-8")
    assert "Apache License" in text[:200]
    assert text.count("\n") > 195
    assert 'license = "Apache-2.0"' in (ROOT / "pyproject.toml").read_text("utf-8")


def test_lock_files_name_no_index_and_pin_every_file() -> None:
    """Locked packages are pinned by version and hash and say nothing of where they came from."""
    for name in ("bootstrap", "core", "dev"):
        text = (ROOT / "requirements" / f"{name}.lock").read_text("utf-8")
        assert "://" not in text
        pins = re.findall(
            r"^([a-z0-9][\w.-]*(?:\[[^]]*\])?==\S+)(?: ;[^\\]*)? \\\n +--hash=sha256:", text, re.MULTILINE
        )
        assert len(pins) == len(re.findall(r"^[a-z0-9]", text, re.MULTILINE)) > 0


def test_dev_holds_core_at_the_same_versions() -> None:
    """What is tested is what runs."""
    pinned = {}
    for name in ("core", "dev"):
        text = (ROOT / "requirements" / f"{name}.lock").read_text("utf-8")
        pinned[name] = set(re.findall(r"^([a-z0-9][\w.-]*)(?:\[[^]]*\])?==([^\s;]+)", text, re.MULTILINE))
    assert pinned["core"] <= pinned["dev"]
