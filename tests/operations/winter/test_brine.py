"""Brine on the lists: who sprays it, what it takes from tank and store, and what the cab reads."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from clearway.desks.winter.plan import solve
from clearway.desks.winter.progress import Progress
from clearway.desks.winter.reasons import Reason
from clearway.doctrine import load_doctrine
from clearway.kernel.errors import InputError
from clearway.operations.winter.build import Order, Site
from clearway.operations.winter.check import check_plan
from clearway.operations.winter.fleet import Fleet
from clearway.operations.winter.fleet_file import read_fleet
from clearway.operations.winter.ledger import Ledger
from clearway.operations.winter.live import Control
from clearway.operations.winter.need import Need, night_orders
from clearway.operations.winter.sheets import lines, sheet
from clearway.operations.winter.simulated import SimulatedFleet, play
from tests.operations.winter.world import START, board, fleet, site

BRINE = Order("brine", 8.0)
STRENGTH, KG_PER_L = 0.233, 1.18


def sprayers(count: int, *, of: int = 3, tank_l: float = 600.0) -> Fleet:
    """A fleet whose first trucks carry a tank."""
    base = fleet(of)
    made = tuple(replace(t, tank_l=tank_l if k < count else 0.0) for k, t in enumerate(base.trucks))
    return replace(base, trucks=made)


def planned(of: Fleet, order: Order = BRINE) -> Site:
    """The whole board with one order."""
    return site(order, of=of)


def test_only_tankers_spray_and_they_spread_nothing() -> None:
    """Brine goes to trucks with a tank, salt to the others, in one fleet."""
    world = planned(sprayers(1))
    plan = solve(world.problem, rounds=60)
    assert check_plan(world, plan).faults == ()
    assert plan.order[0]
    assert not plan.order[1]
    salt = planned(sprayers(1), Order("salt", 20.0))
    lists = solve(salt.problem, rounds=60)
    assert check_plan(salt, lists).faults == ()
    assert not lists.order[0]


def test_tank_and_store_hold_different_things() -> None:
    """Tanks empty by solution; stores, reports and judgement count the salt in it, 23.3 %."""
    world = planned(sprayers(2, tank_l=250.0))
    plan = solve(world.problem, rounds=60)
    assert check_plan(world, plan).faults == ()
    stops = world.problem.stops
    salt = sum(s.dry_kg for s in stops)
    lengths = sum(world.problem.stretches[s.stretch].length_m * s.width_m for s in stops)
    assert salt == pytest.approx(8.0 * lengths / 1000.0)
    assert sum(s.salt_kg for s in stops) == pytest.approx(salt / STRENGTH)
    assert {c.capacity_kg for c in world.problem.crews if c.spray_m} == {250.0 * KG_PER_L}
    control, ledger = Control(world, Progress(plan)), Ledger(world)
    ledger.ask(stops)
    play(control, SimulatedFleet(world, plan), -1.0, 1e6)
    assert sum(d.salt_kg for d in control.progress.done.values()) == pytest.approx(salt)
    tanks = sum(c.capacity_kg for c in world.problem.crews if c.spray_m)
    taken = sum(d.stock_kg for d in world.problem.depots) - sum(ledger.stock_kg(control.progress).values())
    assert taken == pytest.approx(float(plan.depot_use_kg().sum()))
    assert 0.0 < taken <= salt + STRENGTH * tanks
    assert taken + STRENGTH * tanks >= salt


def test_without_a_tank_it_is_said_and_dry_salt_is_ordered(tmp_path: Path) -> None:
    """A house that wants brine but has no tanker: named when forced, dry salt in the orders of the night."""
    world = planned(fleet(2))
    assert not world.problem.stops
    assert [t.en for t in world.problem.left_out] == ["no truck has a brine tank"]
    path = tmp_path / "local.toml"
    path.write_text('[winter.rate.use]\ngrade = "D"\nsource = "test"\nform = "brine"\n', encoding="utf-8")
    rules, count = load_doctrine(["cn"], overrides=path), len(board().corridors)
    even = np.full(count, 3.0)
    need = Need(START, np.full(count, int(Reason.FROST_MILD), np.int8), even, -even / 3, even * 0, even / 30)
    for has, action in ((False, "salt"), (True, "brine")):
        assert {o.action for o in night_orders(need, board(), rules, brine=has).values()} == {action}
    rainy = replace(need, rain_mm=even)
    assert {o.action for o in night_orders(rainy, board(), rules, brine=True).values()} == {"salt"}
    early = replace(need, reason=np.full(count, int(Reason.NOT_YET), np.int8), onset_h=even + 4)
    assert {o.action for o in night_orders(early, board(), rules, brine=True).values()} == {"brine"}


def test_cab_reads_litres(tmp_path: Path) -> None:
    """The list and the sheet say BRINE and ml/m², in both languages."""
    world = planned(sprayers(3))
    plan = solve(world.problem, rounds=30)
    crew = next(c for c, stops in enumerate(plan.order) if stops)
    work = [line for line in lines(world, plan, crew) if line.stop]
    assert {(line.work, line.amount) for line in work} == {("brine", "29 ml/m²")}
    assert "BRINE 29 ml/m²" in sheet(world, plan, crew, "en", "Asia/Shanghai")
    assert "喷盐水 29 ml/m²" in sheet(world, plan, crew, "zh", "Asia/Shanghai")


FILE = """
[[store]]
id = "a"
name = {{ en = "A", zh = "甲" }}
lon = 116.3
lat = 39.9
stock_t = 10
[[truck]]
id = "unit-1"
name = {{ en = "Tanker", zh = "盐水车" }}
store = "a"
tank_l = {tank}
{more}
"""


def test_tankers_come_from_the_fleet_file(tmp_path: Path) -> None:
    """``tank_l`` is read and judged; spreader and tank together are refused by name."""
    path = tmp_path / "winter.toml"
    path.write_text(FILE.format(tank=4000, more="plough = false"), encoding="utf-8")
    found = read_fleet(path)
    assert (found.sprays, found.trucks[0].tank_l) == (True, 4000.0)
    path.write_text(FILE.format(tank=5, more=""), encoding="utf-8")
    with pytest.raises(InputError, match="5 is impossible"):
        read_fleet(path)
    path.write_text(FILE.format(tank=4000, more="spreader = true"), encoding="utf-8")
    with pytest.raises(InputError, match="spreader and a brine tank"):
        read_fleet(path)
