"""Control levels and limits per corridor."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearway.desks.control.engine import (
    assess_need,
    corridor_surface,
    limit_kmh,
    sight_level,
    surface_level,
    thresholds,
    with_reports,
)
from clearway.desks.control.model import Control, Memory, Need
from clearway.picture.corridors import corridor_index
from clearway.picture.fields import Fields
from tests.desks.world import Surface, doctrine, picture

RULES = doctrine()
SHOWN = picture()
INDEX = corridor_index(SHOWN.network, SHOWN.columns)
ALL = np.ones(INDEX.count, dtype=bool)
NONE = np.zeros(INDEX.count, dtype=bool)


def surface(**values: Any) -> Any:
    """Corridor surface of a made-up road."""
    return corridor_surface(Fields(Surface(**values).fields(SHOWN)), INDEX, 0.5)


@pytest.mark.parametrize(
    ("condition", "level"),
    [(0, 0), (2, 0), (8, 0), (3, Control.LEVEL2), (4, Control.LEVEL2), (5, 4), (6, 4), (7, 4)],
)
def test_level_by_condition(condition: int, level: int) -> None:
    """Dry, wet and frost ask for nothing, snow and slush for level 2, ice everywhere for special."""
    found = surface_level(surface(condition=condition, p_slippery=1.0), thresholds(RULES))
    assert (found == int(level)).all()


def test_partial_ice_is_level_one() -> None:
    """Ice on the quarter of the road that runs over possible bridges is partial icing."""
    condition = np.where(SHOWN.columns.deck == 1, 6, 0)[None, :]
    found = surface_level(surface(condition=condition), thresholds(RULES))
    assert found[0].tolist() == [Control.LEVEL1, Control.LEVEL1, 0, 0, 0]


def test_improbable_ice_does_not_count() -> None:
    """A surface that is iced in the middle member but slippery with 30 % only asks for nothing."""
    assert not surface_level(surface(condition=6, p_slippery=0.3), thresholds(RULES)).any()


@pytest.mark.parametrize(
    ("metres", "level"), [(250, 0), (200, 0), (199, 1), (100, 1), (99, 2), (49, 3), (29, 4), (np.nan, 0)]
)
def test_level_by_visibility(metres: float, level: int) -> None:
    """The profile's bands, each open at its upper end; unknown visibility asks for nothing."""
    assert (sight_level(surface(visibility_m=metres), thresholds(RULES)) == level).all()


@pytest.mark.parametrize(
    ("ice", "sight", "kmh"),
    [
        (0, 0, np.nan),
        (2, 0, 30),
        (3, 0, 30),
        (4, 0, 30),
        (0, 1, 60),
        (0, 2, 40),
        (0, 3, 20),
        (0, 4, 20),
        (2, 3, 20),
        (3, 1, 30),
    ],
)
def test_the_stricter_limit_counts_and_law_caps_it(ice: int, sight: int, kmh: float) -> None:
    """Ice and snow 30 (art. 46 caps the profile's 40 and 60); sight 60, 40, 20 (art. 81 caps 80, 60, 40)."""
    found = limit_kmh(np.array([ice], np.int8), np.array([sight], np.int8), RULES)[0]
    assert found == kmh or (np.isnan(found) and np.isnan(kmh))


def test_without_the_cap_the_profile_would_post_more() -> None:
    """The conflict between profile and law is on record."""
    dropped = {c.key: c.dropped.value for c in RULES.conflicts}
    assert dropped["control_profile.level1.ice_max_kmh"] == 40
    assert dropped["control_profile.level3.max_kmh"] == 80


def step(found: Any, before: Need | None, hour: int, *, verified: Any = NONE, proven: Any = NONE) -> Need:
    """One hourly step of the need."""
    memory = before.memory if before else Memory()
    return assess_need(found, RULES, ALL, verified, memory, hour * 3600, proven)


def test_two_readings_raise_and_one_does_not() -> None:
    """The first cycle with ice only notes it; the second raises."""
    ice = surface(condition=6)
    first = step(ice, None, 0)
    second = step(ice, first, 1)
    assert not first.level.any()
    assert (second.level == Control.SPECIAL).all()


def test_one_verified_report_raises_at_once() -> None:
    """Somebody stands on the ice: no second reading is waited for."""
    verified = np.arange(INDEX.count) == 1
    first = step(surface(condition=6), None, 0, verified=verified)
    assert first.level.tolist() == [0, 4, 0, 0, 0]


def test_falls_step_by_step_and_at_once_with_proof() -> None:
    """Without proof one step an hour; a road that people found good falls to the reading after the hold."""
    ice, dry = surface(condition=6), surface()
    need = step(ice, step(ice, None, 0), 1)
    levels = []
    proven = np.arange(INDEX.count) == 0
    for hour in range(2, 8):
        need = step(dry, need, hour, proven=proven)
        levels.append(need.level[:2].tolist())
    assert levels == [[4, 4], [0, 3], [0, 2], [0, 1], [0, 0], [0, 0]]


def test_margin_keeps_the_level_near_the_threshold() -> None:
    """Ice on a quarter raises level 1; when it shrinks to just below the threshold the level stays."""
    columns = SHOWN.columns
    partly = np.where((columns.deck == 1), 6, 0)[None, :]
    need = step(surface(condition=partly), None, 0)
    need = step(surface(condition=partly), need, 1)
    assert need.level[0] == Control.LEVEL1
    faint = surface(condition=partly, p_slippery=np.where(columns.deck == 1, 0.6, 0.0)[None, :])
    shrunk = type(faint)(
        ice=faint.ice * 0.5,
        snow=faint.snow,
        frost=faint.frost,
        slippery=faint.slippery,
        friction=faint.friction,
        rst_low_c=faint.rst_low_c,
        rst_high_c=faint.rst_high_c,
        rst_c=faint.rst_c,
        visibility_m=faint.visibility_m,
        confidence=faint.confidence,
    )
    for hour in range(2, 6):
        need = step(shrunk, need, hour)
    assert need.level[0] == Control.LEVEL1


def test_reports_beat_the_model_on_their_corridor() -> None:
    """Ice stated on half of a corridor counts as half; the dry word clears modelled ice there."""
    roads = SHOWN.network
    code = np.full(roads.count, -1, np.int8)
    mine = np.flatnonzero(roads.corridor == 2)
    code[mine[:2]] = 6
    mixed = with_reports(surface(), code, roads.corridor, roads.length_m.astype(float), 2)
    assert mixed.ice[0].tolist() == pytest.approx([0, 0, 0.5, 0, 0])
    assert mixed.ice[5].tolist() == pytest.approx([0] * 5)
    code[mine] = 0
    cleared = with_reports(surface(condition=6), code, roads.corridor, roads.length_m.astype(float), 2)
    assert cleared.ice[0].tolist() == pytest.approx([1, 1, 0, 1, 1])


@given(st.lists(st.sampled_from([0, 3, 4, 6]), min_size=3, max_size=30))
def test_never_flaps(conditions: list[int]) -> None:
    """Whatever the surface does, a level falls one step an hour at most and never rises on one reading."""
    surfaces = {c: surface(condition=c) for c in (0, 3, 4, 6)}
    need, shown = None, []
    for hour, condition in enumerate(conditions):
        need = step(surfaces[condition], need, hour)
        shown.append(int(need.level[0]))
    level = {0: 0, 3: 2, 4: 2, 6: 4}
    for hour in range(1, len(shown)):
        if shown[hour] > shown[hour - 1]:
            assert min(level[conditions[hour]], level[conditions[hour - 1]]) >= shown[hour]
        assert shown[hour] >= shown[hour - 1] - 1
