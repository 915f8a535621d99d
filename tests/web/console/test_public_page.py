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


@pytest.mark.parametrize(("rate", "most"), [(1.0, 20), (10.0, 2)])
def test_copy_lives_no_longer_than_what_it_shows(desk: Desk, rate: float, most: int) -> None:
    """A restriction that ends in 20 s limits max-age to that, in a replay to its share; else 30 s."""
    desk.services = replace(desk.services, clock_rate=rate)
    assert _reader(desk).get("/").headers["cache-control"] == "public, max-age=30"
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
