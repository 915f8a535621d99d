"""CARP files: both dialects, all shipped instances, faults named with line and field, junk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearway.exchange.carp import CarpInstance, CarpRoad, read
from clearway.exchange.carp.solutions import CarpRoutes, Served, read_routes, write
from clearway.kernel.errors import InputError

COMPACT = "4\n4\n0 1 5 2\n1 2 3 0\n2 3 4 1\n3 0 6 2\n2\n3\n30\n36\n"
SPANISH = """
 NOMBRE : klein
 COMENTARIO : 36 (cota superior)
 VERTICES : 4
 ARISTAS_REQ : 3
 ARISTAS_NOREQ : 1
 VEHICULOS : 2
 CAPACIDAD : 3
 TIPO_COSTES_ARISTAS : EXPLICITOS
 COSTE_TOTAL_REQ : 15
 LISTA_ARISTAS_REQ :
 ( 1, 2)   coste 5   demanda 2
 ( 3, 4)   coste    4    demanda    1
 (4,1) coste 6 demanda 2
 LISTA_ARISTAS_NOREQ :
 ( 2, 3)   coste 3
 DEPOSITO :   1
"""


def roads_of(instance: CarpInstance, shift: int = 0) -> set[tuple[int, int, float, float, bool]]:
    """Roads without their lines, nodes shifted."""
    return {(r.tail - shift, r.head - shift, r.cost, r.demand, r.required) for r in instance.roads}


def test_the_dialects_say_the_same() -> None:
    """One problem written twice reads the same but for the counting of nodes."""
    compact, spanish = read(COMPACT), read(SPANISH)
    assert roads_of(compact) == roads_of(spanish, 1)
    assert (compact.depot, spanish.depot) == (0, 1)
    assert compact.vehicles == spanish.vehicles == 2
    assert compact.capacity == spanish.capacity == 3
    assert compact.best_known == spanish.best_known == 36
    assert (compact.lower_bound, spanish.lower_bound) == (30, None)
    assert spanish.name == "klein"
    assert not compact.findings
    assert not spanish.findings


def test_colons_and_brackets_may_be_lost() -> None:
    """Known header words without a colon, nodes without brackets or comma: read as the tidy file is."""
    tidy = read(SPANISH)
    no_colons = read(SPANISH.replace(" :", " "))
    bare = read(SPANISH.replace(" :", "").replace("(cota superior)", "").replace("(", " ").replace(")", " "))
    spaced = read(SPANISH.replace("( 1, 2)", "1 2").replace("(4,1)", "4 1;"))
    english = read(SPANISH.replace("ARISTAS_REQ : 3", "REQUIRED EDGES 3").replace("CAPACIDAD :", "CAPACITY"))
    for other in (no_colons, bare, spaced, english):
        assert other.roads == tidy.roads
        assert (other.name, other.depot, other.vehicles, other.capacity) == ("klein", 1, 2, 3)
        assert other.best_known == 36
        assert not other.findings


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("( 1, 2)   coste 5   demanda 2", "1 2 5 2", "neither a header line nor an edge"),
        (" CAPACIDAD : 3", " CAPACITE 3", "neither a header line nor an edge"),
        ("( 1, 2)   coste 5   demanda 2", "1 2 coste", "neither a header line nor an edge"),
    ],
)
def test_what_could_mean_several_things_is_not_guessed(old: str, new: str, what: str) -> None:
    """Four bare numbers, or a word that is not known, stay an error with their line."""
    with pytest.raises(InputError, match=what) as caught:
        read(SPANISH.replace(old, new))
    assert "line" in str(caught.value.where)


def test_every_shipped_instance_is_read(shared_data: Path) -> None:
    """All files: best known value, nothing to complain about, demand that fits the fleet."""
    files = sorted((shared_data / "winter" / "carp").glob("*.dat"))
    assert len(files) >= 50
    for file in [*files, shared_data / "winter" / "carp_large" / "Beijing-1.txt"]:
        instance = read(file)
        assert instance.findings == (), file.name
        assert instance.best_known, file.name
        assert instance.required, file.name
        load = sum(r.demand for r in instance.roads)
        assert load <= instance.vehicles * instance.capacity, file.name


@pytest.mark.parametrize(
    ("name", "roads", "required", "vehicles", "capacity", "best"),
    [
        ("carp/gdb1.dat", 22, 22, 5, 5, 316),
        ("carp/gdb19.dat", 11, 11, 3, 27, 55),
        ("carp/val1A.dat", 39, 39, 2, 200, 173),
        ("carp/egl-s1-A.dat", 190, 75, 7, 210, 5018),
        ("carp_large/Beijing-1.txt", 3584, 358, 7, 25000, 760578),
    ],
)
def test_golden(
    shared_data: Path, name: str, roads: int, required: int, vehicles: int, capacity: float, best: float
) -> None:
    """Counts and figures of files whose headers were read by eye."""
    found = read(shared_data / "winter" / name)
    assert (len(found.roads), len(found.required)) == (roads, required)
    assert (found.vehicles, found.capacity, found.best_known) == (vehicles, capacity, best)


def test_beijing_in_detail(shared_data: Path) -> None:
    """The large file: first and last road, sum of required costs as its own header says."""
    found = read(shared_data / "winter" / "carp_large" / "Beijing-1.txt")
    first, last = found.roads[0], found.roads[-1]
    assert (first.tail, first.head, first.cost, first.demand, first.line) == (1, 2, 194, 194, 11)
    assert (last.tail, last.head, last.cost, last.required) == (1207, 1224, 92, False)
    assert sum(r.cost for r in found.roads if r.required) == 155685
    assert found.depot == 0


def test_arcs_are_one_way() -> None:
    """Arcs of a mixed graph keep their direction; edges do not have one."""
    arcs = " LISTA_ARCOS_REQ :\n (2,4) coste 7 demanda 1\n LISTA_ARCOS_NOREQ :\n (4,2) coste 1\n DEPOSITO"
    found = read(SPANISH.replace(" DEPOSITO", arcs))
    assert [(r.tail, r.head, r.required) for r in found.roads if r.directed] == [(2, 4, True), (4, 2, False)]
    assert len(found.required) == 4


@pytest.mark.parametrize(
    ("comment", "lower", "best"),
    [
        ("36", None, 36),
        ("36 (cota inferior)", 36, None),
        ("", None, None),
        ("3rd set", None, None),
        ("0", None, None),
    ],
)
def test_comment_holds_a_bound(comment: str, lower: float | None, best: float | None) -> None:
    """Only a comment that begins with a number is one; *inferior* makes it a lower bound."""
    found = read(SPANISH.replace("36 (cota superior)", comment))
    assert (found.lower_bound, found.best_known) == (lower, best)


@pytest.mark.parametrize(
    ("old", "new", "where", "what"),
    [
        ("0 1 5 2", "0 1 5", "line 3", "4 numbers"),
        ("0 1 5 2", "0 x 5 2", "line 3", "'x'"),
        ("0 1 5 2", "0 -1 5 2", "line 3", "to is -1"),
        ("0 1 5 2", "0 1 nan 2", "line 3", "cost"),
        ("4\n4\n", "4\n9\n", "line 10", "9 edges"),
        ("4\n4\n", "4\n4 4\n", "line 2", "one number"),
        ("\n2\n3\n30", "\n2\n3 3\n30", "line 8", "capacity"),
    ],
)
def test_faults_of_the_compact_dialect(old: str, new: str, where: str, what: str) -> None:
    """A line that cannot be read is named, with what was expected there."""
    with pytest.raises(InputError) as caught:
        read(COMPACT.replace(old, new, 1))
    assert where in caught.value.where
    assert what in caught.value.what


@pytest.mark.parametrize(
    ("old", "new", "where", "what"),
    [
        ("coste 5   demanda 2", "coste 5", "line 12", "demand"),
        ("coste 5   demanda 2", "coste x   demanda 2", "line 12", "'x'"),
        ("coste 5   demanda 2", "demanda 2", "line 12", "cost is missing"),
        ("coste 5   demanda 2", "coste 5 6 demanda 2", "line 12", "pairs"),
        ("coste 5   demanda 2", "coste 5 weight 2", "line 12", "'weight'"),
        ("( 1, 2)", "( 1 2)", "line 12", "looks like"),
        (" DEPOSITO :   1", " DEPOSITO : 77", "", "77 lies on no road"),
        (" CAPACIDAD : 3", "", "", "capacity is missing"),
        (" CAPACIDAD : 3", " CAPACIDAD : 3\n CAPACIDAD : 4", "line 9", "twice"),
        (" LISTA_ARISTAS_REQ :", "", "line 12", "before any list"),
        (" NOMBRE : klein", "Nonsense", "line 2", "Nonsense"),
        (" LISTA_ARISTAS_NOREQ :", " LISTA_NODOS_REQ :", "line 15", "required nodes"),
    ],
)
def test_faults_of_the_spanish_dialect(old: str, new: str, where: str, what: str) -> None:
    """A line that cannot be read, or a field that is missing, is named."""
    with pytest.raises(InputError) as caught:
        read(SPANISH.replace(old, new, 1))
    assert where in caught.value.where
    assert what in caught.value.what


@pytest.mark.parametrize(
    ("text", "code", "where", "required"),
    [
        (COMPACT.replace("0 1 5 2", "0 1 5 -2"), "negative_demand", "line 3", 2),
        (COMPACT.replace("0 1 5 2", "0 1 -5 2"), "negative_cost", "line 3", 2),
        (COMPACT.replace("4\n4\n", "3\n4\n", 1), "node_count", "vertices", 3),
        (COMPACT + "7\n", "trailing_lines", "line 11", 3),
        (COMPACT.replace("\n2\n3\n30", "\n2\n0\n30"), "capacity", "capacity", 3),
        (SPANISH.replace("demanda 2", "demanda -2", 1), "negative_demand", "line 12", 2),
        (SPANISH.replace("ARISTAS_REQ : 3", "ARISTAS_REQ : 5", 1), "road_count", "line 5", 3),
        (SPANISH.replace("VERTICES : 4", "VERTICES : 2"), "node_count", "line 4", 3),
        (SPANISH.replace("DEPOSITO :   1", "DEPOSITO : 1 2"), "many_depots", "line 17", 3),
        (SPANISH.replace("DEPOSITO :   1", ""), "depot_taken", "depot", 3),
        ("3\n2\n1 2 5 1\n2 3 4 1\n1\n9\n", "depot_taken", "depot", 2),
    ],
)
def test_what_is_wrong_is_named_and_the_rest_is_read(text: str, code: str, where: str, required: int) -> None:
    """Faults of single roads or counts are findings in two languages; the other roads stay."""
    found = read(text)
    assert [f.code for f in found.findings] == [code]
    assert where in found.findings[0].where
    assert found.findings[0].text.zh != found.findings[0].text.en
    assert len(found.required) == required


roads = st.lists(
    st.builds(
        CarpRoad,
        st.integers(0, 30),
        st.integers(0, 30),
        st.integers(0, 10**6).map(float),
        st.integers(1, 10**6).map(float),
        st.booleans(),
        st.just(False),
        st.just(0),
    ),
    min_size=1,
    max_size=30,
)


@given(roads, st.integers(1, 50), st.integers(1, 10**6), st.booleans())
def test_round_trip(made: list[CarpRoad], vehicles: int, capacity: int, spanish: bool) -> None:
    """What is written in either dialect is read back, road by road."""
    depot = made[0].tail if spanish else 0
    if spanish:
        listed = [f"( {r.tail}, {r.head})  coste {r.cost:.0f}" for r in made]
        req = [f"{t}  demanda {r.demand:.0f}" for t, r in zip(listed, made, strict=True) if r.required]
        rest = [t for t, r in zip(listed, made, strict=True) if not r.required]
        head = f"NOMBRE : x\nVEHICULOS : {vehicles}\nCAPACIDAD : {capacity}\nLISTA_ARISTAS_REQ :"
        text = "\n".join([head, *req, "LISTA_ARISTAS_NOREQ :", *rest, f"DEPOSITO : {depot}"])
    else:
        made = [CarpRoad(0, 1, 1.0, 1.0, True, False, 0), *made]
        lines = [f"{r.tail} {r.head} {r.cost:.0f} {r.demand if r.required else 0:.0f}" for r in made]
        text = "\n".join(["31", str(len(made)), *lines, str(vehicles), str(capacity)])
    found = read(text)

    def key(road: CarpRoad) -> tuple[int, int, float, float, bool]:
        return (road.tail, road.head, road.cost, road.demand if road.required else 0.0, road.required)

    assert sorted(map(key, found.roads)) == sorted(map(key, made))
    assert (found.vehicles, found.capacity, found.depot) == (vehicles, capacity, depot)


def refusal(reader: Callable[[bytes], object], data: bytes) -> InputError | None:
    """What a reader says against some bytes; anything but an InputError comes through."""
    try:
        reader(data)
    except InputError as error:
        return error
    return None


@given(st.one_of(st.binary(max_size=300), st.text(max_size=300).map(lambda t: t.encode())))
def test_junk(data: bytes) -> None:
    """Any bytes are read or refused with words; nothing else happens."""
    for reader in (read, read_routes):
        error = refusal(reader, data)
        assert error is None or (error.what and error.where)


@given(st.sampled_from([COMPACT, SPANISH]), st.integers(0, 400), st.binary(max_size=6), st.integers(0, 9))
def test_damaged_files(text: str, at: int, junk: bytes, cut: int) -> None:
    """A good file with a damaged spot is read or refused with words."""
    raw = text.encode()
    error = refusal(read, raw[:at] + junk + raw[at + cut :])
    assert error is None or (error.what and error.where)


@given(
    st.lists(st.lists(st.builds(Served, st.integers(0, 99), st.integers(0, 99)), max_size=5), max_size=5),
    st.integers(0, 10**9),
)
def test_routes_round_trip(routes: list[list[Served]], cost: int) -> None:
    """Routes written as our JSON are read back."""
    text = write(read(COMPACT), routes, float(cost))
    assert read_routes(text) == CarpRoutes(tuple(map(tuple, routes)), float(cost))


def test_routes_of_benchmark_programs() -> None:
    """Lines with (S number,from,to) are read; the first bare number is the claimed cost."""
    text = "36\n 0 1 1 4 20 4 (D 0,1,1) (S 1,1,2) (S 3,4,1) (D 0,1,1)\n 0 1 2 1 16 3 (D 0,1,1) (S 2,3,4)\n"
    assert read_routes(text) == CarpRoutes(((Served(1, 2, 0), Served(4, 1, 2)), (Served(3, 4, 1),)), 36.0)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ('{"routes": 3}', "routes"),
        ('{"routes": [[[1]]]}', "[tail, head]"),
        ("[[[true, 2]]]", "[tail, head]"),
        ("{", "JSON"),
        ("hello", "no routes"),
    ],
)
def test_routes_that_cannot_be_read(text: str, what: str) -> None:
    """The fault and its place are named."""
    with pytest.raises(InputError) as caught:
        read_routes(text)
    assert what in caught.value.what


def remarks(instance: CarpInstance) -> list[tuple[str, bool]]:
    """Codes of the findings, and whether they are grave."""
    return [(f.code, f.grave) for f in instance.findings]


def test_line_ends_of_old_machines() -> None:
    """CR alone ends a line, in both dialects; that is remarked."""
    for tidy in (COMPACT, SPANISH):
        other = read(tidy.replace("\n", "\r"), name="x")
        assert roads_of(other) == roads_of(read(tidy, name="x"))
        assert remarks(other) == [("line_ends", False)]


def test_wide_colons() -> None:
    """Full-width colons, as Chinese keyboards write them."""
    other = read(SPANISH.replace(" :", "："))
    assert (other.roads, other.depot, other.capacity, other.name) == (read(SPANISH).roads, 1, 3, "klein")
    assert remarks(other) == [("wide_colons", False)]


def test_a_depot_after_the_end() -> None:
    """A header after END counts, a second one does not, and roads there are no roads."""
    other = read(SPANISH.replace(" DEPOSITO :   1", " END\n DEPOSITO :   3\n CAPACIDAD : 99\n (1,4) coste 2"))
    assert (other.depot, other.capacity, other.roads) == (3, 3, read(SPANISH).roads)
    assert remarks(other) == [("after_end", False)]


@pytest.mark.parametrize(
    "text",
    [
        COMPACT.replace("4\n4\n", "4 4\n", 1),
        COMPACT.replace("\n", " "),
        COMPACT.replace("\n", " ").rsplit(" ", 3)[0],
    ],
)
def test_fields_on_other_lines(text: str) -> None:
    """Header or all fields on one line: read where the count of numbers fits."""
    other = read(text, name="x")
    assert roads_of(other) == roads_of(read(COMPACT))
    assert (other.vehicles, other.capacity) == (2, 3)
    assert remarks(other) == [("loose_lines", False)]


def test_fields_that_do_not_add_up_are_refused() -> None:
    """One number too few is no file to guess at."""
    with pytest.raises(InputError, match="one number"):
        read("4 4\n0 1 5 2\n1 2 3 0\n2 3 4 1\n3 0 6 2\n2\n")
