"""Which verbs are decisions, and that deciders prove a second factor."""

from __future__ import annotations

from typing import Final

from clearway.kernel.errors import ForbiddenError
from clearway.kernel.language import Text
from clearway.records import Kinds, roles
from clearway.records.kinds import VerbDecl
from clearway.web.access import Principal

_DECIDERS: Final = frozenset({"duty_officer", "commander", "information_officer", "admin"})
_ONLY_PREPARES: Final = frozenset({"draft", "edit", "discard"})


class SecondFactorNeededError(ForbiddenError):
    """A decision was asked for in a session without a second factor."""

    code = "second_factor_needed"


def is_decision(verb: VerbDecl) -> bool:
    """Whether only deciders may do the verb: none of its roles is the field's or the dispatcher's."""
    if verb.name in _ONLY_PREPARES:
        return False
    human = {role for allow in verb.allow for role in allow.roles if role in roles() and roles()[role].human}
    return bool(human) and human <= _DECIDERS


def require_strong(who: Principal, kinds: Kinds, kind: str, verb: str) -> None:
    """Refuse a decision in a session without a second factor.

    Raises:
        SecondFactorNeededError: says where to prove it.
        InputError: no such kind or verb.
    """
    if not who.strong and is_decision(kinds.kind(kind).verb(verb)):
        words = Text("A decision needs your second factor", "作出决定须先完成二次验证")
        raise SecondFactorNeededError(words.en, hint="Go to /signin/second", words=words)
