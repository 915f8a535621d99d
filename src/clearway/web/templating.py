"""One Jinja2 environment for every page: escaped by default, both languages, local time at the edge."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import ChainableUndefined, Environment, PackageLoader
from jinja2.runtime import Undefined
from jinja2.utils import missing
from markupsafe import Markup

from clearway.kernel.clock import iso, parse_utc
from clearway.kernel.language import Text, from_both
from clearway.kernel.levels import Level
from clearway.web.said import doubt_words, figure_words, said, source_words


class Gap(ChainableUndefined):
    """A field that a record does not have reads as nothing; a name that a page was not given is an error."""

    def _strict(self) -> None:
        if self._undefined_obj is missing:
            self._fail_with_undefined_error()

    def __str__(self) -> str:
        self._strict()
        return ""

    def __bool__(self) -> bool:
        self._strict()
        return False

    def __iter__(self) -> Iterator[Any]:
        self._strict()
        return iter(())

    def __len__(self) -> int:
        self._strict()
        return 0


@lru_cache(maxsize=1)
def environment() -> Environment:
    """The environment; an undefined name in a template is an error."""
    env = Environment(
        loader=PackageLoader("clearway.web", "templates"),
        autoescape=True,
        undefined=Gap,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters.update(
        one_language=one_language, words=words, level_chip=level_chip, said=said_words, cells=cells
    )
    env.globals.update(
        late=late, source_words=source_words, doubt_words=doubt_words, figure_words=figure_words
    )
    return env


def cells(line: str) -> int:
    """Cells a line takes on a message sign: a Chinese character takes two."""
    from clearway.channels.texts import width

    return width(line)


def one_language(line: str, language: str) -> str:
    """One language of a line that may hold both (see :func:`clearway.kernel.language.both`)."""
    return from_both(line)[language]


def said_words(value: Text | dict[str, str] | str | Undefined | None, language: str) -> str:
    """Words of law and office that records keep in English, in the reader's language."""
    return "" if value is None or isinstance(value, Undefined) else said(value)[language]


def late(value: str, now: datetime) -> bool:
    """Whether a stored time has passed."""
    return parse_utc(value) <= now


def words(value: Text | dict[str, str] | str | Undefined | None, language: str) -> str:
    """The words in one language; nothing for a field that is not there."""
    if value is None or isinstance(value, Undefined):
        return ""
    return Text.of(value)[language]


def local(at: datetime | str, zone: str, language: str, *, date: bool = True) -> Markup:
    """A ``time`` element: local time to read, UTC on hover and for machines."""
    moment = parse_utc(at) if isinstance(at, str) else at
    there = moment.astimezone(ZoneInfo(zone))
    if language == "zh":
        shown = f"{there.month}月{there.day}日{there:%H:%M}" if date else f"{there:%H:%M}"
    else:
        shown = f"{there.day} {there:%b %H:%M}" if date else f"{there:%H:%M}"
    return Markup('<time datetime="{}" title="{} UTC">{}</time>').format(
        iso(moment), f"{moment:%Y-%m-%d %H:%M}", shown
    )


def level_chip(code: int, language: str) -> Markup:
    """A level as shape, word and colour."""
    level = Level(code)
    return Markup('<span class="chip level-{}"><span aria-hidden="true">{}</span> {}</span>').format(
        level.name.lower(), level.shape, level.label[language]
    )


def render(template: str, *, language: str, zone: str, **values: Any) -> str:
    """Render a page in one language and time zone."""

    def say(en: str, zh: str) -> str:
        return zh if language == "zh" else en

    def at(moment: datetime | str, *, date: bool = True) -> Markup:
        return local(moment, zone, language, date=date)

    return (
        environment()
        .get_template(template)
        .render(
            lang=language,
            zone=zone,
            html_lang="zh-CN" if language == "zh" else "en",
            say=say,
            at=at,
            **values,
        )
    )
