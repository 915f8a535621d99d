"""Put the services of the web shell together."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import TYPE_CHECKING

from clearway.web.access import AccessStore
from clearway.web.services import Services

if TYPE_CHECKING:
    from clearway.operations.storm import Storm


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


def storm_services(storm: Storm, out: Path, port: int) -> Services:
    """Services over a demo run."""
    clock = storm.session.clock
    return Services(
        journal=storm.journal,
        access=AccessStore(out / "access.sqlite", clock),
        network=storm.network,
        board=lambda: storm.session.board,
        cap_file=storm.newsroom.file,
        feed=lambda form: storm.newsroom.feed(form, clock.now(), base_url=f"http://127.0.0.1:{port}"),
        doctrine=storm.doctrine,
        clock=clock,
        area=storm.deployment.name,
        zone=storm.deployment.zone,
        simulated=True,
        hindsight=True,
        public_url=f"http://127.0.0.1:{port}",
        reports=out,
    )
