"""What all adapters share: a manifest, bytes from anywhere, text from any code page, a list of faults.

An adapter is a folder: ``__init__.py`` exporting ``read``, ``manifest.toml``, ``parser.py``. Its ``read``
takes bytes, a path or text, and gives back what it could use together with everything it could not.
"""

from __future__ import annotations

import codecs
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from clearway.kernel.errors import InputError
from clearway.kernel.language import Text
from clearway.series.model import Problem

MAX_PROBLEMS: Final = 500
"""Beyond this many faults of one file the rest are counted."""

MAX_BYTES: Final = 512 * 1024 * 1024
"""Files larger than this are refused rather than read into memory."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a person must know of an adapter before trusting it.

    ``kind`` is ``observations`` or ``forecast``; ``refresh_s`` how often the source changes; ``stale_s``
    the age at which it no longer counts as current; ``extra`` the optional dependency it needs.
    """

    name: str
    kind: str
    title: Text
    formats: str
    licence: str
    refresh_s: int
    stale_s: int
    suffixes: tuple[str, ...]
    extra: str = ""


@cache
def manifest(name: str) -> Manifest:
    """The manifest of the adapter ``clearway.exchange.<name>``.

    Raises:
        InputError: a key is missing or has the wrong type; names the key.
    """
    where = f"exchange/{name}/manifest.toml"
    document: dict[str, Any] = tomllib.loads(
        (files(f"clearway.exchange.{name}") / "manifest.toml").read_text("utf-8")
    )
    try:
        found = Manifest(
            name=document["name"],
            kind=document["kind"],
            title=Text.of(document["title"]),
            formats=document["formats"],
            licence=document["licence"],
            refresh_s=int(document["refresh_s"]),
            stale_s=int(document["stale_s"]),
            suffixes=tuple(document["suffixes"]),
            extra=document.get("extra", ""),
        )
    except KeyError as error:
        raise InputError(f"key {error.args[0]!r} is missing", where=where) from error
    if found.kind not in ("observations", "forecast") or not 0 < found.refresh_s <= found.stale_s:
        raise InputError("kind, refresh_s and stale_s do not make sense", where=where)
    return found


def load(source: bytes | str | Path) -> tuple[bytes, str]:
    """Bytes and a name to use in messages; text is taken as it is, a path is read.

    Raises:
        InputError: the file cannot be read or is larger than :data:`MAX_BYTES`.
    """
    if isinstance(source, bytes):
        return source, "data"
    if isinstance(source, str):
        return source.encode(), "text"
    try:
        if source.stat().st_size > MAX_BYTES:
            raise InputError("file is larger than 512 MiB", where=str(source), hint="Split it")
        return source.read_bytes(), source.name
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(source)) from error


_HAN = re.compile(r"[\u4e00-\u9fff]")
_GB_PAIRS = re.compile(rb"(?:[\xa1-\xf7][\xa1-\xfe])+")


def decode(data: bytes) -> tuple[str, str]:
    """Text and the name of the code page it was in.

    A byte order mark decides; then UTF-8 if it fits; then GB 18030 if every stretch of high bytes is made of
    GB 2312 pairs and at least two of them are Chinese characters; then Latin-1, in which any byte has a
    meaning.
    """
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if data.startswith(mark):
            return data.decode(name, "replace"), name
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        pass
    stretches = re.findall(rb"[\x80-\xff]+", data)
    if all(_GB_PAIRS.fullmatch(stretch) for stretch in stretches):
        text = data.decode("gb18030", "replace")
        if len(_HAN.findall(text)) >= 2 and "\ufffd" not in text:
            return text, "gb18030"
    return data.decode("latin-1"), "latin-1"


class ProblemLog:
    """Collects faults of one file up to :data:`MAX_PROBLEMS` and counts the rest."""

    def __init__(self, where: str) -> None:
        self.where = where
        self._found: list[Problem] = []
        self._more = 0

    def add(self, what: str, place: str = "") -> None:
        """Note one fault at a place in the file, such as ``line 7`` or ``column temp``."""
        if len(self._found) < MAX_PROBLEMS:
            self._found.append(Problem(f"{self.where} {place}".strip(), what))
        else:
            self._more += 1

    def result(self) -> tuple[Problem, ...]:
        """All faults, with a last line that counts those beyond the limit."""
        if not self._more:
            return tuple(self._found)
        return (*self._found, Problem(self.where, f"and {self._more} more faults of this file"))
