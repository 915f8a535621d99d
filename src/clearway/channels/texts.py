"""Short forms of a warning: a text message of 70 Chinese characters, the lines of a message sign.

Nothing is ever cut in the middle of what a reader needs: parts are left out whole, least needed first, and
places are counted when they do not all fit.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from clearway.kernel.clock import require_utc
from clearway.kernel.errors import InputError
from clearway.kernel.language import Text
from clearway.kernel.levels import Level

SMS_ZH: Final = 70
"""Characters of one message in UCS-2 (3GPP TS 23.038)."""
SMS_EN: Final = 160
"""Characters of one message in the 7-bit default alphabet (3GPP TS 23.038)."""
_NO_LINE_START: Final = frozenset("，。、；：！？）】》%℃")
_NO_LINE_END: Final = frozenset("（【《")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MARKS: Final = {
    "Exercise": Text("EXERCISE ", "【演练】"),
    "Test": Text("TEST ", "【测试】"),
}
_GSM7: Final = {
    "–": "-",
    "—": "-",
    "’": "'",
    "‘": "'",
    "“": '"',
    "”": '"',
    "°": " deg ",
    "…": "...",
    "·": "-",
}
_GSM7_PLAIN: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)


@dataclass(frozen=True, slots=True)
class Brief:
    """What a short text is made of.

    Args:
        event: the hazard.
        level: its level.
        places: names of corridors or areas, most important first.
        action: what to do, one short sentence without full stop.
        starts: beginning.
        ends: when the warning ends.
        issuer: who speaks.
        status: Actual, Exercise or Test.
    """

    event: Text
    level: Level
    places: tuple[Text, ...]
    action: Text
    starts: datetime
    ends: datetime
    issuer: Text
    status: str = "Actual"


def sms(brief: Brief, language: str, *, zone: ZoneInfo, limit: int = 0) -> str:
    """One text message, never longer than ``limit`` (70 characters in Chinese, 160 in English).

    Left out when it does not fit, in this order: issuer, places beyond the first, time, all places. An action
    that is too long by itself is left out, and place and time come back.

    Raises:
        InputError: not even hazard and level fit.
    """
    zh = language.startswith("zh")
    limit = limit or (SMS_ZH if zh else SMS_EN)
    count = len(brief.places)
    steps = [(shown, True, True, shown == count) for shown in range(count, 0, -1)]
    steps += [
        (1, True, True, False),
        (1, False, True, False),
        (0, False, True, False),
        (1, True, False, False),
        (0, True, False, False),
        (0, False, False, False),
    ]
    for places, when, action, issuer in steps:
        text = (
            _sms_zh(brief, zone, min(places, count), when, action, issuer)
            if zh
            else gsm7(_sms_en(brief, zone, min(places, count), when, action, issuer))
        )
        if len(text) <= limit:
            return text
    raise InputError(f"not even the hazard fits {limit} characters", where=f"sms in {language}")


def _sms_zh(brief: Brief, zone: ZoneInfo, shown: int, when: bool, action: bool, issuer: bool) -> str:
    mark = _MARKS[brief.status].zh if brief.status in _MARKS else ""
    source = f"【{brief.issuer.zh}】" if issuer and brief.issuer.zh else ""
    level = "" if brief.level is Level.NONE else f"{brief.level.label.zh}预警"
    text = f"{mark}{source}{brief.event.zh}{level}"
    if shown:
        names = "、".join(p.zh for p in brief.places[:shown])
        text += f"：{names}" + (f"等{len(brief.places)}处" if shown < len(brief.places) else "")
    if when:
        text += f"，{_span_zh(brief, zone)}"
    if action and brief.action.zh:
        text += f"。{brief.action.zh}"
    return text + "。"


def _sms_en(brief: Brief, zone: ZoneInfo, shown: int, when: bool, action: bool, issuer: bool) -> str:
    mark = _MARKS[brief.status].en if brief.status in _MARKS else ""
    level = "" if brief.level is Level.NONE else f"{brief.level.label.en.upper()} "
    text = f"{mark}{level}{brief.event.en}"
    if shown:
        names = ", ".join(p.en for p in brief.places[:shown])
        rest = len(brief.places) - shown
        text += f": {names}" + (f" and {rest} more" if rest else "")
    if when:
        text += f", {_span_en(brief, zone)}"
    if action and brief.action.en:
        text += f". {brief.action.en}"
    return text + "." + (f" {brief.issuer.en}" if issuer and brief.issuer.en else "")


def _span_zh(brief: Brief, zone: ZoneInfo) -> str:
    start, end = (require_utc(at).astimezone(zone) for at in (brief.starts, brief.ends))

    def hour(at: datetime) -> str:
        return f"{at.hour}时{at.minute:02d}分" if at.minute else f"{at.hour}时"

    day = "" if start.date() == end.date() else f"{end.day}日"
    return f"{start.day}日{hour(start)}至{day}{hour(end)}"


def _span_en(brief: Brief, zone: ZoneInfo) -> str:
    start, end = (require_utc(at).astimezone(zone) for at in (brief.starts, brief.ends))
    day = "" if start.date() == end.date() else f"{end.day} {_MONTHS[end.month - 1]} "
    return f"{start.day} {_MONTHS[start.month - 1]} {start:%H:%M} to {day}{end:%H:%M}"


def gsm7(text: str) -> str:
    """Bring text into the 7-bit alphabet, so that a message stays one message; strangers become ``?``."""
    plain = "".join(_GSM7.get(c, c) for c in text)
    out: list[str] = []
    for character in plain:
        if character in _GSM7_PLAIN:
            out.append(character)
            continue
        base = unicodedata.normalize("NFKD", character)[0]
        out.append(base if base in _GSM7_PLAIN else "?")
    return "".join(out)


def width(text: str) -> int:
    """Cells on a sign: a Chinese character takes two, a Latin letter one."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def sign_lines(text: str, *, columns: int, rows: int) -> tuple[str, ...] | None:
    """Break a text into lines for a message sign, or ``None`` if it does not fit.

    Latin words and numbers are not broken; no line starts with closing or ends with opening punctuation. What
    follows a line break in the text starts a line of its own.

    Args:
        text: one sentence, or several on lines of their own.
        columns: cells in a line (a Chinese character takes two).
        rows: lines.
    """
    done: list[str] = []
    for part in text.splitlines():
        lines: list[str] = []
        for piece in _pieces(part):
            if width(piece.strip()) > columns:
                return None
            if lines and width(lines[-1] + piece.rstrip()) <= columns:
                lines[-1] += piece
            elif piece.strip():
                lines.append(piece.lstrip())
        done += [line.strip() for line in lines]
    return tuple(done) if len(done) <= rows else None


def _pieces(text: str) -> list[str]:
    """Smallest parts that may stand on a line of their own."""
    pieces: list[str] = []
    for character in text:
        latin = character.isascii() and not character.isspace()
        ending = pieces[-1].rstrip() if pieces else ""
        sticks = bool(pieces) and (
            character in _NO_LINE_START
            or (ending != "" and ending[-1] in _NO_LINE_END)
            or (latin and pieces[-1][-1].isascii() and not pieces[-1][-1].isspace())
            or character.isspace()
        )
        if sticks:
            pieces[-1] += character
        else:
            pieces.append(character)
    return pieces


def sign_text(candidates: Sequence[str], *, columns: int, rows: int) -> tuple[str, ...]:
    """Lines of the first candidate that fits; give them from the longest to the shortest.

    Raises:
        InputError: none fits.
    """
    for text in candidates:
        lines = sign_lines(text, columns=columns, rows=rows)
        if lines:
            return lines
    raise InputError(f"no wording fits a sign of {rows} lines of {columns} cells", where="message sign")
