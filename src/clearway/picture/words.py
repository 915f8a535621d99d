"""Times, windows and numbers as people say them, in both languages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from clearway.doctrine.model import Doctrine
from clearway.kernel.clock import zone
from clearway.kernel.language import Text

TIMEZONE_KEY = "locale.timezone"

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@lru_cache(maxsize=32)
def _zone(name: str) -> ZoneInfo:
    return zone(name)


def local_zone(doctrine: Doctrine) -> ZoneInfo:
    """The zone in which words give times; UTC when doctrine names none."""
    found = doctrine.values.get(TIMEZONE_KEY)
    return _zone(str(found.value) if found else "UTC")


def clock(at: datetime, local: ZoneInfo) -> Text:
    """A moment: ``22 Nov 14:00``, 11月22日14时 (with minutes only when there are any)."""
    t = at.astimezone(local)
    minutes = f"{t.minute}分" if t.minute else ""
    return Text(
        f"{t.day} {_MONTHS[t.month - 1]} {t.hour:02d}:{t.minute:02d}",
        f"{t.month}月{t.day}日{t.hour}时{minutes}",
    )


def window(starts: datetime, ends: datetime, local: ZoneInfo) -> Text:
    """A span: ``22 Nov 14:00 to 18:00``; the day is repeated only when it changes."""
    a, b = starts.astimezone(local), ends.astimezone(local)
    first, last = clock(starts, local), clock(ends, local)
    if a.date() == b.date():
        minutes = f"{b.minute}分" if b.minute else ""
        return Text(f"{first.en} to {b.hour:02d}:{b.minute:02d}", f"{first.zh}至{b.hour}时{minutes}")
    if (a.year, a.month) == (b.year, b.month):
        last = Text(last.en, last.zh.partition("月")[2])
    return Text(f"{first.en} to {last.en}", f"{first.zh}至{last.zh}")


def span(hours: float) -> Text:
    """A length of time: minutes below two hours, else hours or days."""
    if hours < 2:
        minutes = round(hours * 60)
        return Text(f"{minutes} min", f"{minutes}分钟")
    if hours < 48:
        return Text(f"{hours:.0f} h", f"{hours:.0f}小时")
    return Text(f"{hours / 24:.1f} days", f"{hours / 24:.1f}天")


def percent(share: float) -> Text:
    """A share in whole percent, never a false 0 % or 100 %."""
    number = f"{100 * share:.0f}"
    if 0 < share < 0.01:
        number = "<1"
    elif 0.99 < share < 1:
        number = ">99"
    return Text(f"{number} %", f"{number}%")


def listed(texts: Sequence[Text], *, limit: int = 6, counter: str = "条") -> Text:
    """A list in each language; what goes beyond ``limit`` is counted, never dropped silently.

    ``counter`` is the Chinese measure word of what is listed (条 for roads).
    """
    shown = list(texts[:limit])
    rest = len(texts) - len(shown)
    en, zh = ", ".join(t.en for t in shown), "、".join(t.zh for t in shown)
    return Text(f"{en} and {rest} more", f"{zh}等{len(texts)}{counter}") if rest else Text(en, zh)


def roads_count(count: int) -> Text:
    """``1 road``, ``12 roads``, 12条道路."""
    return Text(f"{count} road{'' if count == 1 else 's'}", f"{count}条道路")


def floor_hour(at: datetime) -> datetime:
    """The full hour at or before ``at``."""
    return at - timedelta(minutes=at.minute, seconds=at.second, microseconds=at.microsecond)
