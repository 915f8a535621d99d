"""What all adapters share: code pages, files, manifests, bounded lists of faults."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearway.exchange.adapter import MAX_PROBLEMS, ProblemLog, decode, load, manifest
from clearway.exchange.weather import FORMATS, detect
from clearway.kernel.errors import InputError


@pytest.mark.parametrize(
    ("data", "text", "page"),
    [
        ("站点,气温".encode(), "站点,气温", "utf-8"),
        ("\ufeff站点".encode(), "站点", "utf-8-sig"),
        ("站点,气温\n通州,-3.2".encode("gb18030"), "站点,气温\n通州,-3.2", "gb18030"),
        ("Zürich;3,5".encode("latin-1"), "Zürich;3,5", "latin-1"),
        ("Größe;Tübingen".encode("latin-1"), "Größe;Tübingen", "latin-1"),
        ("a,b".encode("utf-16"), "a,b", "utf-16"),
        (b"plain", "plain", "utf-8"),
        (b"\xff\xfe\xfd", "\ufffd", "utf-16"),
    ],
)
def test_code_pages_are_told_apart(data: bytes, text: str, page: str) -> None:
    """UTF-8 with and without mark, UTF-16, Chinese GB 18030 and Latin-1 come out as they were meant."""
    assert decode(data)[1] == page
    if page != "utf-16" or data.startswith(b"\xff\xfea"):
        assert decode(data)[0] == text


@given(st.binary(max_size=300))
def test_any_bytes_become_text(data: bytes) -> None:
    """No bytes whatever make the reading fail."""
    text, page = decode(data)
    assert isinstance(text, str)
    assert page


def test_missing_file_is_named(tmp_path: Path) -> None:
    """A path that is not there, or is a folder, is an input error with its name."""
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(InputError, match=tmp_path.name):
            load(path)


def test_faults_beyond_the_limit_are_counted() -> None:
    """A file with ten thousand broken lines yields a bounded list that says how many more there are."""
    log = ProblemLog("big.csv")
    for i in range(10_000):
        log.add("broken", f"line {i}")
    found = log.result()
    assert len(found) == MAX_PROBLEMS + 1
    assert "9500 more" in found[-1].what
    assert str(found[7]) == "big.csv line 7: broken"


@pytest.mark.parametrize("name", FORMATS)
def test_every_adapter_has_a_complete_manifest(name: str) -> None:
    """Name, kind, words in both languages, licence, refresh and staleness are there and make sense."""
    told = manifest(name)
    assert told.name == name
    assert told.title.en
    assert told.title.zh
    assert told.licence
    assert 0 < told.refresh_s <= told.stale_s
    assert all(suffix.startswith(".") for suffix in told.suffixes)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"GRIB\x00\x00\x00\x02", "grib"),
        (b'\xef\xbb\xbf {"hourly": {}}', "pointjson"),
        (b"[{}]", "pointjson"),
        (b"METAR ZBAA 180200Z 32002MPS CAVOK 05/M13 Q1022", "metar"),
        (b"\x01\r\nSACI31 ZBBB 180200\r\nZBAA 180200Z ...", "metar"),
        (b"2018/12/18 02:00\nZBAA 180200Z 32002MPS", "metar"),
        (b"station,time_utc,air_temperature_c\n", "station_csv"),
    ],
)
def test_formats_are_told_by_their_first_bytes(data: bytes, name: str) -> None:
    """A file's name does not matter: its beginning says what it is."""
    assert detect(data) == name
