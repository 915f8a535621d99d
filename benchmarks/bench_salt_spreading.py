"""Kerteminde: salting a real Danish municipality (193 nodes, two trucks, two depots, 3.5 hours) in 120 s.

Ours, the recorded solution of the operator, and PyVRP (two clients a road, one of which must be visited,
reloads at depots, the same matrix of ways with all turn bans) get the same instance; both searches get the
same processor time on one core. Every solution is driven by the checker, which shares no code with the
searches; a plan that is not fit counts for nothing. The bound is proven here. Then a network four times as
large, which no plan can serve in time: the last truck is to be done as early as can be.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from benchmarks.harness import ROOT, Row

if TYPE_CHECKING:
    from clearway.exchange.salt_spreading import SaltInstance
    from clearway.operations.winter.routes.verdict import Verdict

RELOADS: Final = 2


def _folder() -> Path:
    shared = Path(os.environ.get("CLEARWAY_SHARED_DATA") or ROOT.parent / "shared" / "data")
    return shared / "winter" / "salt_spreading" / "kerteminde"


def pyvrp_plan(instance: SaltInstance, seconds: float, seed: int) -> Verdict:
    """The checker's verdict on PyVRP's best plan."""
    from pyvrp import Client, ClientGroup, Depot, Location, ProblemData, VehicleType, solve

    from clearway.desks.winter.routing.model import ArcPlan
    from clearway.operations.winter.routes.check_salt import check_salt
    from clearway.operations.winter.routes.salt_problem import pose_salt

    posed = pose_salt(instance)
    homes, depots = [t.home for t in instance.trucks], [d.label for d in instance.depots]
    first = [posed.modes + posed.start(h) for h in homes] + [posed.modes + posed.start(d) for d in depots]
    into = [posed.modes + posed.start(h) for h in homes] + [posed.modes + posed.end(d) for d in depots]
    leave = [*first, posed.modes + posed.anywhere, *range(posed.modes)]
    enter = [*into, posed.modes + posed.anywhere, *range(posed.modes)]
    terminals = len(first) + 1
    length = np.zeros(len(leave))
    length[terminals:] = posed.ways.length[posed.states[: posed.modes]]
    ways = posed.between[np.ix_(leave, enter)] + length[None, :]
    ways = np.where(np.isfinite(ways), ways, 10_000_000.0)
    np.fill_diagonal(ways, 0.0)
    clients: list[Client] = []
    groups: list[ClientGroup] = []
    for task, modes in enumerate(posed.task_modes.tolist()):
        demand = int(instance.roads[int(posed.roads[task])].demand)
        own = [m for m in modes if m >= 0]
        members = []
        for mode in own:
            members.append(len(clients))
            lone = len(own) == 1
            clients.append(
                Client(
                    terminals + mode, delivery=[demand], required=lone, group=None if lone else len(groups)
                )
            )
        if len(own) > 1:
            groups.append(ClientGroup(members))
    mode_of = [int(m) for row in posed.task_modes.tolist() for m in row if m >= 0]
    metres: Any = ways.astype(np.int64)
    reload = list(range(len(homes), terminals - 1))
    data = ProblemData(
        [Location(0, 0)] * len(leave),
        clients,
        [Depot(k) for k in range(terminals)],
        [
            VehicleType(
                1, [int(t.capacity)], start_depot=k, end_depot=terminals - 1, max_distance=int(posed.limit_m),
                reload_depots=reload, max_reloads=RELOADS,
            )
            for k, t in enumerate(instance.trucks)
        ],
        [metres],
        [np.zeros_like(metres)],
        groups,
    )  # fmt: skip
    begun = time.process_time()

    def stop(_: float) -> bool:
        return time.process_time() - begun > seconds

    until: Any = stop
    best = solve(data, until, seed=seed, collect_stats=False, display=False).best
    structure: list[tuple[str, ...]] = [()] * len(homes)
    trips: list[list[tuple[int, ...]]] = [[()] for _ in homes]
    for route in best.routes():
        truck, stops = route.vehicle_type(), []
        rows: list[list[int]] = [[]]
        for activity in list(route)[1:-1]:
            if activity.is_depot():
                stops.append(depots[activity.idx - len(homes)])
                rows.append([])
            else:
                rows[-1].append(mode_of[activity.idx])
        structure[truck] = tuple(stops)
        trips[truck] = [tuple(row) for row in rows]
    flat = tuple(trip for row in trips for trip in row)
    return check_salt(instance, posed.solution(tuple(structure), ArcPlan(flat, 0.0)))


def four_towns(raw: dict[str, Any]) -> dict[str, Any]:
    """The instance four times over, joined by roads of 1.5 km, for three trucks: no plan can be in time."""
    made: dict[str, Any] = {key: [] for key in ("nodes", "vehicles", "depots", "A", "A_R", "E_R", "U")}
    for copy in range(4):
        for key in ("nodes", "U"):
            made[key] += [{**row, "label": f"{row['label']}.{copy}"} for row in raw[key]]
        for key, ends in (("A", "arc"), ("A_R", "arc"), ("E_R", "edge")):
            made[key] += [{**row, ends: [f"{n}.{copy}" for n in row[ends]]} for row in raw[key]]
        for here, there in (("40", "40"), ("90", "150"), ("100", "20")) if copy else ():
            pair = [f"{here}.{copy - 1}", f"{there}.{copy}"]
            made["A"] += [{"arc": ends, "len": 1500, "time": 1.385} for ends in (pair, pair[::-1])]
    made["depots"] = [{"label": f"1.{copy}", "refill": 900_000} for copy in (0, 2)]
    homes = ("2.0", "130.1", "130.3")
    made["vehicles"] = [{"id": str(k), "home": home, "capacity": 900_000} for k, home in enumerate(homes)]
    return {**made, "name": "four towns", "max_time": raw["max_time"]}


def _kerteminde(instance: SaltInstance, seconds: float) -> list[Row]:
    from clearway.exchange.salt_spreading.solutions import read_solution
    from clearway.operations.winter.routes.check_salt import check_salt
    from clearway.operations.winter.routes.solving import Order, solve_file

    found = solve_file(instance, Order(seconds=seconds, cpu=True))
    operator = check_salt(instance, read_solution(_folder() / "solution_mandrup.txt", instance))
    turns = sum(f.code == "u_turn" for f in operator.findings)
    peer = pyvrp_plan(instance, seconds, 1)
    km, bound = found.cost / 1000, (found.lower_bound or 0.0) / 1000
    words = f"checker: {'fit' if found.verdict.ok else 'NOT FIT'}; {found.iterations} rounds; seed 1"
    codes = ", ".join(sorted({f.code for f in peer.findings if f.grave}))
    ours = km if found.verdict.ok else 1e9
    name = f"Kerteminde after {seconds:g} s, peer PyVRP ({'fit' if peer.ok else 'NOT fit: ' + codes})"
    legs = f"its last legs to the nearest depot added; {turns} turns that are not allowed"
    least = f"no plan is shorter than {bound:.2f} km"
    return [
        Row(name, ours, peer.cost / 1000, "km", "<= 364", words, "lower"),
        Row("Kerteminde, peer the operator", ours, operator.cost / 1000, "km", None, legs, "lower"),
        Row("Kerteminde above the proven bound", 100 * (km / bound - 1), None, "%", None, least, "lower"),
    ]


def run(quick: bool) -> list[Row]:
    """Length by the checker, beside peers, and the gap to the bound."""
    from clearway.desks.winter.routing.solver import warm_up
    from clearway.exchange.salt_spreading import read
    from clearway.operations.winter.routes.solving import Order, solve_file

    warm_up()
    file = _folder() / "kerteminde.json"
    if not file.is_file():
        return []
    rows = _kerteminde(read(file), 3.0 if quick else 120.0)
    large = read(json.dumps(four_towns(json.loads(file.read_text(encoding="utf-8")))).encode())
    found = solve_file(large, Order(seconds=5.0 if quick else 120.0, bound_s=20.0, cpu=True))
    last = max(route.time_min for route in found.verdict.routes)
    least = (found.lower_bound or 0.0) / len(large.trucks) * large.max_time_min / 227_500
    words = f"{found.verdict.served} roads, {found.cost / 1000:.1f} km; at least {least:.0f} min by the bound"
    rows.append(Row("four towns, three trucks: last truck done", last, None, "min", None, words, "lower"))
    return rows
