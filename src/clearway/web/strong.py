"""Which verbs are decisions, and that deciders prove a second factor."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from clearway.kernel.errors import ForbiddenError
from clearway.kernel.language import Text, both
from clearway.records import Kinds, roles
from clearway.records.kinds import VerbDecl
from clearway.web.access import Principal

_DECIDERS: Final = frozenset({"duty_officer", "commander", "information_officer", "admin"})
_ONLY_PREPARES: Final = frozenset({"draft", "edit", "discard"})
_OWE: Final = frozenset({"owe_confirmation", "owe_if_two"})


class SecondFactorNeededError(ForbiddenError):
    """A decision was asked for in a session without a second factor."""

    code = "second_factor_needed"


def is_decision(verb: VerbDecl, held: Collection[str] = ()) -> bool:
    """Whether a verb is a decision for somebody who holds these roles.

    It is where only deciders may do it: none of its roles is the field's or the dispatcher's. Where one
    person puts something into force and owes the second person's word, it is one for deciders, though the
    field may do it as well: a crew enters by phone what it did on scene, an officer proves who he is.
    """
    if verb.name in _ONLY_PREPARES:
        return False
    human = {role for allow in verb.allow for role in allow.roles if role in roles() and roles()[role].human}
    if any(effect.name in _OWE for effect in verb.effects) and human & _DECIDERS & set(held):
        return True
    return bool(human) and human <= _DECIDERS


def roles_of(who: Principal) -> set[str]:
    """Names of the roles somebody holds, in whatever area."""
    return {grant.role for grant in who.grants}


def require_own_factor(who: Principal) -> None:
    """Refuse to change proofs of an account (code app, passkeys, other sign-ins) but by its owner's hands.

    Where a second factor stands it must have been shown just now. Where none stands a password is not enough,
    because it can be stolen: the session was opened by a one-time link, or proved a factor in another way.

    Raises:
        SecondFactorNeededError: says where to prove the factor.
        ForbiddenError: says who gives the link.
    """
    if who.account.has_second_factor:
        if not who.proved:
            words = Text(
                "show your present second factor again before you change it", "变更前请再次完成现有的二次验证"
            )
            raise SecondFactorNeededError(words.en, hint="/signin/second?next=/account", words=words)
        return
    if not who.strong and who.enrol_until is None:
        words = Text(
            "a second factor is first set up right after a one-time link; a password alone is not enough",
            "首次设置二次验证须在使用一次性链接登录后进行，仅凭密码不可设置",
        )
        hint = both(Text("Ask an administrator for a one-time link", "请向管理员索取一次性链接"))
        raise ForbiddenError(words.en, hint=hint, words=words)


def may_change_factors(who: Principal) -> bool:
    """Whether :func:`require_own_factor` lets them."""
    try:
        require_own_factor(who)
    except ForbiddenError:
        return False
    return True


def require_strong(who: Principal, kinds: Kinds, kind: str, verb: str) -> None:
    """Refuse a decision in a session without a second factor.

    Raises:
        SecondFactorNeededError: says where to prove it.
        InputError: no such kind or verb.
    """
    if not who.strong and is_decision(kinds.kind(kind).verb(verb), roles_of(who)):
        words = Text("A decision needs your second factor", "作出决定须先完成二次验证")
        raise SecondFactorNeededError(words.en, hint="Go to /signin/second", words=words)
