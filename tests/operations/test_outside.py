"""Warnings of others stand in the picture exactly while CAP says they are in force."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from clearway.exchange.cap.chain import active_set
from clearway.exchange.cap.intake import parse
from clearway.exchange.cap.model import Alert, Area, NameValue
from clearway.exchange.cap.render import render
from clearway.exchange.xml_safe import RefusedXMLError
from clearway.kernel.clock import ManualClock, parse_utc
from clearway.kernel.language import Text
from clearway.operations.deployment import POSTS, Deployment, open_deployment
from clearway.operations.outside import OutsideWarnings, name_of
from clearway.operations.reconcile import OUTSIDE, reconcile
from clearway.operations.storm import kinds_of_house
from clearway.records import Command, Journal, RecordRow
from tests.desks.world import network
from tests.exchange.cap.making import SENDER, SENT, SQUARE, message

HOUR = timedelta(hours=1)
TOWN = Deployment("town", Text("Town", "某市"), "land", Text("Land", "某国"), "Asia/Shanghai", POSTS, ())
BOX = (116.0, 39.5, 117.0, 40.5)


class Desk:
    """An installation's journal, its folder and clock."""

    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock(SENT)
        url = f"sqlite:///{(folder / 'journal.sqlite').as_posix()}"
        self.journal = Journal.open(url, kinds_of_house(), clock=self.clock, doctrine_hash="test")
        open_deployment(self.journal, TOWN, network(), simulated=False)
        self.folder = folder / "cap"
        self.folder.mkdir()
        self.outside = self.fresh()

    def fresh(self, **options: Any) -> OutsideWarnings:
        """As after a restart of the program."""
        given: dict[str, Any] = {"area": "town", "box": BOX, "own_sender": "us.example", **options}
        return OutsideWarnings(self.journal, self.folder, **given)

    def drop(self, *alerts: Alert) -> None:
        """Messages come in as files."""
        for alert in alerts:
            (self.folder / f"{alert.identifier}.xml").write_bytes(render(alert))

    def poll(self, hours: float = 0.0) -> int:
        """Look into the folder so many hours after the first message."""
        now = SENT + hours * HOUR
        if now > self.clock.now():
            self.clock.set(now)
        return self.outside.poll(now)

    def rows(self, *states: str) -> list[RecordRow]:
        """Situations of others."""
        found = self.journal.list("situation", states=states or ("active",))
        return [row for row in found if row.data["source"] == OUTSIDE]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A journal and an empty folder."""
    made = Desk(tmp_path)
    yield made
    made.journal.close()


def warning(identifier: str, msg_type: str = "Alert", hours: float = 0.0, **options: Any) -> Alert:
    """A severe warning for a square in the area."""
    made = message(identifier, msg_type, SENT + hours * HOUR, **options)
    area = Area("City centre", (SQUARE,))
    return replace(made, infos=tuple(replace(i, areas=(area,), language="en") for i in made.infos))


def test_a_warning_becomes_a_situation(desk: Desk) -> None:
    """Desk, level by severity, window, who said so; a second look and a restart change nothing."""
    desk.drop(warning("a", headline="Icy roads expected"))
    assert desk.poll() == 1
    [row] = desk.rows()
    assert (row.data["desk"], row.data["source"], row.data["level"]) == ("signals", OUTSIDE, 3)
    assert row.data["headline"]["en"] == "Icy roads expected"
    assert row.data["subjects"] == ["City centre"]
    assert parse_utc(row.data["ends"]) == SENT + 6 * HOUR
    assert row.data["evidence"][0]["source"] == SENDER
    assert desk.poll(0.1) == 0
    desk.outside = desk.fresh()
    assert desk.poll(0.2) == 0
    assert len(desk.journal.history(row.id)) == 1


def test_update_carries_on_and_cancel_ends(desk: Desk) -> None:
    """One record through Alert, Update and Cancel, also when the Cancel names the whole chain."""
    alert = warning("a")
    update = warning("b", "Update", 1, refers=(alert,), headline="Worse")
    desk.drop(alert)
    desk.poll()
    desk.drop(update)
    assert desk.poll(1) == 1
    [row] = desk.rows()
    assert row.data["headline"]["en"] == "Worse"
    assert row.version == 2
    desk.drop(warning("c", "Cancel", 2, refers=(alert, update)))
    assert desk.poll(2) == 1
    assert desk.rows() == []
    [ended] = desk.rows("ended")
    assert ended.id == row.id
    assert "cancelled" in ended.data["end_reason"]


def test_a_cancel_that_comes_first(desk: Desk) -> None:
    """An Alert that arrives after its Cancel never shows."""
    alert = warning("a")
    desk.drop(warning("c", "Cancel", 1, refers=(alert,)))
    assert desk.poll(1) == 0
    desk.drop(alert)
    assert desk.poll(1.1) == 0


def test_expiry_ends_even_when_the_file_is_gone(desk: Desk) -> None:
    """After a restart without the file the warning stands until it expires, then ends."""
    desk.drop(warning("a"))
    desk.poll()
    (desk.folder / "a.xml").unlink()
    desk.outside = desk.fresh()
    assert desk.poll(5.9) == 0
    assert len(desk.rows()) == 1
    assert desk.poll(6) == 1
    [ended] = desk.rows("ended")
    assert ended.data["end_reason"] == "it expired"


def test_what_is_no_news_here(desk: Desk) -> None:
    """Drills, our own messages and places far away are left out; a message without shapes is taken."""
    far = Area("Elsewhere", (tuple((lon - 60, lat) for lon, lat in SQUARE),))
    bare = message("e")
    county = replace(bare.infos[0], areas=(Area("County", geocodes=(NameValue("x", "1"),)),))
    desk.drop(
        warning("a", status="Exercise"),
        warning("b", sender="us.example"),
        replace(warning("c"), infos=tuple(replace(i, areas=(far,)) for i in warning("c").infos)),
        replace(bare, infos=(county,)),
    )
    assert desk.poll() == 1
    [row] = desk.rows()
    assert row.data["subjects"] == ["County"]


def test_overruled_is_overruled(desk: Desk) -> None:
    """Somebody on duty ends it with a reason: the same message does not come back, an Update does."""
    alert = warning("a")
    desk.drop(alert)
    desk.poll()
    [row] = desk.rows()
    duty = TOWN.actor("post-duty", account="wang")
    desk.journal.submit(Command("situation", "overrule", {}, duty, "overrule-1", row.id, reason="not here"))
    assert desk.poll(0.5) == 0
    desk.outside = desk.fresh()
    assert desk.poll(0.6) == 0
    desk.drop(warning("b", "Update", 1, refers=(alert,)))
    assert desk.poll(1) == 1
    assert len(desk.rows()) == 1


def test_no_cycle_ends_it(desk: Desk) -> None:
    """A cycle that finds nothing leaves the warnings of others alone."""
    desk.drop(warning("a"))
    desk.poll()
    found = reconcile(
        (), (), open_situations=desk.rows(), proposal_rows=(), at=SENT, area="town", simulated=False
    )
    assert found.commands == ()


def test_hostile_and_broken_files_are_named(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    """An entity bomb and junk are logged once and passed over; files still being written are not read."""
    (desk.folder / "bomb.xml").write_text('<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>')
    (desk.folder / ".coming.xml").write_bytes(render(warning("z")))
    desk.drop(warning("a"))
    with caplog.at_level(logging.WARNING, "clearway.outside"):
        assert desk.poll() == 1
        assert desk.poll(0.1) == 0
    named = [r.getMessage() for r in caplog.records if "bomb.xml" in r.getMessage()]
    assert len(named) == 1
    assert "entity expansion" in named[0]


def test_real_feeds(desk: Desk, shared_data: Path) -> None:
    """Samples of real senders, walked through in time: the situations are always the messages in force."""
    known: list[Alert] = []
    for path in sorted((shared_data / "cap" / "samples").rglob("*")):
        if path.suffix not in (".xml", ".cap", ".atom", ".rss", ".edxlde") or path.stat().st_size > 300_000:
            continue
        (desk.folder / f"{path.parent.name}-{path.name}").write_bytes(path.read_bytes())
        try:
            known += [a for a in parse(path.read_bytes()).alerts if a.status == "Actual"]
        except RefusedXMLError:
            continue
    desk.outside = desk.fresh(box=None)
    moments = sorted({a.sent for a in known if a.sent > SENT})
    assert len(moments) >= 4
    for at in moments:
        desk.clock.set(at)
        desk.outside.poll(at)
        rows = desk.rows()
        assert {r.data["message"] for r in rows} == {name_of(a) for a in active_set(known, at)}
        assert all(r.data["headline"]["en"].strip() and parse_utc(r.data["ends"]) > at for r in rows)
        assert desk.outside.poll(at) == 0
