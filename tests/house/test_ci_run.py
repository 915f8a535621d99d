"""The run that counts installs what is missing, patiently, and hands over to ``./go test``."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tools.source import ROOT

Machine = Callable[..., tuple[int, list[str], str]]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A Debian of stand-ins: ``apt-get`` fails as often as told; every call is written down."""
    programs, log = tmp_path / "programs", tmp_path / "log"
    programs.mkdir()
    for name in ("bash", "env", "dirname", "mktemp", "tail", "rm", "grep", "cat"):
        (programs / name).symlink_to(shutil.which(name) or name)

    def stand_in(name: str, body: str) -> None:
        (programs / name).write_text(f"#!{shutil.which('bash')}\n{body}\n", "utf-8")
        (programs / name).chmod(0o755)

    stand_in("id", "echo 0")
    stand_in("sleep", f'echo "sleep $*" >>{log}')
    stand_in("python3", f'case "$1" in -c) exit 0;; esac; echo "python3 $* CI=$CI" >>{log}')

    def run(
        *, there: tuple[str, ...], apt_failures: int, words: tuple[str, ...] = ()
    ) -> tuple[int, list[str], str]:
        for name in there:
            stand_in(name, "exit 0")
        known = "exit 1" if "fonts-noto-cjk" not in there else "echo install ok installed"
        stand_in("dpkg-query", known)
        count = tmp_path / "count"
        count.write_text("0")
        stand_in(
            "apt-get",
            f'echo "apt-get $*" >>{log}; case "$*" in *update*) exit 0;; esac\n'
            f"n=$(( $(cat {count}) + 1 )); echo $n >{count}; echo no such package; [ $n -gt {apt_failures} ]",
        )
        done = subprocess.run(
            [ROOT / ".ci" / "run", *words],
            env={"PATH": str(programs)},
            capture_output=True,
            text=True,
            check=False,
        )
        calls = log.read_text("utf-8").splitlines() if log.exists() else []
        return done.returncode, calls, done.stderr

    return run


EVERYTHING = ("git", "chromium", "initdb", "psql", "pdftotext", "fonts-noto-cjk")


def test_it_may_be_executed() -> None:
    """The file has its run bit."""
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_nothing_missing_nothing_installed(machine: Machine) -> None:
    """Where all is there, only ./go test is called, with CI=true and the words given."""
    code, calls, _ = machine(there=EVERYTHING, apt_failures=0, words=("-q",))
    assert code == 0
    assert calls == ["python3 ./go test -q CI=true"]


def test_only_what_is_missing_is_installed(machine: Machine) -> None:
    """Just the lacking packages are asked for, without what they recommend."""
    code, calls, _ = machine(there=("git", "initdb", "psql", "pdftotext"), apt_failures=0)
    assert code == 0
    assert calls[0].endswith("install -y --no-install-recommends chromium fonts-noto-cjk")
    assert calls[1:] == ["python3 ./go test CI=true"]


def test_old_lists_are_updated_and_it_tries_again(machine: Machine) -> None:
    """A failed installation updates the lists and is tried again, up to four times."""
    code, calls, _ = machine(there=EVERYTHING[:4], apt_failures=2)
    assert code == 0
    kinds = ["update" if c.endswith("update") else c.split()[0] for c in calls]
    assert kinds == ["apt-get", "sleep", "update", "apt-get", "sleep", "update", "apt-get", "python3"]


def test_it_gives_up_with_the_reason(machine: Machine) -> None:
    """If the packages cannot be had, it says which and why, and does not pretend to test."""
    code, calls, said = machine(there=EVERYTHING[:4], apt_failures=9)
    assert code == 1
    assert "could not install fonts-noto-cjk" in said
    assert "no such package" in said
    assert not any(call.startswith("python3") for call in calls)
