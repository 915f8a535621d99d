"""How cycles are doing, in words: since when they fail, the last good one, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from clearway.kernel.clock import iso, zone
from clearway.kernel.language import Text
from clearway.operations.pulse import Beat, Pulse
from clearway.picture.words import clock as clock_words
from clearway.web.services import Services

_STATES: Final = {
    Beat.GOOD: Text("cycles run", "研判正常"),
    Beat.STARTING: Text("the first cycle is being run", "首次研判进行中"),
    Beat.FAILING: Text("cycles fail", "研判失败"),
    Beat.LATE: Text("no cycle has run for too long", "长时间未研判"),
    Beat.STANDBY: Text("this process stands by and runs no cycles", "本进程为备用，不运行研判"),
}
_DO: Final[Mapping[Beat, Text]] = {
    Beat.FAILING: Text(
        "Road states, warnings and proposals are those of the last good cycle: go by what people on the road "
        "say and enter it, decide without waiting for proposals, and call the administrator. "
        "It is tried again every minute.",
        "路况、预警与建议停留在上次成功研判：请以现场报告为准并登记，无须等待建议即可决定，"
        "同时通知管理员。系统每分钟重试一次。",
    ),
    Beat.LATE: Text(
        "Road states, warnings and proposals are those of the last good cycle: go by what people on the road "
        "say and enter it. The administrator restarts the service; nothing that was entered is lost.",
        "路况、预警与建议停留在上次成功研判：请以现场报告为准并登记。请管理员重启服务，已登记内容不会丢失。",
    ),
    Beat.STANDBY: Text(
        "Nothing: the writer runs the cycles; if it falls silent, this process takes over at once.",
        "无须处理：由写入进程运行研判；其中断时本进程自动接管并立即研判。",
    ),
}


@dataclass(frozen=True, slots=True)
class CycleState:
    """Cycles now, in words for everybody; the error in ``pulse`` is for administrators."""

    beat: Beat
    pulse: Pulse
    words: Text
    todo: Text | None
    calls: bool
    """Whether the duty officer is to be called."""
    since: datetime | None
    """Since when they fail, or none came though one should have."""

    @property
    def headline(self) -> Text:
        """The state alone, the same for as long as it lasts."""
        return _STATES[self.beat]

    @property
    def bad(self) -> bool:
        """Whether what screens show of roads grows old."""
        return self.beat in (Beat.FAILING, Beat.LATE)

    def as_json(self) -> dict[str, Any]:
        """For machines that watch the service; without the error, which may name what is inside."""
        pulse = self.pulse
        return {
            "state": self.beat.value,
            "last_good": iso(pulse.last_good) if pulse.last_good else None,
            "failing_since": iso(pulse.failing_since) if pulse.failing_since else None,
            "failures": pulse.failures,
            "words": self.words.as_dict(),
            "do": self.todo.as_dict() if self.todo else None,
        }


def cycles_of(house: Services) -> CycleState | None:
    """How cycles are doing; None where none are run."""
    if house.pulse is None:
        return None
    pulse, now, rules = house.pulse(), house.clock.now(), house.rules
    late_after = timedelta(minutes=rules.number("cycles.late_after_min"))
    beat = pulse.beat(now, late_after)
    since = pulse.failing_since
    if beat is Beat.LATE and pulse.last_good is not None:
        since = pulse.last_good + late_after
    enough = pulse.failures >= rules.number("cycles.failures_before_call")
    calls = beat is Beat.LATE or (beat is Beat.FAILING and enough)
    return CycleState(beat, pulse, _words(house, beat, pulse), _DO.get(beat), calls, since)


def _words(house: Services, beat: Beat, pulse: Pulse) -> Text:
    local = zone(house.zone)
    state = _STATES[beat]
    if beat is Beat.STANDBY:
        return state
    if beat is Beat.FAILING and pulse.failing_since is not None:
        at = clock_words(pulse.failing_since, local)
        times = "once" if pulse.failures == 1 else f"{pulse.failures} times in a row"
        state = Text(f"{state.en} since {at.en}, {times}", f"{at.zh}起{state.zh}，连续{pulse.failures}次")
    if pulse.last_good is None:
        return Text(f"{state.en}; none has run yet", f"{state.zh}；尚无成功研判")
    good = clock_words(pulse.last_good, local)
    return Text(f"{state.en}; last good cycle {good.en}", f"{state.zh}；上次成功研判{good.zh}")
