"""What the web shell stands on; put together by the command line, replaced piece by piece in tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from clearway.channels.outbox import Outbox
from clearway.doctrine.model import Doctrine
from clearway.kernel.clock import Clock
from clearway.kernel.language import Text
from clearway.network.model import Network
from clearway.network.tiles import TileStore
from clearway.operations.archive import CycleArchive
from clearway.operations.board import Board
from clearway.operations.decisions import Decider
from clearway.operations.delivery import Delivery
from clearway.operations.pulse import Pulse
from clearway.operations.rulebook import RuleBook
from clearway.operations.sealing import Sealer
from clearway.operations.what_if import Change, WhatIf
from clearway.operations.winter.service import WinterService
from clearway.records import Journal, Kinds
from clearway.series.store import SeriesStore
from clearway.web.access import AccessStore
from clearway.web.access.oidc import Provider


@dataclass(frozen=True, slots=True, eq=False)
class Services:
    """Handles the shell may use.

    Attributes:
        journal: the only writer of records.
        access: staff accounts and tokens.
        network: roads.
        board: latest board, None before the first cycle.
        cap_file: bytes of a published CAP message by identifier, None when unknown.
        feed: bytes of the ``atom`` or ``rss`` feed, None when none is published.
        doctrine: rules as loaded at the start; what is in force now is :attr:`rules`.
        clock: the present of the deployment (replayed in a demo).
        area: name of the jurisdiction.
        zone: IANA time zone of the area.
        clock_rate: how many times faster than real that clock runs (a replay).
        simulated: nothing here is a live warning.
        hindsight: forecasts are made from observed weather.
        public_url: address under which the public reads, for feeds.
        reports: folder with finished reports, None when there are none.
        decider: carries decisions out and publishes notices; None where nothing is decided here.
        cycles: what past cycles computed, None where none is kept.
        tiles: road geometry for maps, None where none was made.
        series: observations, for stations on the map.
        outbox: messages on their way to channels, with receipts.
        delivery: the outbox with its channels, for administration.
        pulse: how cycles are doing, None where none are run.
        what_if: answers what one change of the last picture would do.
        winter: plans of ploughs and salters; None where no fleet is stated.
        rulebook: local rules over the doctrine, None where none can be made.
        sealer: words and photos of people on records; None where there is no sealed store.
        demo_door: secret of the demo's sign-in page on this machine; empty: there is none.
        oidc: sign-in at another house (OpenID Connect), None where none is set up.
        tls_only: answer nothing but TLS (a proxy speaks it for this service).
        sign_columns, sign_rows: cells (a Chinese character takes two) and lines of the message signs.
    """

    journal: Journal
    access: AccessStore
    network: Network
    board: Callable[[], Board | None]
    cap_file: Callable[[str], bytes | None]
    feed: Callable[[str], bytes | None]
    doctrine: Doctrine
    clock: Clock
    area: Text
    zone: str
    simulated: bool = False
    hindsight: bool = False
    public_url: str = "http://127.0.0.1:8000"
    reports: Path | None = None
    decider: Decider | None = None
    cycles: CycleArchive | None = None
    tiles: TileStore | None = None
    series: SeriesStore | None = None
    outbox: Outbox | None = None
    delivery: Delivery | None = None
    pulse: Callable[[], Pulse] | None = None
    what_if: Callable[[Change], WhatIf] | None = None
    rulebook: RuleBook | None = None
    sealer: Sealer | None = None
    winter: WinterService | None = None
    demo_door: str = ""
    clock_rate: float = 1.0
    oidc: Provider | None = None
    tls_only: bool = False
    sign_columns: int = 24
    sign_rows: int = 3

    @property
    def rules(self) -> Doctrine:
        """Rules in force now, local ones included."""
        return self.rulebook.doctrine if self.rulebook is not None else self.doctrine

    @property
    def kinds(self) -> Kinds:
        """Declared kinds."""
        return self.journal.kinds
