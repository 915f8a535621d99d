"""One site's forecast as plain rows and as text in either language."""

from __future__ import annotations

from typing import Any, Final

from clearway.desks.roadweather.conditions import LOOKS, Condition
from clearway.desks.roadweather.friction import SOURCE
from clearway.desks.roadweather.site_outlook import Outlook
from clearway.desks.roadweather.site_run import SiteForecast, when
from clearway.kernel.language import Text

HEAD: Final = Text(
    "{site}: forecast from {start}, {readings} road readings",
    "{site}:自 {start} 起预报,采用 {readings} 个路面读数",
)
FREEZES: Final = Text("freezes while wet in {hours} h", "{hours} 小时后潮湿路面结冰")
FROZEN: Final = Text("frozen now", "目前已结冰")
NO_FREEZING: Final = Text("no freezing of a wet road within the forecast", "预报时段内潮湿路面不结冰")
THAWS: Final = Text("free of ice and snow in {hours} h", "{hours} 小时后冰雪消融")
NO_THAW: Final = Text("ice or snow stay to the end of the forecast", "冰雪持续至预报时段末")
CHANCE: Final = Text(
    "chance that a wet road freezes within 2, 6, 12 h: {chances}", "2、6、12 小时内潮湿路面结冰概率:{chances}"
)
NOTE: Final = Text("note: {words}", "注:{words}")
TITLES: Final = Text(
    "time (UTC)         road °C   10–90 %      P<0 P(wet,<0)  grip  condition          "
    "water   snow    ice mm  visib. m",
    "时间(UTC)         路面 °C   10–90 %      P<0 P(湿且结冰) 摩擦  状态                "
    "水     雪     冰 mm    能见度 m",
)


def site_rows(made: SiteForecast, seen: Outlook) -> list[dict[str, Any]]:
    """One row a time: temperature with its band, chances, condition, stores, grip, visibility."""
    codes, grip = made.trajectory.condition()[:, 0], made.trajectory.friction()[:, 0]
    rows = []
    for k, at in enumerate(made.times_s):
        out = made.trajectory.values[k, 0]
        density = max(float(out[2]), 50.0)
        rows.append(
            {
                "time": when(float(at)),
                "rst_c": round(float(made.trajectory.rst_c[k, 0]), 2),
                "rst_p10_c": round(float(seen.p10_c[k]), 2),
                "rst_p90_c": round(float(seen.p90_c[k]), 2),
                "error_k": round(float(made.sigma_k[k]), 2),
                "p_below_zero": round(float(seen.p_below_zero[k]), 3),
                "p_freezing_wet": round(float(seen.p_freezing_wet[k]), 3),
                "p_slippery": round(float(seen.p_slippery[k]), 3),
                "confidence": round(float(seen.confidence[k]), 3),
                "condition": Condition(int(codes[k])).name.lower(),
                "friction": round(float(grip[k]), 2),
                "water_mm": round(float(out[0]), 3),
                "snow_mm": round(float(out[1]), 3),
                "snow_depth_cm": round(100.0 * float(out[1]) / density, 2),
                "ice_mm": round(float(out[3]), 3),
                "frost_mm": round(float(out[4]), 3),
                "salt_g_m2": round(float(out[5]), 2),
                "freezing_point_c": round(float(made.trajectory["freezing_point_c"][k, 0]), 2),
                "visibility_m": round(float(seen.visibility_m[k])),
            }
        )
    return rows


def site_body(made: SiteForecast, seen: Outlook) -> dict[str, Any]:
    """Everything as plain data."""
    return {
        "site": made.record.site.name,
        "start": when(float(made.times_s[0])),
        "readings": {"believed": made.readings[0], "rejected": made.readings[1]},
        "notes": [n.as_dict() for n in made.notes],
        "words": [w.as_dict() for w in seen.words],
        "hours_to_freezing": seen.hours_to_freezing,
        "hours_to_thaw": seen.hours_to_thaw,
        "p_icing_within_h": {str(h): round(p, 3) for h, p in seen.icing_within.items()},
        "friction_source": SOURCE.as_dict(),
        "hours": site_rows(made, seen),
    }


def summary(seen: Outlook) -> list[Text]:
    """When it freezes and thaws, and how likely icing is within the windows of the warning."""
    now_frozen = seen.hours_to_thaw is None or seen.hours_to_thaw > 0.0
    words = [NO_FREEZING]
    if seen.hours_to_freezing is not None:
        hours = f"{seen.hours_to_freezing:.3g}"
        words = [FROZEN if seen.hours_to_freezing == 0.0 else FREEZES.format(hours=hours)]
    if now_frozen:
        words.append(
            NO_THAW if seen.hours_to_thaw is None else THAWS.format(hours=f"{seen.hours_to_thaw:.3g}")
        )
    chances = ", ".join(f"{100 * p:.0f} %" for p in seen.icing_within.values())
    return [*words, CHANCE.format(chances=chances)]


def site_text(made: SiteForecast, seen: Outlook, *, language: str = "en") -> str:
    """The forecast for the terminal: the reasons first, then the hours."""
    head = HEAD.format(
        site=made.record.site.name, start=when(float(made.times_s[0])), readings=str(made.readings[0])
    )
    lines = [head[language], *(NOTE.format(words=n)[language] for n in made.notes)]
    lines += [w[language] for w in (*seen.words, *summary(seen))]
    lines.append(TITLES[language])
    for row in site_rows(made, seen):
        words = LOOKS[Condition[row["condition"].upper()]].label[language]
        band = f"{row['rst_p10_c']:.1f}…{row['rst_p90_c']:.1f}"
        lines.append(
            f"{row['time']:<18}{row['rst_c']:>8.1f}  {band:<13}{row['p_below_zero']:>4.0%} "
            f"{row['p_freezing_wet']:>8.0%}  {row['friction']:>4.2f}  {words:<16}"
            f"{row['water_mm']:>8.2f}{row['snow_mm']:>7.2f}{row['ice_mm']:>7.2f}{row['visibility_m']:>13}"
        )
    return "\n".join(lines)
