"""The drawing that opens the README is one the program makes."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from clearway.web.draw.storm import _T
from clearway.web.draw.svg import STYLE

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.mark.parametrize(("name", "language"), [("storm.svg", "en"), ("storm_zh.svg", "zh")])
def test_drawing_is_of_the_present_program(name: str, language: str) -> None:
    """Style and headings are those of the code; if not, run the demo headless and copy the drawing anew."""
    text = (DOCS / name).read_text(encoding="utf-8")
    root = ET.fromstring(text)
    assert STYLE.strip() in text
    words = {t.text for t in root.iter("{http://www.w3.org/2000/svg}text")}
    for heading in _T.values():
        assert heading[language].split("\n")[0] in words


def test_readme_opens_with_it() -> None:
    """The README shows the drawing before its first paragraph."""
    readme = (DOCS.parent / "README.md").read_text(encoding="utf-8")
    assert readme.index("docs/storm.svg") < readme.index("**Clearway turns")
