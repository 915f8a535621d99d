"""Restrictions as found against measures as ordered."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np

from clearway.desks.control.drafts import Reasons, alternative, proposal
from clearway.desks.control.inputs import ago_s
from clearway.desks.control.model import ControlInputs
from clearway.kernel.clock import epoch_s, iso, parse_utc
from clearway.kernel.language import Text
from clearway.kernel.levels import Level
from clearway.picture.findings import Evidence, Proposal
from clearway.picture.picture import Record
from clearway.picture.rules import reference, rule
from clearway.picture.words import clock, listed, local_zone

ID = "control.audit"
STILL_THERE_MIN = 60
"""Minutes after which the removal of an ended measure must have been verified, as in kinds/measure.toml."""


@rule(
    ID,
    title=Text("Restrictions nobody ordered", "清理无依据管控"),
    keys=("legal_basis.lift_response", "measure_defaults.post_lift_watch_h"),
)
def audit(inputs: ControlInputs) -> list[Proposal]:
    """Find what restricts people on the road without a decision behind it, and have it removed.

    Two kinds: something found on the road that belongs to no measure, and a measure that was lifted or has
    expired but whose removal nobody has verified within an hour. Emergency Response Law 2024 art. 86:
    measures stop when the danger is over; the clean-up of 2020 showed that signs and barriers stay behind.
    """
    return [*_found(inputs), *_left_behind(inputs)]


def _found(inputs: ControlInputs) -> list[Proposal]:
    rows = [r for r in inputs.picture.records.get("restriction_found", ()) if r["state"] == "unlinked"]
    rows = [r for r in rows if not _has_task(inputs, str(r["id"]))]
    if not rows:
        return []
    named = listed([Text.of(r["data"].get("headline", str(r["id"]))) for r in rows], limit=3)
    facts = tuple(_found_evidence(r) for r in rows[:8])
    return [
        _task(
            f"{ID}/unlinked",
            inputs,
            Text(
                f"Remove {len(rows)} restrictions nobody ordered: {named.en}",
                f"清理{len(rows)}处无依据管控：{named.zh}",
            ),
            Text("Found on the road, and no measure is behind it.", "现场发现，但没有任何决定作为依据。"),
            rows,
            facts,
            {"found": [str(r["id"]) for r in rows]},
        )
    ]


def _left_behind(inputs: ControlInputs) -> list[Proposal]:
    late = []
    for row in inputs.picture.records.get("measure", ()):
        ended = row["data"].get("ended_at")
        if row["state"] == "removal_pending" and isinstance(ended, str):
            overdue = epoch_s(parse_utc(ended)) <= ago_s(inputs.at, STILL_THERE_MIN / 60)
            if overdue and not _has_task(inputs, str(row["id"])):
                late.append(row)
    if not late:
        return []
    local = local_zone(inputs.doctrine)
    facts = tuple(
        Evidence(
            Text(
                f"ended {clock(parse_utc(r['data']['ended_at']), local).en}, removal not verified",
                f"{clock(parse_utc(r['data']['ended_at']), local).zh}已结束，撤除未核实",
            ),
            valid_at=inputs.at,
            source=f"journal, measure {r['id']}",
        )
        for r in late[:8]
    )
    headline = Text(
        f"Verify that {len(late)} ended measures are off the road", f"核实{len(late)}项已结束措施是否撤除"
    )
    why = Text(
        "They ended more than an hour ago; nobody has seen them gone.", "结束已逾一小时，尚无人核实撤除。"
    )
    extra = {"measures": [str(r["id"]) for r in late]}
    return [_task(f"{ID}/left_behind", inputs, headline, why, late, facts, extra)]


def _task(
    key: str,
    inputs: ControlInputs,
    headline: Text,
    why: Text,
    rows: list[Record],
    facts: tuple[Evidence, ...],
    details: dict[str, Any],
) -> Proposal:
    ids = list(dict.fromkeys(str(c) for r in rows for c in r["data"].get("corridors", ())))
    numbers = [n for n in map(inputs.index.number, ids) if n >= 0]
    ref = reference(ID, inputs.doctrine)
    reasons = Reasons(
        headline=headline,
        why=why,
        if_nothing=Text("People stay restricted without a decision.", "群众将继续受到没有依据的限制。"),
        benefit=Text("The road is as free as was decided.", "路面实际与决定一致。"),
        cost=Text("One crew.", "一组现场力量。"),
        alternatives=(
            alternative(
                0,
                Text("Remove and verify", "撤除并核实"),
                Text("Restricts nobody", "不作限制"),
                chosen=True,
                least=True,
            ),
            alternative(
                1,
                Text("Decide it properly", "依法补办决定"),
                Text("Only where it is needed", "仅在确有必要时"),
            ),
        ),
    )
    return proposal(
        key,
        ref,
        inputs,
        reasons,
        act="open",
        target_kind="task",
        payload={
            "type": "verify_removal",
            "headline": headline.as_dict(),
            "corridors": ids,
            "due": iso(inputs.at + timedelta(minutes=90)),
            "desk": "control",
            "rule": ref.as_dict(),
            "details": details,
        },
        corridors=np.array(numbers, dtype=np.intp),
        evidence=facts,
        level=Level.NONE,
        loss=2.0 * len(rows),
        confidence=0.9,
    )


def _found_evidence(row: Record) -> Evidence:
    data = row["data"]
    words = Text.of(data.get("headline", {"en": "restriction found", "zh": "现场发现的管控"}))
    seen = data.get("seen_at")
    return Evidence(
        words, valid_at=parse_utc(seen) if seen else None, source=str(data.get("source", "report"))
    )


def _has_task(inputs: ControlInputs, record_id: str) -> bool:
    for task in inputs.picture.records.get("task", ()):
        details = task["data"].get("details") or {}
        known = {*details.get("found", ()), *details.get("measures", ()), task["data"].get("measure")}
        if task["state"] in ("open", "acknowledged", "started", "done") and record_id in known:
            return True
    return False
