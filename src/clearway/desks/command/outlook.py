"""From situations to what one notice speaks of: level, places, window, certainty."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearway.desks.command.model import CommandInputs, Family, Outlook
from clearway.kernel.levels import Level
from clearway.network.model import GridArea
from clearway.picture.findings import Situation


def outlook(family: Family, inputs: CommandInputs) -> Outlook | None:
    """The family's situations as one outlook, None where nothing is worth telling.

    Local signals count from a share of the cells (``notice.local_cells_share``); the level is the highest
    that counts.
    """
    mine = [s for s in inputs.signals if s.hazard in family.hazards]
    least = inputs.number("notice.least_level")
    enough = inputs.number("notice.local_cells_share") * len(inputs.picture.cell_names)
    told = [s for s in mine if s.level >= least and (s.data.get("city") or len(s.data["areas"]) >= enough)]
    if not told:
        return None
    names = {name: i for i, name in enumerate(inputs.picture.cell_names)}
    cells = sorted({names[a] for s in told for a in s.data["areas"] if a in names})
    whole = any(s.data.get("city") for s in told)
    top = max(told, key=lambda s: (s.level, s.confidence))
    return Outlook(
        family=family,
        level=Level(top.level),
        situations=tuple(told),
        cells=np.array(cells, dtype=np.intp),
        whole=whole,
        starts=min(s.starts for s in told),
        ends=_ends(told, inputs),
        certainty=_certainty(told),
        confidence=max(s.confidence for s in told if s.level == top.level),
    )


def _ends(told: Sequence[Situation], inputs: CommandInputs) -> Any:
    latest = max(s.ends for s in told)
    return min(latest, inputs.at + timedelta(hours=inputs.number("notice.at_most_h")))


def _certainty(told: Sequence[Situation]) -> str:
    """CAP 1.2: Observed, Likely (50 % and more) or Possible."""
    if any(s.data.get("lead_hours") == 0 for s in told):
        return "Observed"
    return "Likely" if max(s.confidence for s in told) >= 0.5 else "Possible"


def rectangles(areas: Sequence[GridArea], cells: NDArray[np.intp]) -> list[list[list[float]]]:
    """Closed rings [[lon, lat], …] that cover the cells, neighbours of a row joined."""
    chosen = sorted((areas[i] for i in cells if i < len(areas)), key=lambda a: (a.south, a.west))
    rows: list[list[float]] = []
    for area in chosen:
        last = rows[-1] if rows else None
        if last and last[1] == area.south and abs(last[2] - area.west) < 1e-6:
            last[2] = area.east
        else:
            rows.append([area.west, area.south, area.east, area.north])
    return [[[w, s], [e, s], [e, n], [w, n], [w, s]] for w, s, e, n in rows]


def places(found: Outlook, inputs: CommandInputs) -> dict[str, Any]:
    """Areas and shapes of a notice: the city as a whole, or the cells concerned."""
    areas = inputs.picture.network.areas
    if found.whole:
        return whole_city(inputs)
    return {
        "areas": [
            {"id": areas[i].id, "name": areas[i].name.as_dict()} for i in found.cells if i < len(areas)
        ],
        "polygons": rectangles(areas, found.cells),
    }


def whole_city(inputs: CommandInputs) -> dict[str, Any]:
    """The city with its own shape, or with that of its cells where it has none."""
    shape: list[Any] = []
    for record in inputs.picture.records.get("area", ()):
        if str(record["id"]) == inputs.city.id:
            shape = list(record["data"].get("polygons") or ())
    areas = inputs.picture.network.areas
    return {
        "areas": [{"id": inputs.city.id, "name": inputs.city.name.as_dict()}],
        "polygons": shape or rectangles(areas, np.arange(len(areas))),
    }
