"""``clearway access``: staff accounts from the machine itself, for when nobody can get in any more.

Whoever may run this may read the files of the installation; it asks for no password. Everything done is kept
in the list of changes that administrators read.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from clearway.kernel.clock import SystemClock, iso
from clearway.kernel.errors import InputError, NotFoundError
from clearway.web.access import AccessStore, Account, Grant

app = typer.Typer(help="Staff accounts, from the machine itself.")
Data = Annotated[Path, typer.Option("--data", help="Folder of the installation.")]
MACHINE = "machine"


def _store(folder: Path) -> AccessStore:
    path = folder / "access.sqlite"
    if not path.exists():
        hint = "Start it once with: clearway serve --data FOLDER"
        raise InputError("no accounts here yet", where=str(path), hint=hint)
    return AccessStore(path, SystemClock())


def _account(store: AccessStore, login: str) -> Account:
    found = store.find_login(login)
    if found is None:
        raise NotFoundError(f"no account with the login {login!r}", hint="See: clearway access list")
    return found


@app.command("list")
def list_(data: Data = Path("clearway-data")) -> None:
    """Accounts with their roles and proofs."""
    store = _store(data)
    for account in store.accounts():
        roles = ", ".join(f"{g.role}@{g.area}" for g in store.grants(account.id)) or "no role"
        marks = [
            "disabled" if account.disabled else "",
            "" if account.has_password else "no password",
            "" if account.has_second_factor else "no second factor",
        ]
        typer.echo(f"{account.login}\t{roles}\t{', '.join(m for m in marks if m)}".rstrip())
    store.close()


@app.command()
def admin(
    login: Annotated[str, typer.Argument(help="Login of the administrator, made if there is none.")],
    area: Annotated[str, typer.Option(help="Area to administer.")],
    base: Annotated[str, typer.Option(help="Address of the console.")] = "http://127.0.0.1:8310",
    data: Data = Path("clearway-data"),
) -> None:
    """Make somebody administrator of an area and print a one-time link."""
    store = _store(data)
    account = store.find_login(login) or store.create_account(login, login)
    store.disable(account.id, disabled=False)
    store.grant(account.id, Grant("admin", area))
    store.audit(MACHINE, "grant", account.id, f"admin @ {area}")
    typer.echo(_link(store, account, base))
    store.close()


@app.command()
def link(
    login: Annotated[str, typer.Argument(help="Login.")],
    base: Annotated[str, typer.Option(help="Address of the console.")] = "http://127.0.0.1:8310",
    lost_factor: Annotated[bool, typer.Option("--lost-factor", help="Forget the second factor too.")] = False,
    data: Data = Path("clearway-data"),
) -> None:
    """Print a one-time link with which somebody sets a new password."""
    store = _store(data)
    account = _account(store, login)
    if lost_factor:
        store.drop_factors(account.id)
        store.audit(MACHINE, "reset second factor", account.id)
    typer.echo(_link(store, account, base))
    store.close()


@app.command()
def log(data: Data = Path("clearway-data"), last: Annotated[int, typer.Option(min=1)] = 50) -> None:
    """The latest changes of accounts, newest first."""
    store = _store(data)
    names = {account.id: account.login for account in store.accounts()}
    for one in store.audited(last):
        by, about = names.get(one.by, one.by), names.get(one.account, one.account)
        typer.echo(f"{iso(one.at)}\t{by}\t{one.verb}\t{about}\t{one.detail}".rstrip())
    store.close()


def _link(store: AccessStore, account: Account, base: str) -> str:
    store.audit(MACHINE, "one-time link", account.id)
    return f"{base.rstrip('/')}/invite/{store.issue_invite(account.id)}"
