"""A small house over HTTP: real journal, real access store, the made-up world of the desk tests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from clearway.kernel.clock import ManualClock
from clearway.kernel.language import Text
from clearway.operations.deployment import POSTS, Deployment, UnitSpec, open_deployment
from clearway.operations.sealing import Sealer
from clearway.operations.storm import kinds_of_house
from clearway.records import Journal
from clearway.records.sealed import SealedStore
from clearway.web.access import AccessStore, Grant
from clearway.web.app import create_app
from clearway.web.services import Services
from tests.desks import world

DEPLOYMENT = Deployment(
    area="town",
    name=Text("Town", "某市"),
    nation="land",
    nation_name=Text("Land", "某国"),
    zone="Asia/Shanghai",
    posts=POSTS,
    units=(UnitSpec("unit-1", "plough_spreader", Text("Plough 1", "除雪1号")),),
)


@dataclass(frozen=True)
class House:
    """What a web test may touch."""

    client: TestClient
    services: Services
    clock: ManualClock
    journal: Journal
    access: AccessStore

    def token(self, role: str, *scopes: str, area: str = "town", login: str = "") -> dict[str, str]:
        """Headers of a fresh account that holds one role."""
        account = self.access.create_account(login or f"{role}-{len(self.access.accounts())}", role)
        self.access.grant(account.id, Grant(role, area))
        scopes = scopes or ("read", "command")
        secret = self.access.issue_token(account.id, scopes=frozenset(scopes), label="test")
        return {"authorization": f"Bearer {secret}"}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A running house with areas, posts and one unit."""
    clock = ManualClock(world.AT)
    doctrine, network = world.doctrine(), world.network()
    journal = Journal.open(
        f"sqlite:///{tmp_path / 'journal.sqlite'}", kinds_of_house(), clock=clock, doctrine_hash=doctrine.hash
    )
    open_deployment(journal, DEPLOYMENT, network, simulated=False)
    access = AccessStore(tmp_path / "access.sqlite", clock)
    sealed = SealedStore.beside(f"sqlite:///{tmp_path / 'journal.sqlite'}", clock)
    services = Services(
        journal=journal,
        access=access,
        network=network,
        board=lambda: None,
        cap_file=lambda identifier: b"<alert/>" if identifier == "urn:one" else None,
        feed=lambda form: f"<{form}/>".encode(),
        doctrine=doctrine,
        clock=clock,
        area=DEPLOYMENT.name,
        zone=DEPLOYMENT.zone,
        sealer=Sealer(journal, sealed),
    )
    with TestClient(create_app(services), raise_server_exceptions=False) as client:
        yield House(client, services, clock, journal, access)
    journal.close()
    access.close()
    sealed.close()


def measure(clock: ManualClock, hours: float = 6) -> dict[str, object]:
    """Body of a speed limit that can be ordered."""
    now = clock.now()
    return {
        "type": "SPEED",
        "headline": {"en": "Limit 30 km/h", "zh": "限速30公里/小时"},
        "corridors": ["cor-0"],
        "kmh": 30,
        "restrictive": True,
        "legal_basis": "Road Traffic Safety Law art. 39",
        "decider": "city traffic police",
        "area": "town",
        "starts": now.isoformat(),
        "expiry": (now + timedelta(hours=hours)).isoformat(),
        "review_at": (now + timedelta(hours=1)).isoformat(),
        "lift_condition": {"en": "no ice", "zh": "无冰"},
    }
