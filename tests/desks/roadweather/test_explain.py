"""The balance in words."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np

from clearway.desks.roadweather.conditions import LOOKS, Condition
from clearway.desks.roadweather.explain import READS, ColumnSeries, explain
from clearway.network.model import Deck
from tests.desks.roadweather.test_desk import assess, icy_weather

START = datetime(2015, 11, 22, 15, tzinfo=UTC)


def series(**given: object) -> ColumnSeries:
    """A dry mild column unless told otherwise."""
    values = {name: np.zeros(25) for name in READS}
    values["rst_c"] = np.full(25, 4.0)
    values["longwave_wm2"] = np.full(25, -20.0)
    values.update({n: np.asarray(v, float) for n, v in given.items()})
    return ColumnSeries(START, Deck.GROUND, values)


def test_a_mild_road_is_said_to_stay_above_freezing() -> None:
    """One phrase, the lowest temperature in it, in both languages."""
    words = explain(series())
    assert len(words) == 1
    assert "4.0 °C" in words[0].en
    assert "不结冰" in words[0].zh


def test_a_clear_night_on_a_wet_bridge_is_explained() -> None:
    """Clock time in the reader's zone, bridge deck, water left and when it freezes are all named."""
    lw = np.where(np.arange(25) >= 5, -75.0, -15.0)
    rst = np.linspace(2.0, -4.0, 25)
    given = replace(series(rst_c=rst, longwave_wm2=lw, water_mm=np.full(25, 1.2)), deck=Deck.POSSIBLE_BRIDGE)
    said = "; ".join(w.en for w in explain(given, zone=ZoneInfo("Asia/Shanghai")))
    assert "falls below freezing at 07:00 while wet" in said
    assert "clear sky after 04:00" in said
    assert "possible bridge deck" in said
    assert "1.2 mm water left" in said
    chinese = "；".join(w.zh for w in explain(given, zone=ZoneInfo("Asia/Shanghai")))
    assert "后转晴，路面辐射降温" in chinese
    assert not set(",()") & set(chinese)


def test_salt_ice_and_sun_are_named() -> None:
    """Ice, the salt's freezing point and the thawing sun show up."""
    sun = np.where((np.arange(25) > 8) & (np.arange(25) < 15), 250.0, 0.0)
    given = series(
        rst_c=np.full(25, -1.0), ice_mm=np.full(25, 0.4), salt_g_m2=np.full(25, 5.0),
        freezing_point_c=np.full(25, -0.9), shortwave_wm2=sun,
    )  # fmt: skip
    said = "; ".join(w.en for w in explain(given))
    assert "below freezing now with ice, snow or frost on it" in said
    assert "0.4 mm of ice" in said
    assert "salt keeps it liquid down to -0.9 °C" in said
    assert "sun from 00:00" in said


def test_frost_is_no_dry_road() -> None:
    """White frost on a cold road is said; a film below the threshold is not called dry."""
    said = "; ".join(w.en for w in explain(series(rst_c=np.full(25, -3.0), frost_mm=np.full(25, 0.06))))
    assert "below freezing now with ice, snow or frost on it" in said
    assert "0.06 mm of frost" in said
    thin = "; ".join(w.en for w in explain(series(rst_c=np.full(25, -3.0), ice_mm=np.full(25, 0.04))))
    assert "while all but dry" in thin
    none = "; ".join(w.en for w in explain(series(rst_c=np.full(25, -3.0))))
    assert "while dry" in none


def test_words_come_from_the_cycle_fields() -> None:
    """The fields of the desk are enough to explain a column."""
    pic = icy_weather(3)
    fields = assess(pic).fields
    words = explain(ColumnSeries.of(fields, 1, start=pic.at, deck=int(pic.columns.deck[1])))
    assert any("bridge deck" in w.en for w in words)
    assert all(w.en and w.zh for w in words)


def test_wet_is_not_said_to_be_slippery() -> None:
    """The Chinese word for a wet road promises no slipperiness and differs from that for a damp one."""
    wet, damp = LOOKS[Condition.WET].label.zh, LOOKS[Condition.DAMP].label.zh
    assert "滑" not in wet
    assert wet != damp
