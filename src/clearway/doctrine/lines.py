"""Find the line of a key in a TOML text, so that a refusal can name file, line and key."""

from __future__ import annotations

import re

_TABLE = re.compile(r"^\s*\[\[?\s*([^\]]+?)\s*\]\]?")
_KEY = re.compile(r"^\s*([A-Za-z0-9_.\"'-]+)\s*=")


def key_lines(text: str) -> dict[str, int]:
    """Map each dotted key (and table name) of ``text`` to its 1-based line.

    A scan by line: good for the plain style of doctrine packs (one key a line); a key inside an
    inline table resolves to the line of its parent through :func:`line_of`.
    """
    found: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if match := _TABLE.match(line):
            table = _clean(match.group(1))
            found.setdefault(table, number)
        elif match := _KEY.match(line):
            key = _clean(match.group(1))
            found.setdefault(f"{table}.{key}" if table else key, number)
    return found


def line_of(lines: dict[str, int], key: str) -> int:
    """Line of ``key`` or of its nearest written ancestor (1 when there is none)."""
    while key:
        if key in lines:
            return lines[key]
        key = key.rpartition(".")[0]
    return 1


def _clean(key: str) -> str:
    return ".".join(part.strip().strip("\"'") for part in key.split("."))
