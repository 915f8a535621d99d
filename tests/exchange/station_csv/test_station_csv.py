"""Station CSV: our layout, the Beijing archive, one value a row, and files as they come from anywhere."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearway.exchange.station_csv import read
from clearway.exchange.station_csv.cells import moment, number
from clearway.kernel.errors import InputError
from clearway.series.model import ObservationBatch, Reading

HEAD = "station,time_utc,air_temperature_c,precipitation_mm"


def triples(batch: ObservationBatch) -> list[tuple[str, str, float]]:
    """Subject, quantity, value."""
    return list(zip(batch.subject.tolist(), batch.quantity.tolist(), batch.value.tolist(), strict=True))


def test_the_hourly_archive_is_read_cell_by_cell(shared_data: Path) -> None:
    """Every number of 9,216 rows is found again, each at its hour; the 29 missing directions make no row."""
    path = shared_data / "beijing" / "hourly_storms.csv"
    reading = read(path)
    assert reading.problems == ()
    assert reading.notes == ()
    assert len(reading.batch) == 9_216 * 6 - 29
    found = {
        (s, q, t): v
        for s, q, t, v in zip(
            reading.batch.subject.tolist(), reading.batch.quantity.tolist(),
            reading.batch.valid_at.tolist(), reading.batch.value.tolist(), strict=True,
        )
    }  # fmt: skip
    with path.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            at = int(datetime.fromisoformat(row["time_utc"]).timestamp())
            for quantity in ("air_temperature_c", "dew_point_c", "pressure_hpa", "precipitation_mm"):
                assert found[row["station"], quantity, at] == float(row[quantity])
    assert found["Aotizhongxin", "wind_direction_deg", 1363449600] == 202.5


def test_the_list_of_stations_gives_positions(shared_data: Path) -> None:
    """stations.csv holds twelve sites and no observation."""
    reading = read(shared_data / "beijing" / "stations.csv")
    assert len(reading.stations) == 12
    assert len(reading.batch) == 0
    tiantan = next(s for s in reading.stations if s.subject == "Tiantan")
    assert (tiantan.lon, tiantan.lat) == (116.407, 39.886)


def test_the_original_archive_layout_in_local_time() -> None:
    """UCI columns (year, month, day, hour, TEMP …): local time of the zone given, pollutants left out."""
    text = (
        "No,year,month,day,hour,PM2.5,TEMP,PRES,DEWP,RAIN,wd,WSPM,station\n"
        "1,2015,11,22,8,NA,-0.3,1030.5,-2.2,0.4,NE,1.1,Wanliu\n"
    )
    reading = read(text, zone="Asia/Shanghai")
    assert reading.notes == ("column 'PM2.5' is not known and was left out",)
    assert set(reading.batch.valid_at.tolist()) == {1448150400}
    assert ("Wanliu", "wind_direction_deg", 45.0) in triples(reading.batch)
    assert len(reading.batch) == 6


def test_local_times_without_zone_are_refused_line_by_line() -> None:
    """A time without offset is never guessed: each such line is named, the others are used."""
    text = "station,time,temp\nA,2015-11-22 08:00,1\nA,2015-11-22T08:00+08:00,2\n"
    reading = read(text)
    assert [str(p) for p in reading.problems] == [
        "text line 2: '2015-11-22 08:00' cannot be read as a time with a zone"
    ]
    assert reading.batch.value.tolist() == [2.0]


@pytest.mark.parametrize("page", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_code_page_and_decimal_comma_do_not_matter(page: str) -> None:
    """The same German table in four code pages, with semicolons and decimal commas."""
    text = "station;time_utc;lufttemperatur;Niederschlag [mm]\nZürich;2015-11-22T00:00Z;-1,25;0,4\n"
    reading = read(text.encode(page))
    assert triples(reading.batch) == [
        ("Zürich", "air_temperature_c", -1.25),
        ("Zürich", "precipitation_mm", 0.4),
    ]


def test_chinese_headers_in_gb18030() -> None:
    """A table as a Chinese office exports it: GB 18030, headers, wind points and times in Chinese."""
    text = "站名,观测时间,气温(℃),风向,风速,能见度\n通州,2015年11月22日08时,-0.3,东北,1.1,缺测\n"
    reading = read(text.encode("gb18030"), zone="Asia/Shanghai")
    assert reading.notes == ("read as gb18030",)
    assert ("通州", "wind_direction_deg", 45.0) in triples(reading.batch)
    assert set(reading.batch.valid_at.tolist()) == {1448150400}


def test_one_value_a_row_with_arrival_times() -> None:
    """A long table: arrival as told, units converted, unknown quantities kept under their name."""
    text = (
        "subject,quantity,valid_at,value,known_at,source\n"
        "A,tmpf,2015-11-22T00:00Z,32,2015-11-22T00:07Z,net\n"
        "A,soil_wetness,2015-11-22T00:00Z,0.4,,\n"
        "A,,2015-11-22T00:00Z,1,,\n"
    )
    reading = read(text)
    assert reading.batch.quantity.tolist() == ["air_temperature_c", "soil_wetness"]
    assert reading.batch.value == pytest.approx([0.0, 0.4], abs=1e-9)
    assert (reading.batch.known_at - reading.batch.valid_at).tolist() == [420, 0]
    assert reading.batch.source.tolist() == ["net", "station_csv"]
    assert [str(p) for p in reading.problems] == ["text line 4: no quantity named: left out"]


def test_arrival_time_is_taken_from_the_feed() -> None:
    """With ``received_at`` nothing is known before it."""
    reading = read(f"{HEAD}\nA,2015-11-22T00:00Z,1,0\n", received_at=1448153000)
    assert reading.batch.known_at.tolist() == [1448153000] * 2


def test_broken_lines_and_cells_are_named_and_the_rest_is_used() -> None:
    """Too many cells, too few, words for numbers, no station, no date: each is told with its line."""
    text = (
        f"{HEAD}\nA,2015-11-22T00:00Z,warm,0.1\nA,2015-11-22T01:00Z,1.0,0.2,9\nA,2015-11-22T02:00Z,2.0\n"
        ",2015-11-22T03:00Z,3.0,0\nA,yesterday,4.0,0\n\nA,2015-11-22T05:00Z,5.0,T\n"
    )
    reading = read(text)
    told = [str(p).removeprefix("text ") for p in reading.problems]
    assert told == [
        "line 3: 5 cells instead of 4: left out",
        "line 4: 3 cells instead of 4",
        "line 6: 'yesterday' cannot be read as a time with a zone",
        "line 5: no station named: left out",
        "line 2: 'warm' cannot be read as a number for air_temperature_c",
    ]
    assert sorted(reading.batch.value.tolist()) == [0.0, 0.1, 2.0, 5.0]


def test_missing_words_make_no_row_and_codes_do() -> None:
    """NA, empty and dashes are silence; −999 is a value for the quality checks to judge."""
    text = f"{HEAD}\nA,2015-11-22T00:00Z,NA,\nB,2015-11-22T00:00Z,-999,--\n"
    assert triples(read(text).batch) == [("B", "air_temperature_c", -999.0)]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "file is empty"),
        ("\n\n", "file is empty"),
        ("colour,taste\nred,sweet\n", "no columns for station, time and values among colour, taste"),
        ("time_utc,temp\n2015-11-22T00:00Z,1\n", "no column names the station"),
    ],
)
def test_unreadable_files_are_refused_with_the_reason(text: str, fault: str) -> None:
    """A file nobody can use is refused, naming what is missing."""
    with pytest.raises(InputError, match=fault):
        read(text)


def test_a_station_off_the_earth_is_left_out() -> None:
    """Longitude and latitude changed about are told by line; the others stay."""
    reading = read("station,lon,lat\nA,39.9,116.4\nB,116.4,39.9\n")
    assert [s.subject for s in reading.stations] == ["B"]
    assert "line 2" in str(reading.problems[0])


def test_a_header_alone_is_an_empty_reading() -> None:
    """A feed that has nothing to say yet is no fault."""
    for head in (HEAD, "subject,quantity,valid_at,value", "station,lon,lat"):
        assert len(read(head + "\n").batch) == 0


def test_imperial_units_are_converted() -> None:
    """°F and knots become °C and m/s; of two columns for one quantity the first counts."""
    reading = read("station,time_utc,tmpf,sknt,temp\nA,2015-11-22T00:00Z,14,10,5\n")
    assert reading.batch.quantity.tolist() == ["air_temperature_c", "wind_speed_ms"]
    assert reading.batch.value == pytest.approx([-10, 5.14444])
    assert reading.notes == ("column 'temp' is not known and was left out",)


@pytest.mark.parametrize(
    ("cell", "comma", "value"),
    [
        ("1,5", False, 1.5),
        ("1,25", True, 1.25),
        ("1,013", True, 1.013),
        ("−3.2", False, -3.2),
        ("nan", True, None),
    ],
)
def test_cells_become_numbers(cell: str, comma: bool, value: float | None) -> None:
    """Decimal commas where they can only be that, the true minus sign, words for missing."""
    assert number(cell, comma=comma, compass=False, trace=False) == value


@pytest.mark.parametrize("cell", ["1,013.5", "1.013,5", "1_000", "12h", "T"])
def test_ambiguous_cells_are_refused(cell: str) -> None:
    """Thousands marks and other doubtful forms are not guessed."""
    with pytest.raises(ValueError, match=r".+"):
        number(cell, comma=False, compass=False, trace=False)


@given(st.integers(-10_000_000, 60_000_000))
def test_times_in_all_forms_mean_the_same(minutes: int) -> None:
    """Compact, slashed, German and Chinese forms of one moment give one number."""
    want = minutes * 60
    at = datetime.fromtimestamp(want, UTC)
    forms = ("%Y%m%d%H%M", "%Y/%m/%d %H:%M", "%d.%m.%Y %H:%M", "%Y-%m-%dT%H:%M", "%Y年%m月%d日%H时%M分")
    assert {moment(at.strftime(form), UTC) for form in forms} == {want}
    assert moment(at.strftime("%Y-%m-%d %H:%M UTC"), None) == want


@given(st.text(alphabet=st.sampled_from(list('A1,;.-\n"|/ \tZ:T0é站')), max_size=200))
def test_no_text_breaks_the_reader(text: str) -> None:
    """Any text is read or refused as input error; no row without a number or a station comes out."""
    try:
        reading = read(f"{HEAD}\n{text}")
    except InputError:
        return
    assert isinstance(reading, Reading)
    assert (reading.batch.subject != "").all()
    assert not np.isnan(reading.batch.value).any()
