"""Results as a table for the terminal and as the page docs/benchmarks.md."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

_VERDICT: Final = {True: "met", False: "MISSED", None: ""}
_HEADINGS: Final = ("metric", "ours", "peer", "unit", "ratio", "target", "", "note")

_OPENING: Final = """\
# Benchmarks

Made by `./go bench` from `benchmarks/results/`; do not edit. Each figure of ours stands beside a peer's from
the same run on the same machine. The ratio says how many times better ours is (above 1 is better for us,
whichever way the unit points). A missed target is shown as such.
"""


def figure(value: float | None) -> str:
    """A number as people read it: four significant digits, thousands apart, never an exponent."""
    if value is None:
        return ""
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    size = abs(value)
    decimals = 0 if size >= 1000 else 1 if size >= 100 else 2 if size >= 10 else 3 if size >= 0.1 else 6
    return f"{value:,.{decimals}f}"


def cells(row: dict[str, Any]) -> tuple[str, ...]:
    """The eight cells of a row."""
    ratio = row["ratio"]
    target = row["target"]
    words = "" if target is None else target if isinstance(target, str) else _bound(target, row["better"])
    return (
        row["metric"],
        figure(row["ours"]),
        figure(row["peer"]),
        row["unit"],
        "" if ratio is None else f"{ratio:,.2f}×",
        words,
        _VERDICT[row["met"]],
        row["note"],
    )


def _bound(value: float, better: str) -> str:
    return f"{'≥' if better == 'higher' else '≤'} {figure(value)}"


def _conditions(result: dict[str, Any]) -> str:
    on = result["machine"]
    parts = [
        f"{on['processor']}, {on['cores']} cores, {on['system']}, Python {on['python']}",
        f"{result['at']}, commit {result['commit'] or 'unknown'}",
        f"{result['seconds']} s in all",
    ]
    if result.get("load_before") is not None:
        parts.append(f"load {result['load_before']} before")
    if result.get("peak_memory_mib"):
        parts.append(f"peak memory {figure(result['peak_memory_mib'])} MiB")
    return "; ".join(parts)


def table(result: dict[str, Any]) -> str:
    """One result for the terminal: aligned columns, notes numbered below."""
    notes: list[str] = []
    lines: list[Sequence[str]] = [(*_HEADINGS[:-1], "")]
    for row in result["rows"]:
        *shown, note = cells(row)
        if note and note not in notes:
            notes.append(note)
        lines.append((*shown, f"[{notes.index(note) + 1}]" if note else ""))
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    numeric = {1, 2, 4}

    def aligned(line: Sequence[str]) -> str:
        padded = zip(line, widths, strict=True)
        return "  ".join(c.rjust(w) if i in numeric else c.ljust(w) for i, (c, w) in enumerate(padded))

    out = [aligned(line) for line in lines]
    out.insert(1, "  ".join("-" * w for w in widths))
    out += [
        textwrap.fill(f"[{i}] {note}", 110, subsequent_indent="    ") for i, note in enumerate(notes, start=1)
    ]
    return "\n".join(line.rstrip() for line in [*out, _conditions(result), ""])


def kept(folder: Path) -> list[dict[str, Any]]:
    """Results that are kept with the source, by name."""
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]


def markdown(results: Iterable[dict[str, Any]]) -> str:
    """The page docs/benchmarks.md."""
    parts = [_OPENING]
    for result in results:
        parts.append(f"\n## {result['name']}\n\n{result['about']}\n")
        parts.append(f"\n`./go bench {result['name']}`; {_conditions(result)}.\n\n")
        parts.append(_line(_HEADINGS) + _line(["---"] * len(_HEADINGS)))
        parts += [_line(cells(row)) for row in result["rows"]]
    return "".join(parts)


def _line(words: Sequence[str]) -> str:
    return "| " + " | ".join(word.replace("|", "\\|").replace("\n", " ") for word in words) + " |\n"
