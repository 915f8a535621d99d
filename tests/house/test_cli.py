"""The command tree is lazy and speaks to people."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
import typer

from clearway import __version__, cli
from clearway.kernel.errors import InputError


@pytest.fixture
def group(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[object], None]]:
    """Put a made-up group ``probe`` in the table; its module exists only for the test."""
    name = "clearway_probe_group"

    def put(app: object) -> None:
        module = ModuleType(name)
        module.__dict__["app"] = app
        monkeypatch.setitem(sys.modules, name, module)
        monkeypatch.setitem(cli.GROUPS, "probe", cli.Entry(f"{name}:app", "Probe things."))
        monkeypatch.setattr(cli, "available", lambda: {"probe": cli.GROUPS["probe"]})

    yield put
    sys.modules.pop(name, None)


def _run(*words: str) -> int:
    with pytest.raises(SystemExit) as ended:
        cli.main(words)
    return int(ended.value.code or 0)


def test_help_imports_no_group() -> None:
    """Listing the groups loads none of them and nothing heavy, so that the command starts at once."""
    program = (
        "import sys\nfrom clearway.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "heavy = {'numpy', 'scipy', 'numba', 'sqlalchemy', 'fastapi', 'pydantic', 'lxml', 'osmium', 'rich'}\n"
        "print('LOADED', sorted(heavy & set(sys.modules)),"
        " sorted(m for m in sys.modules if m.startswith('clearway.cli.')))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "LOADED [] []" in done.stdout
    assert "Usage: clearway" in done.stdout


def test_every_listed_group_can_be_loaded() -> None:
    """Each group of the table whose module exists gives a command, with help."""
    assert cli.available()
    for name in cli.available():
        command = cli.load(name)
        assert command.name == name
        assert command.help


def test_a_group_without_its_module_is_not_listed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A line of the table may stand there before its module does."""
    monkeypatch.setitem(cli.GROUPS, "later", cli.Entry("clearway.cli.not_there_yet:app", "Later."))
    assert "later" not in cli.available()
    assert _run("later") == 2
    assert "No such command 'later'" in capsys.readouterr().err


def test_errors_are_one_message_without_traceback(
    group: Callable[[object], None], capsys: pytest.CaptureFixture[str]
) -> None:
    """A ClearwayError says what, where and what to do, and ends with 2."""

    def probe() -> None:
        raise InputError("temperature −99 is impossible", where="a.csv line 3", hint="Leave it empty")

    group(probe)
    assert _run("probe") == 2
    said = capsys.readouterr()
    assert said.err == "clearway: a.csv line 3: temperature −99 is impossible\n  → Leave it empty\n"
    assert said.out == ""


def test_debug_shows_where_an_error_came_from(
    group: Callable[[object], None], capsys: pytest.CaptureFixture[str]
) -> None:
    """With --debug the traceback comes too, and the message still ends it."""

    def probe() -> None:
        raise InputError("broken")

    group(probe)
    assert _run("--debug", "probe") == 2
    said = capsys.readouterr().err
    assert "Traceback" in said
    assert said.endswith("clearway: broken\n")


def test_own_errors_are_not_hidden(group: Callable[[object], None]) -> None:
    """A fault of the program itself is not dressed up as one of the input."""

    def probe() -> None:
        raise ZeroDivisionError

    group(probe)
    with pytest.raises(ZeroDivisionError):
        cli.main(["probe"])


def test_one_command_is_itself_several_are_a_group(
    group: Callable[[object], None], capsys: pytest.CaptureFixture[str]
) -> None:
    """``clearway probe`` for a command named so; ``clearway probe roads`` for any other, even if alone."""
    alone = typer.Typer()
    alone.command("probe")(lambda: typer.echo("alone"))
    group(alone)
    assert _run("probe") == 0
    other = typer.Typer()
    other.command("roads")(lambda: typer.echo("roads"))
    group(other)
    assert _run("probe", "roads") == 0
    assert capsys.readouterr().out == "alone\nroads\n"


def test_words_go_through_untouched(
    group: Callable[[object], None], capsys: pytest.CaptureFixture[str]
) -> None:
    """Arguments and options reach the command, Chinese ones too."""

    def probe(name: str, lead_h: int = typer.Option(1)) -> None:
        typer.echo(f"{name} {lead_h}")

    group(probe)
    assert _run("probe", "结冰", "--lead-h", "48") == 0
    assert capsys.readouterr().out == "结冰 48\n"


def test_a_target_that_is_no_command_is_a_fault(group: Callable[[object], None]) -> None:
    """A wrong line in the table is told by name."""
    group(3)
    with pytest.raises(TypeError, match="clearway_probe_group:app"):
        cli.load("probe")


@pytest.mark.parametrize("words", [["--version"], ["probe", "--help"], ["--help"]])
def test_asking_is_no_error(
    group: Callable[[object], None], capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    """Help and version end with 0."""
    group(lambda: None)
    assert _run(*words) == 0
    assert __version__ in (out := capsys.readouterr().out) or "Probe things." in out


def test_the_module_runs_like_the_program(tmp_path: Path) -> None:
    """``python -m clearway`` from anywhere is the command, and speaks UTF-8 whatever the console."""
    env = {"PYTHONIOENCODING": "latin-1", "PATH": "/usr/bin:/bin"}
    words = [sys.executable, "-m", "clearway", "no-such-group-结冰"]
    done = subprocess.run(words, capture_output=True, cwd=tmp_path, env=env, check=False)
    assert done.returncode == 2
    assert "结冰" in done.stderr.decode("utf-8")
