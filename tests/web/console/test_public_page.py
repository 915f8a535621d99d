"""The public page over HTTP: search by name, parts, what restricts these roads, how long it is kept."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from starlette.testclient import TestClient

from clearway.records import Actor, Command, Role
from clearway.web.app import create_app
from tests.web.conftest import measure
from tests.web.console.conftest import Desk

COMMANDER = Actor("boss", (Role("commander", "town"),), "post-commander")


def _limit(desk: Desk, hours: float = 6) -> None:
    body = measure(desk.clock, hours)
    body["review_at"] = (desk.clock.now() + timedelta(hours=hours / 2)).isoformat()
    desk.journal.submit(Command("measure", "order", body, COMMANDER, f"limit-{hours}"))


def _reader(desk: Desk) -> TestClient:
    return TestClient(create_app(desk.services), base_url="http://testserver")


@pytest.mark.parametrize("words", ["机场", "airport", "S12", "jichang"])
def test_search_answers_about_the_road_alone(desk: Desk, words: str) -> None:
    """By Chinese, English, number and pinyin; what restricts it stands with it, other limits do not."""
    _limit(desk)
    page = _reader(desk).get("/", params={"lang": "en", "q": words}).text
    names = re.findall(r"<tr><td>([^<]+)", page)
    assert names
    restricted = "cor-0" in {c.id for c in desk.services.network.corridors if c.label.en.strip() in names[0]}
    assert ("Limit 30 km/h" in page) is restricted
    assert page.index('id="roads"') < page.index('id="warnings"')


def test_unknown_road_says_how_to_ask(desk: Desk) -> None:
    """No hit is answered with what else to try, in both languages."""
    reader = _reader(desk)
    assert "pinyin" in reader.get("/", params={"lang": "en", "q": "zzzz"}).text
    assert "拼音" in reader.get("/", params={"lang": "zh", "q": "zzzz"}).text


def test_part_of_the_area_leaves_the_rest_out(desk: Desk) -> None:
    """A part shows its roads only, and the choice survives the change of language."""
    reader = _reader(desk)
    page = reader.get("/", params={"lang": "en"}).text
    parts = re.findall(r'<option value="([a-z]+)">', page)
    assert parts
    pages = [reader.get("/", params={"lang": "en", "part": p}).text for p in parts]
    shown = [set(re.findall(r"<tr><td>([^<]+)", text)) for text in pages]
    assert set().union(*shown) == set(re.findall(r"<tr><td>([^<]+)", page))
    assert any(len(s) < len(set().union(*shown)) for s in shown)
    assert f"lang=zh&amp;part={parts[0]}" in reader.get("/", params={"lang": "en", "part": parts[0]}).text


@pytest.mark.parametrize(("rate", "most"), [(1.0, 18), (10.0, 0)])
def test_copy_lives_no_longer_than_what_it_shows(desk: Desk, rate: float, most: int) -> None:
    """A restriction that ends in 20 s limits max-age to that, in a replay to its share; else 30 s.

    The two seconds for which the front keeps an answer are taken off.
    """
    desk.services = replace(desk.services, clock_rate=rate)
    assert _reader(desk).get("/").headers["cache-control"] == "public, max-age=28"
    _limit(desk, hours=20 / 3600)
    assert _reader(desk).get("/").headers["cache-control"] == f"public, max-age={most}"


def test_ended_restriction_is_not_called_in_force(desk: Desk) -> None:
    """At its expiry it reads "no longer ordered, removal to be verified", before any deadline was fired."""
    _limit(desk, hours=1)
    assert "removal to be verified</span>" not in _reader(desk).get("/?lang=en").text
    desk.clock.set(desk.clock.now() + timedelta(hours=1))
    page = _reader(desk).get("/?lang=en").text
    card = page[page.index("Limit 30 km/h") - 400 : page.index("Limit 30 km/h")]
    assert "removal to be verified</span>" in card
    assert "in force</span>" not in card


def test_map_is_an_extra_picture(desk: Desk) -> None:
    """The page links a picture that is fetched apart; before the first cycle there is neither."""
    reader = _reader(desk)
    assert 'src="/map.svg?lang=zh"' in reader.get("/?lang=zh").text
    picture = reader.get("/map.svg?lang=zh")
    assert picture.headers["content-type"] == "image/svg+xml"
    assert "主要道路路况" in picture.text
    desk.services = replace(desk.services, board=lambda: None)
    bare = _reader(desk)
    assert "map.svg" not in bare.get("/").text
    assert bare.get("/map.svg").status_code == 404


@pytest.mark.parametrize(("language", "headline"), [("en", "Ice on bridges"), ("zh", "桥面结冰")])
def test_notice_with_a_headline_alone_is_shown(desk: Desk, language: str, headline: str) -> None:
    """No description, no advice, no start: page, feeds and CAP say what there is, in both languages."""
    person = desk.browser("officer", "duty_officer", language=language)
    ends = (desk.clock.now() + timedelta(hours=14)).strftime("%Y-%m-%dT%H:%M")
    form = {
        "hazard": "road_icing", "level": "2", "headline.en": "Ice on bridges", "headline.zh": "桥面结冰",
        "expires": ends, "status": "Actual",
    }  # fmt: skip
    answer = person.send("/console/notices/compose", action="send", key="one", **form)
    assert answer.status_code == 200, answer.text
    reader = _reader(desk)
    page = reader.get("/", params={"lang": language})
    assert page.status_code == 200
    card = page.text[page.text.index('id="warnings"') :].split("</article>")[0]
    assert headline in card
    assert "What to do" not in card
    assert "请您注意" not in card
    for feed in ("/feed.atom", "/feed.rss"):
        answer = reader.get(feed)
        assert answer.status_code == 200
        assert "桥面结冰" in answer.text
    sent = desk.journal.list("notice", states=("issued",))[0].data["messages"][0]["identifier"]
    message = reader.get(f"/cap/{sent}").text
    assert f"<headline>{headline}</headline>" in message
    assert headline in person.get("/console/in-force")


@pytest.mark.parametrize(("language", "open_end"), [("en", "further notice"), ("zh", "另行通知")])
def test_advice_without_times_is_shown(desk: Desk, language: str, open_end: str) -> None:
    """A measure that only advises may lack start and end; the page stands, and says so."""
    words = {"en": "Keep your distance", "zh": "保持车距"}
    body = {"type": "INFO", "headline": words, "corridors": ["cor-0"], "area": "town"}
    desk.journal.submit(Command("measure", "order", body, COMMANDER, "advice"))
    page = _reader(desk).get("/", params={"lang": language})
    assert page.status_code == 200
    assert words[language] in page.text
    assert open_end in page.text
