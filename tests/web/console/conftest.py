"""A house with real desks that have run on a made-up snowfall, and people who sign in as anybody would."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyotp
import pytest
from starlette.testclient import TestClient

from clearway.exchange.cap.compose import Publisher
from clearway.exchange.cap.keys import generate, write_pair
from clearway.exchange.cap.signature import Signer
from clearway.kernel.clock import ManualClock
from clearway.kernel.language import Text
from clearway.network.tiles import TileStore, build_tiles
from clearway.operations.archive import CycleArchive
from clearway.operations.decisions import Decider
from clearway.operations.deployment import open_deployment
from clearway.operations.desks import all_desks
from clearway.operations.ground import Ground
from clearway.operations.publishing import Newsroom
from clearway.operations.sealing import Sealer
from clearway.operations.session import Session
from clearway.operations.storm import kinds_of_house
from clearway.operations.what_if import Change, WhatIf, what_if
from clearway.picture.picture import Weather
from clearway.records import Journal
from clearway.records.sealed import SealedStore
from clearway.web.access import AccessStore, Grant
from clearway.web.app import create_app
from clearway.web.services import Services
from tests.desks import world
from tests.web.conftest import DEPLOYMENT

PASSWORD = "a long enough password"


class Snow:
    """Weather source: it snows on cold roads from two hours ago on."""

    def at(self, moment: datetime) -> Weather:
        """Cold, and 1.5 mm an hour."""
        base = world.weather(temperature_c=-4.0, at=moment)
        falling = np.where(base.times_s > moment.timestamp() - 2 * 3600, 1.5, 0.0)
        return world.with_weather(base, precipitation_mm=falling[None, :, None])


@dataclass
class Desk:
    """The running house of the console tests."""

    services: Services
    session: Session
    clock: ManualClock
    journal: Journal
    access: AccessStore
    decider: Decider

    def account(self, login: str, *roles: str, language: str = "en") -> str:
        """A new account with password and TOTP; returns the TOTP secret."""
        account = self.access.create_account(login, login.title(), language=language)
        self.access.set_password(account.id, PASSWORD)
        for role in roles:
            self.access.grant(account.id, Grant(role, "town"))
        secret = pyotp.random_base32()
        self.access.set_totp(account.id, secret)
        return secret

    def browser(self, login: str, *roles: str, language: str = "en", strong: bool = True) -> Person:
        """Somebody signed in with password and, if strong, a code."""
        secret = self.account(login, *roles, language=language)
        person = Person(TestClient(create_app(self.services), base_url="http://testserver"), self)
        answer = person.client.post("/signin", data={"login": login, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        if strong:
            person.send("/signin/second", "/signin/second", code=pyotp.TOTP(secret).at(self.clock.now()))
        return person


@dataclass
class Person:
    """One signed-in browser without scripts."""

    client: TestClient
    house: Desk

    def get(self, path: str) -> str:
        """A page that must be there."""
        answer = self.client.get(path, headers={"accept": "text/html"})
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[-600:]}"
        return answer.text

    def csrf(self) -> str:
        """The token of the session."""
        found = re.search(r'data-csrf="([^"]+)"', self.get("/account"))
        assert found
        return found.group(1)

    def send(self, path: str, _page: str = "", **fields: str | list[str]) -> Any:
        """Send a form as the page at hand would; returns the page one ends on."""
        return self.client.post(path, data={"csrf": self.csrf(), **fields}, headers={"accept": "text/html"})


def _signer(folder: Path) -> Signer:
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    write_pair(generate("Test town", at=world.AT - timedelta(days=1)), key, certificate)
    return Signer.load(key, certificate)


def _newsroom(folder: Path) -> Newsroom:
    return Newsroom(
        Publisher("town.example", Text("Town", "某市"), contact="", web="", source=""),
        _signer(folder),
        folder / "notices",
        names={c.id: c.label for c in world.network().corridors},
        doctrine_hash=world.doctrine().hash,
        hindsight=False,
        polygon=((116.0, 39.8), (116.3, 39.8), (116.3, 40.0), (116.0, 39.8)),
    )


def _journal(folder: Path, clock: ManualClock) -> Journal:
    url = f"sqlite:///{folder / 'journal.sqlite'}"
    return Journal.open(url, kinds_of_house(), clock=clock, doctrine_hash=world.doctrine().hash)


@pytest.fixture(scope="session")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Session]:
    """Three cycles, run once; each test works on a copy."""
    folder = tmp_path_factory.mktemp("played")
    clock = ManualClock(world.AT - timedelta(hours=3))
    doctrine, network = world.doctrine(), world.network()
    journal = _journal(folder, clock)
    open_deployment(journal, DEPLOYMENT, network, simulated=False)
    columns = world.columns(network)
    ground = Ground(network, columns, tuple(a.id for a in network.areas), "town", doctrine, all_desks())
    session = Session(ground, journal, Snow(), clock, simulated=False)
    cycles = CycleArchive(columns, folder / "cycles")
    session.on_cycle = lambda picture, result: cycles.put(picture, session.state_before, result)
    for hours in (2, 1, 0):
        session.step(world.AT - timedelta(hours=hours))
    journal.close()
    build_tiles(network, folder / "roads.pmtiles", column=columns.segment_column)
    return folder, session


@pytest.fixture
def desk(tmp_path: Path, played: tuple[Path, Session]) -> Iterator[Desk]:
    """A house of its own in which three cycles have run."""
    with opened(*played, tmp_path / "house") as house:
        yield house


@contextmanager
def opened(template: Path, session: Session, folder: Path) -> Iterator[Desk]:
    """A copy of the played house in a folder of its own, until the block ends."""
    shutil.copytree(template, folder)
    clock = ManualClock(world.AT)
    journal = _journal(folder, clock)
    newsroom = _newsroom(folder)
    decider = Decider(journal, kinds_of_house(), newsroom)
    ground = session.ground
    cycles = CycleArchive(ground.columns, folder / "cycles")
    assert session.picture is not None
    assert session.last is not None
    cycles.put(session.picture, session.state_before, session.last)
    access = AccessStore(folder / "access.sqlite", clock)

    def ask(change: Change) -> WhatIf:
        fresh = cycles.fresh
        assert fresh is not None
        return what_if(fresh.picture, fresh.before, ground.doctrine, ground.desks, change, fresh.result)

    sealed = SealedStore.beside(f"sqlite:///{folder / 'journal.sqlite'}", clock)
    services = Services(
        journal=journal,
        access=access,
        network=ground.network,
        board=lambda: session.board,
        cap_file=newsroom.file,
        feed=lambda form: newsroom.feed(form, clock.now()),
        doctrine=ground.doctrine,
        clock=clock,
        area=DEPLOYMENT.name,
        zone=DEPLOYMENT.zone,
        decider=decider,
        cycles=cycles,
        tiles=TileStore(folder / "roads.pmtiles"),
        what_if=ask,
        sealer=Sealer(journal, sealed),
    )
    yield Desk(services, session, clock, journal, access, decider)
    sealed.close()
    journal.close()
    access.close()
