"""Live road sensors: hours of the past two days, as known then, at stations with a position."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from clearway.kernel.clock import epoch_s, parse_utc
from clearway.network.model import Deck
from clearway.operations.rerun import same_sensors
from clearway.operations.road_sensors import LiveSensors
from clearway.series.model import ObservationBatch, Station
from clearway.series.store import SeriesStore

NOW = parse_utc("2015-11-22T06:20:00Z")


@pytest.fixture
def store(tmp_path: Path) -> SeriesStore:
    """Two stations with a position, one without, and a reading that was learnt late."""
    made = SeriesStore(tmp_path / "series.sqlite")
    made.put_stations(
        [Station("s1", 116.4, 39.9, name="Airport road"), Station("s2", 116.5, 39.8, name="西桥")]
    )
    full = epoch_s(NOW) // 3600 * 3600
    rows = [
        ("s1", full - 7200, -1.0, full - 7200), ("s1", full - 3300, -1.5, full - 3300),
        ("s1", full - 3600, -1.6, full - 3500), ("s1", full, -2.0, full + 86_400),
        ("s2", full, -3.0, full), ("nowhere", full, -4.0, full),
        ("s1", full - 49 * 3600, 9.0, full - 49 * 3600),
    ]  # fmt: skip
    made.append(
        ObservationBatch.build(
            [r[0] for r in rows], "rst_c", [r[1] for r in rows], [r[2] for r in rows],
            known_at=[r[3] for r in rows],
        ),
        checks=False,
    )  # fmt: skip
    return made


def test_hours_stations_and_decks(store: SeriesStore) -> None:
    """The nearest reading serves an hour, nothing from later, bridges by their name, strangers left out."""
    first, second = LiveSensors(store).at(NOW)
    assert (first.station, first.deck) == ("s1", int(Deck.GROUND))
    assert (second.station, second.deck) == ("s2", int(Deck.BRIDGE))
    assert first.rst_c.shape == (49,)
    assert first.rst_c[46] == -1.0
    assert first.rst_c[47] == -1.6
    assert np.isnan(first.rst_c[48])
    assert second.rst_c[48] == -3.0
    assert np.isfinite(first.rst_c).sum() == 2


def test_what_has_not_changed_is_the_same(store: SeriesStore) -> None:
    """Two looks at the same moment are equal, a later one is not; without readings there is no station."""
    live = LiveSensors(store)
    assert same_sensors(live.at(NOW), live.at(NOW))
    assert not same_sensors(live.at(NOW), live.at(NOW + timedelta(days=1)))
    assert live.at(NOW - timedelta(days=30)) == ()
