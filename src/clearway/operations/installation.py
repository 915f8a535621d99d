"""A live installation in a folder: roads, stores, keys and the file ``clearway.toml`` that says whose it is.

clearway.toml   network/   journal.sqlite   access.sqlite   series.sqlite   outbox.sqlite
journal.sealed.sqlite   journal.keys.sqlite (words and photos of callers, and their keys)
winter.toml (stores and trucks of the plough fleet: optional)
cycles/   notices/   feeds/cap/ (outside warnings)
keys/ (key.pem, certificate.pem: optional, notices are unsigned without)
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from clearway.doctrine import load_doctrine
from clearway.exchange.cap.compose import Publisher
from clearway.exchange.cap.keys import generate, write_pair
from clearway.exchange.cap.signature import Pins, Signer
from clearway.kernel.clock import Clock, epoch_s, zone
from clearway.kernel.errors import InputError
from clearway.kernel.language import Text
from clearway.network.model import Network
from clearway.network.store import holds_network, load
from clearway.operations.archive import CycleArchive
from clearway.operations.decisions import Decider
from clearway.operations.delivery import Delivery
from clearway.operations.deployment import POSTS, Deployment, open_deployment
from clearway.operations.forecast.live import Live
from clearway.operations.outside import OutsideWarnings
from clearway.operations.pace import LiveClock
from clearway.operations.publishing import Newsroom
from clearway.operations.road_sensors import LiveSensors
from clearway.operations.sealing import KEEP, Sealer
from clearway.operations.session import Session
from clearway.operations.storm import ground_of, kinds_of_house
from clearway.operations.winter.fleet_file import read_fleet
from clearway.operations.winter.gateway import Gateway
from clearway.operations.winter.restart import KEPT_FILE, take_up
from clearway.operations.winter.service import FLEET_FILE, WinterService
from clearway.operations.winter.trucks import WinterHand
from clearway.picture.desk import CycleResult
from clearway.picture.picture import Picture, Treatment, Weather
from clearway.records import Journal
from clearway.records.sealed import SealedStore
from clearway.series.store import SeriesStore

SETTINGS: Final = "clearway.toml"
TEMPLATE: Final = """\
# Whose installation this is. Fill in and start again.
area = "my-city"                     # id of the jurisdiction
name = { en = "My City", zh = "某市" }
nation = "cn"
nation_name = { en = "China", zh = "中国" }
zone = "Asia/Shanghai"               # IANA time zone
packs = ["cn"]                       # doctrine packs
sender = "traffic.my-city.example"   # CAP sender, unique in the world
public_url = "https://traffic.my-city.example"
keep_sealed_days = 90                # how long words and photos of callers are kept
sign = { columns = 24, rows = 3 }    # message signs: a Chinese character takes two columns

# Truck messages over MQTT (needs the extra clearway[mqtt] and winter.toml with the fleet):
# [mqtt]
# host = "broker.my-city.example"
# port = 1883
# username = "clearway"
# password_env = "CLEARWAY_MQTT_PASSWORD"    # environment variable with the password

# Channels that get every notice, as many as you like:
# [[channel]]
# name = "radio"
# kind = "file"                      # a file for each notice
# folder = "out/radio"
# [[channel]]
# name = "neighbour"
# kind = "webhook"
# url = "https://warnings.neighbour.example/clearway"
# secret_env = "CLEARWAY_NEIGHBOUR_SECRET"   # environment variable with the shared secret

# Sign-in through another house (OpenID Connect); register PUBLIC_URL/signin/oidc/callback there:
# [oidc]
# issuer = "https://login.my-city.example"
# client_id = "clearway"
# client_secret_env = "CLEARWAY_OIDC_SECRET"
# name = { en = "City sign-in", zh = "统一身份认证" }
# amr = ["otp", "hwk"]               # methods that prove a second factor there; leave out: none does
"""


@dataclass(slots=True)
class Installation:
    """Everything a live installation holds open; close it with :meth:`close`."""

    settings: Mapping[str, Any]
    session: Session
    journal: Journal
    decider: Decider
    newsroom: Newsroom
    network: Network
    deployment: Deployment
    series: SeriesStore
    delivery: Delivery
    cycles: CycleArchive
    sealer: Sealer
    outside: OutsideWarnings
    winter: WinterService | None = None
    gateway: Gateway | None = None

    def poll(self) -> None:
        """Look into the feeds."""
        self.outside.poll(self.session.clock.now())

    def close(self) -> None:
        """Close the stores."""
        if self.gateway is not None:
            self.gateway.stop()
        self.journal.close()
        self.series.close()
        self.delivery.close()
        self.sealer.store.close()


@dataclass(frozen=True, slots=True)
class LiveSource:
    """Live weather for a session."""

    live: Live
    members: int = 10

    def at(self, moment: datetime) -> Weather:
        """Weather as known at a moment."""
        return self.live.weather(epoch_s(moment), members=self.members)


def begin_settings(folder: Path) -> None:
    """Give a folder without settings a file to fill in.

    Raises:
        InputError: there were none; the file is there now.
    """
    path = folder / SETTINGS
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(TEMPLATE, encoding="utf-8")
        raise InputError("a new installation: say whose it is", where=str(path), hint="Edit it, start again")


def read_settings(folder: Path) -> dict[str, Any]:
    """The settings of an installation; nothing is made where there is none.

    Raises:
        InputError: not an installation, or its settings cannot be read.
    """
    path = folder / SETTINGS
    if not path.exists():
        hint = f"Give the folder with --data, or begin one: clearway serve --data {folder}"
        raise InputError("there is no installation here", where=str(folder), hint=hint)
    try:
        settings = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"cannot be read: {error}", where=str(path)) from error
    needed = ("area", "name", "nation", "nation_name", "zone", "sender", "public_url")
    missing = [name for name in needed if name not in settings]
    if missing:
        raise InputError(f"{', '.join(missing)} missing", where=str(path))
    zone(str(settings["zone"]))
    return settings


def journal_url(folder: Path, settings: Mapping[str, Any]) -> str:
    """Where the journal of an installation lies."""
    path = (folder / "journal.sqlite").resolve().as_posix()
    return str(settings.get("journal") or f"sqlite:///{path}")


def open_sealer(journal: Journal, url: str, settings: Mapping[str, Any], clock: Clock) -> Sealer:
    """The sealed store beside a journal, with the retention time of the installation.

    Raises:
        InputError: ``keep_sealed_days`` is no positive number of days.
    """
    days = settings.get("keep_sealed_days", KEEP / timedelta(days=1))
    if isinstance(days, bool) or not isinstance(days, int | float) or not 0 < days <= 36_500:
        raise InputError("must be a number of days above 0", where=f"{SETTINGS}: keep_sealed_days")
    keys_url = str(settings.get("sealed_keys", ""))
    return Sealer(journal, SealedStore.beside(url, clock, keys_url=keys_url), keep=timedelta(days=days))


def open_installation(folder: Path) -> Installation:
    """Open a live installation; a folder without settings gets a file to fill in.

    Raises:
        InputError: settings or roads are missing or wrong; says which command helps.
        SystemFailureError: a store cannot be opened.
    """
    begin_settings(folder)
    settings = read_settings(folder)
    roads = folder / "network"
    if not holds_network(roads):
        raise InputError("no roads yet", where=str(roads), hint=f"clearway import roads FILE --out {roads}")
    network = load(roads)
    overrides = folder / "doctrine.toml"
    doctrine = load_doctrine(
        settings.get("packs", ["cn"]), overrides=overrides if overrides.exists() else None
    )
    deployment = _deployment(settings, network)
    ground, cells = ground_of(network, doctrine, deployment.area)
    clock, kinds = LiveClock(), kinds_of_house()
    url = journal_url(folder, settings)
    journal = Journal.open(url, kinds, clock=clock, doctrine_hash=doctrine.hash)
    open_deployment(journal, deployment, network, simulated=False)
    series = SeriesStore(folder / "series.sqlite")
    delivery = Delivery.live(folder / "outbox.sqlite", settings, clock)
    newsroom = Newsroom(
        Publisher(settings["sender"], deployment.name, contact="", web=settings["public_url"], source=""),
        _signer(folder / "keys", str(settings["sender"]), clock.now()),
        folder / "notices",
        names={c.id: c.label for c in network.corridors} | {a.id: a.name for a in network.areas},
        doctrine_hash=doctrine.hash,
        hindsight=False,
        polygon=deployment.polygon,
        on_publish=delivery.on_publish,
    )
    events = [event for row in journal.list("notice") for event in journal.history(row.id)[-1:]]
    newsroom.catch_up((event, journal.get(event.record_id).data) for event in events)
    cycles = CycleArchive(ground.columns, folder / "cycles")
    session = Session(ground, journal, LiveSource(Live(series, cells)), clock, simulated=False)
    session.road_sensors = LiveSensors(series).at
    sealer = open_sealer(journal, url, settings, clock)
    outside = _outside(journal, folder / "feeds" / "cap", deployment, str(settings["sender"]))

    def after_cycle(picture: Picture, result: CycleResult) -> None:
        cycles.put(picture, session.state_before, result)
        sealer.store.purge()

    session.on_cycle = after_cycle
    decider = Decider(journal, kinds, newsroom)
    winter = _winter(folder, session, deployment)
    return Installation(
        settings,
        session,
        journal,
        decider,
        newsroom,
        network,
        deployment,
        series,
        delivery,
        cycles,
        sealer,
        outside,
        winter,
        Gateway.of(winter, settings) if winter is not None else None,
    )


def _winter(folder: Path, session: Session, deployment: Deployment) -> WinterService | None:
    """The winter service, where the installation states a fleet."""
    path = folder / FLEET_FILE
    if not path.exists():
        return None

    def lay(treatment: Treatment) -> None:
        session.treatments.append(treatment)

    service = WinterService(
        session.ground.network,
        session.ground.doctrine,
        session.journal,
        read_fleet(path),
        deployment.area,
        deployment.zone,
        lay,
        keep_in=folder / KEPT_FILE,
    )
    take_up(service)
    session.hand = WinterHand(session, service)
    return service


def _outside(journal: Journal, folder: Path, deployment: Deployment, own_sender: str) -> OutsideWarnings:
    """Outside warnings from a folder; certificates in its ``pins/*.pem`` are trusted."""
    folder.mkdir(parents=True, exist_ok=True)
    trusted = [path.read_bytes() for path in sorted((folder / "pins").glob("*.pem"))]
    (west, south), (east, north) = deployment.polygon[0], deployment.polygon[2]
    return OutsideWarnings(
        journal,
        folder,
        area=deployment.area,
        box=(west, south, east, north),
        own_sender=own_sender,
        pins=Pins.from_pem(trusted) if trusted else None,
    )


def _deployment(settings: Mapping[str, Any], network: Network) -> Deployment:
    coords = network.coords
    west, south = (float(v) for v in coords.min(axis=0))
    east, north = (float(v) for v in coords.max(axis=0))
    return Deployment(
        area=str(settings["area"]),
        name=Text.of(settings["name"]),
        nation=str(settings["nation"]),
        nation_name=Text.of(settings["nation_name"]),
        zone=str(settings["zone"]),
        posts=POSTS,
        units=(),
        polygon=((west, south), (east, south), (east, north), (west, north), (west, south)),
    )


def _signer(folder: Path, name: str, at: datetime) -> Signer:
    """The installation's key; a self-signed one is made when there is none: nothing goes out unsigned."""
    folder.mkdir(exist_ok=True)
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    if not key.exists():
        write_pair(generate(name, at=at), key, certificate)
    return Signer.load(key, certificate)
