"""Every number the winter desk decides by, typed again from its source; no number without a line here.

``DOCTRINE`` names the row of the reference text (road surface anchors, 6; doctrine study, 4.1
and 4.2) for every sourced value. Grades C, R and D are defaults of ours, and their source says so.
"""

from __future__ import annotations

import pytest

from clearway.desks.winter import dose
from clearway.desks.winter.brine import SUITS, gallons_per_lane_mile
from clearway.desks.winter.dose import CHEMICALS
from clearway.desks.winter.rates import LB_PER_LANE_MILE_KG_PER_KM
from clearway.desks.winter.reasons import FIRST_TREATMENT, RECIPES, Reason
from clearway.desks.winter.service_classes import known, scheme
from clearway.doctrine import load_doctrine

RULES = load_doctrine(["cn"])
EVERYWHERE = load_doctrine(["cn", "us"])

SCOTLAND = "4.1, Scotland, g/m2 dry / pre-wet"
MAINE = "6, MaineDOT appendix A, lb a lane mile, initial → subsequent"
FINLAND = "4.2, Finland"
SWEDEN = "4.2, Sweden 2008"
SHIJIAZHUANG = "4.2, Shijiazhuang 2014"
OURS = ""
"""Our own default: nothing but its grade and its words are checked."""

Row = tuple[object, str, str]
DOCTRINE: dict[str, Row] = {
    # 6: "treat only if RST <= 1.5"; 4.1: "weak below -7 C, floor -15 C (B NWSRG)"
    "temperature.treat_below_c": (1.5, "B", "6, MDSS"),
    "temperature.salt_weak_below_c": (-7, "B", "4.1, salt limits"),
    "temperature.salt_floor_c": (-15, "B", "4.1, salt limits"),
    "snow.plough_from_mm": (2, "D", OURS),
    "snow.depth_per_water": (10, "D", OURS),
    "snow.blowing_wind_ms": (8, "D", OURS),
    "snow.blowing_below_c": (-5, "D", OURS),
    # 4.1: "Light snow forecast <10 mm", "Snow >30 mm"
    "snow.depth.light_below_mm": (10, "A", SCOTLAND),
    "snow.depth.deep_from_mm": (30, "A", SCOTLAND),
    # 4.1: "Frost, RST >= -2: 8 / 8" and so on down the matrix
    "rate.frost_mild_g_m2": (8, "A", SCOTLAND),
    "rate.frost_cold_dry_g_m2": (10, "A", SCOTLAND),
    "rate.frost_cold_wet_g_m2": (16, "A", SCOTLAND),
    "rate.frost_hard_dry_g_m2": (18, "A", SCOTLAND),
    "rate.frost_hard_wet_g_m2": (15, "A", SCOTLAND),
    "rate.light_snow_g_m2": (20, "A", SCOTLAND),
    "rate.heavy_snow_g_m2": (20, "A", SCOTLAND),
    "rate.freezing_rain_g_m2": (20, "A", SCOTLAND),
    "rate.ice_g_m2": (20, "A", SCOTLAND),
    "rate.packed_g_m2": (20, "A", SCOTLAND),
    "rate.frost_mild_above_c": (-2, "A", SCOTLAND),
    "rate.frost_cold_above_c": (-5, "A", SCOTLAND),
    "rate.frost_hard_above_c": (-10, "A", SCOTLAND),
    "rate.ice_two_passes_below_c": (-5, "A", SCOTLAND),
    "rate.packed_abrasive_below_c": (-8, "A", SCOTLAND),
    "rate.prewet.frost_mild_g_m2": (8, "A", SCOTLAND),
    "rate.prewet.frost_cold_dry_g_m2": (9, "A", SCOTLAND),
    "rate.prewet.frost_cold_wet_g_m2": (15, "A", SCOTLAND),
    "rate.prewet.frost_hard_dry_g_m2": (18, "A", SCOTLAND),
    "rate.prewet.frost_hard_wet_g_m2": (15, "A", SCOTLAND),
    "rate.prewet.light_snow_g_m2": (18, "A", SCOTLAND),
    "rate.other.frost_extreme_g_m2": (20, "D", OURS),
    "rate.other.abrasive_g_m2": (100, "D", OURS),
    "rate.use.table": ("scotland", "D", OURS),
    "rate.use.form": ("dry", "D", OURS),
    # 6: "site default … liquid pretreat 40–100 gal"; "Eutectics: NaCl −21.6 °C/23.3 %"
    "rate.brine.low_gal_per_lane_mile": (40, "B", "6, MDSS site defaults"),
    "rate.brine.high_gal_per_lane_mile": (100, "B", "6, MDSS site defaults"),
    "rate.brine.solution.percent": (23.3, "B", "6, MDSS eutectics"),
    "rate.brine.density.kg_per_l": (1.18, "D", OURS),
    "rate.brine.limit.not_below_c": (-7, "D", OURS),
    # 6: ">32 °F 0–150 → 0–150; 28–32: 150–250 → 100–200; 20–28: 250–350 → 200–300; 15–20: 350–450 → 300–400"
    **{
        f"rate.maine.{band}.{name}": (value, "A", MAINE)
        for band, values in {
            "above_32f": (0, 0, 150, 0, 150),
            "28_to_32f": (-2.2222, 150, 250, 100, 200),
            "20_to_28f": (-6.6667, 250, 350, 200, 300),
            "15_to_20f": (-9.4444, 350, 450, 300, 400),
        }.items()
        for name, value in zip(
            (
                "down_to_c",
                *(f"{w}_{e}_lb_per_lane_mile" for w in ("first", "next") for e in ("low", "high")),
            ),
            values,
            strict=True,
        )
    },
    # 4.1: "China: 30-50 g/m2 for <50 mm snow (C supplier page); no national table found"
    "rate.china.light_snow_g_m2": (30, "C", "4.1, China"),
    "rate.china.heavy_snow_g_m2": (50, "C", "4.1, China"),
    "learn.least_runs": (30, "D", OURS),
    "learn.keep_runs": (500, "D", OURS),
    "learn.slowest_factor": (0.6, "D", OURS),
    "learn.fastest_factor": (1.3, "D", OURS),
    "dose.traffic_first": (3, "D", OURS),
    "dose.traffic_second": (2, "D", OURS),
    # 4.2: "main roads clear 2-3 h after snow ends; … low class up to 10 cm, 6 h"
    "class.first.clear_h": (3, "B", FINLAND),
    "class.second.clear_h": (6, "B", FINLAND),
    "class.first.cycle_h": (4, "D", OURS),
    "class.second.cycle_h": (6, "D", OURS),
    "class.first.max_road_class": (1, "D", OURS),
    "class.second.max_road_class": (3, "D", OURS),
}
"""Rows below ``winter``: value, grade, place in the source."""

SCHEMES: dict[str, dict[str, tuple[Row, Row, Row, int, int]]] = {
    # start [cm], hours to the first lane, hours to all lanes; then our own road class and weight
    "house": {
        "first": ((1, "D", OURS), (3, "D", OURS), (8, "D", OURS), 1, 4),
        "second": ((2, "D", OURS), (6, "D", OURS), (12, "D", OURS), 3, 2),
    },
    "finland": {
        "first": ((1, "D", OURS), (3, "B", FINLAND), (3, "B", FINLAND), 1, 4),
        "second": ((10, "B", FINLAND), (6, "B", FINLAND), (6, "B", FINLAND), 3, 2),
    },
    # 4.2: "black: start 1 cm, 2 h; yellow 1 cm 3 h; green 2 cm 4 h; blue 2 cm 5 h; grey 3 cm 6 h"
    "sweden": {
        name: ((cm, "C", SWEDEN), (hours, "C", SWEDEN), (hours, "C", SWEDEN), road, weight)
        for name, cm, hours, road, weight in (
            ("black", 1, 2, 0, 5),
            ("yellow", 1, 3, 1, 4),
            ("green", 2, 4, 2, 3),
            ("blue", 2, 5, 3, 2),
            ("grey", 3, 6, 4, 1),
        )
    },
    # 4.2: "medium snow: fast lanes passable 2 h, arterials clear 24 h, secondary 48 h;
    # heavy: 4 h, 48 h, 72 h"
    "shijiazhuang": {
        "arterial": ((1, "D", OURS), (2, "B", SHIJIAZHUANG), (24, "B", SHIJIAZHUANG), 2, 4),
        "secondary": ((1, "D", OURS), (48, "D", OURS), (48, "B", SHIJIAZHUANG), 3, 2),
    },
    "shijiazhuang_heavy": {
        "arterial": ((5, "D", OURS), (4, "B", SHIJIAZHUANG), (48, "B", SHIJIAZHUANG), 2, 4),
        "secondary": ((5, "D", OURS), (72, "D", OURS), (72, "B", SHIJIAZHUANG), 3, 2),
    },
}
for _scheme, _classes in SCHEMES.items():
    for _name, (_start, _first, _all, _road, _weight) in _classes.items():
        DOCTRINE |= {
            f"service.{_scheme}.{_name}.start_cm": _start,
            f"service.{_scheme}.{_name}.first_lane_h": _first,
            f"service.{_scheme}.{_name}.all_lanes_h": _all,
            f"service.{_scheme}.{_name}.max_road_class": (_road, "D", OURS),
            f"service.{_scheme}.{_name}.weight": (_weight, "D", OURS),
        }

PLAIN_DEFAULTS = {
    key: value.value
    for key, value in EVERYWHERE.section("winter").items()
    if "." not in key or (key.startswith("service.") and key.count(".") == 1)
}
"""Settings of desk and plan directly below ``winter`` or ``winter.service``: all of them defaults."""

MATRIX: dict[Reason, tuple[str, int, bool, str]] = {
    # 4.1 once more: how often, and with which tool
    Reason.FROST_MILD: ("salt", 1, False, SCOTLAND),
    Reason.FROST_COLD_DRY: ("salt", 1, False, SCOTLAND),
    Reason.FROST_COLD_WET: ("salt", 1, False, SCOTLAND),
    Reason.FROST_HARD_DRY: ("salt", 1, False, SCOTLAND),
    Reason.FROST_HARD_WET: ("salt", 2, False, SCOTLAND),
    Reason.FROST_EXTREME: ("salt", 2, False, OURS),
    Reason.SNOW_LIGHT: ("salt", 1, False, SCOTLAND),
    Reason.SNOW_HEAVY: ("salt", 2, False, SCOTLAND),
    Reason.RAIN_FREEZING_AHEAD: ("salt", 2, False, SCOTLAND),
    Reason.ICE: ("salt", 1, False, SCOTLAND),
    Reason.ICE_COLD: ("salt", 2, False, SCOTLAND),
    # the matrix repeats salt; we plough first what a blade takes off (MN handbook in 6: plough first)
    Reason.PACKED: ("plough_salt", 1, True, SCOTLAND),
    # the matrix: salt and abrasive together, again and again
    Reason.PACKED_COLD: ("abrasive", 1, True, SCOTLAND),
    Reason.SNOW_LYING: ("plough_salt", 1, False, "6, MN handbook: plough first"),
    Reason.SNOW_DEEP: ("plough_salt", 1, True, SCOTLAND),
    # 6: "always cold …: plough only; in-range + cold blowing snow: plough only"
    Reason.SNOW_BLOWING: ("plough", 1, False, "6, MDSS rules of practice"),
    Reason.TOO_COLD_SNOW: ("plough", 1, False, "6, MDSS rules of practice"),
    Reason.TOO_COLD_ICE: ("abrasive", 1, False, OURS),
    Reason.RAIN_FREEZING_NOW: ("salt", 1, True, SCOTLAND),
}


@pytest.mark.parametrize("key", DOCTRINE)
def test_row_is_that_of_its_source(key: str) -> None:
    """Value and grade as the source has them; a default says in words that it is one."""
    value, grade, place = DOCTRINE[key]
    found = RULES.get(f"winter.{key}")
    assert found.value == pytest.approx(value) if isinstance(value, float) else found.value == value
    assert found.grade == grade
    assert bool(place) == (grade in "ABC")
    if grade == "D":
        assert "Clearway default" in found.source
    if grade == "R":
        assert "Recalled" in found.source


def test_no_row_without_a_line_here() -> None:
    """Every row of every pack below ``winter`` stands in one of the tables, and none of them is made up."""
    held = set(EVERYWHERE.section("winter"))
    assert held == DOCTRINE.keys() | PLAIN_DEFAULTS.keys()
    assert not DOCTRINE.keys() & PLAIN_DEFAULTS.keys()


def test_settings_are_labelled_defaults() -> None:
    """Speeds, hours and prices of ours are grade D and called defaults."""
    assert {"horizon_h", "probability", "service.scheme", "service.plough_kmh"} <= PLAIN_DEFAULTS.keys()
    for key in PLAIN_DEFAULTS:
        found = RULES.get(f"winter.{key}")
        assert (found.grade, found.source.startswith("Clearway default")) == ("D", True), key


def test_nothing_below_b_passes_for_a_source() -> None:
    """Rows that are not sourced are labelled: C says whose practice it is, R recalled, D default."""
    for key, found in EVERYWHERE.section("winter").items():
        assert found.is_sourced == (found.grade in "AB"), key
        assert not (found.is_sourced and "default" in found.source.lower()), key


def test_every_scheme_is_in_the_table() -> None:
    """Schemes by name, each with its classes and the first of them the busiest roads."""
    assert set(known(RULES)) == SCHEMES.keys()
    for name, classes in SCHEMES.items():
        assert [c.name for c in scheme(RULES, name).classes] == list(classes)


@pytest.mark.parametrize("reason", MATRIX)
def test_recipe_is_that_of_its_source(reason: Reason) -> None:
    """Tool, passes and repetition of every reason for work."""
    recipe = RECIPES[reason]
    assert (recipe.action, recipe.passes, recipe.repeat) == MATRIX[reason][:3]


def test_every_reason_is_in_the_matrix() -> None:
    """No recipe without a line, no line without a recipe."""
    assert MATRIX.keys() == RECIPES.keys() == {r for r in Reason if r >= FIRST_TREATMENT}


def test_numbers_of_the_dose_are_those_of_mdss() -> None:
    """Section 6: curves, half points, eutectics, losses, points and factors."""
    table = {
        "nacl": (-0.02916, -1.7208, -0.116, -10.0, -21.6, 23.3),
        "mgcl2": (-0.02, -1.25, 0.8214, -9.5, -33.0, 21.6),
        "cacl2": (-0.0116, -1.1058, 2.4441, -12.0, -51.0, 29.8),
    }
    assert CHEMICALS.keys() == table.keys()
    for name, row in table.items():
        c = CHEMICALS[name]
        assert (c.a, c.b, c.c, c.half_point_c, c.eutectic_c, c.eutectic_percent) == row
    assert dose.SPREAD_LOSS == {"dry": 0.20, "prewet": 0.10, "liquid": 0.05}
    assert (dose.TOO_COLD_BELOW_HALF_C, dose.SAFETY_POINTS, dose.FREEZING_RAIN) == (5.0, 2.0, 1.25)
    assert (dose.RUN_OFF, dose.TRAFFIC_PER_H) == (0.15, 0.01)


def test_units_of_other_countries() -> None:
    """A pound a lane mile is 0.2818 kg/km (6); 40 and 100 gallons a lane mile are 27 and 67 ml/m²."""
    assert pytest.approx(0.2818, abs=5e-5) == LB_PER_LANE_MILE_KG_PER_KM
    assert gallons_per_lane_mile(40) == pytest.approx(40 * 3.785 / (1.609344 * 3.5), rel=1e-3)
    assert gallons_per_lane_mile(100) == pytest.approx(67.2, abs=0.1)
    assert all(RECIPES[reason].action == "salt" for reason in SUITS)
