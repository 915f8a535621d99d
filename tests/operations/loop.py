"""A small deployment with a real journal, simulated posts and crews, over the made-up world of the desks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from clearway.desks.command.desk import CommandDesk
from clearway.desks.control.desk import ControlDesk
from clearway.desks.signals.desk import SignalsDesk
from clearway.desks.travel.desk import TravelDesk
from clearway.desks.winter.desk import WinterDesk
from clearway.exchange.cap.compose import Publisher
from clearway.exchange.cap.keys import generate, write_pair
from clearway.exchange.cap.signature import Signer
from clearway.kernel.clock import ManualClock
from clearway.kernel.language import Text
from clearway.operations.decisions import Decider
from clearway.operations.deployment import POSTS, Deployment, open_deployment
from clearway.operations.ground import Ground
from clearway.operations.publishing import Newsroom
from clearway.operations.session import Session
from clearway.operations.simulation.agenda import Agenda
from clearway.operations.simulation.crews import SimulatedCrews
from clearway.operations.simulation.posts import SimulatedPosts
from clearway.operations.storm import SimulatedHand, attending, kinds_of_house
from clearway.picture.desk import DeskResult, DeskView
from clearway.picture.picture import Treatment, Weather
from clearway.records import Journal
from tests.desks.world import AT, MadeUpRoad, Surface, columns, doctrine, network, weather, with_weather

CELLS = 8
DRY = Surface()
ICE = Surface(condition=6, rst_c=-3.0, friction=0.2, ice_mm=1.0)
SNOW = Surface(condition=4, rst_c=-2.0, friction=0.3, snow_mm=2.0)


class ScriptedRoad(MadeUpRoad):
    """A surface by hour of the play; what it was asked last is what a crew finds."""

    def __init__(self, script: Callable[[int], Surface]) -> None:
        super().__init__(DRY)
        self.script = script

    def assess(self, view: DeskView) -> DeskResult:
        """The surface of this hour."""
        hour = int((view.picture.at - AT) / timedelta(hours=1))
        self.surface = self.script(hour)
        return super().assess(view)


@dataclass(frozen=True)
class ScriptedWeather:
    """Cold with light snow in the hours of the script that ask for it."""

    snows: Callable[[int], float]

    def at(self, moment: datetime) -> Weather:
        """Weather as known at a moment."""
        base = weather(CELLS, 3, temperature_c=-3.0, at=moment)
        hour = int((moment - AT) / timedelta(hours=1))
        amount = base.precipitation_mm.copy()
        for index in range(amount.shape[1]):
            amount[:, index] = self.snows(hour + index - base.now_index)
        return with_weather(base, precipitation_mm=amount)


@dataclass
class Play:
    """Everything a test of the loop needs."""

    session: Session
    journal: Journal
    decider: Decider
    newsroom: Newsroom
    deployment: Deployment
    hand: SimulatedHand
    folder: Path
    road: ScriptedRoad

    def run(self, hours: int, first: int = 0) -> None:
        """Play some hours."""
        for hour in range(first, first + hours):
            self.session.step(AT + timedelta(hours=hour))

    def rows(self, kind: str) -> list[Mapping[str, Any]]:
        """Records of a kind, oldest first."""
        return [r.as_mapping() for r in sorted(self.journal.list(kind), key=lambda r: (r.created_at, r.id))]

    def refused(self) -> list[str]:
        """What the journal refused posts and crews; must stay empty."""
        return [*self.hand.posts.refused_by_journal, *self.hand.crews.refused_by_journal]


def open_play(
    folder: Path,
    script: Callable[[int], Surface],
    *,
    snows: Callable[[int], float] = lambda hour: 0.0,
    simulated: bool = True,
) -> Play:
    """A session over eight cells and five roads."""
    roads, rules, kinds = network(CELLS), doctrine(), kinds_of_house()
    clock = ManualClock(AT)
    folder.mkdir(parents=True, exist_ok=True)
    url = f"sqlite:///{(folder / 'journal.sqlite').as_posix()}"
    journal = Journal.open(url, kinds, clock=clock, doctrine_hash=rules.hash)
    place = Deployment(
        "beijing", Text("Beijing", "北京市"), "cn", Text("China", "中国"), "Asia/Shanghai", POSTS, ()
    )
    open_deployment(journal, place, roads, simulated=simulated)
    names = {c.id: c.label for c in roads.corridors} | {a.id: a.name for a in roads.areas}
    sender = Publisher("test.example", Text("Test", "测试"))
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    write_pair(generate("test", at=AT - timedelta(days=1)), key, certificate)
    newsroom = Newsroom(
        sender,
        Signer.load(key, certificate),
        folder / "notices",
        names=names,
        doctrine_hash=rules.hash,
        hindsight=True,
    )
    decider = Decider(journal, kinds, newsroom)
    road = ScriptedRoad(script)
    desks = (road, SignalsDesk(), ControlDesk(), WinterDesk(), CommandDesk(), TravelDesk())
    ground = Ground(roads, columns(roads), tuple(a.id for a in roads.areas), place.area, rules, desks)
    session = Session(ground, journal, ScriptedWeather(snows), clock, simulated=simulated)
    session.hand = hand = _hand(session, decider, place, journal, road)
    return Play(session, journal, decider, newsroom, place, hand, folder, road)


def _hand(
    session: Session, decider: Decider, place: Deployment, journal: Journal, road: ScriptedRoad
) -> SimulatedHand:
    agenda, roads = Agenda(), session.ground.network
    words = {0: "dry", 2: "wet", 4: "snow", 6: "ice"}

    def surface(corridor: str) -> Mapping[str, Any]:
        code = road.surface.condition
        assert isinstance(code, int)
        return {"text": {"en": "seen", "zh": "已查看"}, "condition": words[code], "source": "test"}

    def lay(done: Treatment) -> None:
        session.treatments.append(done)

    posts = SimulatedPosts(
        journal,
        decider,
        agenda,
        duty=place.actor("post-duty", simulated=True),
        second=place.actor("post-second", simulated=True),
    )
    crews = SimulatedCrews(
        journal,
        agenda,
        field_actor=place.actor("post-field", simulated=True),
        dispatcher=place.actor("post-dispatch", simulated=True),
        lane_km={c.id: 2 * c.length_m / 1000 for c in roads.corridors},
        corridor_number={c.id: i for i, c in enumerate(roads.corridors)},
        ploughs=2,
        on_treatment=lay,
        surface=surface,
    )
    return SimulatedHand(agenda, posts, crews, attending(session))
