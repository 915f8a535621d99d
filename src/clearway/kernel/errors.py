"""The error family. Every error says what went wrong, where, and what to do next.

Data that is bad (``InputError``) is kept apart from a system that failed (``SystemFailureError``); see
docs/architecture.md. No error text ever carries a stack trace or a secret.
"""

from __future__ import annotations

from clearway.kernel.language import Text


class ClearwayError(Exception):
    """Base of all errors meant for a person.

    Args:
        what: what is wrong, one sentence, no trailing stop.
        where: file, line, key, record or field; empty when it applies to the whole request.
        hint: what to do next.
        words: the same for a person on a screen, in both languages, where the room that raises has them.
    """

    status = 500
    code = "error"

    def __init__(self, what: str, *, where: str = "", hint: str = "", words: Text | None = None) -> None:
        super().__init__(what)
        self.what, self.where, self.hint, self.words = what, where, hint, words

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text}. {self.hint}" if self.hint else text


class InputError(ClearwayError):
    """Input that cannot be accepted: a broken file, a bad field, an impossible value."""

    status = 422
    code = "bad_input"


class NotFoundError(ClearwayError):
    """The thing asked for does not exist, or the asker may not know that it does."""

    status = 404
    code = "not_found"


class ConflictError(ClearwayError):
    """The record changed since the caller read it; nothing was written."""

    status = 409
    code = "conflict"


class ForbiddenError(ClearwayError):
    """The actor may not do this; ``what`` names the rule that says so."""

    status = 403
    code = "forbidden"


class UnauthenticatedError(ClearwayError):
    """Nobody is signed in, or the token is unknown, expired or revoked."""

    status = 401
    code = "unauthenticated"


class SystemFailureError(ClearwayError):
    """Clearway or what it stands on failed: a full disk, a lost lease, a broken store."""

    status = 503
    code = "system_failure"
