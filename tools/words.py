"""Words that have no place in the repository: it must work behind any mirror and on any machine."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from tools.source import files, text_of


def _host(*labels: str) -> str:
    """A host as a pattern, put together so that this file does not name it."""
    return r"\.".join(labels)


_RULES: Final[tuple[tuple[re.Pattern[str], str], ...]] = (
    (
        re.compile(
            "|".join(
                (
                    _host("pypi", "org"),
                    _host("pypi", "python", "org"),
                    _host("pythonhosted", "org"),
                    _host("npmjs", "(?:org|com)"),
                    _host("yarnpkg", "com"),
                    _host("jsr", "io"),
                    _host("deno", "land"),
                    _host("anaconda", "(?:org|com)"),
                    _host("crates", "io"),
                    _host("golang", "org"),
                    _host("esm", "sh"),
                    _host("unpkg", "com"),
                    _host("jsdelivr", "net"),
                )
            ),
            re.IGNORECASE,
        ),
        "names a package registry; packages come from whatever index the machine is set to",
    ),
    (
        re.compile(r"(?<![\w.:/-])/(?:work|root|home|Users|opt/pypi)/[\w.-]"),
        "names a path of one machine",
    ),
    (re.compile(r"(?<![\w/])/tmp/[a-z]{2,}[\w-]*/"), "names a scratch path; use a temporary folder"),
    (re.compile(r"^(?:<{7}|>{7}|\|{7}) "), "is a mark of a merge that was not finished"),
)


def problems(root: Path) -> list[str]:
    """One line for each forbidden word in a text file or a file's name."""
    found = []
    for path in files(root):
        name = path.relative_to(root).as_posix()
        text = text_of(path)
        for number, line in enumerate([name, *(text or "").splitlines()]):
            found += [f"{name}:{number}: {why}" for pattern, why in _RULES if pattern.search(line)]
    return found
