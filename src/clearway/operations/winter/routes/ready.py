"""Getting the compiled search ready, in words: the first time on a machine takes a while, and that is said.

It is done before the seconds asked for begin, and once before several searches start beside each other.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from threading import Timer
from typing import Any, Final, cast

from clearway.kernel.language import Text

SAID_AFTER_S: Final = 2.0
"""From so many seconds on getting ready is worth a word while it lasts."""
COMPILING = Text(
    "the search is compiled for this machine, once: about a minute; the seconds asked for begin after it",
    "首次在本机编译搜索程序，约需一分钟，仅此一次；之后才开始计时",
)
LOADING = Text(
    "the compiled search is loaded; the seconds asked for begin after it",
    "正在载入已编译的搜索程序；之后才开始计时",
)
READY = Text("search ready after {s:.1f} s, not counted", "搜索程序已就绪，用时{s:.1f}秒，不计入搜索时间")


def _warm_up() -> None:
    from clearway.desks.winter.routing.solver import warm_up

    warm_up()


def _kept() -> bool:
    """Whether an earlier run on this machine has left the compiled search, younger than its source."""
    from clearway.desks.winter.routing import anneal

    stats: Any = cast("Any", anneal.anneal).stats
    source = Path(anneal.__file__).stat().st_mtime
    tag = f"py{sys.version_info.major}{sys.version_info.minor}"
    found = Path(stats.cache_path or "").glob(f"anneal.anneal-*.{tag}.nbi")
    return any(file.stat().st_mtime >= source for file in found)


def make_ready(
    say: Callable[[Text], None],
    make: Callable[[], None] = _warm_up,
    *,
    after_s: float = SAID_AFTER_S,
    kept: Callable[[], bool] = _kept,
) -> float:
    """Compile or load the search, and say so; returns the seconds it took.

    Args:
        say: told while it lasts, once it lasts longer than ``after_s``, and at the end.
        make: what makes it ready.
        after_s: seconds after which one is told.
        kept: whether it need only be loaded.
    """
    begun = time.perf_counter()
    word = Timer(after_s, lambda: say(LOADING if kept() else COMPILING))
    word.daemon = True
    word.start()
    try:
        make()
    finally:
        word.cancel()
    took = time.perf_counter() - begun
    say(READY.format(s=took))
    return took
