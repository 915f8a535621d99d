"""Drawings and summary of a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from clearway.kernel.language import Text
from clearway.kernel.levels import Level
from clearway.network.model import Network, RoadClass
from clearway.operations.trace import GROUPS, CycleTrace
from clearway.picture.picture import Columns
from clearway.web.draw.boardmap import STYLES, group_of_condition, moment_words
from clearway.web.draw.roadmap import road_map_svg
from clearway.web.draw.storm import StormTrace
from clearway.web.report.gather import ReportData

_WEIGHTS = (0.0, 0.0, 1.0, 1.0, 2.0, 3.0)
"""How bad each of the condition groups is, for picking the worst hour."""


def storm_trace(
    traces: Sequence[CycleTrace], data: ReportData, hazards: Mapping[str, Text], *, zone: str, source: Text
) -> StormTrace:
    """The traces of a period as the storm drawing needs them; hazards that never rose are left out."""
    shown = [h for h in hazards if any(t.levels.get(h, 0) for t in traces)]
    return StormTrace(
        times=tuple(t.at for t in traces),
        air_c=np.array([t.air_c[0] for t in traces]),
        air_low_c=np.array([t.air_c[1] for t in traces]),
        air_high_c=np.array([t.air_c[2] for t in traces]),
        rst_c=np.array([t.rst_c[0] for t in traces]),
        rst_low_c=np.array([t.rst_c[1] for t in traces]),
        rst_high_c=np.array([t.rst_c[2] for t in traces]),
        precipitation_mm=np.array([t.precipitation_mm for t in traces]),
        hazards=tuple(hazards[h] for h in shown),
        levels=np.array([[t.levels.get(h, 0) for t in traces] for h in shown], dtype=np.int8).reshape(
            len(shown), len(traces)
        ),
        condition_labels=tuple(label for label, _ in GROUPS),
        condition_share=np.array([t.condition_share for t in traces]),
        restricted_km=np.array([t.restricted_km for t in traces]),
        messages=tuple(
            (datetime.fromisoformat(m["sent"]), str(m["msg_type"]), n.level)
            for n in data.notices
            for m in n.messages
        ),
        zone=ZoneInfo(zone),
        source=source,
    )


def moments(traces: Sequence[CycleTrace]) -> list[CycleTrace]:
    """Three telling moments: the first slippery hour, the worst one, and the end."""
    shares = np.array([t.condition_share for t in traces])
    worst = int(np.argmax(shares @ np.array(_WEIGHTS)))
    slippery = np.flatnonzero(shares[:, 2:].sum(axis=1) > 0.1)
    first = int(slippery[0]) if slippery.size else max(0, worst - 6)
    picked = sorted({min(first, worst), worst, len(traces) - 1})
    return [traces[i] for i in picked]


def condition_map(
    trace: CycleTrace,
    network: Network,
    columns: Columns,
    language: str,
    zone: str,
    *,
    width: int = 460,
    within: NDArray[np.bool_] | None = None,
) -> str:
    """Map picture of one cycle's road condition; only the segments ``within``, where given."""
    by_segment = group_of_condition()[trace.column_condition][columns.segment_column]
    if within is not None:
        by_segment = np.where(within, by_segment, np.int8(-1))
    title = moment_words(trace.at, zone)[language]
    return road_map_svg(
        network, by_segment, STYLES, title, language, max_class=RoadClass.PRIMARY, width=width
    )


def summary_lines(data: ReportData, traces: Sequence[CycleTrace], hazards: Mapping[str, Text]) -> list[Text]:
    """The bottom line up front."""
    lines = []
    for hazard, label in hazards.items():
        peak = max((t.levels.get(hazard, 0) for t in traces), default=0)
        if peak:
            hours = sum(1 for t in traces if t.levels.get(hazard, 0) == peak)
            lines.append(
                Text(
                    "{hazard}: highest level {level}, held {hours} h",
                    "{hazard}：最高{level}预警，持续{hours}小时",
                ).format(hazard=label, level=Level(peak).label, hours=hours)
            )
    sent = [m["msg_type"] for n in data.notices for m in n.messages]
    lines.append(
        Text(
            f"{sent.count('Alert')} public warnings issued, {sent.count('Update')} updates, "
            f"{sent.count('Cancel')} cancelled",
            f"发布预警{sent.count('Alert')}条，更新{sent.count('Update')}次，解除{sent.count('Cancel')}条",
        )
    )
    restrictive = [m for m in data.measures if m.restrictive]
    closed = sum(1 for m in restrictive if m.state == "closed")
    lines.append(
        Text(
            f"{len(restrictive)} restrictive measures ordered ({data.restriction_hours:.0f} h in all), "
            f"{closed} taken down and verified, {len(data.open_measures)} measures still open, "
            f"{len(data.overdue)} overdue",
            f"下达管制措施{len(restrictive)}项（合计{data.restriction_hours:.0f}小时），"
            f"已解除并核实{closed}项，期末未结{len(data.open_measures)}项，逾期{len(data.overdue)}项",
        )
    )
    lines.append(Text(f"{data.salt_t:.0f} t of salt reported spread", f"累计撒布融雪剂{data.salt_t:.0f}吨"))
    return lines
