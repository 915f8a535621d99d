"""``clearway winter replan``: names are checked before anything is built."""

from __future__ import annotations

import pytest

from clearway.cli import winter_plan
from clearway.kernel.errors import InputError


def test_unknown_truck_is_named_before_the_roads_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slip of the pen costs nothing: no network is loaded for it."""

    def never(*given: object) -> None:
        raise AssertionError("the roads were read")

    monkeypatch.setattr(winter_plan, "_site", never)
    with pytest.raises(InputError, match="there is no unit unit-plough-99") as raised:
        winter_plan.replan(lose="unit-plough-99", trucks=6)
    assert "unit-plough-01 to unit-plough-06" in raised.value.hint
    assert raised.value.words is not None
    assert "没有单位" in raised.value.words.zh
