"""Which files belong to the repository."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
_NOT_OURS: Final = frozenset(
    {".git", ".venv", ".tools", ".cache", "node_modules", "dist", "build", "__pycache__"}
)


def files(root: Path) -> list[Path]:
    """Files under version control or about to be (git's view); every file where there is no git.

    Args:
        root: top of the repository.
    """
    words = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        done = subprocess.run(words, capture_output=True, check=False)
    except FileNotFoundError:
        return _walk(root)
    if done.returncode != 0:
        return _walk(root)
    names = done.stdout.decode("utf-8", "surrogateescape").split("\0")
    return sorted(path for path in (root / name for name in names if name) if path.is_file())


def _walk(root: Path) -> list[Path]:
    return sorted(
        path
        for path in root.rglob("*")
        if path.is_file() and not _NOT_OURS & set(path.relative_to(root).parts)
    )


def text_of(path: Path) -> str | None:
    """Content of a text file, None for a binary one."""
    data = path.read_bytes()
    if b"\0" in data[:8192]:
        return None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None
