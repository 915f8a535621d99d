"""The access store: one SQLite file, kept apart from journal and series.

Passwords are argon2id (OWASP parameters of argon2-cffi); tokens and session ids are 256-bit random
and only their SHA-256 is kept. Failed sign-ins slow down the address that fails, not the account, so
nobody can lock a duty officer out by guessing.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import sqlite3
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from clearway.kernel.clock import Clock, epoch_s, from_epoch_s
from clearway.kernel.errors import ForbiddenError, InputError, NotFoundError, UnauthenticatedError
from clearway.web.access.model import SCOPES, Account, Grant, Principal

_SCHEMA = """
create table if not exists account(
  id text primary key, login text not null unique, display_name text not null, language text not null,
  password text, totp text, totp_last_step integer not null default 0, disabled integer not null default 0,
  created_s integer not null);
create table if not exists role_grant(
  account text not null references account(id), role text not null, area text not null, until_s integer,
  primary key(account, role, area));
create table if not exists token(
  digest text primary key, account text not null references account(id), label text not null,
  scopes text not null, created_s integer not null, expires_s integer not null, revoked_s integer);
create table if not exists session(
  digest text primary key, account text not null references account(id), strong integer not null,
  post text not null, agent text not null, created_s integer not null, seen_s integer not null,
  expires_s integer not null, csrf text not null);
create table if not exists passkey(
  credential text primary key, account text not null references account(id), public_key blob not null,
  sign_count integer not null, label text not null, created_s integer not null);
create table if not exists invite(
  digest text primary key, account text not null references account(id), expires_s integer not null,
  used_s integer);
create table if not exists alarm_seen(key text primary key, account text not null, at_s integer not null);
create table if not exists failure(source text not null, at_s integer not null);
create index if not exists failure_source on failure(source, at_s);
"""
_MIN_PASSWORD = 12
_CHALLENGE_S = 300
_FAILURES_FREE, _FAILURE_WINDOW_S, _MAX_WAIT_S = 5, 900, 300


class AccessStore:
    """Accounts, grants, tokens, sessions. Thread safe; every change is durable when the call returns."""

    def __init__(self, path: Path | str, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._db = sqlite3.connect(str(path), check_same_thread=False, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.execute("pragma journal_mode=wal")
        self._db.execute("pragma synchronous=full")
        self._db.execute("pragma foreign_keys=on")
        self._db.executescript(_SCHEMA)
        self._hasher = PasswordHasher()
        self._dummy = self._hasher.hash(secrets.token_hex(16))
        self._challenges: dict[str, tuple[int, bytes]] = {}
        self._tokens: dict[str, tuple[int, Principal]] = {}

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def _rows(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    def _write(self, sql: str, *values: Any) -> int:
        with self._lock:
            self._tokens.clear()
            return self._db.execute(sql, values).rowcount

    def _now(self) -> int:
        return epoch_s(self._clock.now())

    # accounts ------------------------------------------------------------------------------------

    def create_account(self, login: str, display_name: str, *, language: str = "zh") -> Account:
        """Create an account without password or roles.

        Raises:
            InputError: login taken or empty.
        """
        login = login.strip().lower()
        if not login or len(login) > 64 or not login.isprintable():
            raise InputError("a login needs 1 to 64 printable characters", where="login")
        account_id = f"acct-{secrets.token_hex(8)}"
        try:
            self._write(
                "insert into account(id, login, display_name, language, created_s) values(?,?,?,?,?)",
                account_id, login, display_name.strip() or login, language, self._now(),
            )  # fmt: skip
        except sqlite3.IntegrityError as error:
            raise InputError(f"login {login!r} is taken", where="login") from error
        return self.account(account_id)

    def account(self, account_id: str) -> Account:
        """The account by id.

        Raises:
            NotFoundError: no such account.
        """
        rows = self._rows(
            "select a.*, (totp is not null or exists(select 1 from passkey p where p.account=a.id)) as second"
            " from account a where id=?",
            account_id,
        )
        if not rows:
            raise NotFoundError(f"no account {account_id!r}")
        return _account(rows[0])

    def accounts(self) -> list[Account]:
        """All accounts by login."""
        rows = self._rows(
            "select a.*, (totp is not null or exists(select 1 from passkey p where p.account=a.id)) as second"
            " from account a order by login"
        )
        return [_account(row) for row in rows]

    def is_empty(self) -> bool:
        """Whether no account exists yet (first start)."""
        return not self._rows("select 1 from account limit 1")

    def disable(self, account_id: str, *, disabled: bool = True) -> None:
        """Disable or enable; sessions and tokens of a disabled account stop at once."""
        self._write("update account set disabled=? where id=?", int(disabled), account_id)
        if disabled:
            self._write("delete from session where account=?", account_id)

    def grant(self, account_id: str, grant: Grant) -> None:
        """Give a role for an area."""
        until = epoch_s(grant.until) if grant.until else None
        self._write(
            "insert into role_grant values(?,?,?,?) on conflict do update set until_s=excluded.until_s",
            account_id, grant.role, grant.area, until,
        )  # fmt: skip

    def revoke_grant(self, account_id: str, role: str, area: str) -> None:
        """Take a role back."""
        self._write("delete from role_grant where account=? and role=? and area=?", account_id, role, area)

    def grants(self, account_id: str) -> tuple[Grant, ...]:
        """Roles in force now."""
        rows = self._rows(
            "select * from role_grant where account=? and (until_s is null or until_s>?) order by role, area",
            account_id, self._now(),
        )  # fmt: skip
        return tuple(
            Grant(r["role"], r["area"], from_epoch_s(r["until_s"]) if r["until_s"] else None) for r in rows
        )

    # passwords -----------------------------------------------------------------------------------

    def set_password(self, account_id: str, password: str) -> None:
        """Set the password; at least 12 characters (NIST SP 800-63B favours length over rules).

        Raises:
            InputError: too short.
        """
        if len(password) < _MIN_PASSWORD:
            raise InputError(f"a password needs at least {_MIN_PASSWORD} characters", where="password")
        self._write("update account set password=? where id=?", self._hasher.hash(password), account_id)

    def check_password(self, login: str, password: str, *, source: str) -> Account:
        """The account whose password this is; ``source`` is the client's address.

        Raises:
            UnauthenticatedError: wrong, unknown, disabled or too many failures from this source.
        """
        wait = self.wait_s(source)
        if wait > 0:
            raise UnauthenticatedError(
                "too many failed sign-ins from this address", hint=f"Try again in {wait} seconds"
            )
        rows = self._rows("select * from account where login=?", login.strip().lower())
        stored = rows[0]["password"] if rows and rows[0]["password"] else self._dummy
        try:
            self._hasher.verify(stored, password)
            good = bool(rows) and stored is not self._dummy and not rows[0]["disabled"]
        except VerificationError:
            good = False
        if not good:
            self.note_failure(source)
            raise UnauthenticatedError("login or password is wrong")
        return self.account(rows[0]["id"])

    def note_failure(self, source: str) -> None:
        """Count a failed proof from an address."""
        now = self._now()
        self._write("delete from failure where at_s<?", now - _FAILURE_WINDOW_S)
        self._write("insert into failure values(?,?)", source, now)

    def wait_s(self, source: str) -> int:
        """Seconds an address must still wait: doubles with each failure beyond five in 15 minutes."""
        now = self._now()
        rows = self._rows(
            "select count(*) as n, max(at_s) as last from failure where source=? and at_s>=?",
            source, now - _FAILURE_WINDOW_S,
        )  # fmt: skip
        over = int(rows[0]["n"]) - _FAILURES_FREE
        if over <= 0:
            return 0
        wait: int = min(2**over, _MAX_WAIT_S)
        return max(0, int(rows[0]["last"]) + wait - now)

    # second factor -------------------------------------------------------------------------------

    def set_totp(self, account_id: str, secret: str) -> None:
        """Remember a TOTP secret (RFC 6238) once its owner has shown a code for it."""
        self._write("update account set totp=?, totp_last_step=0 where id=?", secret, account_id)

    def check_totp(self, account_id: str, code: str, *, source: str) -> None:
        """Accept a code once, within one step (30 s) of now.

        Raises:
            UnauthenticatedError: wrong, used before, none set up, or too many failures from this source.
        """
        if self.wait_s(source) > 0:
            raise UnauthenticatedError("too many failed codes from this address", hint="Wait and try again")
        rows = self._rows("select totp, totp_last_step from account where id=?", account_id)
        secret = rows[0]["totp"] if rows else None
        if secret is not None:
            totp, now = pyotp.TOTP(secret), self._now()
            for step in (now // 30 - 1, now // 30, now // 30 + 1):
                fresh = step > int(rows[0]["totp_last_step"])
                if fresh and hmac.compare_digest(totp.at(step * 30), code.strip()):
                    self._write("update account set totp_last_step=? where id=?", step, account_id)
                    return
        self.note_failure(source)
        raise UnauthenticatedError("the code is wrong or was used before")

    def fresh_totp(self, secret: str, code: str) -> bool:
        """Whether a code fits a secret now (or one step away), before it is kept."""
        totp, now = pyotp.TOTP(secret), self._now()
        steps = (now // 30 - 1, now // 30, now // 30 + 1)
        return any(hmac.compare_digest(totp.at(step * 30), code.replace(" ", "")) for step in steps)

    # passkeys ------------------------------------------------------------------------------------

    def passkeys(self, account_id: str) -> list[dict[str, Any]]:
        """Passkeys of an account."""
        rows = self._rows("select * from passkey where account=? order by created_s", account_id)
        return [{**dict(row), "created": from_epoch_s(row["created_s"])} for row in rows]

    def add_passkey(
        self, account_id: str, credential: str, public_key: bytes, sign_count: int, label: str
    ) -> None:
        """Keep a verified passkey."""
        self._write(
            "insert into passkey values(?,?,?,?,?,?)",
            credential, account_id, public_key, sign_count, label, self._now(),
        )  # fmt: skip

    def count_passkey(self, credential: str, sign_count: int) -> None:
        """Remember the signature counter, which betrays copies."""
        self._write("update passkey set sign_count=? where credential=?", sign_count, credential)

    def drop_passkey(self, account_id: str, credential: str) -> None:
        """Forget a passkey."""
        self._write("delete from passkey where account=? and credential=?", account_id, credential)

    def set_challenge(self, session: str, challenge: bytes) -> None:
        """Remember the challenge given to a session; a new one replaces the old."""
        self._challenges[session] = (self._now(), challenge)
        for old in [s for s, (at, _) in self._challenges.items() if at < self._now() - _CHALLENGE_S]:
            del self._challenges[old]

    def take_challenge(self, session: str) -> bytes:
        """The challenge given to a session; each serves once.

        Raises:
            UnauthenticatedError: none was given, or too long ago.
        """
        at, challenge = self._challenges.pop(session, (0, b""))
        if at < self._now() - _CHALLENGE_S:
            raise UnauthenticatedError("the passkey took too long", hint="Try again")
        return challenge

    # API tokens ----------------------------------------------------------------------------------

    def issue_token(self, account_id: str, *, scopes: frozenset[str], label: str, days: int = 90) -> str:
        """Create an API token; the text is shown once and never stored.

        Raises:
            InputError: unknown scope or a lifetime outside 1-366 days.
        """
        unknown = sorted(scopes - set(SCOPES))
        if unknown or not scopes:
            raise InputError(f"unknown scopes {unknown}", where="scopes", hint=f"Use {', '.join(SCOPES)}")
        if not 1 <= days <= 366:
            raise InputError("a token lives 1 to 366 days", where="days")
        self.account(account_id)
        secret = "cw_" + secrets.token_urlsafe(32)
        now = self._now()
        self._write(
            "insert into token values(?,?,?,?,?,?,null)",
            _digest(secret), account_id, label, json.dumps(sorted(scopes)), now, now + days * 86_400,
        )  # fmt: skip
        return secret

    def revoke_tokens(self, account_id: str) -> int:
        """Revoke all tokens of an account; returns how many."""
        return self._write(
            "update token set revoked_s=? where account=? and revoked_s is null", self._now(), account_id
        )

    def token_principal(self, secret: str) -> Principal:
        """Who a token speaks for. A hit is remembered for five seconds.

        Raises:
            UnauthenticatedError: unknown, expired, revoked, or the account is disabled.
        """
        digest, now = _digest(secret), self._now()
        cached = self._tokens.get(digest)
        if cached and cached[0] <= now < cached[0] + 5:
            return cached[1]
        rows = self._rows("select * from token where digest=?", digest)
        if not rows or rows[0]["revoked_s"] is not None or rows[0]["expires_s"] <= now:
            raise UnauthenticatedError("the token is unknown, expired or revoked")
        account = self.account(rows[0]["account"])
        if account.disabled:
            raise UnauthenticatedError("the account is disabled")
        scopes = frozenset(json.loads(rows[0]["scopes"]))
        principal = Principal(account, self.grants(account.id), scopes, strong=True, via="token")
        self._tokens[digest] = (now, principal)
        return principal

    # sessions ------------------------------------------------------------------------------------

    def open_session(self, account_id: str, *, strong: bool, agent: str, hours: int = 12) -> tuple[str, str]:
        """Start a session; returns (session secret for the cookie, CSRF token)."""
        secret, csrf, now = secrets.token_urlsafe(32), secrets.token_urlsafe(24), self._now()
        self._write(
            "insert into session values(?,?,?,?,?,?,?,?,?)",
            _digest(secret), account_id, int(strong), "", agent[:200], now, now, now + hours * 3600, csrf,
        )  # fmt: skip
        return secret, csrf

    def session_principal(self, secret: str) -> tuple[Principal, str]:
        """Who a session belongs to, and its CSRF token.

        Raises:
            UnauthenticatedError: unknown or expired.
        """
        now = self._now()
        rows = self._rows("select * from session where digest=? and expires_s>?", _digest(secret), now)
        if not rows:
            raise UnauthenticatedError("the session has ended", hint="Sign in again")
        row = rows[0]
        account = self.account(row["account"])
        principal = Principal(
            account, self.grants(account.id), frozenset(("read", "command", "admin")),
            strong=bool(row["strong"]), via="session", post=row["post"],
        )  # fmt: skip
        return principal, row["csrf"]

    def session_lives(self, digest: str) -> bool:
        """Whether a session (or token) of this digest is still good."""
        now = self._now()
        live = "select 1 from session where digest=? and expires_s>? union all select 1 from token"
        return bool(
            self._rows(
                f"{live} where digest=? and revoked_s is null and expires_s>?", digest, now, digest, now
            )
        )

    def strengthen(self, secret: str) -> None:
        """Mark a session as proven with a second factor."""
        self._write("update session set strong=1 where digest=?", _digest(secret))

    def set_post(self, secret: str, post: str) -> None:
        """Remember which post the session sits at."""
        self._write("update session set post=? where digest=?", post, _digest(secret))

    def sessions(self, account_id: str) -> list[dict[str, Any]]:
        """Open sessions of an account: id prefix, agent, started, expires."""
        rows = self._rows(
            "select * from session where account=? and expires_s>? order by created_s",
            account_id,
            self._now(),
        )
        return [
            {
                "id": r["digest"][:16],
                "agent": r["agent"],
                "started": from_epoch_s(r["created_s"]),
                "expires": from_epoch_s(r["expires_s"]),
                "strong": bool(r["strong"]),
            }
            for r in rows
        ]

    def end_session(self, secret: str) -> None:
        """Sign out."""
        self._write("delete from session where digest=?", _digest(secret))

    def revoke_session(self, account_id: str, prefix: str) -> int:
        """End one session of an account by its listed id; returns how many ended."""
        return self._write(
            "delete from session where account=? and substr(digest,1,16)=?", account_id, prefix
        )

    # alarms taken up -----------------------------------------------------------------------------

    def take_alarm(self, key: str, account_id: str) -> None:
        """Somebody takes an alarm up; the first to do so stays named."""
        self._write(
            "insert into alarm_seen values(?,?,?) on conflict do nothing", key, account_id, self._now()
        )

    def alarms_seen(self) -> dict[str, str]:
        """Account that took each alarm up, by the alarm's key."""
        return {row["key"]: row["account"] for row in self._rows("select key, account from alarm_seen")}

    # one-time links ------------------------------------------------------------------------------

    def issue_invite(self, account_id: str, *, valid: timedelta = timedelta(hours=24)) -> str:
        """A one-time secret with which the account's owner sets a password."""
        secret = secrets.token_urlsafe(32)
        expires = self._now() + int(valid.total_seconds())
        self._write("insert into invite values(?,?,?,null)", _digest(secret), account_id, expires)
        return secret

    def redeem_invite(self, secret: str) -> Account:
        """Use up an invite.

        Raises:
            ForbiddenError: unknown, used or expired.
        """
        used = self._write(
            "update invite set used_s=? where digest=? and used_s is null and expires_s>?",
            self._now(), _digest(secret), self._now(),
        )  # fmt: skip
        if used != 1:
            raise ForbiddenError("this one-time link is unknown, used or expired", hint="Ask for a new one")
        return self.account(self._rows("select account from invite where digest=?", _digest(secret))[0][0])


def csrf_matches(expected: str, given: str) -> bool:
    """Compare CSRF tokens in constant time."""
    return hmac.compare_digest(expected.encode(), given.encode())


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _account(row: sqlite3.Row) -> Account:
    return Account(
        row["id"],
        row["login"],
        row["display_name"],
        row["language"],
        bool(row["disabled"]),
        bool(row["second"]),
    )
