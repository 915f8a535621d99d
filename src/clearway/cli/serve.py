"""``clearway serve``: the console, the public page, the feeds and the API over a live loop."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clearway.kernel.errors import InputError

if TYPE_CHECKING:
    from clearway.operations.pace import Pace
    from clearway.web.services import Services

app = typer.Typer(help="Serve the console, the public page and the feeds.")


@app.command("serve")
def serve(
    data: Annotated[Path, typer.Option("--data", help="Folder of the installation.")] = Path("clearway-data"),
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=0, max=65535)] = 8310,
    certificate: Annotated[
        Path | None, typer.Option("--tls-cert", help="TLS certificate chain, PEM.")
    ] = None,
    key: Annotated[Path | None, typer.Option("--tls-key", help="TLS key, PEM.")] = None,
    behind_proxy: Annotated[
        str, typer.Option("--behind-proxy", help="Address of the proxy that speaks TLS for this service.")
    ] = "",
    demo: Annotated[bool, typer.Option("--demo", help="Play the shipped storm; you decide.")] = False,
    at: Annotated[
        str, typer.Option(help="Demo: the hour at which you take over.")
    ] = "2015-11-22T02:00+08:00",
    warm_h: Annotated[int, typer.Option(help="Demo: hours played before you take over.", min=1, max=96)] = 24,
    speed: Annotated[
        float, typer.Option(help="Demo: how many times faster than real.", min=1, max=600)
    ] = 30.0,
) -> None:
    """Serve until stopped. Listens on this machine only, unless TLS or a proxy is named."""
    from clearway.cli.serving import first_link, free_port, listen, serve_on
    from clearway.web.app import create_app

    check_address(host, certificate, key, behind_proxy)
    listener = listen(host, free_port(port) if host == "127.0.0.1" else port)
    chosen = int(listener.getsockname()[1])
    scheme = "https" if certificate else "http"
    house, pace, areas, close = (
        _demo(data, chosen, at, warm_h, speed) if demo else _live(data, tls_only=bool(behind_proxy))
    )
    base = f"{scheme}://{host}:{chosen}"
    link = first_link(house.access, areas, house.public_url if behind_proxy else base)
    if house.demo_door:
        typer.echo(f"Demo: take a seat at {base}/demo/{house.demo_door}", err=True)
    if link:
        typer.echo(f"First start. Set the administrator's password (once, within 24 h): {link}", err=True)
    typer.echo(f"Console: {base}/console   public page: {base}/   stop with Ctrl-C", err=True)
    pace.start()
    try:
        serve_on(
            create_app(house),
            listener,
            ssl_certfile=certificate,
            ssl_keyfile=key,
            proxy_headers=bool(behind_proxy),
            forwarded_allow_ips=behind_proxy or None,
        )
    finally:
        pace.stop()
        close()


def check_address(host: str, certificate: Path | None, key: Path | None, behind_proxy: str) -> None:
    """Refuse to speak without TLS to anybody but this machine or a stated proxy.

    Raises:
        InputError: a public address without TLS and without a proxy, or half a TLS pair.
    """
    if (certificate is None) != (key is None):
        raise InputError("TLS needs both a certificate and a key", where="--tls-cert, --tls-key")
    if certificate is not None or behind_proxy:
        return
    try:
        local = ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = host == "localhost"
    if not local:
        hint = "Give --tls-cert and --tls-key, or name the TLS proxy with --behind-proxy ADDRESS"
        raise InputError(f"{host} can be reached by others, and there is no TLS", where="--host", hint=hint)


Opened = tuple["Services", "Pace", tuple[str, ...], Callable[[], None]]


def _live(folder: Path, *, tls_only: bool) -> Opened:
    from clearway.cli.serving import live_services
    from clearway.operations.apart import CycleProcess
    from clearway.operations.installation import open_installation
    from clearway.operations.pace import Pace, attention_of

    opened = open_installation(folder)
    areas, worker = (opened.deployment.area,), CycleProcess(opened.session.ground)
    opened.session.runner = worker
    opened.delivery.start()
    if opened.gateway is not None:
        opened.gateway.start()
    worker.start()

    def close() -> None:
        worker.close()
        opened.close()

    house = live_services(opened, folder, worker, tls_only=tls_only)
    kept = house.cycles.at() if house.cycles else None
    pace = Pace(
        opened.session,
        poll=opened.poll,
        attention=attention_of(opened.session),
        last_good=kept.known if kept else None,
    )
    return replace(house, pulse=lambda: pace.pulse), pace, areas, close


def _demo(folder: Path, port: int, at: str, warm_h: int, speed: float) -> Opened:
    import shutil
    from datetime import timedelta

    from clearway.cli.serving import demo_accounts, keep_cycles, storm_services
    from clearway.kernel.clock import parse_utc
    from clearway.operations.apart import CycleProcess
    from clearway.operations.pace import Pace, attention_of, catch_up
    from clearway.operations.storm import LAST, open_storm

    if folder == Path("clearway-data"):
        folder = Path("demo-console")
        shutil.rmtree(folder, ignore_errors=True)
    take_over = parse_utc(at, where="--at")
    begin = take_over - timedelta(hours=warm_h)
    typer.echo("Importing roads and weather, then playing the storm up to now …", err=True)
    storm = open_storm(folder, begin)
    session, cycles = storm.session, keep_cycles(storm.session)
    session.runner = worker = CycleProcess(session.ground)
    catch_up(session, begin, take_over - timedelta(hours=1))
    storm.people_decide()
    house = storm_services(storm, folder, port, cycles, worker, speed=speed)
    demo_accounts(house.access, storm.deployment.area)

    def close() -> None:
        worker.close()
        storm.close()

    last = session.picture.at if session.picture else None
    pace = Pace(session, speed=speed, until=LAST, attention=attention_of(session), last_good=last)
    return replace(house, pulse=lambda: pace.pulse), pace, (storm.deployment.area,), close
