"""The benchmark harness: rows with a peer and a target, one process a benchmark, JSON and Markdown out.

A benchmark is a module ``benchmarks/bench_<name>.py`` with a docstring (what is compared, with what, on which
data) and ``def run(quick: bool) -> list[Row]``. It measures us and the peer in the same run on the same
machine. ``quick`` asks for the smallest run that still exercises everything; its figures are not kept.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any, Final, Literal

from benchmarks import page

HERE: Final = Path(__file__).resolve().parent
ROOT: Final = HERE.parent
RESULTS: Final = HERE / "results"
PAGE: Final = ROOT / "docs" / "benchmarks.md"
TIMEOUT_S: Final = 3600

Better = Literal["higher", "lower", ""]
_TARGET: Final = re.compile(r"\s*(>=|<=|≥|≤|=)?\s*([-+0-9.][0-9.,_]*(?:[eE][-+]?\d+)?)\s*([xX×])?\s*")


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of a benchmark.

    Args:
        metric: what was measured, in words.
        ours: our figure, in ``unit``.
        peer: the peer's figure in the same unit and run; None without a peer.
        unit: of both figures, e.g. ``commands/s``, ``ms``, ``MiB``.
        target: what we want. A number or ``"<= 50"`` bounds ``ours`` in ``unit``; ``"4x"`` or ``">= 4x"``
            bounds the ratio to the peer; None when there is nothing to reach.
        note: conditions a reader must know: who the peer is, sizes, versions.
        better: which way is good; taken from the target's sign when left out, else ``higher``.

    Raises:
        ValueError: figures that are not finite, or a target that cannot be judged.
    """

    metric: str
    ours: float
    peer: float | None = None
    unit: str = ""
    target: float | str | None = None
    note: str = ""
    better: Better = ""

    def __post_init__(self) -> None:
        for value in (self.ours, self.peer):
            if value is not None and not math.isfinite(value):
                raise ValueError(f"{self.metric}: {value} is not a figure")
        sign, _, is_ratio = self._parsed_target()
        wanted: Better = "higher" if is_ratio or sign != "<=" else "lower"
        if not self.better:
            object.__setattr__(self, "better", wanted)
        elif self.better not in ("higher", "lower"):
            raise ValueError(f"{self.metric}: better is 'higher' or 'lower', not {self.better!r}")
        elif sign and not is_ratio and self.better != wanted:
            raise ValueError(f"{self.metric}: target {self.target!r} contradicts better={self.better!r}")
        if is_ratio and self.peer is None:
            raise ValueError(f"{self.metric}: a target of {self.target!r} needs a peer")

    def _parsed_target(self) -> tuple[str, float | None, bool]:
        """Sign (``>=``, ``<=``, ``=`` or empty), bound, and whether it bounds the ratio."""
        if self.target is None or self.target == "":
            return "", None, False
        if isinstance(self.target, int | float):
            return "", float(self.target), False
        match = _TARGET.fullmatch(self.target)
        if match is None:
            raise ValueError(f"{self.metric}: cannot read the target {self.target!r}")
        sign = {"≥": ">=", "≤": "<="}.get(match[1] or "", match[1] or "")
        if match[3] and sign not in ("", ">="):
            raise ValueError(f"{self.metric}: a ratio is better when larger; {self.target!r} is not a target")
        return sign, float(match[2].replace(",", "").replace("_", "")), bool(match[3])

    @property
    def ratio(self) -> float | None:
        """How many times better than the peer we are; below 1 the peer is better."""
        if self.peer is None:
            return None
        above, below = (self.ours, self.peer) if self.better == "higher" else (self.peer, self.ours)
        return above / below if below else None

    @property
    def met(self) -> bool | None:
        """Whether the target is reached; None without a target."""
        sign, bound, is_ratio = self._parsed_target()
        if bound is None:
            return None
        if is_ratio:
            return self.ratio is not None and self.ratio >= bound
        if sign == "=":
            return self.ours == bound
        return self.ours >= bound if self.better == "higher" else self.ours <= bound

    def as_dict(self) -> dict[str, Any]:
        """Plain form for JSON, with ratio and verdict."""
        return {**asdict(self), "ratio": self.ratio, "met": self.met}


def discover() -> dict[str, Path]:
    """Benchmarks by name, from the files ``bench_<name>.py``."""
    return {path.stem.removeprefix("bench_"): path for path in sorted(HERE.glob("bench_*.py"))}


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = re.findall(r"^model name\s*:\s*(.+)$", cpuinfo.read_text(errors="replace"), re.MULTILINE)
        model = names[0] if names else model
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def _commit() -> str:
    words = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--exclude=*"]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()


def _peak_memory_mib() -> float | None:
    try:
        import resource
    except ImportError:  # Windows has no such module; the figure is left out
        return None
    used = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return round(used / (1024 if sys.platform != "darwin" else 1024**2), 1)


def measure(name: str, quick: bool) -> dict[str, Any]:
    """Run one benchmark in this process and return its result as plain data.

    Raises:
        TypeError: the benchmark returned something else than rows.
        ValueError: the benchmark returned no rows.
    """
    module = import_module(f"benchmarks.bench_{name}")
    load_before = round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None
    started = time.perf_counter()
    rows = module.run(quick)
    seconds = time.perf_counter() - started
    if not rows:
        raise ValueError(f"benchmark {name} returned no rows")
    if not all(isinstance(row, Row) for row in rows):
        raise TypeError(f"benchmark {name} returned something else than rows")
    return {
        "name": name,
        "about": (module.__doc__ or "").strip(),
        "quick": quick,
        "at": datetime.now(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z"),
        "commit": _commit(),
        "machine": machine(),
        "load_before": load_before,
        "seconds": round(seconds, 1),
        "peak_memory_mib": _peak_memory_mib(),
        "rows": [row.as_dict() for row in rows],
    }


def _measure_apart(name: str, quick: bool, to: Path) -> bool:
    """Run one benchmark in a process of its own, so that none pays for another's memory or imports."""
    to.parent.mkdir(parents=True, exist_ok=True)
    words = [sys.executable, "-m", "benchmarks", "--write", str(to), *(["--quick"] if quick else []), name]
    try:
        done = subprocess.run(words, cwd=ROOT, timeout=TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        print(f"benchmark {name}: not finished after {TIMEOUT_S} s", file=sys.stderr)
        return False
    return done.returncode == 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./go bench", description="Measure, side by side with the peers.")
    parser.add_argument("names", nargs="*", help="benchmarks to run; all when left out")
    parser.add_argument("--quick", action="store_true", help="smallest runs; figures are shown but not kept")
    parser.add_argument("--strict", action="store_true", help="end with 3 when a target is missed")
    parser.add_argument("--list", action="store_true", help="name the benchmarks and stop")
    parser.add_argument("--page", action="store_true", help="write docs/benchmarks.md anew from what is kept")
    parser.add_argument("--write", type=Path, help=argparse.SUPPRESS)
    return parser


def _write_json(path: Path, result: dict[str, Any]) -> None:
    path.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def write_page() -> None:
    """Write docs/benchmarks.md from the results that are kept."""
    PAGE.write_text(page.markdown(page.kept(RESULTS)), encoding="utf-8")


def main(arguments: Sequence[str]) -> int:
    """Command line of ``./go bench``.

    Returns:
        0 all ran, 1 one broke down, 2 unknown name, 3 a target was missed and ``--strict`` was given.
    """
    given = _parser().parse_args(arguments)
    known = discover()
    if given.list:
        print("\n".join(known) or "no benchmarks yet")
        return 0
    if given.page:
        write_page()
        return 0
    unknown = [name for name in given.names if name not in known]
    if unknown:
        print(f"no benchmark named {', '.join(unknown)}; there are: {', '.join(known)}", file=sys.stderr)
        return 2
    if given.write:
        _write_json(given.write, measure(given.names[0], given.quick))
        return 0
    return _run_all(given.names or list(known), quick=given.quick, strict=given.strict)


def _run_all(names: Sequence[str], *, quick: bool, strict: bool) -> int:
    broken, missed = [], 0
    for name in names:
        print(f"— {name}{' (quick)' if quick else ''}", file=sys.stderr, flush=True)
        to = (RESULTS / "local" if quick else RESULTS) / f"{name}.json"
        if not _measure_apart(name, quick, to):
            broken.append(name)
            continue
        result = json.loads(to.read_text(encoding="utf-8"))
        print(page.table(result), flush=True)
        missed += sum(row["met"] is False for row in result["rows"])
    if not quick and len(broken) < len(names):
        write_page()
    if broken:
        print(f"broke down: {', '.join(broken)}", file=sys.stderr)
        return 1
    print(f"{len(names)} benchmarks, {missed} targets missed", file=sys.stderr)
    return 3 if strict and missed else 0
