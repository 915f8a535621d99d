"""Shared by rules on amounts within a window."""

from __future__ import annotations

from clearway.desks.signals.engine import CONTINUES_MM, from_members, trailing_sum
from clearway.desks.signals.model import F32, LevelReading, SignalInputs
from clearway.kernel.language import Text
from clearway.kernel.levels import Level

COLOURS = (Level.BLUE, Level.YELLOW, Level.ORANGE, Level.RED)


def amount_levels(
    inputs: SignalInputs, amounts: F32, section: str, amount_key: str, words: Text
) -> tuple[LevelReading, ...]:
    """Levels whose criterion is an amount within hours: expected, or reached and continuing.

    An hour meets the criterion when the sum of the ``window_h`` hours up to it reaches the amount and it
    still precipitates in that hour; so "reached" without "continuing" does not count.

    Args:
        amounts: hourly amounts, (members, times, cells).
        section: doctrine section holding the colours.
        amount_key: name of the amount below a colour, for example ``mm_we``.
        words: criterion with ``{amount}`` and ``{hours}``.
    """
    out = []
    for colour in COLOURS:
        key = f"{section}.{colour.name.lower()}"
        if f"{key}.{amount_key}" not in inputs.doctrine.values:
            continue
        amount = inputs.doctrine.number(f"{key}.{amount_key}")
        hours = int(inputs.doctrine.number(f"{key}.window_h"))
        sums = trailing_sum(amounts, hours)[:, inputs.past :]
        holds = (sums >= amount) & (amounts[:, inputs.past :] >= CONTINUES_MM)
        by_lead, at_lead = from_members(holds)
        value = sums[:, : hours + 1].max(axis=1)
        criterion = words.format(amount=f"{amount:g}", hours=hours)
        out.append(LevelReading(colour, hours, by_lead, at_lead, value, criterion, key))
    return tuple(out)
