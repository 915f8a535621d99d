"""The scripts' source is formatted, linted and type-checked, and the bundle is of this source."""

from __future__ import annotations

import os
import subprocess
from importlib import import_module
from pathlib import Path

import pytest

from tests.support.needs import missing

FRONTEND = Path(__file__).resolve().parents[3] / "src" / "clearway" / "web" / "frontend"
TS = sorted(path.name for path in FRONTEND.glob("*.ts"))


def deno(*words: str) -> subprocess.CompletedProcess[str]:
    """Run Deno on the scripts without the network."""
    try:
        program = str(import_module("deno").find_deno_bin())
    except ImportError:
        missing("deno is not installed")
    env = {**os.environ, "NO_COLOR": "1", "DENO_NO_UPDATE_CHECK": "1"}
    return subprocess.run(
        [program, *words, *TS],
        cwd=FRONTEND,
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("words", [("fmt", "--check"), ("lint",)], ids=["fmt", "lint"])
def test_scripts_are_in_form(words: tuple[str, ...]) -> None:
    """Deno's formatter and linter have nothing to say."""
    done = deno(*words)
    assert done.returncode == 0, done.stderr[-2000:]


def test_types_of_scripts_hold() -> None:
    """The type checker has nothing to say; needs the npm packages that a build puts beside the source."""
    if not (FRONTEND / "node_modules").is_dir():
        pytest.skip("the npm packages are not here: no build could fetch them")
    done = deno("check", "--cached-only")
    assert done.returncode == 0, done.stderr[-2000:]


def test_scripts_name_no_other_host() -> None:
    """No script of ours reads from anywhere but this house."""
    for name in TS:
        text = (FRONTEND / name).read_text(encoding="utf-8")
        hosts = [line for line in text.splitlines() if "//" in line and ("http:" in line or "https:" in line)]
        assert all("localhost" in line for line in hosts), f"{name}: {hosts}"
