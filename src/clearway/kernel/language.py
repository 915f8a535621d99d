"""Words in the two languages of the house: English and Simplified Chinese."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

LANGUAGES = ("en", "zh")
CAP_LANGUAGE = {"en": "en", "zh": "zh-CN"}


@dataclass(frozen=True, slots=True)
class Text:
    """The same words in English and Simplified Chinese."""

    en: str
    zh: str

    def __getitem__(self, language: str) -> str:
        return self.zh if language.startswith("zh") else self.en

    def format(self, **values: Any) -> Text:
        """Fill both templates; a :class:`Text` value is filled in its own language."""

        def fill(template: str, language: str) -> str:
            words = {k: v[language] if isinstance(v, Text) else v for k, v in values.items()}
            return template.format(**words)

        return Text(fill(self.en, "en"), fill(self.zh, "zh"))

    def as_dict(self) -> dict[str, str]:
        """Plain form for records and JSON."""
        return {"en": self.en, "zh": self.zh}

    @classmethod
    def of(cls, value: Text | dict[str, str] | str) -> Text:
        """Read back :meth:`as_dict`; a bare string serves both languages."""
        if isinstance(value, Text):
            return value
        if isinstance(value, str):
            return cls(value, value)
        return cls(value["en"], value["zh"])


def join(texts: list[Text], *, limit: int = 0) -> Text:
    """Join as a list in each language; beyond ``limit`` items the rest is counted (0: no limit)."""
    shown = texts if not limit or len(texts) <= limit else texts[:limit]
    rest = len(texts) - len(shown)
    en, zh = ", ".join(t.en for t in shown), "、".join(t.zh for t in shown)
    return Text(f"{en} and {rest} more", f"{zh}等{len(texts)}条") if rest else Text(en, zh)


def accepted(header: str) -> str:
    """Language for a reader nobody knows, from ``Accept-Language`` (RFC 9110, 12.5.4).

    The first language named counts: Chinese for Chinese, English for any other, Chinese when none is named.
    """
    first = header.split(",", 1)[0].split(";", 1)[0].strip().lower()
    return "zh" if first in ("", "*") or first.startswith("zh") else "en"


BOTH_MARK = " ｜ "


def both(text: Text | dict[str, str]) -> str:
    """Both languages in one line, for fields that hold one string (reasons in the journal)."""
    words = Text.of(text)
    return words.en if words.en == words.zh else f"{words.en}{BOTH_MARK}{words.zh}"


def from_both(line: str) -> Text:
    """Read back :func:`both`; a line in one language serves both."""
    en, mark, zh = line.partition(BOTH_MARK)
    return Text(en, zh if mark else en)
