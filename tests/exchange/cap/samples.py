"""Real alerts beside the repository, and a plain second reading of CAP XML to compare ours with."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

CAP = (
    "{urn:oasis:names:tc:emergency:cap:1.2}alert",
    "{urn:oasis:names:tc:emergency:cap:1.1}alert",
    "{http://www.incident.com/cap/1.0}alert",
)
TIMES = {"sent", "effective", "onset", "expires"}
HOSTILE = {"xee.cap", "xee.atom"}


def sample_files(shared_data: Path) -> list[Path]:
    """Every XML sample that is not hostile and not a certificate."""
    found = sorted((shared_data / "cap" / "samples").glob("*/*"))
    return [p for p in found if p.suffix not in (".json", ".geojson", ".pem") and p.name not in HOSTILE]


def raw_alerts(data: bytes) -> list[ET.Element]:
    """Alert elements as the standard library reads them."""
    root = ET.fromstring(data)
    return [element for element in root.iter() if element.tag in CAP]


def leaves(alert: ET.Element) -> Counter[tuple[str, str]]:
    """Every non-empty leaf as (path, normalised text); order and signatures do not count."""
    found: Counter[tuple[str, str]] = Counter()

    def walk(element: ET.Element, path: str) -> None:
        for child in element:
            name = child.tag.rpartition("}")[2]
            if name == "Signature":
                continue
            here = f"{path}/{name}"
            if len(child):
                walk(child, here)
            elif child.text and child.text.strip():
                found[here, normal(name, child.text.strip())] += 1

    walk(alert, "")
    return found


def normal(name: str, text: str) -> str:
    """Text in a form in which equal meaning is equal text."""
    if name in TIMES:
        return datetime.fromisoformat(text).astimezone(UTC).isoformat()
    if name == "references":
        return " ".join(
            f"{','.join(t.split(',')[:-1])},{normal('sent', t.split(',')[-1])}" for t in text.split()
        )
    if name in ("polygon", "circle"):
        if "(" in text:
            return text
        return " ".join(",".join(repr(float(n)) for n in pair.split(",") if n) for pair in text.split())
    if name in ("altitude", "ceiling"):
        return repr(float(text))
    return "\n".join(line for line in text.splitlines())
