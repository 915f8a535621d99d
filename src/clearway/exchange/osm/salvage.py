"""What can be saved of a damaged OSM XML file: bytes that are not UTF-8, broken tags, impossible numbers."""

from __future__ import annotations

import bz2
import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final
from xml.sax.saxutils import quoteattr

_BLOCK: Final = 1 << 20
_TOP: Final = ("node", "way", "relation")


def is_xml(path: Path) -> bool:
    """Whether the file is the XML form, compressed or not."""
    return path.name.lower().endswith((".osm", ".osm.gz", ".osm.bz2"))


def salvage(path: Path, copy: Path, problems: list[str]) -> int:
    """Write what is sound in an XML file to a clean ``copy`` and return the number of objects saved.

    Bytes that are not UTF-8 are taken for Latin-1; elements with impossible numbers are left out. Both are
    told in ``problems``.
    """
    from lxml import etree

    # lxml's recovering parser carries on behind an error; it opens no files and no network.
    parser = etree.XMLPullParser(
        ("end",), tag=_TOP, recover=True, huge_tree=True, resolve_entities=False, no_network=True
    )
    saved, dropped, latin = 0, 0, False
    with copy.open("w", encoding="utf-8") as target:
        target.write('<osm version="0.6">\n')
        for line in _lines(path):
            try:
                line.decode()
            except UnicodeDecodeError:
                line, latin = line.decode("latin-1").encode(), True
            parser.feed(line)
            events: Any = parser.read_events()
            for _, element in events:
                text = _clean(element)
                saved += bool(text)
                dropped += not text
                target.write(text)
                element.clear()
        target.write("</osm>\n")
    if latin:
        problems.append(f"{path.name}: not UTF-8; read as Latin-1, so some names may look odd")
    if dropped:
        problems.append(f"{path.name}: {dropped} elements with impossible numbers left out")
    return saved


def _lines(path: Path) -> Iterator[bytes]:
    """Lines of the file, as far as it can be unpacked; long lines come in blocks."""
    opener: Any = {".gz": gzip.open, ".bz2": bz2.open}.get(path.suffix.lower(), open)
    source: IO[bytes]
    with opener(path, "rb") as source:
        while True:
            try:
                line = source.readline(_BLOCK)
            except (OSError, EOFError, zlib.error):
                return  # the break itself was reported by the reader
            if not line:
                return
            yield line


def _clean(element: Any) -> str:
    """The element as sound XML, or ``""`` when its numbers are impossible."""
    try:
        number = int(element.get("id"))
        if element.tag == "node":
            lat, lon = float(element.get("lat")), float(element.get("lon"))
            if not (abs(lat) <= 90 and abs(lon) <= 180):
                return ""
            return f'<node id="{number}" lat="{lat:.7f}" lon="{lon:.7f}">{_tags(element)}</node>\n'
        if element.tag == "way":
            refs = "".join(f'<nd ref="{ref}"/>' for ref in _numbers(element.iter("nd")))
            return f'<way id="{number}">{refs}{_tags(element)}</way>\n'
        return f'<relation id="{number}">{_members(element)}{_tags(element)}</relation>\n'
    except (TypeError, ValueError, OverflowError):
        return ""


def _numbers(items: Any) -> list[int]:
    return [int(i.get("ref")) for i in items if (i.get("ref") or "").lstrip("-").isdecimal()]


def _members(element: Any) -> str:
    kept = [m for m in element.iter("member") if m.get("type") in _TOP and (m.get("ref") or "").isdecimal()]
    return "".join(
        f'<member type="{m.get("type")}" ref="{m.get("ref")}" role={quoteattr(m.get("role") or "")}/>'
        for m in kept
    )


def _tags(element: Any) -> str:
    pairs = {t.get("k"): t.get("v") for t in element.iter("tag") if t.get("k") and t.get("v") is not None}
    return "".join(f"<tag k={quoteattr(k)} v={quoteattr(v)}/>" for k, v in pairs.items())
