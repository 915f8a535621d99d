"""Every row of every rate table against its source, and the choice between them."""

from __future__ import annotations

from pathlib import Path

import pytest

from clearway.desks.winter.rates import BANDS, TABLES, lb_per_lane_mile, rate
from clearway.desks.winter.reasons import FIRST_TREATMENT, Reason
from clearway.doctrine import load_doctrine
from clearway.doctrine.model import Doctrine
from clearway.kernel.errors import InputError

SCOTLAND = {
    Reason.FROST_MILD: (8, 8, 1),
    Reason.FROST_COLD_DRY: (10, 9, 1),
    Reason.FROST_COLD_WET: (16, 15, 1),
    Reason.FROST_HARD_DRY: (18, 18, 1),
    Reason.FROST_HARD_WET: (15, 15, 2),
    Reason.SNOW_LIGHT: (20, 18, 1),
}
"""Transport Scotland: dry, pre-wet, passes."""
MAINE = {
    "above_32f": (0, 150, 0, 150),
    "28_to_32f": (150, 250, 100, 200),
    "20_to_28f": (250, 350, 200, 300),
    "15_to_20f": (350, 450, 300, 400),
}
"""MaineDOT, lb a lane mile: first low and high, next low and high."""
FAHRENHEIT = {"above_32f": 32, "28_to_32f": 28, "20_to_28f": 20, "15_to_20f": 15}


def rules(folder: Path, text: str) -> Doctrine:
    """Shipped doctrine with a local override."""
    path = folder / "local.toml"
    path.write_text(text, encoding="utf-8")
    return load_doctrine(["cn"], overrides=path)


def chosen(folder: Path, table: str, form: str = "dry") -> Doctrine:
    """Doctrine with another table in force."""
    head = 'grade = "D"\nsource = "test"\n'
    return rules(folder, f'[winter.rate.use]\n{head}table = "{table}"\nform = "{form}"\n')


@pytest.mark.parametrize("reason", SCOTLAND)
def test_scotland_dry_and_prewet(tmp_path: Path, reason: Reason) -> None:
    """Both columns of the matrix, with the number of passes; official grade."""
    dry, wet, passes = SCOTLAND[reason]
    shipped = load_doctrine(["cn"])
    found = rate(reason, -3.0, shipped)
    assert (found.action, found.g_m2, found.passes) == ("salt", dry, passes)
    assert shipped.get(found.source).grade == "A"
    prewet = rate(reason, -3.0, chosen(tmp_path, "scotland", "prewet"))
    assert (prewet.action, prewet.g_m2, prewet.passes) == ("prewet", wet, passes)


@pytest.mark.parametrize("band", BANDS)
def test_maine_band_by_band(tmp_path: Path, band: str) -> None:
    """Each band's limit in Fahrenheit and its four amounts; the cold end gets the high one."""
    doctrine = chosen(tmp_path, "maine")
    floor = doctrine.number(f"winter.rate.maine.{band}.down_to_c")
    assert floor == pytest.approx((FAHRENHEIT[band] - 32) / 1.8, abs=1e-3)
    names = ("first_low", "first_high", "next_low", "next_high")
    held = [doctrine.number(f"winter.rate.maine.{band}.{n}_lb_per_lane_mile") for n in names]
    assert tuple(held) == MAINE[band]
    assert doctrine.get(f"winter.rate.maine.{band}.down_to_c").grade == "A"
    for again, high in ((False, MAINE[band][1]), (True, MAINE[band][3])):
        found = rate(Reason.SNOW_LIGHT, floor + 1e-6, doctrine, again=again)
        assert (found.action, found.passes) == ("prewet" if band == "15_to_20f" else "salt", 1)
        assert found.g_m2 == pytest.approx(lb_per_lane_mile(high), abs=0.51)


def test_maine_gets_stronger_with_cold_and_stops(tmp_path: Path) -> None:
    """Never less salt when it is colder; below 15 °F only ploughs; abrasives stay what they are."""
    doctrine = chosen(tmp_path, "maine")
    amounts = [rate(Reason.SNOW_LYING, -t / 10.0, doctrine).g_m2 for t in range(0, 94)]
    assert amounts == sorted(amounts)
    assert rate(Reason.SNOW_LYING, -9.5, doctrine).action == "plough"
    assert rate(Reason.PACKED_COLD, -9.5, doctrine).action == "abrasive"
    assert rate(Reason.SNOW_LYING, float("nan"), doctrine).g_m2 > 0


def test_chinese_practice_is_a_labelled_default(tmp_path: Path) -> None:
    """30 to 50 g/m² of snow, grade C; frost, for which nothing was found, stays with Scotland's rows."""
    doctrine = chosen(tmp_path, "china")
    light, heavy = rate(Reason.SNOW_LIGHT, -3.0, doctrine), rate(Reason.SNOW_HEAVY, -3.0, doctrine)
    assert (light.g_m2, heavy.g_m2) == (30, 50)
    assert doctrine.get(light.source).grade == doctrine.get(heavy.source).grade == "C"
    assert "supplier" in doctrine.get(light.source).source
    assert rate(Reason.FROST_MILD, -1.0, doctrine).g_m2 == 8


@pytest.mark.parametrize("table", TABLES)
def test_every_reason_has_a_rate_in_every_table(tmp_path: Path, table: str) -> None:
    """No reason for work is left without an answer, at any temperature."""
    doctrine = chosen(tmp_path, table)
    for reason in Reason:
        if reason >= FIRST_TREATMENT:
            for cold in (1.0, -0.5, -4.0, -8.0, -20.0):
                found = rate(reason, cold, doctrine)
                assert found.passes >= 1
                assert found.action in ("salt", "prewet", "plough", "plough_salt", "abrasive")
                assert (found.g_m2 > 0) == (found.action != "plough") or cold > 0


def test_unknown_table_is_named(tmp_path: Path) -> None:
    """A table that is none is refused with those there are."""
    with pytest.raises(InputError, match="no rate table called 'moon'") as raised:
        rate(Reason.SNOW_LIGHT, -1.0, chosen(tmp_path, "moon"))
    assert "maine" in raised.value.hint
