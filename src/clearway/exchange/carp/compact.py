"""The compact dialect: numbers only.

Number of vertices; number of edges; for each edge ``from to cost demand``; number of vehicles; their
capacity; lower bound; upper bound (the last two may be missing). The depot is node 0, or node 1 where none
is numbered 0. An edge is required when its demand is above zero. Layout: the ``FORMAT.txt`` that comes with
the instances of CARPData.
"""

from __future__ import annotations

from clearway.exchange.carp.cells import MAX_ROADS, depot_of, dropped, number, usable, whole
from clearway.exchange.carp.model import CarpInstance, CarpRoad
from clearway.exchange.findings import Finding
from clearway.kernel.errors import InputError
from clearway.kernel.language import Text


def read_compact(text: str, where: str, name: str) -> CarpInstance:
    """Read the compact dialect.

    Raises:
        InputError: a line is missing or cannot be read; names the line and what was expected there.
    """
    lines = [
        (n, bare.split())
        for n, line in enumerate(text.splitlines(), 1)
        if (bare := line.partition("#")[0].strip())
    ]
    if len(lines) < 2 and len(lines[0][1] if lines else ()) < 3:
        raise InputError("the file ends before the number of edges", where=where)
    lines, loose = _regrouped(lines)
    nodes = _single(lines, 0, "number of vertices", where, high=MAX_ROADS)
    count = _single(lines, 1, "number of edges", where, high=MAX_ROADS)
    if len(lines) < 2 + count + 2:
        at = f"{where}, line {lines[-1][0]}"
        what = (
            f"{count} edges, then vehicles and capacity are announced, but only {len(lines) - 2} lines follow"
        )
        raise InputError(what, where=at, hint="Is the file cut off?")
    roads = [_road(words, line, where) for line, words in lines[2 : 2 + count]]
    tail = 2 + count
    vehicles = _single(lines, tail, "number of vehicles", where)
    capacity = _value(lines, tail + 1, "capacity", where)
    lower = _value(lines, tail + 2, "lower bound", where) if len(lines) > tail + 2 else None
    upper = _value(lines, tail + 3, "upper bound", where) if len(lines) > tail + 3 else None
    kept, findings = usable(roads)
    depot, remark = depot_of(roads, stated=False)
    findings += [*loose, *remark, *_beyond(roads, nodes)]
    if len(lines) > tail + 4:
        text_ = Text("lines after the upper bound were not read", "上界之后的行未读取")
        findings.append(Finding("trailing_lines", f"line {lines[tail + 4][0]}", text_, grave=False))
    return CarpInstance(
        name, "compact", kept, depot, vehicles, capacity,
        lower if lower and lower > 0 else None, upper if upper and upper > 0 else None, "", tuple(findings),
        dropped(roads, kept),
    )  # fmt: skip


def _regrouped(lines: list[tuple[int, list[str]]]) -> tuple[list[tuple[int, list[str]]], list[Finding]]:
    """Numbers on other lines than they should be, one field a line where their count leaves no doubt."""
    if len(lines[0][1]) == 1:
        return lines, []
    flat = [(n, word) for n, words in lines for word in words]
    edges = flat[1][1]
    count = int(edges) if edges.isdecimal() and len(edges) < 9 else -1
    tail = len(flat) - 2 - 4 * count
    if count < 0 or not 2 <= tail <= 4:
        return lines, []
    starts = [0, 1, *range(2, 2 + 4 * count, 4), *range(2 + 4 * count, len(flat))]
    ends = [*starts[1:], len(flat)]
    again = [(flat[a][0], [word for _, word in flat[a:b]]) for a, b in zip(starts, ends, strict=True)]
    text = Text("several fields stand in a line; read by their count", "一行含多个字段；按数量读取")
    return again, [Finding("loose_lines", f"line {lines[0][0]}", text, grave=False)]


def _road(words: list[str], line: int, where: str) -> CarpRoad:
    at = f"{where}, line {line}"
    if len(words) != 4:
        raise InputError(f"an edge needs 4 numbers (from, to, cost, demand), found {len(words)}", where=at)
    tail, head = whole(words[0], "from", at), whole(words[1], "to", at)
    cost, demand = number(words[2], "cost", at), number(words[3], "demand", at)
    return CarpRoad(tail, head, cost, demand, demand != 0, False, line)


def _single(lines: list[tuple[int, list[str]]], at: int, what: str, where: str, *, high: int = 10**9) -> int:
    line, words = lines[at]
    place = f"{where}, line {line}"
    if len(words) != 1:
        raise InputError(f"one number ({what}) is needed, found {len(words)}", where=place)
    return whole(words[0], what, place, high=high)


def _value(lines: list[tuple[int, list[str]]], at: int, what: str, where: str) -> float:
    line, words = lines[at]
    place = f"{where}, line {line}"
    if len(words) != 1:
        raise InputError(f"one number ({what}) is needed, found {len(words)}", where=place)
    return number(words[0], what, place)


def _beyond(roads: list[CarpRoad], nodes: int) -> list[Finding]:
    """A remark when more nodes appear than the header announces."""
    seen = {n for road in roads for n in (road.tail, road.head)}
    if len(seen) <= nodes:
        return []
    text = Text("{n} nodes appear, {v} are announced", "出现了{n}个节点，文件声明为{v}个")
    return [Finding("node_count", "number of vertices", text.format(n=len(seen), v=nodes), grave=False)]
