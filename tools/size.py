"""Modules and functions stay small enough to be read: see CONTRIBUTING.md for the figures."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Final

from tools.source import files

MAX_MODULE_LINES: Final = 600
MAX_FUNCTION_LINES: Final = 120
P95_FUNCTION_LINES: Final = 50
_MODULES: Final = frozenset({".py", ".js", ".mjs", ".ts", ".tsx", ".css"})


def problems(root: Path) -> list[str]:
    """One line for each module or function that is too long, and one if long functions are common."""
    found = []
    lengths: list[int] = []
    for path in files(root):
        if path.suffix not in _MODULES and path.name != "go":
            continue
        name = path.relative_to(root).as_posix()
        text = path.read_text(encoding="utf-8")
        lines = text.count("\n")
        if lines > MAX_MODULE_LINES:
            found.append(f"{name}: {lines} lines, at most {MAX_MODULE_LINES}; split it by what its parts do")
        if path.suffix == ".py" or path.name == "go":
            functions = function_lengths(text)
            lengths += [length for _, _, length in functions] if name.startswith("src/") else []
            found += [
                f"{name}:{line}: function {function} has {length} lines, at most {MAX_FUNCTION_LINES}"
                for function, line, length in functions
                if length > MAX_FUNCTION_LINES
            ]
    if lengths and (p95 := sorted(lengths)[int(0.95 * (len(lengths) - 1))]) > P95_FUNCTION_LINES:
        found.append(f"src: one function in twenty has {p95} lines or more, at most {P95_FUNCTION_LINES}")
    return found


def function_lengths(text: str) -> list[tuple[str, int, int]]:
    """Name, first line and number of lines (docstring left out) of each function in a module's source."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            doc = node.body[0] if ast.get_docstring(node, clean=False) is not None else None
            doc_lines = (doc.end_lineno or 0) - doc.lineno + 1 if doc else 0
            found.append((node.name, node.lineno, (node.end_lineno or 0) - node.lineno + 1 - doc_lines))
    return found
