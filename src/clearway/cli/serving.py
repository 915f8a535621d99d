"""Put the services of the web shell together."""

from __future__ import annotations

import gc
import os
import secrets
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from clearway.kernel.clock import SystemClock
from clearway.kernel.errors import InputError, NotFoundError
from clearway.kernel.language import Text, both
from clearway.operations.archive import CycleArchive
from clearway.operations.rulebook import RuleBook
from clearway.operations.sealing import Sealer
from clearway.records.sealed import SealedStore
from clearway.web.access import AccessStore
from clearway.web.services import Services

if TYPE_CHECKING:
    from fastapi import FastAPI

    from clearway.doctrine.model import Doctrine
    from clearway.network.model import Network
    from clearway.network.tiles import TileStore
    from clearway.operations.apart import CycleProcess
    from clearway.operations.installation import Installation
    from clearway.operations.publishing import Newsroom
    from clearway.operations.session import Session
    from clearway.operations.storm import Storm
    from clearway.operations.what_if import Change, WhatIf
    from clearway.operations.winter.service import WinterService
    from clearway.picture.picture import Columns


BACKLOG: Final = 2048
"""Connections that may wait to be taken: after a restart every open window comes back at once."""
GIVE_UP_MS: Final = 60_000
"""A connection whose other end takes nothing for so long is dropped by the system, where it knows how."""


def listen(host: str, port: int) -> socket.socket:
    """A listening socket whose connections do not outlive the other end.

    Raises:
        InputError: nobody can listen there.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    if os.name == "posix":
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, GIVE_UP_MS)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        hint = "Name another port with --port, or stop what listens there"
        what = f"nobody can listen on {host} port {port}: {error}"
        raise InputError(what, where="--host", hint=hint) from error
    listener.setblocking(False)
    return listener


def serve_on(app: FastAPI, listener: socket.socket, **settings: Any) -> None:
    """Serve an application on a listening socket until stopped, without a line in a log for each request.

    What is there by now (roads, rules, code) is set apart from garbage collection: looking through all of it
    again and again would stall every screen for a third of a second.
    """
    import uvicorn

    usual = {"log_level": "warning", "access_log": False, "server_header": False, "backlog": BACKLOG}
    config = uvicorn.Config(app, timeout_graceful_shutdown=3, **{**usual, **settings})
    gc.collect()
    gc.freeze()
    with listener, suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listener])


def free_port(wanted: int) -> int:
    """``wanted`` if nothing listens there on loopback, else a free port."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    return wanted


def storm_services(
    storm: Storm,
    out: Path,
    port: int,
    cycles: CycleArchive | None = None,
    worker: CycleProcess | None = None,
    *,
    speed: float = 1.0,
) -> Services:
    """Services over a demo run. Accounts, sessions and codes follow the machine's clock, not the storm's."""
    clock, session = storm.session.clock, storm.session
    beside = f"sqlite:///{(out / 'journal.sqlite').resolve().as_posix()}"
    cycles = cycles or CycleArchive(session.ground.columns)
    if session.last is not None and session.picture is not None and cycles.fresh is None:
        cycles.put(session.picture, session.state_before, session.last)
    return Services(
        journal=storm.journal,
        access=AccessStore(out / "access.sqlite", SystemClock()),
        network=storm.network,
        board=lambda: session.board,
        cap_file=storm.newsroom.file,
        feed=lambda form: storm.newsroom.feed(form, clock.now(), base_url=f"http://127.0.0.1:{port}"),
        doctrine=storm.doctrine,
        clock=clock,
        area=storm.deployment.name,
        zone=storm.deployment.zone,
        clock_rate=max(speed, 1.0),
        simulated=True,
        hindsight=True,
        public_url=f"http://127.0.0.1:{port}",
        reports=out,
        decider=storm.decider,
        cycles=cycles,
        tiles=tiles_of(storm.network, out, session.ground.columns),
        series=storm.series,
        outbox=storm.delivery.outbox,
        delivery=storm.delivery,
        rulebook=rules_of(session, storm.newsroom, worker, storm.winter),
        what_if=asker(session, cycles, worker),
        sealer=Sealer(storm.journal, SealedStore.beside(beside, SystemClock())),
        winter=storm.winter,
        demo_door=secrets.token_urlsafe(18),
    )


def keep_cycles(session: Session, folder: Path | None = None) -> CycleArchive:
    """An archive that gets every cycle the session runs from now on."""
    cycles = CycleArchive(session.ground.columns, folder)
    session.on_cycle = lambda picture, result: cycles.put(picture, session.state_before, result)
    return cycles


DEMO_SEATS = (
    ("duty", both(Text("Duty officer (demo)", "值班员（演示）")), ("duty_officer", "information_officer")),
    ("second", both(Text("Second officer (demo)", "第二值班员（演示）")), ("duty_officer",)),
    ("commander", both(Text("Commander (demo)", "指挥长（演示）")), ("commander", "admin")),
    ("dispatcher", both(Text("Dispatcher (demo)", "调度员（演示）")), ("dispatcher",)),
    ("field", both(Text("Field crew (demo)", "现场班组（演示）")), ("field",)),
    ("admin", both(Text("Second administrator (demo)", "第二名管理员（演示）")), ("admin",)),
)
"""Accounts of the demo: login, shown name, roles."""


def demo_accounts(access: AccessStore, area: str) -> None:
    """Accounts for all who sit at a post of the demo; they have no password and enter by the demo's door."""
    from clearway.web.access import Grant

    known = {account.login for account in access.accounts()}
    for login, name, roles in DEMO_SEATS:
        if login not in known:
            account = access.create_account(login, name, language="en")
            for role in roles:
                access.grant(account.id, Grant(role, area))


def tiles_of(network: Network, folder: Path, columns: Columns) -> TileStore:
    """Tiles of a network with the forcing column of every segment, made anew when either has changed."""
    from clearway.network.store import content_hash
    from clearway.network.tiles import TileStore, build_tiles
    from clearway.network.tiles.store import FILE_NAME

    mapping = columns.segment_column.astype("<i4")
    wanted = f"{content_hash(network)} {sha256(mapping.tobytes()).hexdigest()}"
    archive, stamp = folder / FILE_NAME, folder / f"{FILE_NAME}.of"
    if not archive.exists() or not stamp.exists() or stamp.read_text("ascii") != wanted:
        folder.mkdir(parents=True, exist_ok=True)
        build_tiles(network, folder, column=mapping)
        stamp.write_text(wanted, "ascii")
    return TileStore(folder)


def asker(
    session: Session, cycles: CycleArchive, worker: CycleProcess | None = None
) -> Callable[[Change], WhatIf]:
    """Answers what-if questions about the last cycle of a session, in the worker where there is one."""
    from clearway.operations.what_if import what_if

    def ask(change: Change) -> WhatIf:
        fresh = cycles.fresh
        if fresh is None:
            raise NotFoundError("no cycle has run yet", hint="Try again in a minute")
        if worker is not None:
            return worker.what_if(fresh.picture, fresh.before, change, fresh.result)
        ground = session.ground
        return what_if(fresh.picture, fresh.before, ground.doctrine, ground.desks, change, fresh.result)

    return ask


def rules_of(
    session: Session,
    newsroom: Newsroom,
    worker: CycleProcess | None = None,
    winter: WinterService | None = None,
) -> RuleBook:
    """The rule book of a running house: cycles, journal, notices and winter plans follow it."""
    ground = session.ground
    book = RuleBook(ground.doctrine, session.journal, ground.area)

    def follow(doctrine: Doctrine) -> None:
        if doctrine.hash != session.ground.doctrine.hash:
            session.ground = replace(session.ground, doctrine=doctrine)
            if worker is not None:
                worker.change(session.ground)
        if winter is not None:
            winter.doctrine = doctrine
        newsroom.set_doctrine(doctrine.hash)

    book.listen(follow)
    book.refresh()
    return book


def live_services(
    house: Installation, folder: Path, worker: CycleProcess | None = None, *, tls_only: bool = False
) -> Services:
    """Services over a live installation; ``tls_only`` behind a proxy that speaks TLS for it.

    Raises:
        InputError: the table ``[oidc]`` of the settings is wrong.
    """
    from clearway.web.access.oidc import Provider
    from clearway.web.access.oidc import Settings as OidcSettings

    settings, session = house.settings, house.session
    public_url = str(settings["public_url"])
    sign = settings.get("sign", {})
    return Services(
        journal=house.journal,
        access=AccessStore(folder / "access.sqlite", SystemClock()),
        network=house.network,
        board=lambda: session.board,
        cap_file=house.newsroom.file,
        feed=lambda form: house.newsroom.feed(form, session.clock.now(), base_url=public_url),
        doctrine=session.ground.doctrine,
        clock=session.clock,
        area=house.deployment.name,
        zone=house.deployment.zone,
        public_url=public_url,
        decider=house.decider,
        cycles=house.cycles,
        tiles=tiles_of(house.network, folder / "network", session.ground.columns),
        series=house.series,
        outbox=house.delivery.outbox,
        delivery=house.delivery,
        rulebook=rules_of(house.session, house.newsroom, worker),
        oidc=Provider(OidcSettings.read(settings["oidc"]), SystemClock()) if "oidc" in settings else None,
        tls_only=tls_only,
        what_if=asker(session, house.cycles, worker),
        sealer=house.sealer,
        winter=house.winter,
        sign_columns=int(sign.get("columns", 24)),
        sign_rows=int(sign.get("rows", 3)),
    )


def first_link(access: AccessStore, areas: tuple[str, ...], base: str) -> str | None:
    """On the very first start: the first administrator's one-time link, None later."""
    from clearway.web.access import Grant

    if not access.is_empty():
        return None
    account = access.create_account("admin", "Administrator")
    for area in areas:
        for role in ("admin", "commander", "duty_officer"):
            access.grant(account.id, Grant(role, area))
    return f"{base}/invite/{access.issue_invite(account.id)}"
