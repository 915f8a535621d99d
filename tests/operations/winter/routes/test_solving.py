"""From file to checked plan: optimal small instances, repeatable runs, late plans, what is left out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clearway.exchange import salt_spreading
from clearway.exchange.carp import parser
from clearway.exchange.carp.solutions import CarpRoutes, Served, read_routes, write
from clearway.exchange.salt_spreading.solutions import read_solution
from clearway.kernel.errors import InputError
from clearway.operations.winter.routes.check_carp import check_carp
from clearway.operations.winter.routes.check_salt import check_salt
from clearway.operations.winter.routes.merge import fewer_trips
from clearway.operations.winter.routes.salt_problem import pose_salt
from clearway.operations.winter.routes.salt_search import structures
from clearway.operations.winter.routes.solving import Order, check_file, open_file, solve_file
from clearway.operations.winter.routes.stock import too_much
from tests.exchange.carp.test_carp import COMPACT, SPANISH
from tests.exchange.salt_spreading.test_salt import toy
from tests.operations.winter.routes.test_problems import island

FAST = Order(iterations=2000, bound_s=0.5)


@pytest.mark.parametrize(
    ("name", "best"),
    [("gdb1", 316), ("gdb4", 287), ("gdb19", 55), ("val1A", 173)],
)
def test_small_instances(shared_data: Path, name: str, best: float) -> None:
    """The best known value is reached, the checker agrees, and no bound is above it."""
    instance = open_file(shared_data / "winter" / "carp" / f"{name}.dat")
    found = solve_file(instance, Order(iterations=40_000, bound_s=0.5))
    assert found.verdict.ok
    assert found.cost == best == found.verdict.cost
    assert found.lower_bound is not None
    assert found.lower_bound <= best
    assert found.gap == 0


def test_both_dialects_give_the_same_cost() -> None:
    """One problem, written twice: two trips, 28 by hand, less than one file's false bound of 30."""
    compact, spanish = (solve_file(open_file(text.encode()), FAST) for text in (COMPACT, SPANISH))
    assert compact.cost == spanish.cost == 28
    assert [f.code for f in compact.findings] == ["false_bound"]
    assert compact.lower_bound is not None
    assert compact.lower_bound <= 28
    assert spanish.findings == ()


def test_a_run_by_iterations_repeats() -> None:
    """The same seed and iterations give the same solution file."""
    instance = open_file(COMPACT.encode())
    assert solve_file(instance, FAST).solution == solve_file(instance, FAST).solution


@pytest.mark.slow
def test_processes_keep_the_best(shared_data: Path) -> None:
    """Two processes with one seed each give what the better of two single runs gives."""
    instance = open_file(shared_data / "winter" / "carp" / "gdb8.dat")
    order = Order(iterations=300, bound_s=0.1)
    single = [solve_file(instance, Order(iterations=300, bound_s=0.1, seed=s)).cost for s in (1, 2)]
    both = solve_file(instance, Order(iterations=300, bound_s=0.1, processes=2))
    assert both.cost == min(single)
    assert both.order.processes == 2
    assert order.seed == 1


def test_the_solution_file_is_read_back() -> None:
    """What is written is judged as fit, by itself and by ``check_file``."""
    instance = parser.read(SPANISH.encode())
    found = solve_file(instance, FAST)
    assert check_carp(instance, read_routes(found.solution)).cost == found.cost
    again = check_file(instance, found.solution.encode())
    assert again.verdict.ok
    assert again.cost == found.cost


def test_salt_toy() -> None:
    """The toy: a fit plan no longer than the one by hand, one refill, read back from its own file."""
    instance = salt_spreading.read(toy())
    found = solve_file(instance, FAST)
    assert found.verdict.ok
    assert 14 < found.cost <= 25
    assert found.lower_bound is not None
    assert found.lower_bound <= found.cost
    assert check_salt(instance, read_solution(found.solution, instance)).cost == found.cost
    assert check_file(instance, found.solution.encode()).verdict.ok


def test_gualandi(shared_data: Path) -> None:
    """The shipped toy: fit, and its bound of 70 m shows how near the plan is."""
    instance = open_file(shared_data / "winter" / "salt_spreading" / "gualandi" / "gualandi.json")
    found = solve_file(instance, FAST)
    assert found.verdict.ok
    assert 70 <= found.cost + 1e-6 <= 110


@pytest.mark.slow
def test_kerteminde(shared_data: Path) -> None:
    """The real one with little effort: fit under all its rules and shorter than the operator's 379.7 km."""
    instance = open_file(shared_data / "winter" / "salt_spreading" / "kerteminde" / "kerteminde.json")
    found = solve_file(instance, Order(iterations=40_000, bound_s=0.5))
    assert found.verdict.ok
    assert found.verdict.served == 266
    assert found.cost < 379_686


def test_a_limit_nobody_can_meet() -> None:
    """It is said with the bound, and the least late plan serves every road."""
    instance = salt_spreading.read(toy(lambda d: d.update(max_time=7)))
    found = solve_file(instance, FAST)
    assert [f.code for f in found.verdict.findings if f.grave] == ["late"]
    assert found.verdict.served == 3
    assert "no plan can keep" in found.words[0].en
    assert "任何方案" in found.words[0].zh


def wide(d: dict[str, Any]) -> None:
    """Two trucks and two depots."""
    d["vehicles"].append({"id": "2", "home": "c", "capacity": 10})
    d["depots"].append({"label": "b", "refill": 10})


def test_structures() -> None:
    """Fewest refills first; every truck has one entry; depots are those of the file."""
    one = structures(pose_salt(salt_spreading.read(toy())))
    assert one[0] == (("d",),)
    assert [sum(map(len, s)) for s in one] == [1, 2, 3]
    two = structures(pose_salt(salt_spreading.read(toy(wide))))
    assert two[0] == ((), ())
    assert {len(s) for s in two} == {2}
    assert {d for s in two for stops in s for d in stops} == {"b", "d"}


def cut_off(d: dict[str, Any]) -> None:
    """All roads too much for the truck."""
    d["vehicles"][0]["capacity"] = 1


@pytest.mark.parametrize(
    ("text", "codes", "left", "planned"),
    [
        (SPANISH.replace("demanda 2", "demanda -2", 1).encode(), ["negative_demand"], 0, True),
        (SPANISH.replace("demanda 2", "demanda 4", 1).encode(), ["too_small"], 1, True),
        (b"6\n2\n0 1 5 2\n2 3 4 1\n1\n9\n", ["unreachable"], 1, True),
        (b"3\n2\n0 1 5 9\n1 2 4 8\n1\n3\n", ["too_small", "too_small"], 2, False),
        (toy(island), ["unreachable"], 1, True),
        (toy(cut_off), ["too_small", "too_small", "too_small"], 3, False),
    ],
)
def test_what_is_wrong_is_named_and_the_rest_is_planned(
    text: bytes, codes: list[str], left: int, planned: bool
) -> None:
    """Faults are findings; all other roads are in a fit plan; with none left that is said."""
    found = solve_file(open_file(text), FAST)
    assert [f.code for f in found.findings] == codes
    assert len(found.left_out) == left
    assert found.planned is planned
    assert found.verdict.ok
    assert (found.cost > 0) is planned


@pytest.mark.parametrize("text", [b"", b" \n", b"\xff\xfe", b"{}", b"[]", b"hello", b"3 4 5"])
def test_files_that_cannot_be_used(text: bytes) -> None:
    """What and where are said."""
    with pytest.raises(InputError) as caught:
        solve_file(open_file(text), FAST)
    assert caught.value.what
    assert caught.value.where


def test_a_bounded_fleet(shared_data: Path) -> None:
    """With fewer vehicles than the demand needs, as few roads as can be are left out; the rest is driven."""
    instance = open_file(shared_data / "winter" / "carp" / "gdb1.dat")
    tell: list[str] = []
    say: Callable[..., None] = lambda text: tell.append(text.zh)  # noqa: E731
    found = solve_file(instance, Order(iterations=500, vehicles=3, bound_s=0.1), say)
    assert found.verdict.ok
    assert (found.verdict.served, found.not_planned) == (15, 7)
    assert found.as_dict()["planned_all"] is False
    assert len(found.verdict.routes) <= 3
    assert any("下界" in line for line in tell)


def test_a_limit_that_cannot_carry_the_demand(shared_data: Path) -> None:
    """Two vehicles of gdb1 carry too little: that is said, and no gap to the best of all roads is given."""
    instance = open_file(shared_data / "winter" / "carp" / "gdb1.dat")
    found = solve_file(instance, Order(iterations=200, vehicles=2, bound_s=0.1))
    assert [f.code for f in found.findings if f.grave] == ["short_fleet"]
    assert "at least 5 vehicles" in found.words[0].en
    assert "不存在可行方案" in found.words[0].zh
    assert found.best_known is None
    assert len(found.left_out) == 12


def test_no_depot_refills() -> None:
    """The toy with refills of 0: trucks, refills and demand are named with figures, one road is left out."""
    instance = salt_spreading.read(toy(lambda d: d["depots"][0].update(refill=0)))
    found = solve_file(instance, FAST)
    (finding,) = found.findings
    assert (finding.code, finding.where) == ("no_stock", "vehicles, depots.refill, demand")
    greatest = max(instance.required, key=lambda k: instance.roads[k].demand)
    assert found.left_out == (instance.roads[greatest].where,)
    assert instance.roads[greatest].where in finding.text.en
    assert f"carry {instance.trucks[0].capacity:g} together" in finding.text.en
    assert found.verdict.ok


def test_the_fewest_roads_are_left_out_that_let_the_rest_fit() -> None:
    """In sum two roads of 3 and two of 2 fit into 5 + 5; three of 4 do not fit one by one into 6 + 6."""
    assert too_much([3, 3, 2, 2], [1, 1, 1, 1], [5, 5]) == []
    assert too_much([4, 4, 4], [1, 9, 1], [6, 6]) == [1]
    assert too_much([9, 1, 1], [1, 1, 1], [2]) == [0]
    assert too_much([2, 2], [1, 1], [1]) == [0, 1]


def test_an_impossible_best_value_is_not_believed() -> None:
    """A stated best value below the proven bound is named and no gap is measured to it."""
    text = COMPACT.replace("\n36", "\n5").replace("\n30", "\n1")
    found = solve_file(open_file(text.encode()), FAST)
    assert "false_best" in [f.code for f in found.findings]
    assert found.best_known is None
    assert found.gap is not None
    assert found.gap >= 0


def test_an_unfit_solution_has_no_gap() -> None:
    """Half a solution costs less than the bound; that is no gap."""
    instance = parser.read(COMPACT.encode())
    whole = solve_file(instance, FAST)
    first = read_routes(whole.solution).routes[0]
    half = check_file(instance, write(instance, [first], 0.0).encode())
    assert not half.verdict.ok
    assert half.gap is None
    assert half.as_dict()["gap_to_bound"] is None
    assert check_file(instance, whole.solution.encode()).gap is not None


def test_trips_that_fit_together_are_joined() -> None:
    """Two half-full trips are one vehicle's work at the same cost; full ones stay apart."""
    instance = parser.read(b"4\n3\n0 1 5 1\n0 2 5 1\n0 3 5 2\n3\n2\n")
    apart = CarpRoutes(((Served(0, 1, 0),), (Served(0, 2, 1),), (Served(0, 3, 2),)))
    joined = fewer_trips(instance, apart)
    assert len(joined.routes) == 2
    before, after = (check_carp(instance, r) for r in (apart, joined))
    assert after.ok
    assert after.cost == before.cost == 30


def test_the_bound_takes_its_time_out_of_the_seconds() -> None:
    """A tenth of the seconds by default, no more than the format's; what it took is not searched again."""
    assert Order(seconds=10.0).bound_seconds("carp") == 1.0
    assert Order(seconds=60.0).bound_seconds("carp") == 2.0
    assert Order(seconds=10.0, bound_s=3.0).bound_seconds("carp") == 3.0
    assert Order(seconds=10.0).less(1.5).seconds == 8.5
    assert Order(seconds=10.0).less(99.0).seconds == 1.0


@pytest.mark.parametrize("line", ["0 1 5 -2", "0 1 -5 2"])
def test_figures_of_another_problem_are_not_used(line: str) -> None:
    """With a road dropped the file's best value and bound say nothing, and nobody is accused."""
    instance = open_file(COMPACT.replace("0 1 5 2", line).encode())
    found = solve_file(instance, FAST)
    assert found.best_known is None
    assert found.lower_bound == found.own_bound
    assert [f.code for f in found.findings if f.code.startswith("false")] == []
    assert found.not_planned == 1
    again = check_file(instance, found.solution.encode())
    assert (again.best_known, again.lower_bound) == (None, again.own_bound)
