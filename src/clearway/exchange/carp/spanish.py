"""The dialect with Spanish header words, in which most sets of the literature are written.

``NOMBRE``, ``COMENTARIO``, ``VERTICES``, ``ARISTAS_REQ``, ``ARISTAS_NOREQ``, ``VEHICULOS``, ``CAPACIDAD``,
``LISTA_ARISTAS_REQ`` with lines ``( 1, 2) coste 23 demanda 23``, ``LISTA_ARISTAS_NOREQ`` without demand,
``DEPOSITO``. Mixed graphs have ``LISTA_ARCOS_REQ`` and ``LISTA_ARCOS_NOREQ`` (one-way). Nodes count from 0 or
1. A comment that begins with a number holds the best known value, or a lower bound if it says *inferior*.
Files copied by hand lose their colons and brackets: a known header word needs no colon, and two nodes need no
brackets where the words for cost and demand follow.
"""

from __future__ import annotations

import re
from typing import Final

from clearway.exchange.carp.cells import MAX_ROADS, depot_of, dropped, number, usable, whole
from clearway.exchange.carp.model import CarpInstance, CarpRoad
from clearway.exchange.findings import Finding
from clearway.kernel.errors import InputError
from clearway.kernel.language import Text

_HEADER: Final = re.compile(r"\s*([^\W\d][\w .#-]*?)\s*:\s*(.*?)\s*$")
_ROAD: Final = re.compile(r"\s*\(\s*([^,()]*?)\s*,\s*([^,()]*?)\s*\)\s*(.*?)\s*$")
_BARE_ROAD: Final = re.compile(r"\s*(\d+)(?:\s*,\s*|\s+)(\d+)[\s,;]+([^\W\d]\w*\s.*?)\s*$")
_LISTS: Final = {
    "LISTA_ARISTAS_REQ": (True, False),
    "LISTA_ARISTAS_NOREQ": (False, False),
    "LISTA_ARCOS_REQ": (True, True),
    "LISTA_ARCOS_NOREQ": (False, True),
}
_COUNTS: Final = {
    "ARISTAS_REQ": (True, False),
    "ARISTAS_NOREQ": (False, False),
    "ARCOS_REQ": (True, True),
    "ARCOS_NOREQ": (False, True),
}
_ENGLISH: Final = {
    "NAME": "NOMBRE",
    "COMMENT": "COMENTARIO",
    "NODES": "VERTICES",
    "VEHICLES": "VEHICULOS",
    "CAPACITY": "CAPACIDAD",
    "DEPOT": "DEPOSITO",
    "REQUIRED_EDGES": "ARISTAS_REQ",
    "NON_REQUIRED_EDGES": "ARISTAS_NOREQ",
    "LIST_REQUIRED_EDGES": "LISTA_ARISTAS_REQ",
    "LIST_NON_REQUIRED_EDGES": "LISTA_ARISTAS_NOREQ",
}
_OTHERS: Final = frozenset({"NOMBRE", "COMENTARIO", "VERTICES", "VEHICULOS", "CAPACIDAD", "DEPOSITO"}) | {
    "TIPO_COSTES_ARISTAS",
    "COSTE_TOTAL_REQ",
}
_COST: Final = frozenset({"COSTE", "COSTES", "COSTO", "COST"})
_DEMAND: Final = frozenset({"DEMANDA", "DEMAND"})


def looks_spanish(text: str) -> bool:
    """Whether some line is a header word of this dialect."""
    for line in text.splitlines():
        found = _header(line)
        if found and found[0] in {*_LISTS, *_COUNTS, "NOMBRE", "CAPACIDAD", "DEPOSITO"}:
            return True
    return False


def read_spanish(text: str, where: str, name: str) -> CarpInstance:
    """Read the dialect with Spanish header words.

    Raises:
        InputError: a line cannot be read, or capacity, roads or depot are missing; names line and field.
    """
    header, roads, late = _scan(text, where)
    if not roads:
        raise InputError("no list of edges was found", where=where, hint="LISTA_ARISTAS_REQ : is needed.")
    if "CAPACIDAD" not in header:
        raise InputError("the capacity is missing", where=where, hint="A line CAPACIDAD : is needed.")
    capacity = _field(header, "CAPACIDAD", where)
    vehicles = int(_field(header, "VEHICULOS", where, whole_number=True)) if "VEHICULOS" in header else 0
    depot, more = _depot(header, roads, where)
    kept, findings = usable(roads)
    findings = [*late, *more, *findings, *_counts(header, roads, where)]
    comment = header.get("COMENTARIO", ("", 0))[0]
    lower, best = _bounds(comment)
    title = header.get("NOMBRE", (name, 0))[0] or name
    return CarpInstance(
        title,
        "spanish",
        kept,
        depot,
        vehicles,
        capacity,
        lower,
        best,
        comment,
        tuple(findings),
        dropped(roads, kept),
    )


def _key(word: str) -> str:
    key = re.sub(r"[\s.-]+", "_", word.strip().upper()).rstrip("_")
    return _ENGLISH.get(key, key)


def _header(line: str) -> tuple[str, str] | None:
    """Key and value of a header line; without a colon only of a known word, the longest that fits."""
    match = _HEADER.match(line)
    if match is not None:
        return _key(match[1]), match[2]
    words = line[:400].split()
    for size in range(min(4, len(words)), 0, -1):
        key = _key(" ".join(words[:size]))
        if key in _LISTS or key in _COUNTS or key in _OTHERS:
            return key, " ".join(words[size:])
    return None


def _scan(text: str, where: str) -> tuple[dict[str, tuple[str, int]], list[CarpRoad], list[Finding]]:
    header: dict[str, tuple[str, int]] = {}
    roads: list[CarpRoad] = []
    section: tuple[bool, bool] | None = None
    late: list[Finding] = []
    ended = False
    for line, words in enumerate(text.splitlines(), 1):
        if not words.strip():
            continue
        at = f"{where}, line {line}"
        if ended:
            late += _after_end(words, line, header)
            continue
        if words.lstrip().startswith("(") or _BARE_ROAD.match(words[:400]):
            if section is None:
                raise InputError("an edge stands before any list of edges", where=at)
            roads.append(_road(words, line, at, *section))
            continue
        found = _header(words)
        if found is None:
            if _key(words) in {"END", "EOF", "FIN"}:
                ended = True
                continue
            raise InputError(f"neither a header line nor an edge: {words.strip()[:60]!r}", where=at)
        key, value = found
        if key in _LISTS:
            section = _LISTS[key]
        elif key in ("LISTA_NODOS_REQ", "LISTA_VERTICES_REQ"):
            raise InputError("required nodes are not handled; only edges and arcs can be served", where=at)
        elif key in header:
            raise InputError(f"{key} stands twice, first in line {header[key][1]}", where=at)
        else:
            header[key] = (value, line)
    return header, roads, late


def _after_end(words: str, line: int, header: dict[str, tuple[str, int]]) -> list[Finding]:
    """A remark for a header line after END, read unless it stood before; anything else is passed by."""
    found = _header(words)
    if found is None or found[0] in header or found[0] not in {*_COUNTS, *_OTHERS}:
        return []
    header[found[0]] = (found[1], line)
    text = Text("{k} stands after END and is read all the same", "{k}位于END之后，仍予读取").format(
        k=found[0]
    )
    return [Finding("after_end", f"line {line}", text, grave=False)]


def _road(words: str, line: int, at: str, required: bool, directed: bool) -> CarpRoad:
    match = _ROAD.match(words) or _BARE_ROAD.match(words[:401])
    if match is None:
        raise InputError(
            f"an edge looks like '(1, 2) coste 3 demanda 4', not {words.strip()[:60]!r}", where=at
        )
    if len(match.string) > 400:
        raise InputError("the line is too long for an edge", where=at)
    tail, head = whole(match[1], "first node", at), whole(match[2], "second node", at)
    rest = match[3].split()
    cost = demand = None
    if len(rest) % 2:
        raise InputError(f"after the nodes come pairs of word and number, found {match[3][:60]!r}", where=at)
    for word, value in zip(rest[::2], rest[1::2], strict=True):
        if word.upper() in _COST and cost is None:
            cost = number(value, "cost", at)
        elif word.upper() in _DEMAND and demand is None:
            demand = number(value, "demand", at)
        else:
            raise InputError(f"{word[:40]!r} is not known, or stands twice", where=at)
    if cost is None:
        raise InputError("the cost is missing", where=at)
    if required and demand is None:
        raise InputError("a required edge needs a demand", where=at)
    return CarpRoad(tail, head, cost, (demand or 0.0) if required else 0.0, required, directed, line)


def _field(header: dict[str, tuple[str, int]], key: str, where: str, *, whole_number: bool = False) -> float:
    value, line = header[key]
    at = f"{where}, line {line}"
    return whole(value, key, at) if whole_number else number(value, key, at)


def _depot(
    header: dict[str, tuple[str, int]], roads: list[CarpRoad], where: str
) -> tuple[int, list[Finding]]:
    value, line = header.get("DEPOSITO", ("", 0))
    words = value.replace(",", " ").split()
    if not words:
        return depot_of(roads, stated=True)
    at = f"{where}, line {line}"
    depot = whole(words[0], "DEPOSITO", at)
    if len(words) == 1:
        return depot, []
    text = Text(
        "{n} depots are given; this kind of file has one, the first ({d}) is used",
        "给出了{n}个车场；此类文件只有一个，采用第一个（{d}）",
    )
    return depot, [Finding("many_depots", f"line {line}", text.format(n=len(words), d=depot))]


def _counts(header: dict[str, tuple[str, int]], roads: list[CarpRoad], where: str) -> list[Finding]:
    """Remarks where the header announces other numbers than the lists hold."""
    findings = []
    for key, kind in _COUNTS.items():
        if key not in header:
            continue
        stated = int(_field(header, key, where, whole_number=True))
        found = sum(1 for road in roads if (road.required, road.directed) == kind)
        if stated != found:
            text = Text("{k} says {s}, the list holds {f}", "{k}声明为{s}，列表中有{f}条")
            place = f"line {header[key][1]}"
            findings.append(Finding("road_count", place, text.format(k=key, s=stated, f=found), grave=False))
    if "VERTICES" in header:
        stated = int(_field(header, "VERTICES", where, whole_number=True))
        seen = len({n for road in roads for n in (road.tail, road.head)})
        if seen > min(stated, MAX_ROADS):
            text = Text("{n} nodes appear, {v} are announced", "出现了{n}个节点，文件声明为{v}个")
            place = f"line {header['VERTICES'][1]}"
            findings.append(Finding("node_count", place, text.format(n=seen, v=stated), grave=False))
    return findings


def _bounds(comment: str) -> tuple[float | None, float | None]:
    match = re.match(r"\s*(\d{1,15}(?:\.\d{1,6})?)(?![\w.])", comment)
    if match is None or float(match[1]) <= 0:
        return None, None
    value = float(match[1])
    return (value, None) if "inferior" in comment.lower() else (None, value)
