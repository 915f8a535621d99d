"""The checks of the source find what they are there for, and nothing else."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tools import kinds, size, words
from tools.source import ROOT, files, text_of


def _put(root: Path, name: str, text: str) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_this_repository_is_clean() -> None:
    """The source as it stands satisfies the checks of its own."""
    assert [*size.problems(ROOT), *words.problems(ROOT), *kinds.problems(ROOT)] == []


def test_files_are_gits_view(tmp_path: Path) -> None:
    """Ignored files are not looked at; new ones are; without git every file is."""
    _put(tmp_path, "new.py", "")
    _put(tmp_path, "out/old.py", "")
    _put(tmp_path, ".venv/lib.py", "")
    assert {p.name for p in files(tmp_path)} == {"new.py", "old.py"}
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    _put(tmp_path, ".gitignore", "out/\n.venv/\n")
    assert {p.name for p in files(tmp_path)} == {"new.py", ".gitignore"}


def test_binary_files_have_no_text(tmp_path: Path) -> None:
    """A file with zero bytes, or one that is not UTF-8, is left alone."""
    (tmp_path / "a.pbf").write_bytes(b"a\0b")
    (tmp_path / "b.txt").write_bytes("é".encode("latin-1"))
    assert text_of(tmp_path / "a.pbf") is None
    assert text_of(tmp_path / "b.txt") is None


@pytest.mark.parametrize(("lines", "found"), [(600, 0), (601, 1)])
def test_long_modules_are_named(tmp_path: Path, lines: int, found: int) -> None:
    """Six hundred lines pass, one more does not."""
    _put(tmp_path, "src/a.py", "x = 1\n" * lines)
    assert len(size.problems(tmp_path)) == found


def test_long_functions_are_named_without_their_docstring(tmp_path: Path) -> None:
    """The docstring of a function does not count, its code does."""
    doc = '    """' + "words\n" * 200 + '    """\n'
    body = "    x = 1\n"
    _put(tmp_path, "tests/a.py", f"def short() -> None:\n{doc}{body * 119}def long() -> None:\n{body * 120}")
    (problem,) = size.problems(tmp_path)
    assert "function long has 121 lines" in problem


def test_commonly_long_functions_are_noticed(tmp_path: Path) -> None:
    """If more than one function in twenty passes fifty lines, the whole is too long."""
    one = "def f{n}() -> None:\n" + "    x = 1\n" * 60
    _put(tmp_path, "src/a.py", "".join(one.format(n=n) for n in range(3)))
    assert any("one function in twenty" in p for p in size.problems(tmp_path))


@pytest.mark.parametrize(
    "text",
    [
        "see https://" + "py" + "pi.org/simple",
        "files.python" + "hosted.org",
        "registry.npm" + "js.org",
        "open('/" + "work/main/x')",
        "cd /" + "root/x",
        "scratch in /" + "tmp/mine/x",
        "<" * 7 + " HEAD",
        ">" * 7 + " 9f2a390 (words)",
    ],
)
def test_forbidden_words_are_named_with_their_line(tmp_path: Path, text: str) -> None:
    """Addresses of registries and paths of one machine are found where they stand."""
    _put(tmp_path, "docs/a.md", f"fine\n{text}\n")
    (problem,) = words.problems(tmp_path)
    assert problem.startswith("docs/a.md:2:")


@pytest.mark.parametrize(
    "text",
    [
        "/usr/lib/postgresql",
        "https://example.org/work/orders",
        "the /tmp folder",
        "./home/page",
        "a pypi mirror",
    ],
)
def test_ordinary_words_pass(tmp_path: Path, text: str) -> None:
    """Paths every Debian has, other sites' addresses and plain words are no offence."""
    _put(tmp_path, "docs/a.md", text)
    assert words.problems(tmp_path) == []


@pytest.mark.parametrize(
    ("declaration", "why"),
    [
        ("[fields.person_id]\ntype = 'text'", "person"),
        ("[fields.driver_name]\ntype = 'text'", "person"),
        ("[[field]]\nname = 'number_plate'", "plates"),
        ("shows = ['face_image']", "faces"),
        ("[fields]\ndevice-id = 'text'", "device"),
        ("figures = ['fine_amount']", "fines"),
        ("[kpi]\ndetentions = 3", "fines"),
        ("risk_score = 1", "scoring"),
    ],
)
def test_forbidden_fields_are_named(tmp_path: Path, declaration: str, why: str) -> None:
    """Persons, their traces and harmful targets are refused as key and as value, in kinds and in packs."""
    for place in ("desks/patrol/kinds/visit.toml", "doctrine/packs/xx/rules.toml"):
        root = tmp_path / place.split("/")[0]
        _put(root, f"src/clearway/{place}", declaration)
        (problem,) = kinds.problems(root)
        assert why in problem


def test_ordinary_fields_pass(tmp_path: Path) -> None:
    """Two officers, a surface, fine snow, a sentence, and the list of the forbidden are allowed."""
    declaration = """
        two_person = true
        guards = ["second_person", "mark_two_person"]
        surface = "wet"
        fine_snow_mm = 1
        label = "A person must confirm"
        [forbidden_kpi]
        items = ["fine_amount", "detentions"]
    """
    _put(tmp_path, "src/clearway/desks/control/kinds/measure.toml", declaration)
    assert kinds.problems(tmp_path) == []


def test_a_declaration_that_is_no_toml_is_named(tmp_path: Path) -> None:
    """A broken file cannot slip through unread."""
    _put(tmp_path, "src/clearway/desks/control/kinds/measure.toml", "= 1")
    (problem,) = kinds.problems(tmp_path)
    assert "cannot be read" in problem
