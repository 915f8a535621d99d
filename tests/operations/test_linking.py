"""Findings on the road against decided measures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from clearway.operations.entry import Teller
from clearway.operations.linking import link_findings
from clearway.records import RecordRow
from tests.desks.world import AT
from tests.operations.loop import DRY, open_play
from tests.operations.test_reconcile import row


def measure(name: str, state: str = "in_force", **data: Any) -> RecordRow:
    """A measure."""
    body = {"key": name, "type": "SPEED", "corridors": ["a", "b"], "kmh": 30, **data}
    return row("measure", state, body, id=name)


@pytest.mark.parametrize(
    ("found", "verb", "target"),
    [
        ({"corridors": ["a"], "type": "SPEED", "kmh": 30}, "link", "m1"),
        ({"corridors": ["a"]}, "link", "m1"),
        ({"corridors": ["a", "c"], "type": "CLOSE"}, "link", "m2"),
        ({"corridors": ["a"], "type": "SPEED", "kmh": 60}, "unlink", None),
        ({"corridors": ["z"], "type": "SPEED"}, "unlink", None),
        ({"headline": "somewhere"}, "unlink", None),
    ],
    ids=["same", "no type", "most roads in common", "another limit", "another road", "no road"],
)
def test_a_finding_belongs_to_what_fits_it(found: dict[str, Any], verb: str, target: str | None) -> None:
    """Road, type and limit decide; what fits nothing belongs to no measure."""
    measures = [measure("m1"), measure("m2", type="CLOSE", kmh=None, corridors=["a", "c"])]
    finding = row("restriction_found", "found", {"key": "f", **found})
    (command,) = link_findings([finding], measures, AT, simulated=True)
    assert (command.verb, command.data.get("measure")) == (verb, target)


def test_ended_measures_and_compared_findings_do_not_count() -> None:
    """A closed measure has no signs out; a finding already compared is left alone."""
    finding = row("restriction_found", "found", {"key": "f", "corridors": ["a"]})
    (command,) = link_findings([finding], [measure("m1", "closed")], AT, simulated=True)
    assert command.verb == "unlink"
    linked = row("restriction_found", "linked", {"key": "f", "corridors": ["a"]})
    assert link_findings([linked], [measure("m1")], AT, simulated=True) == []


def test_a_barrier_nobody_ordered_is_cleared_away(tmp_path: Path) -> None:
    """Reported by the field, compared in the next cycle, a removal task, seen gone by another post."""
    play = open_play(tmp_path, lambda hour: DRY)
    play.run(1)
    field = Teller(play.deployment.actor("post-field", simulated=True), "beijing", play.session.clock.now())
    words = {"en": "barrier", "zh": "路障"}
    play.journal.submit(
        field.command("restriction_found", "report", {"headline": words, "corridors": ["cor-2"]})
    )
    play.run(2, first=1)
    (finding,) = play.rows("restriction_found")
    assert finding["state"] == "unlinked"
    (task,) = play.rows("task")
    assert task["data"]["type"] == "verify_removal"
    assert task["data"]["details"]["found"] == [finding["id"]]
    play.run(1, first=3)
    assert play.rows("restriction_found")[0]["state"] == "removed"
    assert play.refused() == []
