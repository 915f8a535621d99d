"""Proofs of who somebody is: password, one-time code, passkey; and how guessing is slowed down.

Passwords are argon2id (OWASP parameters of argon2-cffi). Guessing slows down the address that guesses and,
once many guesses at one account come from devices it has never used, all unknown devices. A browser that
has signed in before carries a device cookie and is never made to wait for what others do (OWASP, "Slow down
online guessing attacks with device cookies"), so nobody can lock a duty officer out.
"""

from __future__ import annotations

import hmac
import ipaddress
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from clearway.kernel.clock import from_epoch_s
from clearway.kernel.errors import InputError, SystemFailureError, UnauthenticatedError
from clearway.kernel.language import Text, both
from clearway.web.access.base import AccessFile, digest_of

MIN_PASSWORD = 12
MAX_PASSWORD = 200
_CHALLENGE_S = 300
_FAILURES_FREE, _FAILURE_WINDOW_S, _MAX_WAIT_S = 5, 900, 300
_STRANGERS_FREE = 40
"""Failed guesses at one account from unknown devices in 15 minutes before all unknown devices wait."""
_CODES_PER_SESSION = 5
_DEVICE_DAYS = 180
_HASHING, _QUEUE, _QUEUE_WAIT_S = 2, 12, 10.0
"""Hashes at once (each takes 64 MiB and a core), and how many may wait: more are turned away."""


def source_key(address: str) -> str:
    """What failures are counted against: an IPv4 address, or the /64 that one IPv6 customer holds."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64] or "unknown"
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)


class Factors(AccessFile):
    """Passwords, codes and passkeys of the accounts."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._hasher = PasswordHasher()
        self._dummy = self._hasher.hash(secrets.token_hex(16))
        self._hashing = threading.BoundedSemaphore(_HASHING)
        self._queued = 0
        self._challenges: dict[str, tuple[int, bytes]] = {}

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """One hash at a time and core; a flood of sign-ins is turned away, not stored up."""
        with self._lock:
            full = self._queued >= _QUEUE
            self._queued += 0 if full else 1
        words = Text("too many sign-ins at this moment", "当前登录请求过多")
        hint = both(Text("Try again in a few seconds", "请数秒后重试"))
        busy = SystemFailureError(words.en, hint=hint, words=words)
        if full:
            raise busy
        try:
            if not self._hashing.acquire(timeout=_QUEUE_WAIT_S):
                raise busy
            try:
                yield
            finally:
                self._hashing.release()
        finally:
            with self._lock:
                self._queued -= 1

    # passwords -----------------------------------------------------------------------------------

    def set_password(self, account_id: str, password: str) -> None:
        """Set the password; at least 12 characters (NIST SP 800-63B favours length over rules).

        Raises:
            InputError: too short or too long.
        """
        if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
            words = Text(
                f"a password needs at least {MIN_PASSWORD} characters and at most {MAX_PASSWORD}",
                f"密码长度须为{MIN_PASSWORD}至{MAX_PASSWORD}个字符",
            )
            raise InputError(words.en, where="password", words=words)
        with self._turn():
            hashed = self._hasher.hash(password)
        self._write("update account set password=? where id=?", hashed, account_id)

    def prove_password(self, login: str, password: str, *, source: str, device: str = "") -> str:
        """Id of the account whose password this is.

        Args:
            login: what was typed.
            password: what was typed.
            source: the client's address.
            device: the device cookie of the browser, empty for none.

        Raises:
            UnauthenticatedError: wrong, unknown, disabled, or too many failures.
            SystemFailureError: too many sign-ins at once.
        """
        rows = self._rows("select * from account where login=?", login.strip().lower())
        known = bool(rows) and self.knows_device(rows[0]["id"], device)
        lane = f"device {digest_of(device)[:16]}" if known else source_key(source)
        self._wait(lane, "" if known else login)
        stored = rows[0]["password"] if rows and rows[0]["password"] else self._dummy
        with self._turn():
            self._wait(lane, "" if known else login)
            try:
                self._hasher.verify(stored, password)
                good = bool(rows) and stored is not self._dummy and not rows[0]["disabled"]
            except VerificationError:
                good = False
        if not good:
            self._fail(lane, "" if known else login)
            words = Text("login or password is wrong", "账号或密码有误")
            raise UnauthenticatedError(words.en, words=words)
        return str(rows[0]["id"])

    def has_password(self, account_id: str, password: str, *, source: str) -> bool:
        """Whether this is the password of an account that is signed in already."""
        rows = self._rows("select login from account where id=?", account_id)
        try:
            return bool(rows) and self.prove_password(rows[0]["login"], password, source=source) == account_id
        except UnauthenticatedError:
            return False

    def _wait(self, lane: str, login: str) -> None:
        wait = max(self.wait_s(lane), self._strangers_wait(login) if login else 0)
        if wait > 0:
            words = Text("too many failed sign-ins from this address", "该地址登录失败次数过多")
            hint = both(Text(f"Try again in {wait} seconds", f"请{wait}秒后重试"))
            raise UnauthenticatedError(words.en, hint=hint, words=words)

    def _fail(self, lane: str, login: str) -> None:
        self.note_failure(lane)
        if login:
            self._write("insert into failure values(?,?)", _guessed(login), self._now())

    def _strangers_wait(self, login: str) -> int:
        return self._waiting(_guessed(login), _STRANGERS_FREE)

    def note_failure(self, source: str) -> None:
        """Count a failed proof from an address."""
        now = self._now()
        self._write("delete from failure where at_s<?", now - _FAILURE_WINDOW_S)
        self._write("insert into failure values(?,?)", source_key(source), now)

    def wait_s(self, source: str) -> int:
        """Seconds an address must still wait: doubles with each failure beyond five in 15 minutes."""
        return self._waiting(source_key(source), _FAILURES_FREE)

    def _waiting(self, lane: str, free: int) -> int:
        now = self._now()
        rows = self._rows(
            "select count(*) as n, max(at_s) as last from failure where source=? and at_s>=?",
            lane, now - _FAILURE_WINDOW_S,
        )  # fmt: skip
        over = int(rows[0]["n"]) - free
        if over <= 0:
            return 0
        wait: int = min(2 ** min(over, 16), _MAX_WAIT_S)
        return max(0, int(rows[0]["last"]) + wait - now)

    def make_device(self, account_id: str) -> str:
        """A secret for the cookie of a browser from which an account has signed in."""
        secret, now = secrets.token_urlsafe(24), self._now()
        self._write("delete from device where seen_s<?", now - _DEVICE_DAYS * 86_400)
        self._write("insert into device values(?,?,?)", digest_of(secret), account_id, now)
        return secret

    def knows_device(self, account_id: str, secret: str) -> bool:
        """Whether the account has signed in from the browser that carries this cookie."""
        since = self._now() - _DEVICE_DAYS * 86_400
        sql = "select 1 from device where digest=? and account=? and seen_s>=?"
        return bool(secret) and bool(self._rows(sql, digest_of(secret), account_id, since))

    # one-time codes ------------------------------------------------------------------------------

    def set_totp(self, account_id: str, secret: str, *, used: str = "") -> None:
        """Remember a TOTP secret (RFC 6238); ``used`` is the code its owner has shown, good only once."""
        step = self._step_of(secret, used) if used else None
        self._write("update account set totp=?, totp_last_step=? where id=?", secret, step or 0, account_id)

    def check_totp(self, account_id: str, code: str, *, source: str, session: str = "") -> None:
        """Accept a code once, within one step (30 s) of now. Five wrong codes end the session that tries.

        Raises:
            UnauthenticatedError: wrong, used before, none set up, or too many failures from this source.
        """
        if self.wait_s(source) > 0:
            words = Text("too many failed codes from this address", "该地址验证失败次数过多")
            raise UnauthenticatedError(
                words.en, hint=both(Text("Wait and try again", "请稍后重试")), words=words
            )
        rows = self._rows("select totp from account where id=?", account_id)
        secret = rows[0]["totp"] if rows else None
        step = self._step_of(secret, code) if secret is not None else None
        if step is not None and self._write(
            "update account set totp_last_step=? where id=? and totp_last_step<?", step, account_id, step
        ):
            return
        self.note_failure(source)
        if session:
            self._write("update session set fails=fails+1 where digest=?", digest_of(session))
            self._write(
                "delete from session where digest=? and fails>=?", digest_of(session), _CODES_PER_SESSION
            )
        words = Text("the code is wrong or was used before", "验证码有误或已使用过")
        raise UnauthenticatedError(words.en, words=words)

    def fresh_totp(self, secret: str, code: str) -> bool:
        """Whether a code fits a secret now (or one step away), before it is kept."""
        return self._step_of(secret, code) is not None

    def _step_of(self, secret: str, code: str) -> int | None:
        """The step (30 s) a code belongs to, None when it fits none near now."""
        totp, now, plain = pyotp.TOTP(secret), self._now(), code.replace(" ", "").encode()
        steps = (now // 30 - 1, now // 30, now // 30 + 1)
        found = [step for step in steps if hmac.compare_digest(totp.at(step * 30).encode(), plain)]
        return found[0] if found else None

    def drop_factors(self, account_id: str) -> None:
        """Forget code and passkeys of somebody who has lost them; open sessions end."""
        self._write("update account set totp=null, totp_last_step=0 where id=?", account_id)
        self._write("delete from passkey where account=?", account_id)
        self._write("delete from session where account=?", account_id)

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
        for old in [s for s, (at, _) in list(self._challenges.items()) if at < self._now() - _CHALLENGE_S]:
            self._challenges.pop(old, None)

    def take_challenge(self, session: str) -> bytes:
        """The challenge given to a session; each serves once.

        Raises:
            UnauthenticatedError: none was given, or too long ago.
        """
        at, challenge = self._challenges.pop(session, (0, b""))
        if at < self._now() - _CHALLENGE_S:
            raise UnauthenticatedError("the passkey took too long", hint="Try again")
        return challenge


def _guessed(login: str) -> str:
    return f"login {digest_of(login.strip().lower())[:32]}"
