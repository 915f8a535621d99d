"""The report of a chosen period and part: what is in it, what is not, on screen, as file, as PDF."""

from __future__ import annotations

import re
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from clearway.kernel.clock import iso
from clearway.kernel.errors import SystemFailureError
from clearway.records import Actor, Command, Role
from clearway.web.report import pdf
from tests.web.conftest import measure
from tests.web.console.conftest import Desk, Person

COMMANDER = Actor("boss", (Role("commander", "town"),), "post-commander")
FIELD = Actor("crew", (Role("field", "town"),), "post-field")


def _local(desk: Desk, hours: float) -> str:
    there = (desk.clock.now() + timedelta(hours=hours)).astimezone(ZoneInfo(desk.services.zone))
    return there.strftime("%Y-%m-%dT%H:%M")


def _limit(desk: Desk, headline: str, corridor: str = "cor-0") -> None:
    body = measure(desk.clock) | {"headline": {"en": headline, "zh": headline}, "corridors": [corridor]}
    desk.journal.submit(Command("measure", "order", body, COMMANDER, headline))


def _incident(desk: Desk, headline: str, hours: float) -> None:
    body = {
        "type": "crash", "area": "town", "corridors": ["cor-0"], "source": "122",
        "headline": {"en": headline, "zh": headline},
    }  # fmt: skip
    at = desk.clock.now() + timedelta(hours=hours)
    desk.journal.submit(Command("incident", "report", body, FIELD, headline, at=at))


def _officer(desk: Desk, language: str = "en") -> Person:
    return desk.browser(f"reader-{language}", "duty_officer", language=language)


def test_report_ends_with_its_period(desk: Desk) -> None:
    """What was ordered after the period is not in it; the course is drawn from the hours that are kept."""
    _limit(desk, "Limit of the first hour")
    desk.clock.set(desk.clock.now() + timedelta(hours=2))
    _limit(desk, "Limit of the third hour")
    reader = _officer(desk)
    whole = reader.get("/console/report")
    assert "Limit of the first hour" in whole
    assert "Limit of the third hour" in whole
    assert "Course of the period" in whole
    assert whole.count('class="figure"') >= 1
    early = reader.get(f"/console/report?start={_local(desk, -6)}&end={_local(desk, -1)}")
    assert "Limit of the first hour" in early
    assert "Limit of the third hour" not in early
    empty = reader.get(f"/console/report?start={_local(desk, -40)}&end={_local(desk, -30)}")
    assert "Limit of the first hour" not in empty
    assert "nothing to draw" in empty


def test_report_of_a_part_leaves_other_roads_out(desk: Desk) -> None:
    """A measure on a road that does not touch the part is in no list of it; the heading names the part."""
    reader = _officer(desk)
    parts = re.findall(r'<option value="([a-z]+)">', reader.get("/console/report"))
    roads = {c.id for c in desk.services.network.corridors}
    for corridor in sorted(roads):
        _limit(desk, f"Limit on {corridor}", corridor)
    shown = {p: reader.get(f"/console/report?part={p}") for p in parts}
    named = {p: {c for c in roads if f"Limit on {c}" in page} for p, page in shown.items()}
    assert set().union(*named.values()) == roads
    assert any(found < roads for found in named.values())
    assert all("Situation report · Town, " in page for page in shown.values())
    answer = reader.client.get("/console/report?part=nowhere", headers={"accept": "text/html"})
    assert answer.status_code == 422
    assert "nowhere" in answer.text


def test_incident_entered_later_says_so(desk: Desk) -> None:
    """An entry of two hours ago is told with its own time and marked as entered later; a fresh one is not."""
    _incident(desk, "Lorry across the bridge", -2)
    _incident(desk, "Car in the ditch", 0)
    page = _officer(desk).get("/console/report")
    late = page[page.index("Lorry across the bridge") :].split("</tr>")[0]
    fresh = page[page.index("Car in the ditch") :].split("</tr>")[0]
    assert "entered later" in late
    assert f"{iso(desk.clock.now() - timedelta(hours=2))}" in late
    assert "entered later" not in fresh


def test_html_file_stands_alone_in_both_languages(desk: Desk) -> None:
    """The file is sent as a download, holds both languages and fetches nothing."""
    answer = _officer(desk).client.get("/console/report.html")
    assert answer.headers["content-disposition"].endswith('.html"')
    assert "Situation report" in answer.text
    assert "情况报告" in answer.text
    assert not re.search(r'(?:src|href)="(?!#)', answer.text)


@pytest.mark.parametrize(("language", "words"), [("en", "Situation report"), ("zh", "情况报告")])
def test_pdf_says_the_same(desk: Desk, tmp_path: Path, language: str, words: str) -> None:
    """Words, measure, drawing and page numbers stand in the PDF, in the language asked for."""
    if language == "zh" and not any(f in pdf.CHINESE for f in pdf.families(tuple(pdf.folders()))):
        pytest.skip("no Chinese font on this machine (fonts-noto-cjk)")
    _limit(desk, "Limit *of* #the day")
    answer = _officer(desk).client.get(f"/console/report.pdf?lang={language}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF-")
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not installed (poppler-utils): the words were not read")
    path = tmp_path / "report.pdf"
    path.write_bytes(answer.content)
    text = subprocess.run(["pdftotext", str(path), "-"], capture_output=True, check=True).stdout.decode()
    squeezed = re.sub(r"\s+", " ", text)
    assert words in squeezed
    assert "Limit *of* #the day" in squeezed
    assert {"en": "Precipitation", "zh": "降水"}[language] in squeezed


def test_chinese_pdf_without_a_chinese_font_says_what_to_install(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused by name instead of empty boxes; English goes on, and the hint names a package."""
    monkeypatch.setattr(pdf, "families", lambda extra: ("Libertinus Serif",))
    client = _officer(desk).client
    refused = client.get("/console/report.pdf?lang=zh")
    assert refused.status_code == SystemFailureError.status
    assert "中文字体" in refused.text
    assert "fonts-noto-cjk" in refused.text
    assert client.get("/console/report.pdf?lang=en").content.startswith(b"%PDF-")


def test_drawings_on_paper_need_no_style_sheet() -> None:
    """Variables and classes of a drawing become plain colours and weights."""
    inner = '<style>.cw{--ink:#1}</style><path stroke="var(--air)"/><text class="head">x</text>'
    svg = f'<svg class="cw">{inner}</svg>'
    made = pdf.printable(svg, ("A", "B"))
    assert "var(" not in made
    assert "<style>" not in made
    assert 'stroke="#1668b8"' in made
    assert 'font-weight="bold"' in made
    assert "font-family=\"'A', 'B'\"" in made


def test_nonsense_period_is_refused(desk: Desk) -> None:
    """End before beginning, and more than a month, say so."""
    client = _officer(desk).client
    wrong = client.get(f"/console/report?start={_local(desk, -1)}&end={_local(desk, -2)}")
    assert wrong.status_code == 422
    assert client.get(f"/console/report.pdf?start={_local(desk, -24 * 40)}").status_code == 422


def test_console_page_brings_no_style_of_its_own(desk: Desk) -> None:
    """The console allows no style in a page: drawings come as pictures, with words for who cannot see."""
    page = _officer(desk, "zh").get("/console/report")
    assert "<svg" not in page
    assert " style=" not in page
    assert page.count('src="data:image/svg+xml;base64,') >= 2
    assert 'alt="主要道路路况图"' in page
