"""GRIB 2: small files made here with ecCodes, read back; clear words when the extra is missing."""

from __future__ import annotations

import builtins
import datetime as dt
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clearway.exchange.grib import read
from clearway.kernel.errors import InputError

eccodes = pytest.importorskip("eccodes")

RUN = int(dt.datetime(2015, 11, 22, tzinfo=dt.UTC).timestamp())
NODES = 12


def message(name: str, values: Any, step: str, *, member: int | None = None) -> bytes:
    """One field on a 4 × 3 grid of half degrees, north-west corner 116 E 40.5 N."""
    handle = eccodes.codes_grib_new_from_samples("regular_ll_sfc_grib2")
    try:
        if member is not None:
            eccodes.codes_set(handle, "productDefinitionTemplateNumber", 11 if "-" in step else 1)
            eccodes.codes_set(handle, "perturbationNumber", member)
        keys = {
            "dataDate": 20151122, "dataTime": 0, "Ni": 4, "Nj": 3,
            "latitudeOfFirstGridPointInDegrees": 40.5, "latitudeOfLastGridPointInDegrees": 39.5,
            "longitudeOfFirstGridPointInDegrees": 116, "longitudeOfLastGridPointInDegrees": 117.5,
            "iDirectionIncrementInDegrees": 0.5, "jDirectionIncrementInDegrees": 0.5,
            "bitsPerValue": 24, "shortName": name, "stepRange": step,
        }  # fmt: skip
        for key, value in keys.items():
            eccodes.codes_set(handle, key, value)
        eccodes.codes_set_values(handle, np.broadcast_to(np.asarray(values, float), NODES).copy())
        data: bytes = eccodes.codes_get_message(handle)
        return data
    finally:
        eccodes.codes_release(handle)


def test_fields_become_a_forecast(tmp_path: Path) -> None:
    """Kelvin to °C, Pa to hPa, components to speed and direction; nodes and times as in the file."""
    path = tmp_path / "small.grib2"
    path.write_bytes(
        message("2t", 270.15 + np.arange(NODES), "3")
        + message("2d", 269.15, "3")
        + message("10u", 3.0, "3")
        + message("10v", -4.0, "3")
        + message("prmsl", 103_000.0, "3")
        + message("2t", 271.15 + np.arange(NODES), "6")
    )
    (run,) = read(path, received_at=RUN + 5 * 3600).runs
    assert (run.issued_at, run.known_at, run.members) == (RUN, RUN + 5 * 3600, 1)
    assert run.times_s.tolist() == [RUN + 3 * 3600, RUN + 6 * 3600]
    assert run.values["air_temperature_c"][0, 0] == pytest.approx(np.arange(NODES) - 3.0, abs=1e-3)
    assert run.values["wind_speed_ms"][0, 0] == pytest.approx(5.0, abs=1e-4)
    assert run.values["wind_direction_deg"][0, 0] == pytest.approx(323.13, abs=0.01)
    assert run.values["pressure_msl_hpa"][0, 0] == pytest.approx(1030.0)
    assert np.isnan(run.values["dew_point_c"][1]).all()
    assert (run.lon[0], run.lat[0]) == (116.0, 40.5)


def test_a_box_keeps_the_nodes_inside() -> None:
    """Only nodes in the box come through; a box off the grid is refused in words."""
    data = message("2t", 270.15, "3")
    (run,) = read(data, received_at=RUN, box=(116.4, 39.4, 117.1, 40.1)).runs
    assert set(zip(run.lon.tolist(), run.lat.tolist(), strict=True)) == {
        (116.5, 40.0), (117.0, 40.0), (116.5, 39.5), (117.0, 39.5)
    }  # fmt: skip
    with pytest.raises(InputError, match="no field of use"):
        read(data, received_at=RUN, box=(0, 0, 1, 1))


def test_amounts_since_the_start_become_amounts_by_step() -> None:
    """Totals of 0-3, 0-6 and 0-9 h are differences of one another; metres are millimetres."""
    data = b"".join(message("tp", total, f"0-{h}") for h, total in ((3, 0.001), (6, 0.0035), (9, 0.0035)))
    (run,) = read(data, received_at=RUN).runs
    assert run.values["precipitation_mm"][:, 0, 0] == pytest.approx([1.0, 2.5, 0.0], abs=1e-3)


def test_amounts_by_step_are_taken_as_they_are() -> None:
    """Single steps 0-1, 1-2 beside a total 0-2: the single one counts."""
    data = message("tp", 0.001, "0-1") + message("tp", 0.002, "1-2") + message("tp", 0.003, "0-2")
    (run,) = read(data, received_at=RUN).runs
    assert run.values["precipitation_mm"][:, 0, 0] == pytest.approx([1.0, 2.0], abs=1e-3)


def test_members_stand_side_by_side() -> None:
    """Perturbation numbers become members in order."""
    data = message("2t", 272.15, "3", member=2) + message("2t", 271.15, "3", member=1)
    (run,) = read(data, received_at=RUN).runs
    assert run.members == 2
    assert run.values["air_temperature_c"][0, :, 0] == pytest.approx([-2.0, -1.0], abs=1e-3)


def test_unknown_fields_are_named_once() -> None:
    """Fields we do not use are told by short name, one line each."""
    reading = read(message("2t", 270.0, "3") + message("skt", 270.0, "3") * 3, received_at=RUN)
    assert [str(p) for p in reading.problems] == ["data field skt: is not known and was left out"]


def test_what_is_no_grib_is_refused(tmp_path: Path) -> None:
    """Text, an empty file, a message cut short, a file that is not there."""
    whole = message("2t", 270.0, "3")
    for data in (b"not grib at all", b"", whole[: len(whole) // 2]):
        with pytest.raises(InputError, match=r"no GRIB message|cannot be read"):
            read(data, received_at=RUN)
    with pytest.raises(InputError, match="no such file"):
        read(tmp_path / "none.grib2", received_at=RUN)


def test_without_the_extra_the_words_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """No ecCodes: an input error with the name of the extra, not an import error."""
    real = builtins.__import__

    def refuse(name: str, *rest: Any, **more: Any) -> Any:
        if name == "eccodes":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.delitem(sys.modules, "eccodes")
    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(InputError, match=r"clearway\[grib\]"):
        read(b"GRIB", received_at=RUN)
