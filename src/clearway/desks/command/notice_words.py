"""The words of public notices, in both languages: what, where, when, how bad, what to do.

Written as official notices are: facts first, then what the reader is asked to do. They are notices of the
road authorities; weather signals as such are issued by the meteorological authority alone (Meteorological
Disaster Prevention Regulations art. 30), and the words say so.
"""

from __future__ import annotations

import numpy as np

from clearway.desks.command.model import FAMILIES, CommandInputs, Outlook
from clearway.kernel.language import Text
from clearway.kernel.levels import Level
from clearway.picture.findings import Situation
from clearway.picture.words import listed, percent, roads_count, window

MAIN_CLASS = 2

_INTRO = {
    "road_snow_ice": Text("Snow and ice on roads in {place}.", "{place}道路{tense}积雪结冰，路面湿滑。"),
    "visibility": Text("Poor visibility in {place}.", "{place}{tense}低能见度天气，影响行车安全。"),
    "rain": Text("Heavy rain in {place}; roads may flood.", "{place}{tense}强降雨，道路可能积水。"),
    "wind": Text("Strong wind in {place}.", "{place}{tense}大风，影响行车安全。"),
    "cold": Text("A severe drop in temperature in {place}.", "{place}{tense}强降温天气。"),
}

_HOW_MANY_ROADS = (
    (0.6, Text("ice on most roads", "大部分道路结冰")),
    (0.3, Text("ice on many roads", "较多道路结冰")),
    (0.05, Text("ice on some roads", "部分道路结冰")),
)

_CAUTION = {
    "road_snow_ice": Text(
        "Slow down, keep your distance, brake and steer gently; on ice and snow not more than 30 km/h. "
        "Bridges, ramps and shaded slopes freeze first. Walk with care.",
        "请减速慢行，加大车距，避免急刹车、急转弯；冰雪路面车速不得超过30公里/小时。桥面、匝道、背阴坡道最先结冰，"
        "请格外小心。行人注意防滑。",
    ),
    "visibility": Text(
        "Switch on fog lamps, slow down, keep your distance; do not stop on the carriageway.",
        "请开启雾灯、减速慢行、加大车距，切勿在行车道停车。",
    ),
    "rain": Text(
        "Do not drive through water of unknown depth; avoid underpasses.",
        "切勿涉水行驶，避开下穿通道和低洼路段。",
    ),
    "wind": Text(
        "Hold the wheel firmly on bridges; high-sided vehicles should wait.",
        "桥面行车请握稳方向盘，厢式货车、空载货车等请暂缓出行。",
    ),
    "cold": Text(
        "Check battery, coolant and tyres; carry warm clothes, water and food.",
        "出车前检查蓄电池、防冻液和轮胎，随车备好御寒衣物、饮水和食品。",
    ),
}

_BY_LEVEL = {
    Level.BLUE: Text("Allow more time for your journey.", "出行请预留更多时间。"),
    Level.YELLOW: Text(
        "Use public transport where you can; check the road before you leave.",
        "建议优先选择公共交通，出行前查询路况。",
    ),
    Level.ORANGE: Text(
        "Put off journeys that can wait; use public transport; fit winter tyres or chains.",
        "请减少驾车出行，优先选择公共交通；确需驾车的，请使用防滑链或冬季轮胎。",
    ),
    Level.RED: Text(
        "Do not drive unless you must. If you are on the road, leave it at the next safe place.",
        "非必要不驾车出行；已在途的，请就近驶离，到安全地点等候。",
    ),
}

OBEY = Text(
    "Follow signs and the police; call 122 in an accident and leave the carriageway.",
    "请遵守限速和现场民警指挥；发生事故请拨打122，人员撤离到安全地带。",
)
NOT_A_SIGNAL = Text(
    "This is a notice of the road authorities; weather signals are issued by the meteorological service.",
    "本信息为道路交通安全提示，气象预警信号以气象部门发布为准。",
)


def headline(found: Outlook, place: Text) -> Text:
    """``Beijing: orange road safety notice, snow and ice on roads``."""
    colour, words = found.level.label, found.family.words
    return Text(
        f"{place.en}: {colour.en} road safety notice, {words.en}",
        f"{place.zh}{words.zh}{colour.zh}交通安全警示",
    )


def description(found: Outlook, place: Text, inputs: CommandInputs) -> Text:
    """Facts: what is expected when, which criteria it meets, how the roads are, what is in force."""
    tense = Text("", "已出现" if found.certainty == "Observed" else "将出现")
    intro = _INTRO[found.family.name].format(place=place, tense=tense)
    span = window(max(found.starts, inputs.at), found.ends, inputs.local)
    when = Text(f"Time: {span.en}.", f"影响时段：{span.zh}。")
    parts = [intro, when, _facts(found), _criteria(found)]
    if found.family.name == "road_snow_ice":
        parts.append(roads_now(inputs))
    parts += [in_force(inputs), NOT_A_SIGNAL]
    told = [p for p in parts if p is not None]
    return Text(" ".join(p.en for p in told), "".join(p.zh for p in told))


def instruction(found: Outlook) -> Text:
    """What people are asked to do, more with every level."""
    return _asked(found.family.name, found.level)


def advice(hazard: str, level: Level) -> Text | None:
    """What people are asked to do in a hazard of a level; None for a hazard no notice family knows."""
    family = next((f.name for f in FAMILIES if hazard in f.hazards), None)
    return _asked(family, level) if family else None


def _asked(family: str, level: Level) -> Text:
    first, caution = _BY_LEVEL[max(level, Level.BLUE)], _CAUTION[family]
    return Text(f"{first.en} {caution.en} {OBEY.en}", f"{first.zh}{caution.zh}{OBEY.zh}")


def _facts(found: Outlook) -> Text | None:
    """The decisive numbers of each danger, of its highest situation, in public words."""
    facts: dict[str, Text] = {}
    for s in sorted(found.situations, key=lambda s: (-s.level, s.key)):
        value = _value(s)
        if value is not None:
            facts.setdefault(s.hazard, value)
    if not facts:
        return None
    told = Text("; ".join(f.en for f in facts.values()), "；".join(f.zh for f in facts.values()))
    return Text(f"Expected: {told.en}.", f"预计{told.zh}。")


def _value(situation: Situation) -> Text | None:
    if not situation.evidence:
        return None
    first = situation.evidence[0]
    if situation.hazard == "road_icing":
        share = (first.value or 0.0) / 100.0
        return next((words for least, words in _HOW_MANY_ROADS if share >= least), None)
    return Text(first.text.en.partition(";")[0], first.text.zh.partition("；")[0])


def _criteria(found: Outlook) -> Text:
    names = []
    for s in found.situations:
        name = Text.of(s.data["name"])
        local = Text("", "") if s.data.get("city") else Text(" (locally)", "（局地）")
        names.append(
            Text(
                f"{name.en} {Level(s.level).label.en}{local.en}",
                f"{name.zh}{Level(s.level).label.zh}{local.zh}",
            )
        )
    told = listed(names, limit=4)
    return Text(f"Criteria met: {told.en}.", f"天气达到{told.zh}预警标准。")


def roads_now(inputs: CommandInputs) -> Text | None:
    """Share of main roads with ice or snow now, and the worst of them by name."""
    if "corridor_ice_share" not in inputs.fields:
        return None
    ice, snow = (inputs.fields.array(f"corridor_{n}_share")[0] for n in ("ice", "snow"))
    main = (inputs.index.road_class <= MAIN_CLASS) & (inputs.index.length_m > 0)
    covered = np.clip(ice + snow, 0.0, 1.0)
    if not main.any():
        return None
    share = float(np.average(covered[main], weights=inputs.index.length_m[main]))
    if share < 0.01:
        return Text("Main roads are free of snow and ice at present.", "目前主要道路无积雪结冰。")
    km = covered * inputs.index.length_m * main
    worst = [int(i) for i in np.argsort(-km, kind="stable")[:3] if km[i] > 0]
    names, part = listed([inputs.label(i) for i in worst], limit=3), percent(share)
    return Text(
        f"Snow or ice on {part.en} of the main roads now, most on {names.en}.",
        f"目前主要道路约{part.zh}路段有积雪或结冰，较重的有{names.zh}等。",
    )


def in_force(inputs: CommandInputs) -> Text | None:
    """Restrictions in power, by type, with the number of roads."""
    counts: dict[str, set[str]] = {}
    for record in inputs.picture.records.get("measure", ()):
        data = record["data"]
        if record["state"] in ("ordered", "in_force") and data.get("restrictive"):
            name = f"{data.get('type')}/{data.get('kmh') or ''}"
            counts.setdefault(name, set()).update(data.get("corridors", ()))
    parts = []
    for name, corridors in sorted(counts.items()):
        kind, _, kmh = name.partition("/")
        words = restriction(kind, float(kmh) if kmh else None)
        count = roads_count(len(corridors))
        parts.append(Text(f"{words.en} on {count.en}", f"{count.zh}{words.zh}"))
    if not parts:
        return None
    told = listed(parts, limit=4)
    return Text(f"In force: {told.en}.", f"已采取措施：{told.zh}。")


def restriction(kind: str, kmh: float | None) -> Text:
    """A restriction in a few words."""
    if kind == "SPEED" and kmh:
        return Text(f"limit of {kmh:.0f} km/h", f"限速{kmh:.0f}公里/小时")
    return {
        "TYPE": Text("some vehicle types kept out", "限制部分车型通行"),
        "CLOSE": Text("closed", "封闭"),
        "CLOSE_ST": Text("toll stations closed", "收费站关闭"),
        "SPACED": Text("spaced release", "间断放行"),
        "CONVOY": Text("convoys under escort", "编队带道通行"),
    }.get(kind, Text("traffic control", "交通管控"))
