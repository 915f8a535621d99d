"""Still needed? The answer for every measure, corridor by corridor, each cycle."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clearway.desks.control.inputs import ago_s
from clearway.desks.control.model import ActiveMeasure, Control, ControlInputs, Judgement, Mask
from clearway.desks.control.rules.closure import must_close
from clearway.desks.control.rules.ice_ahead import ice_expected
from clearway.desks.control.words import Indices
from clearway.kernel.language import Text


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """Which corridors of a measure still need it, which are free to go, which only lack proof.

    ``eased`` are corridors that need a milder limit than the one ordered.
    """

    measure: ActiveMeasure
    needed: Indices
    free: Indices
    unproven: Indices
    eased: Indices


def judged_types() -> tuple[str, ...]:
    """Types this desk can re-judge; others are judged by who ordered them."""
    return ("SPEED", "TYPE", "CLOSE", "INFO")


def answer(measure: ActiveMeasure, inputs: ControlInputs) -> Answer:
    """Re-judge one measure.

    A full lift needs proof by people: a drive-through or a crew's reading not older than
    ``control.evidence.drive_through_valid_h``. Advice needs none, but goes only as a whole: a sign that
    warns of ice here and not there helps nobody.
    """
    corridors = measure.corridors.astype(np.intp)
    needed = _still_needed(measure.type, inputs)[corridors]
    proven = inputs.proof_s[corridors] >= ago_s(
        inputs.at, inputs.number("control.evidence.drive_through_valid_h")
    )
    if measure.type == "INFO":
        proven = np.full(corridors.size, not needed.any())
    eased = np.zeros(corridors.size, dtype=np.bool_)
    if measure.type == "SPEED":
        eased = needed & (inputs.need.kmh[corridors] > measure.kmh + 0.5)
    return Answer(
        measure,
        needed=corridors[needed],
        free=corridors[~needed & proven],
        unproven=corridors[~needed & ~proven],
        eased=corridors[eased],
    )


def answers(inputs: ControlInputs) -> tuple[Answer, ...]:
    """Answers for all measures in power that this desk can judge."""
    return tuple(
        answer(m, inputs)
        for m in inputs.measures
        if m.in_power and m.type in judged_types() and m.corridors.size
    )


def judgement(found: Answer) -> Judgement:
    """The answer in words, for reviews and screens."""
    n, total = found.needed.size, found.measure.corridors.size
    if n == total:
        outcome, text = "keep", Text("needed on all of its roads", "全部路段仍需维持")
        if found.eased.size == total:
            outcome, text = "ease", Text("a milder limit is enough", "可放宽限速")
    elif n:
        outcome = "ease"
        text = Text(f"needed on {n} of {total} roads", f"{total}条道路中{n}条仍需维持")
    elif found.unproven.size:
        outcome = "keep"
        text = Text(
            "no longer needed by the model; a drive-through must confirm it",
            "模型判断已无必要，待巡查核实后解除",
        )
    else:
        outcome, text = "lift", Text("no longer needed", "已无必要，应当解除")
    return Judgement(found.measure.id, outcome, n, total, text)


def _still_needed(kind: str, inputs: ControlInputs) -> Mask:
    if kind == "SPEED":
        return np.isfinite(inputs.need.kmh)
    if kind == "TYPE":
        return np.asarray(inputs.need.level >= int(Control.LEVEL2))
    if kind == "CLOSE":
        shut = must_close(inputs)
        grip = inputs.surface.friction[0] < 2 * inputs.number("control.closure.friction_max")
        still_iced = (inputs.need.ice.level >= int(Control.SPECIAL)) & grip
        return np.asarray(shut | still_iced)
    expected, _ = ice_expected(inputs)
    return expected
