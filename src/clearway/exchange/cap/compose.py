"""From a notice record to a CAP message: two languages, one set of facts.

Both infos carry identical times, codes, severity and places; only the words differ (profile of MET Norway).
An Update that takes the level to none is the stand-down and says AllClear; a Cancel says None.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from clearway.exchange.cap.areas import areas_of, name_of
from clearway.exchange.cap.codes import SEVERITY, Hazard, hazard
from clearway.exchange.cap.identifiers import identifier_for
from clearway.exchange.cap.model import Alert, Info, NameValue, Reference
from clearway.exchange.cap.values import format_time
from clearway.kernel.clock import parse_utc, require_utc
from clearway.kernel.errors import InputError
from clearway.kernel.language import CAP_LANGUAGE, Text
from clearway.kernel.levels import Level

LANGUAGES: Final = ("zh", "en")
CANCEL_LISTED: Final = timedelta(hours=1)
"""A Cancel stays valid at least this long, so that every reader sees it."""
P_LEVEL: Final = "levelColour"
P_PREVIOUS: Final = "previousLevelColour"
P_NEXT_UPDATE: Final = "nextUpdateBy"
P_ENDING: Final = "eventEndingTime"
P_CORRIDORS: Final = "corridors"
P_DOCTRINE: Final = "doctrineHash"
P_JOURNAL: Final = "journalHead"
P_FORECAST: Final = "forecastBasis"
P_SIMULATED: Final = "simulated"
HINDSIGHT: Final = Text("hindsight forecast", "事后预报(用实况回算)")

_RESPONSES: Final = {
    Level.RED: ("Avoid", "Execute"),
    Level.ORANGE: ("Avoid", "Prepare"),
    Level.YELLOW: ("Prepare", "Monitor"),
    Level.BLUE: ("Monitor",),
    Level.NONE: ("AllClear",),
}
_LIFTED: Final = Text("Lifted: {headline}", "【解除】{headline}")
_LIFTED_WORDS: Final = Text("This warning no longer applies.", "本预警已解除。")
_MARKS: Final = {
    "Exercise": Text("EXERCISE: {headline}", "【演练】{headline}"),
    "Test": Text("TEST: {headline}", "【测试】{headline}"),
}
_MARK_NOTES: Final = {
    "Exercise": Text("Exercise. Nobody needs to act.", "演练信息，请勿据此行动。"),
    "Test": Text("Technical test. Nobody needs to act.", "技术测试，请勿据此行动。"),
}


@dataclass(frozen=True, slots=True)
class Publisher:
    """Who speaks: ``sender`` is a domain name or address we own; the rest is shown to people."""

    sender: str
    name: Text
    contact: str = ""
    web: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What ties a message to its origin: rules in force, journal head, and whether it is hindsight."""

    doctrine_hash: str = ""
    journal_head: str = ""
    hindsight: bool = False


def notice_message(
    notice: Mapping[str, Any],
    *,
    msg_type: str,
    sent: datetime,
    sender: Publisher,
    references: Sequence[Reference] = (),
    notice_id: str = "",
    previous_level: int | None = None,
    stamp: Stamp = Stamp(),
    names: Mapping[str, Text] | None = None,
    reason: Text | None = None,
) -> Alert:
    """Compose the next message of a notice.

    Args:
        notice: body of the notice record.
        msg_type: Alert, Update or Cancel.
        sent: now; whole seconds count.
        sender: who publishes.
        references: what an Update or Cancel replaces
            (:func:`clearway.exchange.cap.chain.references_for`).
        notice_id: record id; tells apart notices with the same words.
        previous_level: level of the message before, shown when it changed.
        stamp: origin of the content.
        names: names of areas and corridors by id.
        reason: why it is updated or cancelled, for the note and the words of a Cancel.

    Raises:
        InputError: a field of the notice is missing or impossible; ``where`` names it.
    """
    sent = require_utc(sent).replace(microsecond=0)
    facts = _Facts.read(notice, msg_type, sent)
    areas = areas_of(notice, names or {}, LANGUAGES)
    parameters = _parameters(notice, facts, previous_level, stamp, names or {})
    words = _words(notice, facts, reason)
    audience = Text.of(notice.get("audience") or "")
    infos = tuple(
        replace(
            facts.info(language, sent),
            audience=audience[language],
            sender_name=sender.name[language],
            headline=words[0][language],
            description=words[1][language],
            instruction=words[2][language],
            web=sender.web,
            contact=sender.contact,
            parameters=parameters,
            areas=areas[language],
        )
        for language in LANGUAGES
    )
    draft = Alert("", sender.sender, sent, facts.status, msg_type, "Public", infos=infos)
    draft = replace(
        draft,
        source=sender.source,
        note=_note(facts, stamp, reason),
        references=tuple(references),
        incidents="".join(str(notice.get("situation") or "").split()),
    )
    return replace(draft, identifier=identifier_for(draft, notice_id))


@dataclass(frozen=True, slots=True)
class _Facts:
    """What both languages share."""

    hazard: Hazard
    level: Level
    status: str
    starts: datetime
    expires: datetime
    urgency: str
    severity: str
    certainty: str
    responses: tuple[str, ...]
    event_codes: tuple[NameValue, ...]

    @classmethod
    def read(cls, notice: Mapping[str, Any], msg_type: str, sent: datetime) -> _Facts:
        """Check and derive.

        Raises:
            InputError: missing or impossible field.
        """
        if msg_type not in ("Alert", "Update", "Cancel"):
            raise InputError(f"{msg_type!r} is not a kind of message we send", where="msg_type")
        level = _level(notice)
        status = str(notice.get("status") or "Actual")
        if notice.get("simulated") and status == "Actual":
            hint = "Set status to Exercise or Test"
            raise InputError("a simulated notice may not be published as Actual", where="status", hint=hint)
        starts = _time(notice, "starts") or sent
        expires = _time(notice, "expires")
        if expires is None:
            raise InputError("a notice needs an expiry", where="expires")
        if msg_type == "Cancel":
            expires = max(expires, sent + CANCEL_LISTED)
        elif expires <= sent:
            raise InputError(
                f"the notice expired at {format_time(expires)}, before it is sent", where="expires"
            )
        over = msg_type == "Cancel" or level is Level.NONE
        kind = hazard(str(notice.get("hazard", "")))
        return cls(
            hazard=kind,
            level=level,
            status=status,
            starts=starts,
            expires=expires,
            urgency="Past" if over else str(notice.get("urgency") or urgency(starts, sent)),
            severity=str(notice.get("severity") or SEVERITY[level]),
            certainty=str(notice.get("certainty") or "Likely"),
            responses=("None",) if msg_type == "Cancel" else _RESPONSES[level],
            event_codes=_event_codes(notice, kind),
        )

    def info(self, language: str, sent: datetime) -> Info:
        """An info with the facts, waiting for its words. A Cancel takes no effect and has no onset."""
        cancel = self.responses == ("None",)
        return Info(
            language=CAP_LANGUAGE[language],
            categories=self.hazard.categories,
            event=self.hazard.name[language],
            response_types=self.responses,
            urgency=self.urgency,
            severity=self.severity,
            certainty=self.certainty,
            event_codes=self.event_codes,
            effective=None if cancel else sent,
            onset=None if cancel else self.starts,
            expires=self.expires,
        )


def urgency(starts: datetime, sent: datetime) -> str:
    """Immediate if it has begun, Expected within the hour, else Future (CAP 1.2, section 3.2.2)."""
    if starts <= sent:
        return "Immediate"
    return "Expected" if starts - sent <= timedelta(hours=1) else "Future"


def _level(notice: Mapping[str, Any]) -> Level:
    try:
        return Level(notice["level"])
    except (KeyError, ValueError, TypeError):
        what = f"{notice.get('level')!r} is not a level from 0 to 4"
        raise InputError(what, where="level") from None


def _time(notice: Mapping[str, Any], field: str) -> datetime | None:
    value = notice.get(field)
    if not value:
        return None
    at = value if isinstance(value, datetime) else parse_utc(str(value), where=field)
    return require_utc(at).replace(microsecond=0)


def _event_codes(notice: Mapping[str, Any], kind: Hazard) -> tuple[NameValue, ...]:
    """Codes of the hazard; a code in the notice replaces the Chinese one."""
    own = str(notice.get("event_code") or "")
    return (replace(kind, cn=own) if own else kind).event_codes()


def _words(notice: Mapping[str, Any], facts: _Facts, reason: Text | None) -> tuple[Text, Text, Text]:
    """Headline, description and instruction."""
    if not notice.get("headline"):
        raise InputError("a notice needs a headline", where="headline")
    headline = Text.of(notice["headline"])
    description = Text.of(notice.get("description") or "")
    instruction = Text.of(notice.get("instruction") or "")
    if facts.responses == ("None",):
        headline = _LIFTED.format(headline=headline)
        description, instruction = reason or _LIFTED_WORDS, Text("", "")
    if facts.status in _MARKS:
        headline = _MARKS[facts.status].format(headline=headline)
    return headline, description, instruction


def _note(facts: _Facts, stamp: Stamp, reason: Text | None) -> str:
    parts = [_MARK_NOTES[facts.status]] if facts.status in _MARK_NOTES else []
    if stamp.hindsight:
        parts.append(HINDSIGHT)
    if reason is not None:
        parts.append(reason)
    return " / ".join(f"{part.zh} {part.en}" for part in parts)


def _parameters(
    notice: Mapping[str, Any],
    facts: _Facts,
    previous_level: int | None,
    stamp: Stamp,
    names: Mapping[str, Text],
) -> tuple[NameValue, ...]:
    next_update, ends = _time(notice, "next_update_by"), _time(notice, "ends")
    before = "" if previous_level is None or previous_level == facts.level else Level(previous_level).name
    corridors = [name_of(c, names) for c in notice.get("corridors") or ()]
    pairs = (
        (P_LEVEL, facts.level.name),
        (P_PREVIOUS, before),
        (P_NEXT_UPDATE, format_time(next_update) if next_update else ""),
        (P_ENDING, format_time(ends) if ends else ""),
        (P_CORRIDORS, "; ".join(c.zh if c.zh == c.en else f"{c.zh} ({c.en})" for c in corridors)),
        (P_DOCTRINE, stamp.doctrine_hash),
        (P_JOURNAL, stamp.journal_head),
        (P_FORECAST, HINDSIGHT.en if stamp.hindsight else ""),
        (P_SIMULATED, "true" if notice.get("simulated") else ""),
    )
    return tuple(NameValue(name, value) for name, value in pairs if value)
