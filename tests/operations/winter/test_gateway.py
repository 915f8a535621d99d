"""Trucks over a real broker into a running service, and the fleet an installation states."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from clearway.kernel.errors import InputError
from clearway.operations.winter.fleet import usable
from clearway.operations.winter.fleet_file import read_fleet
from clearway.operations.winter.gateway import Gateway
from clearway.operations.winter.mqtt import connect
from clearway.operations.winter.simulated import SimulatedFleet, as_json
from tests.operations.winter.post import Post, open_post
from tests.operations.winter.world import START
from tests.support.needs import missing

FLEET = """
[[store]]
id = "north"
name = { en = "North", zh = "北" }
lon = 116.3
lat = 39.9
stock_t = 50
[[truck]]
id = "unit-1"
name = { en = "One", zh = "一号" }
store = "north"
capacity_kg = 6000
"""


def _until(true: Callable[[], bool]) -> None:
    for _ in range(200):
        if true():
            return
        time.sleep(0.05)
    assert true()


def test_reports_come_in_and_lists_go_out(tmp_path: Path) -> None:
    """What a truck says on its topic counts, on another's not; its next turns lie retained on the broker."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        if probe.connect_ex(("127.0.0.1", 1883)):
            missing("no MQTT broker on 127.0.0.1:1883")
    post: Post = open_post(tmp_path)
    post.service.make(START)
    post.approve()
    running = post.service.running
    assert running is not None
    gateway = Gateway.of(post.service, {"mqtt": {"host": "127.0.0.1", "prefix": f"test-{id(post)}"}})
    assert gateway is not None
    messages = [
        as_json(m) for m in SimulatedFleet(running.control.site, running.progress.plan).messages(-1, 9e9)
    ]

    async def talk() -> dict[str, object]:
        async with connect("127.0.0.1") as truck:
            for message in messages:
                await truck.publish(f"{gateway.prefix}/trucks/{message['unit']}", json.dumps(message), qos=1)
            await truck.publish(f"{gateway.prefix}/trucks/unit-9", json.dumps(messages[0]), qos=1)
            await truck.publish(f"{gateway.prefix}/trucks/unit-1", b"\x00", qos=1)
            await truck.subscribe(f"{gateway.prefix}/lists/unit-1", qos=1)
            got: dict[str, object] = json.loads((await asyncio.wait_for(anext(truck.messages), 10)).payload)
            for crew in running.progress.plan.problem.crews:
                await truck.publish(f"{gateway.prefix}/lists/{crew.id}", None, retain=True)
            return got

    gateway.start()
    try:
        _until(lambda: bool(gateway._sent))
        turns = asyncio.run(talk())
        _until(lambda: gateway.heard >= len(messages) + 2)
    finally:
        gateway.stop()
        post.journal.close()
    assert turns["unit"] == "unit-1"
    assert turns["lines"]
    assert len(running.ledger.done) == len(messages)
    assert len(post.service.refused) == 2


def test_settings_of_the_gateway(tmp_path: Path) -> None:
    """No settings, no gateway; what is wrong with them is named."""
    post = open_post(tmp_path)
    assert Gateway.of(post.service, {}) is None
    with pytest.raises(InputError, match="name of a broker"):
        Gateway.of(post.service, {"mqtt": {"port": 1}})
    with pytest.raises(InputError, match="no port"):
        Gateway.of(post.service, {"mqtt": {"host": "b", "port": 99_999}})
    post.journal.close()


def test_fleet_of_a_file(tmp_path: Path) -> None:
    """Stores and trucks as stated; defaults where nothing is said."""
    path = tmp_path / "winter.toml"
    path.write_text(FLEET, encoding="utf-8")
    fleet = read_fleet(path)
    assert (fleet.stores[0].stock_t, fleet.trucks[0].capacity_kg, fleet.trucks[0].echelon) == (
        50.0,
        6000.0,
        1,
    )
    assert fleet.source.zh


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[store", "cannot be read"),
        (FLEET.replace("stock_t = 50", ""), "not complete"),
        (FLEET.replace('store = "north"', 'store = "south"'), "unknown store south"),
        (FLEET.split("[[truck]]")[0], "there is no truck"),
        (FLEET.replace("6000", '"much"'), "'much' is impossible"),
    ],
)
def test_bad_fleet_is_named(tmp_path: Path, text: str, words: str) -> None:
    """What is wrong with the file is said, with the file."""
    path = tmp_path / "winter.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=words) as raised:
        read_fleet(path)
    assert raised.value.where.startswith(str(path))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("stock_t = 50", "stock_t = -5", "store 1.*stock_t.*-5.*from 0"),
        ("capacity_kg = 6000", "capacity_kg = nan", "truck 1.*capacity_kg.*nan"),
        ("capacity_kg = 6000", "speed_factor = 0", "speed_factor.*0 is impossible"),
        ("capacity_kg = 6000", "speed_factor = -1", "speed_factor.*-1"),
        ("capacity_kg = 6000", "echelon = 0", "echelon.*whole number from 1"),
        ("capacity_kg = 6000", "echelon = -3", "echelon.*-3"),
        ("capacity_kg = 6000", "echelon = 1.5", "echelon.*1.5"),
        ("capacity_kg = 6000", "width = 3", "width.*not known.*width_m"),
        ("capacity_kg = 6000", 'plough = "yes"', "plough.*true or false"),
        ("capacity_kg = 6000", "plough = false\nspreader = false", "neither a plough nor a spreader"),
    ],
)
def test_impossible_values_are_refused(tmp_path: Path, old: str, new: str, words: str) -> None:
    """File, table, key, value and what to do are named, in both languages."""
    path = tmp_path / "winter.toml"
    path.write_text(FLEET.replace(old, new), encoding="utf-8")
    with pytest.raises(InputError, match=f"winter.toml.*{words}") as raised:
        read_fleet(path)
    assert raised.value.hint
    assert raised.value.words is not None
    assert any("一" <= c <= "鿿" for c in raised.value.words.zh)


def test_doubles_are_named_and_impossible_places_refused(tmp_path: Path) -> None:
    """Of two stores with one id the first counts; a place that is not on the globe is refused."""
    path = tmp_path / "winter.toml"
    head, _, rest = FLEET.partition("[[truck]]")
    store = head[head.index("[[store]]") :]
    path.write_text(f"{head}{store}[[truck]]{rest}", encoding="utf-8")
    found = usable(read_fleet(path))
    assert len(found.stores) == 1
    assert ["north is listed twice" in note.en for note in found.left_out] == [True]
    path.write_text(re.sub(r"lon = \S+", "lon = 500", FLEET), encoding="utf-8")
    with pytest.raises(InputError, match=r"store 1.*lon.*500"):
        read_fleet(path)
