"""What stands in for a person once proven: sessions, API tokens, one-time links.

Session ids, tokens and links are 256-bit random; only their SHA-256 is kept.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from clearway.kernel.clock import from_epoch_s
from clearway.kernel.errors import ForbiddenError, InputError, UnauthenticatedError
from clearway.kernel.language import Text, both
from clearway.web.access.accounts import Accounts
from clearway.web.access.base import digest_of
from clearway.web.access.model import SCOPES, Account, Principal, Token

TOKEN_KEPT_S = 5
_AT_ONCE = 500
LINK_IS_OVER = Text("this one-time link is unknown, used or expired", "该一次性链接无效、已使用或已过期")
_ASK_AGAIN = Text("Ask an administrator for a new one", "请向管理员索取新链接")
MAX_TOKEN_DAYS = 366
LINK_FIRST = timedelta(hours=24)
"""Life of a one-time link to an account that nobody has come in to yet."""
LINK_AGAIN = timedelta(minutes=15)
"""Life of one to an account in use: it is asked for and used at once."""
ENROL_S = 900
"""How long after a one-time link a first second factor may be set up."""
PROVED_S = 900
"""How long after the second factor was shown proofs may be changed."""


class Sessions(Accounts):
    """Sessions, tokens and one-time links."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._tokens: dict[str, tuple[int, Principal]] = {}

    def _forget(self) -> None:
        self._tokens.clear()

    # API tokens ----------------------------------------------------------------------------------

    def issue_token(
        self, account_id: str, *, scopes: frozenset[str], label: str, days: int = 90, strong: bool = True
    ) -> str:
        """Create an API token; the text is shown once and never stored.

        Args:
            account_id: whom it speaks for.
            scopes: what it may be used for.
            label: what for, in words.
            days: how long it lives, 1 to 366.
            strong: whether decisions may be made with it: only where its owner asked for it in a session
                with a second factor, or the operator of the machine.

        Raises:
            InputError: unknown scope or a lifetime outside 1-366 days.
        """
        unknown = sorted(scopes - set(SCOPES))
        if unknown or not scopes:
            words = Text("choose what the token is for", "请选择令牌用途")
            hint = f"Use {', '.join(SCOPES)}"
            raise InputError(f"unknown scopes {unknown}", where="scopes", hint=hint, words=words)
        if not 1 <= days <= MAX_TOKEN_DAYS:
            words = Text("a token lives 1 to 366 days", "令牌有效期为1至366天")
            raise InputError(words.en, where="days", words=words)
        self.account(account_id)
        secret = "cw_" + secrets.token_urlsafe(32)
        now = self._now()
        self._write(
            "insert into token(digest, account, label, scopes, created_s, expires_s, strong)"
            " values(?,?,?,?,?,?,?)",
            digest_of(secret), account_id, label, json.dumps(sorted(scopes)), now, now + days * 86_400,
            int(strong),
        )  # fmt: skip
        return secret

    def tokens(self, account_id: str) -> list[Token]:
        """Tokens of an account that still work."""
        rows = self._rows(
            "select * from token where account=? and revoked_s is null and expires_s>? order by created_s",
            account_id, self._now(),
        )  # fmt: skip
        return [
            Token(
                r["digest"][:16], r["label"], tuple(json.loads(r["scopes"])), from_epoch_s(r["created_s"]),
                from_epoch_s(r["expires_s"]), bool(r["strong"]),
            )
            for r in rows
        ]  # fmt: skip

    def revoke_token(self, account_id: str, token_id: str) -> int:
        """Revoke one token of an account by its listed id; returns how many."""
        return self._write(
            "update token set revoked_s=? where account=? and substr(digest,1,16)=? and revoked_s is null",
            self._now(), account_id, token_id,
        )  # fmt: skip

    def revoke_tokens(self, account_id: str) -> int:
        """Revoke all tokens of an account; returns how many."""
        return self._write(
            "update token set revoked_s=? where account=? and revoked_s is null", self._now(), account_id
        )

    def token_principal(self, secret: str) -> Principal:
        """Who a token speaks for. A hit is remembered for five seconds, or until anything here changes.

        Raises:
            UnauthenticatedError: unknown, expired, revoked, or the account is disabled.
        """
        digest, now = digest_of(secret), self._now()
        cached = self._tokens.get(digest)
        if cached and cached[0] <= now < cached[0] + TOKEN_KEPT_S:
            return cached[1]
        rows = self._rows("select * from token where digest=?", digest)
        if not rows or rows[0]["revoked_s"] is not None or rows[0]["expires_s"] <= now:
            words = Text("the token is unknown, expired or revoked", "令牌无效、已过期或已吊销")
            raise UnauthenticatedError(words.en, hint="Ask for a new token", words=words)
        account = self.account(rows[0]["account"])
        if account.disabled:
            raise UnauthenticatedError("the account is disabled")
        scopes = frozenset(json.loads(rows[0]["scopes"]))
        strong = bool(rows[0]["strong"])
        principal = Principal(account, self.grants(account.id), scopes, strong=strong, via="token")
        self._tokens[digest] = (now, principal)
        return principal

    def remembered(self, secret: str) -> Principal | None:
        """Who a token speaks for, if that was looked up a moment ago; never waits for the store."""
        cached = self._tokens.get(digest_of(secret))
        return cached[1] if cached and cached[0] <= self._now() < cached[0] + TOKEN_KEPT_S else None

    # sessions ------------------------------------------------------------------------------------

    def open_session(
        self, account_id: str, *, strong: bool, agent: str, hours: int = 12, by_link: bool = False
    ) -> tuple[str, str]:
        """Start a session; returns (session secret for the cookie, CSRF token).

        Args:
            account_id: whose.
            strong: whether a second factor was shown.
            agent: what the browser calls itself.
            hours: how long it lasts.
            by_link: whether a one-time link has just been used up; such a session may set a first second
                factor up, for a while.
        """
        secret, csrf, now = secrets.token_urlsafe(32), secrets.token_urlsafe(24), self._now()
        self._write(
            "insert into session(digest, account, strong, post, agent, created_s, seen_s, expires_s, csrf,"
            " enrol_until_s, proved_s) values(?,?,?,?,?,?,?,?,?,?,?)",
            digest_of(secret), account_id, int(strong), "", agent[:200], now, now, now + hours * 3600, csrf,
            now + ENROL_S if by_link else 0, now if strong else 0,
        )  # fmt: skip
        return secret, csrf

    def session_principal(self, secret: str) -> tuple[Principal, str]:
        """Who a session belongs to, and its CSRF token.

        Raises:
            UnauthenticatedError: unknown, expired, or the account is disabled.
        """
        now = self._now()
        rows = self._rows("select * from session where digest=? and expires_s>?", digest_of(secret), now)
        if not rows:
            words = Text("the session has ended", "登录已失效")
            raise UnauthenticatedError(words.en, hint=both(Text("Sign in again", "请重新登录")), words=words)
        row = rows[0]
        account = self.account(row["account"])
        if account.disabled:
            raise UnauthenticatedError("the account is disabled")
        principal = Principal(
            account, self.grants(account.id), frozenset(SCOPES),
            strong=bool(row["strong"]), via="session", post=row["post"],
            enrol_until=from_epoch_s(row["enrol_until_s"]) if row["enrol_until_s"] > now else None,
            proved=bool(row["strong"]) and now - row["proved_s"] < PROVED_S,
        )  # fmt: skip
        return principal, row["csrf"]

    def sessions_alive(self, digests: Iterable[str]) -> set[str]:
        """Which of these sessions and tokens are still good: in time, not revoked, by somebody with a role"""
        now, alive, wanted = self._now(), set[str](), list(digests)
        sql = (
            "select x.digest from {table} x join account a on a.id=x.account and not a.disabled"
            " where x.digest in ({marks}) and x.expires_s>? {more} and exists"
            " (select 1 from role_grant g where g.account=x.account and (g.until_s is null or g.until_s>?))"
        )
        for table, more in (("session", ""), ("token", "and x.revoked_s is null")):
            for start in range(0, len(wanted), _AT_ONCE):
                part = wanted[start : start + _AT_ONCE]
                text = sql.format(table=table, marks=",".join("?" * len(part)), more=more)
                alive.update(row["digest"] for row in self._rows(text, *part, now, now))
        return alive

    def strengthen(self, secret: str) -> str:
        """Mark a session as proven with a second factor; returns its new secret.

        The old secret and its CSRF token stop working: whoever may have planted or read them before the proof
        gains nothing by it.
        """
        fresh, csrf = secrets.token_urlsafe(32), secrets.token_urlsafe(24)
        self._write(
            "update session set strong=1, fails=0, enrol_until_s=0, proved_s=?, digest=?, csrf=?"
            " where digest=?",
            self._now(), digest_of(fresh), csrf, digest_of(secret),
        )  # fmt: skip
        return fresh

    def set_post(self, secret: str, post: str) -> None:
        """Remember which post the session sits at."""
        self._write("update session set post=? where digest=?", post, digest_of(secret))

    def sessions(self, account_id: str, *, current: str = "") -> list[dict[str, Any]]:
        """Open sessions of an account: id prefix, agent, started, expires, which one is ``current``."""
        rows = self._rows(
            "select * from session where account=? and expires_s>? order by created_s",
            account_id,
            self._now(),
        )
        mine = digest_of(current) if current else ""
        return [
            {
                "id": r["digest"][:16],
                "agent": r["agent"],
                "started": from_epoch_s(r["created_s"]),
                "expires": from_epoch_s(r["expires_s"]),
                "strong": bool(r["strong"]),
                "post": r["post"],
                "current": r["digest"] == mine,
            }
            for r in rows
        ]

    def end_session(self, secret: str) -> None:
        """Sign out."""
        self._write("delete from session where digest=?", digest_of(secret))

    def end_sessions(self, account_id: str, *, but: str = "") -> int:
        """End all sessions of an account, except the one with the secret ``but``; returns how many."""
        keep = digest_of(but) if but else ""
        return self._write("delete from session where account=? and digest<>?", account_id, keep)

    def revoke_session(self, account_id: str, prefix: str) -> int:
        """End one session of an account by its listed id; returns how many ended."""
        return self._write(
            "delete from session where account=? and substr(digest,1,16)=?", account_id, prefix
        )

    # one-time links ------------------------------------------------------------------------------

    def link_life(self, account_id: str) -> timedelta:
        """How long a one-time link to this account works: a day at first, minutes once somebody came in."""
        came_in = self.account(account_id).has_password or bool(self.identities(account_id))
        return LINK_AGAIN if came_in else LINK_FIRST

    def issue_invite(self, account_id: str) -> str:
        """A one-time secret with which the account's owner sets a password; earlier ones stop working.

        The session it opens may set a first second factor up; no other session without one may.
        """
        secret = secrets.token_urlsafe(32)
        expires = self._now() + int(self.link_life(account_id).total_seconds())
        self._write("update invite set used_s=? where account=? and used_s is null", self._now(), account_id)
        self._write("insert into invite values(?,?,?,null)", digest_of(secret), account_id, expires)
        return secret

    def invited(self, secret: str) -> bool:
        """Whether a one-time link still works; does not use it up."""
        sql = "select 1 from invite where digest=? and used_s is null and expires_s>?"
        return bool(self._rows(sql, digest_of(secret), self._now()))

    def redeem_invite(self, secret: str) -> Account:
        """Use up an invite. Sessions opened before, with the password that is to be replaced, end.

        Raises:
            ForbiddenError: unknown, used or expired, or the account is disabled.
        """
        digest = digest_of(secret)
        used = self._write(
            "update invite set used_s=? where digest=? and used_s is null and expires_s>?"
            " and account in (select id from account where not disabled)",
            self._now(), digest, self._now(),
        )  # fmt: skip
        if used != 1:
            raise ForbiddenError(LINK_IS_OVER.en, hint=both(_ASK_AGAIN), words=LINK_IS_OVER)
        account = self.account(self._rows("select account from invite where digest=?", digest)[0][0])
        self.end_sessions(account.id)
        return account
