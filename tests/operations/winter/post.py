"""A winter service on the chessboard with a real journal, posts and units."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from clearway.desks.winter.reasons import Reason
from clearway.exchange.cap.compose import Publisher
from clearway.exchange.cap.keys import generate, write_pair
from clearway.exchange.cap.signature import Signer
from clearway.kernel.clock import ManualClock
from clearway.kernel.language import Text
from clearway.operations.decisions import Decider
from clearway.operations.deployment import POSTS, Deployment, UnitSpec, open_deployment
from clearway.operations.publishing import Newsroom
from clearway.operations.storm import kinds_of_house
from clearway.operations.winter.need import Need
from clearway.operations.winter.service import WinterService
from clearway.operations.winter.state import Draft
from clearway.picture.picture import Treatment
from clearway.records import Journal
from tests.operations.winter.world import START, board, doctrine, fleet


@dataclass
class Post:
    """What a test of the service may touch."""

    service: WinterService
    journal: Journal
    clock: ManualClock
    decider: Decider
    deployment: Deployment
    treated: list[Treatment]

    def wait(self, seconds: float) -> datetime:
        """Let time pass."""
        self.clock.set(self.clock.now().fromtimestamp(self.clock.now().timestamp() + seconds, START.tzinfo))
        return self.clock.now()

    def approve(self, draft: Draft | None = None) -> None:
        """The dispatcher approves what waits."""
        waits = draft or self.service.draft
        assert waits is not None
        actor = self.deployment.actor("post-dispatch")
        self.decider.approve(self.journal.get(waits.proposal), actor, self.clock.now(), verb="approve_work")
        self.service.look(self.clock.now())


def need(reason: Reason = Reason.ICE, onset_h: float = 0.0, *, at: datetime = START) -> Need:
    """The same need on every road of the board."""
    count = len(board().corridors)
    return Need(at, np.full(count, int(reason), np.int8), np.full(count, onset_h))


def open_post(folder: Path, *, trucks: int = 3, capacity_kg: float = 400.0) -> Post:
    """A service that has heard of ice on every road."""
    clock, roads, rules = ManualClock(START), board(), doctrine()
    url = f"sqlite:///{(folder / 'journal.sqlite').as_posix()}"
    journal = Journal.open(url, kinds_of_house(), clock=clock, doctrine_hash=rules.hash)
    units = tuple(
        UnitSpec(f"unit-{n}", "plough_spreader", Text(f"Truck {n}", f"{n}号车")) for n in range(1, 4)
    )
    place = Deployment(
        "town", Text("Town", "某市"), "cn", Text("China", "中国"), "Asia/Shanghai", POSTS, units
    )
    open_deployment(journal, place, roads, simulated=False)
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    write_pair(generate("test", at=START), key, certificate)
    newsroom = Newsroom(
        Publisher("test.example", Text("Test", "测试")),
        Signer.load(key, certificate),
        folder / "notices",
        names={},
        doctrine_hash=rules.hash,
        hindsight=False,
    )
    treated: list[Treatment] = []
    service = service_on(journal, treated, trucks=trucks, capacity_kg=capacity_kg)
    return Post(service, journal, clock, Decider(journal, kinds_of_house(), newsroom), place, treated)


def service_on(
    journal: Journal, treated: list[Treatment], *, trucks: int = 3, capacity_kg: float = 400.0
) -> WinterService:
    """A service over the chessboard that has heard of ice on every road."""
    return WinterService(
        board(),
        doctrine(),
        journal,
        fleet(trucks, capacity_kg=capacity_kg),
        "town",
        "Asia/Shanghai",
        treated.append,
        rounds=150,
        new_rounds=300,
        need=need(at=journal.clock.now()),
    )
