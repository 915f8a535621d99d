"""The command desk's public words. Directives, posts and reports are kinds and views, not proposals."""

from __future__ import annotations

from clearway.desks.command.model import CommandInputs
from clearway.picture.areas import city_area
from clearway.picture.corridors import corridor_index
from clearway.picture.desk import DeskResult, DeskView
from clearway.picture.findings import Proposal
from clearway.picture.rules import Rule, load_rules
from clearway.picture.words import local_zone

RULES: tuple[Rule, ...] = load_rules("clearway.desks.command.rules")


class CommandDesk:
    """Proposes to issue, update and cancel public notices. Keeps nothing between cycles: the journal does."""

    name = "command"
    reads: tuple[str, ...] = (
        "picture/records",
        "situation/signals",
        "corridor_ice_share?",
        "corridor_snow_share?",
    )
    writes: tuple[str, ...] = ()

    def assess(self, view: DeskView) -> DeskResult:
        """Compare what the public was told with what is."""
        inputs = CommandInputs(
            at=view.picture.at,
            doctrine=view.doctrine,
            picture=view.picture,
            index=corridor_index(view.picture.network, view.picture.columns),
            fields=view.fields,
            signals=tuple(s for s in view.situations if s.desk == "signals"),
            city=city_area(view.picture),
            local=local_zone(view.doctrine),
        )
        proposals: list[Proposal] = []
        for rule in RULES:
            proposals += rule.run(inputs)
        return DeskResult(proposals=tuple(proposals))
