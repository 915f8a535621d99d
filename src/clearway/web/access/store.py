"""The access store: accounts, proofs, sessions and changes over one SQLite file."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping

from clearway.kernel.clock import from_epoch_s
from clearway.kernel.errors import ConflictError, ForbiddenError
from clearway.kernel.language import Text
from clearway.web.access.base import csrf_matches
from clearway.web.access.model import Audited, Change
from clearway.web.access.sessions import Sessions

__all__ = ["AccessStore", "csrf_matches"]
_TWO = "two_administrators"


class AccessStore(Sessions):
    """Accounts, grants, tokens, sessions, and changes of them that need two people.

    Thread safe; every change is durable when the call returns.
    """

    def two_needed(self, area: str, able: int) -> bool:
        """Whether a change needs a second administrator.

        It does from the first moment two were able to confirm each other's changes, and ever after: one alone
        can then not undo the rule by removing the other. The way back is at the machine
        (``clearway access``).

        Args:
            area: area the change is about.
            able: how many administrators of it can confirm a change now.
        """
        name = f"{_TWO} {area}"
        if self._rows("select 1 from mark where name=?", name):
            return True
        if able >= 2:
            self._write("insert or ignore into mark values(?,?)", name, str(self._now()))
        return able >= 2

    def ask_change(self, by: str, verb: str, account: str, body: dict[str, str]) -> Change:
        """Keep a change until a second administrator confirms or drops it; the same one is kept once.

        Raises:
            NotFoundError: no such account.
        """
        self.account(account)
        text = json.dumps(body, sort_keys=True, ensure_ascii=False)
        sql = "select id from change where verb=? and account=? and body=? and closed_s is null"
        rows = self._rows(sql, verb, account, text)
        if rows:
            return self.change(rows[0]["id"])
        change = f"chg-{secrets.token_hex(8)}"
        self._write(
            "insert into change(id, verb, account, body, asked_by, asked_s) values(?,?,?,?,?,?)",
            change, verb, account, text, by, self._now(),
        )  # fmt: skip
        self.audit(by, f"ask {verb}", account, _said(body))
        return self.change(change)

    def changes(self) -> list[Change]:
        """Changes that wait, oldest first."""
        rows = self._rows("select id from change where closed_s is null order by asked_s, id")
        return [self.change(row["id"]) for row in rows]

    def change(self, change_id: str) -> Change:
        """A change that waits.

        Raises:
            ConflictError: it was confirmed or dropped already, or never was.
        """
        rows = self._rows("select * from change where id=? and closed_s is null", change_id)
        if not rows:
            words = Text("this change is no longer open", "该变更已处理")
            raise ConflictError(words.en, where=change_id, words=words)
        row = rows[0]
        body = json.loads(row["body"])
        asked = from_epoch_s(row["asked_s"])
        return Change(row["id"], row["verb"], row["account"], body, row["asked_by"], asked)

    def close_change(self, change_id: str, by: str, *, confirmed: bool) -> Change:
        """Confirm or drop a change; confirming takes somebody else than who asked and whom it is about.

        Raises:
            ConflictError: it is not open any more.
            ForbiddenError: the same person.
        """
        change = self.change(change_id)
        if confirmed and by in (change.asked_by, change.account):
            words = Text(
                "a second administrator must confirm this, other than who asked and whom it is about",
                "须由提出人和当事人以外的另一名管理员确认",
            )
            raise ForbiddenError(words.en, where=change_id, words=words)
        outcome = "confirmed" if confirmed else "dropped"
        done = self._write(
            "update change set closed_by=?, closed_s=?, outcome=? where id=? and closed_s is null",
            by, self._now(), outcome, change_id,
        )  # fmt: skip
        if done != 1:
            return self.change(change_id)
        self.audit(by, f"{outcome} {change.verb}", change.account, _said(change.body))
        return change

    def audited(self, limit: int = 100) -> list[Audited]:
        """The latest changes of accounts, newest first."""
        rows = self._rows("select * from audit order by n desc limit ?", limit)
        return [Audited(from_epoch_s(r["at_s"]), r["by"], r["verb"], r["account"], r["detail"]) for r in rows]


def _said(body: Mapping[str, str]) -> str:
    return ", ".join(f"{k}={v}" for k, v in sorted(body.items()))
