"""Salt-spreading files: the shipped ones, faults named with their path, solutions in three forms, junk."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearway.exchange.salt_spreading import Leg, SaltInstance, SaltRoute, read
from clearway.exchange.salt_spreading.solutions import read_solution, write_arcs, write_nodes
from clearway.kernel.errors import InputError

TOY: dict[str, Any] = {
    "name": "toy",
    "max_time": 100,
    "nodes": [{"label": c, "position": [None, None]} for c in "abcd"],
    "vehicles": [{"id": "1", "home": "a", "capacity": 10}],
    "depots": [{"label": "d", "refill": 10}],
    "A": [{"arc": ["c", "d"], "len": 3, "time": 1}, {"arc": ["d", "c"], "len": 3, "time": 1}],
    "A_R": [{"arc": ["b", "c"], "len": 5, "time": 2, "dem": 4}],
    "E_R": [
        {"edge": ["a", "b"], "len": 7, "time": 3, "dem": 5},
        {"edge": ["c", "a"], "len": 2, "time": 1, "dem": 6},
    ],
    "U": [{"label": "a"}],
}


def toy(change: Callable[[dict[str, Any]], object] = lambda d: None) -> bytes:
    """The toy instance, changed."""
    document = copy.deepcopy(TOY)
    change(document)
    return json.dumps(document).encode()


def test_golden(shared_data: Path) -> None:
    """Both shipped instances: counts of their descriptions, and the sum of lengths to salt."""
    folder = shared_data / "winter" / "salt_spreading"
    small, real = read(folder / "gualandi" / "gualandi.json"), read(folder / "kerteminde" / "kerteminde.json")
    assert (len(small.nodes), len(small.required), sorted(small.u_turns)) == (8, 3, ["0", "6"])
    assert sum(r.demand for r in small.roads) == 80
    kinds = [r.kind for r in real.roads]
    assert (len(real.nodes), kinds.count("A"), kinds.count("A_R"), kinds.count("E_R")) == (193, 10, 33, 233)
    assert sum(r.length_m for r in real.roads if r.required) == 265_602
    assert sum(r.demand for r in real.roads) == 1_018_806
    assert [t.home for t in real.trucks] == ["2", "130"]
    assert [d.label for d in real.depots] == ["1", "179"]
    assert real.max_time_min == 210
    assert small.findings == real.findings == ()


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda d: d.pop("E_R"), "data"),
        (lambda d: d.update(nodes=3), "nodes"),
        (lambda d: d["E_R"][1].pop("dem"), "E_R[1]"),
        (lambda d: d["E_R"][1].update(dem="x"), "E_R[1], dem"),
        (lambda d: d["A_R"][0].update(arc=["b"]), "A_R[0], arc"),
        (lambda d: d["vehicles"][0].pop("home"), "vehicles[0]"),
        (lambda d: d["depots"].append(7), "depots[1]"),
        (lambda d: d.update(max_time=True), "max_time"),
        (lambda d: d["U"][0].update(label=None), "U[0], label"),
    ],
)
def test_fields_that_cannot_be_read(change: Callable[[dict[str, Any]], object], where: str) -> None:
    """The path to the field is named."""
    with pytest.raises(InputError) as caught:
        read(toy(change))
    assert where in caught.value.where


@pytest.mark.parametrize(
    ("change", "code", "where"),
    [
        (lambda d: d["E_R"][0].update(dem=-1), "negative_demand", "E_R[0]"),
        (lambda d: d["A"][0].update(len=-1), "negative_length", "A[0]"),
        (lambda d: d["A"][0].update(time=-1), "negative_length", "A[0]"),
        (lambda d: d["E_R"].append(d["E_R"][0]), "repeated_road", "E_R (a, b)"),
        (lambda d: d["nodes"].append(d["nodes"][0]), "repeated_node", "nodes (a)"),
        (lambda d: d["nodes"].pop(), "unknown_node", "nodes (d)"),
        (lambda d: d["vehicles"].append(d["vehicles"][0]), "repeated_truck", "vehicles[1]"),
        (lambda d: d["vehicles"][0].update(home="z"), "truck_off_road", "vehicles[0]"),
        (lambda d: d["vehicles"][0].update(capacity=0), "capacity", "vehicles[0]"),
        (lambda d: d["depots"].append(d["depots"][0]), "repeated_depot", "depots[1]"),
        (lambda d: d["depots"][0].update(label="z"), "depot_off_road", "depots[0]"),
        (lambda d: d["depots"][0].update(refill=-3), "refill", "depots[0]"),
        (lambda d: d["U"].append({"label": "z"}), "unknown_node", "U[1]"),
    ],
)
def test_what_is_wrong_is_named_and_the_rest_is_read(
    change: Callable[[dict[str, Any]], object], code: str, where: str
) -> None:
    """Faults of single roads, trucks and depots are findings in two languages."""
    found = read(toy(change)).findings
    assert [f.code for f in found] == [code]
    assert where in found[0].where
    assert found[0].text.en != found[0].text.zh


def test_a_road_with_negative_demand_stays_drivable_both_ways() -> None:
    """An edge that cannot be served becomes two arcs."""
    found = read(toy(lambda d: d["E_R"][0].update(dem=-1)))
    assert [(r.tail, r.head) for r in found.roads if r.kind == "A"][-2:] == [("a", "b"), ("b", "a")]
    assert len(found.required) == 2


LEGS = (Leg("a", "b", True), Leg("b", "c", True), Leg("c", "d", False))


def test_solutions_round_trip() -> None:
    """Both schemas: by arcs nothing is lost; by nodes all but where salt is spread."""
    instance = read(toy())
    assert read_solution(write_arcs([SaltRoute("1", LEGS)]), instance).routes == (SaltRoute("1", LEGS),)
    by_nodes = read_solution(write_nodes([SaltRoute("1", LEGS)]), instance)
    assert by_nodes.form == "nodes"
    assert [(leg.tail, leg.head, leg.salted) for leg in by_nodes.routes[0].legs] == [
        (leg.tail, leg.head, None) for leg in LEGS
    ]


def test_lists_of_labels(shared_data: Path) -> None:
    """The operator's solution: two lists over several lines, misprints are findings."""
    folder = shared_data / "winter" / "salt_spreading" / "kerteminde"
    found = read_solution(folder / "solution_mandrup.txt", read(folder / "kerteminde.json"))
    assert [(r.truck, r.legs[0].tail, len(r.legs)) for r in found.routes] == [
        ("1", "2", 126),
        ("2", "130", 238),
    ]
    assert [f.code for f in found.findings] == ["unknown_node", "repeated_node", "unknown_node"]
    assert "294" in found.findings[0].text.en
    assert [f.grave for f in found.findings] == [True, False, True]


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('[{"vehicle": "1", "route": [{"arc": ["a"], "salted": true}]}]', "[0], route[0]"),
        ('[{"vehicle": "1", "route": [{"arc": ["a", "b"]}]}]', "[0], route[0]"),
        ('[{"id": "1", "route": [1.5]}]', "[0], route[0]"),
        ('{"id": 3}', "data"),
        ("[1, 2]", "[0]"),
        ("x, y, z", "data"),
        ("", "data"),
    ],
)
def test_solutions_that_cannot_be_read(text: str, where: str) -> None:
    """The path to the fault is named."""
    with pytest.raises(InputError) as caught:
        read_solution(text.encode(), read(toy()))
    assert where in caught.value.where


def refusal(reader: Callable[[bytes], object], data: bytes) -> InputError | None:
    """What a reader says against some bytes; anything but an InputError comes through."""
    try:
        reader(data)
    except InputError as error:
        return error
    return None


leaf = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.sampled_from(["a", "b", "x"]))
tree = st.recursive(leaf, lambda t: st.one_of(st.lists(t, max_size=3), st.dictionaries(st.just("arc"), t)))


@given(st.sampled_from(sorted(TOY)), tree)
def test_any_value_in_any_field(key: str, value: Any) -> None:
    """Any JSON in any field is read or refused with words."""
    error = refusal(read, toy(lambda d: d.update({key: value})))
    assert error is None or (error.what and error.where)


@given(st.sampled_from(["A", "A_R", "E_R", "vehicles", "depots", "U", "nodes"]), st.data())
def test_any_value_in_any_row(key: str, data: st.DataObject) -> None:
    """Any JSON in a field of a row is read or refused with words."""
    inner = data.draw(st.sampled_from(sorted(TOY[key][0])))
    value = data.draw(tree)
    error = refusal(read, toy(lambda d: d[key][0].update({inner: value})))
    assert error is None or (error.what and error.where)


@given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(lambda t: t.encode())))
def test_junk(data: bytes) -> None:
    """Any bytes are read or refused with words; nothing else happens."""
    instance = read(toy())

    def solution(raw: bytes) -> object:
        return read_solution(raw, instance)

    for reader in (read, solution):
        error = refusal(reader, data)
        assert error is None or (error.what and error.where)


routes = st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("abcd"), st.booleans()), max_size=9)


@given(routes)
def test_any_route_by_arcs_round_trips(legs: list[tuple[str, str, bool]]) -> None:
    """Whatever the legs, writing and reading by arcs gives them back."""
    instance: SaltInstance = read(toy())
    route = SaltRoute("1", tuple(Leg(*leg) for leg in legs))
    assert read_solution(write_arcs([route]), instance).routes == (route,)


def test_a_negative_limit() -> None:
    """One finding names it, and there is no limit."""
    instance = read(toy(lambda d: d.update(max_time=-5)))
    assert [(f.code, f.where) for f in instance.findings] == [("negative_limit", "max_time")]
    assert instance.max_time_min == math.inf
