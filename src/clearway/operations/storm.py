"""The shipped storm: Beijing, November 2015, put together as a session with simulated posts and crews."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import numpy as np

from clearway.desks.roadweather.conditions import LOOKS, Condition
from clearway.doctrine import Doctrine, load_doctrine
from clearway.exchange.cap.compose import Publisher
from clearway.exchange.cap.keys import generate, write_pair
from clearway.exchange.cap.signature import Signer
from clearway.exchange.osm import import_roads
from clearway.exchange.station_csv import read as read_stations
from clearway.kernel.clock import ManualClock, iso, parse_utc
from clearway.kernel.errors import InputError
from clearway.kernel.language import Text
from clearway.network.columns import Cells as NetworkCells
from clearway.network.columns import build_columns
from clearway.network.model import Network
from clearway.operations.decisions import Decider
from clearway.operations.delivery import Delivery
from clearway.operations.deployment import Deployment, beijing, open_deployment
from clearway.operations.desks import all_desks
from clearway.operations.forecast.cells import Cells
from clearway.operations.forecast.hindsight import Hindsight
from clearway.operations.ground import Ground
from clearway.operations.important import Attention, Importance
from clearway.operations.publishing import Newsroom
from clearway.operations.session import Session
from clearway.operations.simulation import crews as crew_rules
from clearway.operations.simulation import posts as post_rules
from clearway.operations.simulation.agenda import Agenda
from clearway.operations.simulation.crews import SimulatedCrews
from clearway.operations.simulation.posts import SimulatedPosts
from clearway.operations.winter import trucks as truck_rules
from clearway.operations.winter.fleet import beijing_fleet
from clearway.operations.winter.service import WinterService
from clearway.operations.winter.trucks import SimulatedTrucks, WinterHand
from clearway.picture.picture import Columns, Treatment, Weather
from clearway.records import Journal, Kinds, load_kinds
from clearway.series.store import SeriesStore

FIRST: Final = parse_utc("2015-11-17T16:00Z")
LAST: Final = parse_utc("2015-11-26T15:00Z")
"""Hours of the shipped storm in which a cycle can run with a day of weather before it."""
DEFAULT_FROM: Final = parse_utc("2015-11-20T00:00+08:00")
DEFAULT_TO: Final = parse_utc("2015-11-24T00:00+08:00")
OPENS_AT: Final = parse_utc("2015-11-22T12:00+08:00")
"""Where a demo with a console hands over to its visitor: the snow of the 22nd is falling, levels are red."""
CREWS: Final = 60
REPLAY_SPACING_S: Final = 60.0
"""Least time between two cycles at once in a replay, in its own time."""
MEMBERS: Final = 10
LISTED: Final = 24
"""Ploughs of the fleet that work by lists."""
ROUNDS: Final = (3000, 800)
"""Rounds of search for a plan and for a change of it: a second or two, and the same on every machine."""
BREAKDOWN: Final = parse_utc("2015-11-22T03:00+08:00")
SENDER: Final = Publisher(
    "clearway.demo.example",
    Text("Clearway demonstration", "畅途演示系统"),
    web="https://clearway.demo.example/",
    source="Clearway demo replay of November 2015",
)
DRILL_CHANNELS: Final = ("neighbours", "radio")
"""Stand-ins for two receivers of every notice; what would have gone out is kept in ``sent/``."""
LABELS: Final = (
    Text(
        "Simulation. Decisions and field work are simulated; nothing here is or was a live warning.",
        "模拟演示：决策与现场处置均为模拟，并非真实预警。",
    ),
    Text(
        "Hindsight forecast: observed weather plus a documented error model that grows with lead time.",
        "事后预报：由实测天气叠加随时效增大的误差模型生成。",
    ),
)
LIMITS: Final = (
    Text(
        "Weather: twelve sites that carry six distinct series; four sites lie outside the map. No "
        "visibility, cloud, radiation or elevation was observed: cloud is estimated, elevation ignored.",
        "气象：12个站点实为6个独立序列，其中4个站点在图幅之外；无能见度、云量、辐射与海拔观测，"
        "云量为估算，未考虑海拔。",
    ),
    Text(
        "Roads: an OpenStreetMap extract of about 2013 without lanes or bridge tags; lanes and sky view are "
        "labelled defaults, bridges are guessed from names.",
        "道路：约2013年的OpenStreetMap数据，无车道与桥梁标签；车道数与天空视域为标注的默认值，桥梁依名称推测。",
    ),
    Text(
        "There was no road sensor: nobody can say how well the modelled road surface matched the real one.",
        "无路面传感器：无法检验模式路面状况与实际的符合程度。",
    ),
    post_rules.POLICY,
    crew_rules.RULES,
    truck_rules.RULES,
)


@dataclass(slots=True)
class HindsightSource:
    """Hindsight weather for a session."""

    hindsight: Hindsight
    members: int

    def at(self, moment: datetime) -> Weather:
        """Weather as known at a moment, the ensemble 48 h ahead."""
        return self.hindsight.weather(int(moment.timestamp()), members=self.members)


@dataclass(slots=True)
class SimulatedHand:
    """Posts and crews on one agenda."""

    agenda: Agenda
    posts: SimulatedPosts
    crews: SimulatedCrews
    attend: Callable[[datetime], bool] | None = None
    """Runs a cycle at once if what was just done asks for one, and says whether it did."""

    def after_cycle(self, at: datetime) -> None:
        """Plan the coming hour."""
        self.posts.after_cycle(at)
        self.crews.look(at)

    def until(self, end: datetime, tick: Any) -> None:
        """Work the agenda off to ``end``, looking for new field work every five minutes."""
        while (at := self.agenda.next_time()) is not None and at <= end:
            self.agenda.run_until(at, tick)
            self.crews.look(at)
            if self.attend is not None and self.attend(at):
                self.posts.after_cycle(at)
        tick(end)


@dataclass(slots=True)
class CrewsOnly:
    """Crews work; decisions are left to the people at the console."""

    agenda: Agenda
    crews: SimulatedCrews

    def after_cycle(self, at: datetime) -> None:
        """Look for field work."""
        self.crews.look(at)

    def until(self, end: datetime, tick: Any) -> None:
        """Work the agenda off to ``end``, then look for new field work."""
        self.agenda.run_until(end, tick)
        self.crews.look(end)


@dataclass(slots=True)
class Storm:
    """Everything a demo run holds open; close it with :meth:`close`."""

    session: Session
    journal: Journal
    kinds: Kinds
    newsroom: Newsroom
    decider: Decider
    deployment: Deployment
    network: Network
    doctrine: Doctrine
    series: SeriesStore
    hand: SimulatedHand | None
    delivery: Delivery
    winter: WinterService | None = None
    trucks: SimulatedTrucks | None = None
    labels: tuple[Text, ...] = LABELS
    limits: tuple[Text, ...] = LIMITS
    extra: dict[str, Any] = field(default_factory=dict)

    def people_decide(self) -> None:
        """From now on decisions are left to the people at the console; crews and trucks go on."""
        if self.hand is None or self.winter is None or self.trucks is None:
            return
        self.trucks.decider = None
        self.winter.rounds = self.winter.new_rounds = 0
        inner = CrewsOnly(self.hand.agenda, self.hand.crews)
        self.session.hand = WinterHand(self.session, self.winter, inner)

    def close(self) -> None:
        """Close the stores."""
        self.journal.close()
        self.series.close()
        self.delivery.close()


def kinds_of_house() -> Kinds:
    """Kinds of all desks."""
    root = Path(str(files("clearway.desks")))
    return load_kinds(sorted(path for path in root.glob("*/kinds") if path.is_dir()))


def ground_of(network: Network, doctrine: Doctrine, area: str) -> tuple[Ground, Cells]:
    """Columns over the network's grid areas, and the cells the weather is wanted for."""
    cells = Cells.from_areas(network.areas)
    places = NetworkCells(cells.lon, cells.lat, network.area.astype(np.int32))
    arrays: Mapping[str, Any] = build_columns(network, places).as_dict()
    columns = Columns(**arrays)
    return Ground(network, columns, cells.names, area, doctrine, all_desks()), cells


def open_storm(
    out: Path, start: datetime, *, members: int = MEMBERS, crews: int = CREWS, simulate: bool = True
) -> Storm:
    """Import the shipped data into ``out`` and get everything ready to run from ``start``.

    Raises:
        InputError: ``out`` already holds a run, or ``start`` lies outside the shipped storm.
    """
    if not FIRST <= start <= LAST:
        raise InputError(f"the shipped storm runs from {iso(FIRST)} to {iso(LAST)}", where="--from")
    if (out / "journal.sqlite").exists():
        raise InputError("this folder already holds a run", where=str(out), hint="Name another folder")
    out.mkdir(parents=True, exist_ok=True)
    data = Path(str(files("clearway.data"))) / "beijing"
    network = import_roads(data / "beijing_roads.osm.pbf", city=Text("Beijing", "北京市"))
    series = SeriesStore(out / "series.sqlite")
    series.put_stations(read_stations(data / "stations.csv").stations)
    series.append(read_stations(data / "storm_2015_11.csv").batch)
    doctrine = load_doctrine(["cn"])
    deployment = beijing(network, crews=crews)
    ground, cells = ground_of(network, doctrine, deployment.area)
    clock, kinds = ManualClock(start), kinds_of_house()
    journal = Journal.open(
        f"sqlite:///{out / 'journal.sqlite'}", kinds, clock=clock, doctrine_hash=doctrine.hash
    )
    open_deployment(journal, deployment, network, simulated=simulate)
    delivery = Delivery.drill(out / "outbox.sqlite", DRILL_CHANNELS, clock, out / "sent")
    newsroom = Newsroom(
        SENDER,
        _signer(out / "keys", start),
        out / "notices",
        names={c.id: c.label for c in network.corridors} | {a.id: a.name for a in network.areas},
        doctrine_hash=doctrine.hash,
        hindsight=True,
        polygon=deployment.polygon,
        geocode=deployment.code,
        on_publish=delivery.on_publish,
    )
    decider = Decider(journal, kinds, newsroom)
    weather = HindsightSource(Hindsight(series, cells), members)
    session = Session(ground, journal, weather, clock, simulated=simulate)
    storm = Storm(
        session, journal, kinds, newsroom, decider, deployment, network, doctrine, series, None, delivery
    )
    if simulate:
        storm.hand = _hand(session, decider, deployment, journal, network)
        storm.hand.attend = attending(session)
        _ploughs(storm, storm.hand)
    return storm


def _ploughs(storm: Storm, hand: SimulatedHand) -> None:
    """The winter service: part of the fleet works by lists, the rest as before."""

    def lay(treatment: Treatment) -> None:
        storm.session.treatments.append(treatment)

    fleet = beijing_fleet(min(LISTED, max(1, hand.crews.ploughs)))
    storm.winter = WinterService(
        storm.network,
        storm.doctrine,
        storm.journal,
        fleet,
        storm.deployment.area,
        storm.deployment.zone,
        lay,
        simulated=True,
        new_rounds=ROUNDS[0],
        rounds=ROUNDS[1],
    )
    storm.trucks = SimulatedTrucks(
        storm.winter,
        hand.agenda,
        hand.crews,
        field_actor=storm.deployment.actor("post-field", simulated=True),
        dispatcher=storm.deployment.actor("post-dispatch", simulated=True),
        decider=storm.decider,
        breakdowns=(BREAKDOWN,),
    )
    hand.crews.on_lists = storm.winter.on_lists
    hand.crews.ploughs = max(1, hand.crews.ploughs - len(fleet.trucks))
    storm.session.hand = WinterHand(storm.session, storm.winter, hand)


def attending(session: Session) -> Callable[[datetime], bool]:
    """What a replay does about important entries: a cycle at once, in the minute in which they come."""
    ground = session.ground
    importance = Importance.of(session.journal, ground.network, ground.doctrine)
    attention = Attention(session.journal, importance, wait_s=0.0, spacing_s=REPLAY_SPACING_S)

    def attend(at: datetime) -> bool:
        now_s = at.timestamp()
        if not attention.due(now_s):
            return False
        attention.ran(now_s)
        session.look_again(at)
        return True

    return attend


def _signer(folder: Path, at: datetime) -> Signer:
    folder.mkdir(exist_ok=True)
    key, certificate = folder / "demo-key.pem", folder / "demo-certificate.pem"
    if not key.exists():
        write_pair(
            generate("Clearway demo, not for real warnings", at=at - timedelta(days=1)), key, certificate
        )
    return Signer.load(key, certificate)


def _hand(
    session: Session, decider: Decider, deployment: Deployment, journal: Journal, network: Network
) -> SimulatedHand:
    agenda = Agenda()
    number = {c.id: i for i, c in enumerate(network.corridors)}

    def lay(treatment: Treatment) -> None:
        session.treatments.append(treatment)

    def surface(corridor: str) -> Mapping[str, Any]:
        return _seen(session, number.get(corridor, -1))

    posts = SimulatedPosts(
        journal,
        decider,
        agenda,
        duty=deployment.actor("post-duty", simulated=True),
        second=deployment.actor("post-second", simulated=True),
    )
    crews = SimulatedCrews(
        journal,
        agenda,
        field_actor=deployment.actor("post-field", simulated=True),
        dispatcher=deployment.actor("post-dispatch", simulated=True),
        lane_km={
            c.id: float((network.length_m[c.segments] * network.lanes[c.segments]).sum()) / 1000.0
            for c in network.corridors
        },
        corridor_number=number,
        ploughs=sum(1 for u in deployment.units if u.type == "plough_spreader"),
        on_treatment=lay,
        surface=surface,
    )
    return SimulatedHand(agenda, posts, crews)


def _seen(session: Session, number: int) -> dict[str, Any]:
    """What a simulated crew finds: the road model's analysis of the last cycle."""
    board = session.board
    if board is None or number < 0:
        words = Text("drove through, nothing noted (simulated)", "试行通过，无异常记录（模拟）")
        return {"text": words.as_dict(), "source": "simulated crew report"}
    condition = Condition(int(board.now[number]))
    words = Text(
        "drove through: {state}, friction about {grip:.2f} (simulated)",
        "试行通过：{state}，摩擦系数约{grip:.2f}（模拟）",
    ).format(state=LOOKS[condition].label, grip=float(board.friction_now[number]))
    return {
        "text": words.as_dict(),
        "value": round(float(board.friction_now[number]), 2),
        "unit": "1",
        "condition": condition.name.lower(),
        "valid_at": iso(board.at),
        "source": "simulated crew report",
    }
