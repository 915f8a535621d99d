"""A house to be measured over HTTP, in a process of its own: ``python -m benchmarks.http_house MODE DIR``.

``house`` serves Clearway over a small made-up world; ``bare:/path`` serves the same bytes, head and body,
from a bare ASGI function. Prints ``port token`` first.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

import uvicorn
from starlette.testclient import TestClient

from clearway.kernel.clock import SystemClock
from clearway.operations.deployment import open_deployment
from clearway.operations.storm import kinds_of_house
from clearway.records import Journal
from clearway.web.access import AccessStore, Grant
from clearway.web.app import create_app
from clearway.web.services import Services
from tests.desks import world
from tests.web.conftest import DEPLOYMENT


def _house(folder: Path) -> tuple[Any, str]:
    folder.mkdir(parents=True, exist_ok=True)
    clock, doctrine, network = SystemClock(), world.doctrine(), world.network()
    journal = Journal.open(
        f"sqlite:///{folder / 'journal.sqlite'}", kinds_of_house(), clock=clock, doctrine_hash=doctrine.hash
    )
    open_deployment(journal, DEPLOYMENT, network, simulated=False)
    access = AccessStore(folder / "access.sqlite", clock)
    account = access.create_account("bench", "bench")
    access.grant(account.id, Grant("duty_officer", "town"))
    token = access.issue_token(account.id, scopes=frozenset({"read", "command"}), label="bench")
    feed = b"<feed>" + b"x" * 28_000 + b"</feed>"
    services = Services(
        journal=journal,
        access=access,
        network=network,
        board=lambda: None,
        cap_file=lambda _: None,
        feed=lambda _: feed,
        doctrine=doctrine,
        clock=clock,
        area=DEPLOYMENT.name,
        zone=DEPLOYMENT.zone,
    )
    return create_app(services), token


def _bare(headers: list[tuple[bytes, bytes]], body: bytes) -> Any:

    async def app(
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[Any]],
        send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ) -> None:
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": body})

    return app


def main(mode: str, folder: Path) -> None:
    """Serve until terminated."""
    app, token = _house(folder)
    if mode.startswith("bare:"):
        answer = TestClient(app).get(mode.removeprefix("bare:"), headers={"accept-encoding": "identity"})
        app = _bare(answer.headers.raw, answer.content)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        print(listener.getsockname()[1], token, flush=True)
        config = uvicorn.Config(app, log_level="error", lifespan="off", access_log=False)
        uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
