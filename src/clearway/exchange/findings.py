"""What is wrong inside a file that can be read: named with its place, while the rest goes on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from clearway.kernel.language import Text


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault or remark.

    Args:
        code: short name of the kind of fault, stable, for programs.
        where: line, field or road it concerns.
        text: what is wrong and what was done about it, in both languages.
        grave: False for remarks that change nothing.
    """

    code: str
    where: str
    text: Text
    grave: bool = True

    def as_dict(self) -> dict[str, Any]:
        """Plain form for JSON."""
        return {"code": self.code, "where": self.where, "grave": self.grave, **self.text.as_dict()}
