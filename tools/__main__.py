"""Run every check of the source and say which are not satisfied: ``./go lint [--fix]``."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from tools import kinds, size, words
from tools.source import ROOT

_FLOORS: Final = "from importlinter.cli import lint_imports_command as run; run()"


def _program(*arguments: str) -> Callable[[], str]:
    """A check by another program: what it says when it is not satisfied, else nothing."""

    def check() -> str:
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
        return done.stdout or f"ended with {done.returncode}" if done.returncode else ""

    return check


CHECKS: Final[dict[str, Callable[[], str]]] = {
    "types": _program("-m", "mypy"),
    "lint": _program("-m", "ruff", "check", "--quiet", "--output-format=concise"),
    "format": _program("-m", "ruff", "format", "--check", "--output-format=concise"),
    "floors": _program("-c", _FLOORS),
    "size": lambda: "\n".join(size.problems(ROOT)),
    "words": lambda: "\n".join(words.problems(ROOT)),
    "kinds": lambda: "\n".join(kinds.problems(ROOT)),
}
"""Name to a function that says what is wrong. The slowest stands first, so that the others run beside it."""


def _timed(check: Callable[[], str]) -> tuple[str, float]:
    started = time.perf_counter()
    return check(), time.perf_counter() - started


def main(arguments: Sequence[str]) -> int:
    """Run all checks side by side; with ``--fix`` let ruff mend first what it can.

    Returns:
        0 when every check is satisfied, else 1.
    """
    if "--fix" in arguments:
        _program("-m", "ruff", "check", "--fix", "--quiet")()
        _program("-m", "ruff", "format", "--quiet")()
    unsatisfied = []
    with ThreadPoolExecutor(2) as pool:
        running = {name: pool.submit(_timed, check) for name, check in CHECKS.items()}
        for name, future in running.items():
            said, seconds = future.result()
            print(f"{name:8} {'NOT satisfied' if said else 'fine'} ({seconds:.1f} s)", file=sys.stderr)
            if said:
                unsatisfied.append(name)
                print(said.rstrip() + "\n", file=sys.stderr)
    if unsatisfied:
        print(f"not satisfied: {', '.join(unsatisfied)}; ./go lint --fix mends style", file=sys.stderr)
    return 1 if unsatisfied else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
