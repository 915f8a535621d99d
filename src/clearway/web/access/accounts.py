"""Accounts and the roles they hold."""

from __future__ import annotations

import secrets
import sqlite3
from datetime import datetime

from clearway.kernel.clock import epoch_s, from_epoch_s
from clearway.kernel.errors import InputError, NotFoundError
from clearway.kernel.language import Text
from clearway.web.access.factors import Factors
from clearway.web.access.model import Account, Grant

_ACCOUNT = (
    "select a.*, (totp is not null or exists(select 1 from passkey p where p.account=a.id)) as second"
    " from account a"
)


class Accounts(Factors):
    """Who may sign in, and what they may do."""

    def create_account(self, login: str, display_name: str, *, language: str = "zh") -> Account:
        """Create an account without password or roles.

        Raises:
            InputError: login taken or empty.
        """
        login = login.strip().lower()
        if not login or len(login) > 64 or not login.isprintable():
            words = Text("a login needs 1 to 64 printable characters", "账号须为1至64个可显示字符")
            raise InputError(words.en, where="login", words=words)
        account_id = f"acct-{secrets.token_hex(8)}"
        try:
            self._write(
                "insert into account(id, login, display_name, language, created_s) values(?,?,?,?,?)",
                account_id, login, display_name.strip()[:80] or login, language, self._now(),
            )  # fmt: skip
        except sqlite3.IntegrityError as error:
            words = Text(f"login {login!r} is taken", f"账号“{login}”已被使用")
            raise InputError(words.en, where="login", words=words) from error
        return self.account(account_id)

    def account(self, account_id: str) -> Account:
        """The account by id.

        Raises:
            NotFoundError: no such account.
        """
        rows = self._rows(f"{_ACCOUNT} where id=?", account_id)
        if not rows:
            raise NotFoundError(f"no account {account_id!r}")
        return _account(rows[0])

    def accounts(self) -> list[Account]:
        """All accounts by login."""
        return [_account(row) for row in self._rows(f"{_ACCOUNT} order by login")]

    def check_password(self, login: str, password: str, *, source: str, device: str = "") -> Account:
        """The account whose password this is; see :meth:`prove_password`.

        Raises:
            UnauthenticatedError: wrong, unknown, disabled, or too many failures.
            SystemFailureError: too many sign-ins at once.
        """
        return self.account(self.prove_password(login, password, source=source, device=device))

    def find_login(self, login: str) -> Account | None:
        """The account with a login, None when there is none."""
        rows = self._rows(f"{_ACCOUNT} where login=?", login.strip().lower())
        return _account(rows[0]) if rows else None

    def is_empty(self) -> bool:
        """Whether no account exists yet (first start)."""
        return not self._rows("select 1 from account limit 1")

    def disable(self, account_id: str, *, disabled: bool = True) -> None:
        """Disable or enable; sessions, links and tokens of a disabled account stop at once."""
        self._write("update account set disabled=? where id=?", int(disabled), account_id)
        if disabled:
            self._write("delete from session where account=?", account_id)
            self._write("delete from invite where account=? and used_s is null", account_id)

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

    # people known to another house (OpenID Connect) ------------------------------------------------

    def account_of_identity(self, issuer: str, subject: str) -> Account | None:
        """The account tied to a subject of an identity provider."""
        rows = self._rows("select account from identity where issuer=? and subject=?", issuer, subject)
        return self.account(rows[0]["account"]) if rows else None

    def tie_identity(self, account_id: str, issuer: str, subject: str) -> None:
        """Tie an account to a subject of an identity provider, for good."""
        self._write("insert into identity values(?,?,?,?)", issuer, subject, account_id, self._now())

    def identities(self, account_id: str) -> list[tuple[str, str]]:
        """(issuer, subject) pairs tied to an account."""
        rows = self._rows("select issuer, subject from identity where account=?", account_id)
        return [(row["issuer"], row["subject"]) for row in rows]

    def untie_identities(self, account_id: str) -> None:
        """Forget the identities tied to an account."""
        self._write("delete from identity where account=?", account_id)

    # alarms taken up -----------------------------------------------------------------------------

    def take_alarm(self, key: str, account_id: str, at: datetime, since: datetime) -> None:
        """Somebody takes an alarm up at a time; who took it up after ``since`` stays named."""
        self._write(
            "insert into alarm_seen values(?,?,?) on conflict(key) do update"
            " set account=excluded.account, at_s=excluded.at_s where alarm_seen.at_s<=?",
            key, account_id, epoch_s(at), epoch_s(since),
        )  # fmt: skip

    def alarms_seen(self) -> dict[str, tuple[str, datetime]]:
        """Account that last took each alarm up, and when, by the alarm's key."""
        rows = self._rows("select key, account, at_s from alarm_seen")
        return {row["key"]: (row["account"], from_epoch_s(row["at_s"])) for row in rows}


def _account(row: sqlite3.Row) -> Account:
    return Account(
        row["id"],
        row["login"],
        row["display_name"],
        row["language"],
        bool(row["disabled"]),
        bool(row["second"]),
        bool(row["password"]),
        from_epoch_s(row["created_s"]),
    )
