"""What ``clearway serve`` refuses, and what a first start says."""

from __future__ import annotations

from pathlib import Path

import pytest

from clearway.cli.serve import check_address
from clearway.cli.serving import first_link
from clearway.kernel.errors import InputError
from clearway.network.store import save
from clearway.operations.archive import KEPT, pack, unpack
from clearway.operations.installation import SETTINGS, open_installation
from clearway.operations.pace import Pace
from clearway.operations.winter.trucks import WinterHand
from tests.operations.winter.post import need
from tests.operations.winter.test_gateway import FLEET
from tests.operations.winter.world import board
from tests.web.console.conftest import Desk


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "traffic.example"])
def test_public_address_needs_tls_or_a_named_proxy(host: str) -> None:
    """Nothing but this machine is spoken to in the clear."""
    with pytest.raises(InputError, match="no TLS"):
        check_address(host, None, None, "")
    check_address(host, Path("c.pem"), Path("k.pem"), "")
    check_address(host, None, None, "10.0.0.1")
    check_address("127.0.0.1", None, None, "")
    with pytest.raises(InputError, match="both"):
        check_address("127.0.0.1", Path("c.pem"), None, "")


def test_first_start_gives_one_link_once(desk: Desk) -> None:
    """The link leads to a password of one's own; a second start gives none."""
    link = first_link(desk.access, ("town",), "http://x")
    assert link is not None
    assert first_link(desk.access, ("town",), "http://x") is None
    account = desk.access.redeem_invite(link.rpartition("/")[2])
    assert {g.role for g in desk.access.grants(account.id)} == {"admin", "commander", "duty_officer"}


def test_new_folder_asks_whose_it_is_then_for_roads(tmp_path: Path) -> None:
    """A first start writes the settings to fill in; the next names the command that brings roads."""
    with pytest.raises(InputError, match="say whose it is"):
        open_installation(tmp_path / "new")
    assert (tmp_path / "new" / SETTINGS).exists()
    with pytest.raises(InputError, match="no roads yet"):
        open_installation(tmp_path / "new")


def test_stated_fleet_opens_the_winter_service(tmp_path: Path) -> None:
    """With winter.toml there is a service that hears each cycle; without one there is none."""
    with pytest.raises(InputError, match="say whose it is"):
        open_installation(tmp_path)
    save(board(), tmp_path / "network")
    plain = open_installation(tmp_path)
    assert plain.winter is None
    plain.close()
    (tmp_path / "winter.toml").write_text(FLEET, encoding="utf-8")
    opened = open_installation(tmp_path)
    assert opened.winter is not None
    assert isinstance(opened.session.hand, WinterHand)
    assert opened.gateway is None
    opened.winter.need = need(at=opened.session.clock.now())
    assert opened.winter.make(opened.session.clock.now()).verdict.usable
    opened.close()


def test_second_process_on_a_folder_stands_by_until_the_first_is_gone(tmp_path: Path) -> None:
    """It names the writer and runs neither cycles nor feeds; once it is the writer it tries a cycle."""
    with pytest.raises(InputError, match="say whose it is"):
        open_installation(tmp_path)
    save(board(), tmp_path / "network")
    first, second = open_installation(tmp_path), open_installation(tmp_path)
    asked: list[int] = []
    pace = Pace(second.session, poll=lambda: asked.append(1))
    pace.tick(second.session.clock.now())
    assert pace.pulse.standby
    assert pace.pulse.writer
    assert (asked, second.session.last, pace.pulse.failures) == ([], None, 0)
    first.close()
    assert second.journal.wait_until_writer(30)
    pace.tick(second.session.clock.now())
    assert not pace.pulse.standby
    assert asked == [1]
    assert pace.pulse.last_good is not None or pace.pulse.failures == 1
    second.close()


def test_kept_cycles_read_back_within_a_step(desk: Desk) -> None:
    """What is kept on disk equals the cycle to half a step, and unknown stays unknown."""
    cycles = desk.services.cycles
    assert cycles is not None
    fresh = cycles.fresh
    assert fresh is not None
    kept = cycles.at()
    assert kept is not None
    for name, how in KEPT.items():
        exact = fresh.result.fields.array(name).astype(float)
        near = unpack(kept.arrays[name], how)
        assert abs(near - exact).max() <= how.scale / 2 + 1e-6, name
        assert (unpack(pack(exact * float("nan"), how), how) != 0).all()
    assert len(cycles.hours) == 3
