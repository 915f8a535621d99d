"""METAR and SPECI: real reports read without loss, and bulletins in every state of disorder."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearway.exchange.adapter import ProblemLog
from clearway.exchange.metar import MetarReading, MetarReport, read
from clearway.exchange.metar.framing import frames, resolve
from clearway.kernel.clock import epoch_s
from clearway.kernel.errors import InputError
from clearway.series.quantities import QUANTITIES, PrecipitationKind

NEAR = datetime(2018, 12, 18, 3, tzinfo=UTC)
K = PrecipitationKind


def one(text: str, *, near: datetime = NEAR) -> MetarReport:
    """The only report of a bulletin."""
    (report,) = read(text, reference=near).reports
    return report


def values(reading: MetarReading, station: str) -> dict[str, float]:
    """Quantities of a station."""
    batch = reading.batch.select(reading.batch.subject == station)
    return dict(zip(batch.quantity.tolist(), batch.value.tolist(), strict=True))


@pytest.fixture(scope="module")
def chinese(shared_data: Path) -> tuple[list[str], MetarReading]:
    """349 raw reports of Chinese airports, December 2018, and what we read."""
    path = shared_data / "roadweather" / "metar_china_2018" / "metars_raw.txt"
    return path.read_text("ascii").splitlines(), read(path, reference=datetime(2018, 12, 18, 12, tzinfo=UTC))


def test_all_349_reports_are_read_without_loss(chinese: tuple[list[str], MetarReading]) -> None:
    """Each line is one report; of 3,368 groups none is unread, 25 are slashes of the stations themselves."""
    lines, reading = chinese
    assert reading.problems == ()
    assert [r.raw for r in reading.reports] == [line.rstrip("=").strip() for line in lines]
    assert sum(r.groups for r in reading.reports) == 3_368
    assert [r.unread for r in reading.reports if r.unread] == []
    assert sum(len(r.not_reported) for r in reading.reports) == 25
    assert len(reading.batch) == 3_995
    assert set(reading.batch.quantity.tolist()) <= set(QUANTITIES)


def test_numbers_agree_with_a_reading_of_our_own(chinese: tuple[list[str], MetarReading]) -> None:
    """Temperature, dew point, pressure, wind and visibility against plain patterns over all reports."""
    for report in chinese[1].reports:
        body = re.split(r" (NOSIG|BECMG|TEMPO|RMK)", report.raw)[0]
        pair = re.search(r" (M?\d\d)/(M?\d\d)\b", body)
        if pair:
            assert report.air_temperature_c == float(pair[1].replace("M", "-"))
            assert report.dew_point_c == float(pair[2].replace("M", "-"))
        pressure = re.search(r" Q(\d{4})", body)
        assert report.pressure_msl_hpa == (float(pressure[1]) if pressure else None)
        wind = re.search(r" (\d{3}|VRB)(\d\d)(MPS|KT)", body)
        assert wind is not None
        assert report.wind_speed_ms == pytest.approx(
            int(wind[2]) * (1 if wind[3] == "MPS" else 0.514444), abs=0.01
        )
        assert report.wind_direction_deg == (None if wind[1] == "VRB" else float(wind[1]))
        seen = re.search(r"(?:MPS|KT)(?: \d{3}V\d{3})? (CAVOK|\d{4}|////)", body)
        assert seen is not None
        expected = {"CAVOK": 10_000.0, "9999": 10_000.0, "////": None}.get(seen[1])
        assert report.visibility_m == (expected if seen[1] in ("CAVOK", "9999", "////") else float(seen[1]))


def test_the_storm_of_8_december_is_in_it(chinese: tuple[list[str], MetarReading]) -> None:
    """Snow at Wuhan, rain near freezing at Changsha, ice pellets at Ningbo, heavy snow at Dalian."""
    told = {(r.station, r.at.day): r for r in chinese[1].reports}
    assert told["ZHHH", 8].precipitation is K.SNOW
    assert told["ZGHA", 8].precipitation is K.RAIN
    assert told["ZGHA", 8].air_temperature_c == 2.0
    assert (told["ZSNB", 8].precipitation, told["ZSNB", 8].intensity) == (K.ICE_PELLETS, 1)
    dalian = told["ZYTL", 8]
    assert (dalian.precipitation, dalian.intensity, dalian.visibility_m) == (K.SNOW, 3, 300.0)
    assert (dalian.runway_ranges[0].low_m, dalian.runway_ranges[0].high_m) == (500.0, 750.0)
    assert dalian.trend == "BECMG TL0330 1000 -SN"


def test_a_trend_does_not_change_the_present() -> None:
    """Visibility and weather after BECMG are about later, not now."""
    report = one(
        "METAR ZSBJ 180200Z VRB01MPS 1300 R15/1600D -SN BR OVC033 M02/M02 Q1030 BECMG TL0330 0300 FZRA="
    )
    assert (report.visibility_m, report.precipitation) == (1300.0, K.SNOW)
    assert report.runway_ranges[0].trend == "D"


@pytest.mark.parametrize(
    ("weather", "kind", "intensity"),
    [
        ("-FZRA", K.FREEZING_RAIN, 1),
        ("+FZRA BR", K.FREEZING_RAIN, 3),
        ("FZDZ", K.FREEZING_DRIZZLE, 2),
        ("FZUP", K.FREEZING_RAIN, 2),
        ("-FZRASN", K.FREEZING_RAIN, 1),
        ("RASN", K.RAIN_AND_SNOW, 2),
        ("-DZ", K.DRIZZLE, 1),
        ("SHSN", K.SNOW, 2),
        ("-SNPL", K.ICE_PELLETS, 1),
        ("VCSH", K.NONE, 0),
        ("BLSN", K.NONE, 0),
        ("-UP", K.UNKNOWN, 1),
        ("TSGR", K.HAIL, 2),
        ("BR", K.NONE, 0),
    ],
)
def test_precipitation_is_told_by_kind_and_strength(weather: str, kind: K, intensity: int) -> None:
    """Every winter form comes out as what it means for a road."""
    report = one(f"METAR ZGHA 180200Z 36004MPS 2000 {weather} BKN010 M01/M02 Q1030=")
    assert (report.precipitation, report.intensity, report.unread) == (kind, intensity, ())


def test_fog_blowing_snow_thunder_and_vertical_visibility() -> None:
    """Freezing fog is 2, fog in the vicinity none; blowing snow 2, drifting 1; VV in metres, sky covered."""
    assert one("ZUUU 180200Z 00000MPS 0100 R02/0150N FZFG VV001 M01/M01 Q1030").fog == 2
    assert one("ZUUU 180200Z 00000MPS 9999 VCFG NSC M01/M01 Q1030").fog == 0
    assert one("ZUUU 180200Z 20015MPS 0800 BLSN NSC M11/M13 Q1030").blowing_snow == 2
    assert one("ZUUU 180200Z 20015MPS 5000 DRSN NSC M11/M13 Q1030").blowing_snow == 1
    assert one("ZUUU 180200Z 20015MPS 5000 TSSN SCT010CB M01/M03 Q1030").thunder
    obscured = one("ZUUU 180200Z 00000MPS 0100 FG VV001 05/05 Q1030")
    assert obscured.vertical_visibility_m == pytest.approx(30.48)
    assert obscured.cloud_fraction == 1.0


def test_cloud_is_told_only_where_it_is_told() -> None:
    """CAVOK and NSC leave high cloud open; CLR is a clear sky; the fullest layer counts."""
    assert one("ZUUU 180200Z 00000MPS CAVOK M01/M03 Q1030").cloud_fraction is None
    assert one("ZUUU 180200Z 00000MPS 9999 NSC M01/M03 Q1030").cloud_fraction is None
    assert one("KJFK 180251Z 00000KT 10SM CLR M01/M03 A3010").cloud_fraction == 0.0
    layers = one("ZUUU 180200Z 00000MPS 9999 FEW010 BKN030 M01/M03 Q1030")
    assert layers.cloud_fraction == 0.75
    assert layers.cloud_base_m == pytest.approx(304.8)


def test_missing_groups_are_missing_not_good_weather() -> None:
    """Visibility of four slashes is unknown, not ten kilometres; a blind automat says nothing of weather."""
    reading = read("METAR ZLXH 180200Z AUTO 00000MPS //// R/////// ///////// M06/M17 Q1025=", reference=NEAR)
    assert reading.reports[0].visibility_m is None
    assert reading.problems == ()
    assert "precipitation_kind" not in values(reading, "ZLXH")
    assert "visibility_m" not in values(reading, "ZLXH")


def test_an_american_report_with_remarks() -> None:
    """Miles, inches, hourly precipitation, sea-level pressure, snow depth and ice accretion are converted."""
    report = one(
        "SPECI KORD 180251Z AUTO 35018G27KT 1 1/2SM R10L/P6000FT -FZRA BKN008 OVC015 M01/M02 A2992 "
        "RMK AO2 SLP140 P0005 4/004 I1010 T10061017 $="
    )
    assert report.kind == "SPECI"
    assert report.visibility_m == pytest.approx(2414, abs=1)
    assert report.wind_gust_ms == pytest.approx(13.9, abs=0.05)
    assert report.runway_ranges[0].beyond == ">"
    assert report.pressure_msl_hpa == pytest.approx(1014.0)
    assert report.precipitation_1h_mm == pytest.approx(1.27)
    assert report.snow_depth_m == pytest.approx(0.1016)
    assert report.ice_accretion_1h_mm == pytest.approx(2.54)
    assert report.precipitation is K.FREEZING_RAIN


BULLETIN = """\x01
123
SACI31 ZBBB 180200 CCA
METAR
ZBAA 180200Z 32002MPS 240V020 CAVOK
     05/M13 Q1022 NOSIG=
ZBTJ 180200Z 35004MPS CAVOK 07/M11 Q1021 NOSIG=
ZBSJ 180200Z NIL=
hello operator
SPCI31 ZGGG 180215
SPECI ZGHA 180212Z 36004MPS 0600 -FZRA FG OVC002 M01/M01 Q1031
COR ZGNN 180210Z 36002MPS 9999 NSC 10/05 Q1022=
TAF ZBAA 180000Z 1801/1824 32004MPS 6000 NSC=
\x03"""


def test_a_bulletin_is_cut_into_its_reports() -> None:
    """Headings, continued lines, NIL, SPECI, COR, a TAF among them and a line of rubbish."""
    reading = read(BULLETIN, reference=NEAR)
    assert [(r.station, r.kind, r.nil) for r in reading.reports] == [
        ("ZBAA", "METAR", False),
        ("ZBTJ", "METAR", False),
        ("ZBSJ", "METAR", True),
        ("ZGHA", "SPECI", False),
        ("ZGNN", "SPECI", False),
    ]
    assert reading.reports[0].pressure_msl_hpa == 1022.0
    assert reading.reports[4].corrected
    assert [str(p) for p in reading.problems] == [
        "text line 9: 'HELLO OPERATOR' belongs to no report",
        "text line 13: TAF is not a METAR: left out",
    ]
    assert set(reading.batch.subject.tolist()) == {"ZBAA", "ZBTJ", "ZGHA", "ZGNN"}


def test_a_date_line_tells_the_month() -> None:
    """Cycle files write the date before each report; it beats the reference."""
    reading = read("2013/01/31 23:50\nZBAA 312350Z 32002MPS CAVOK M05/M13 Q1022\n", reference=NEAR)
    assert reading.reports[0].at == datetime(2013, 1, 31, 23, 50, tzinfo=UTC)


def test_missing_time_is_taken_from_the_heading_and_told() -> None:
    """A report without time takes that of its bulletin; without any, the reference; both are told."""
    reading = read("SACI31 ZBBB 180200\nMETAR ZBAA 32002MPS CAVOK 05/M13 Q1022=\n", reference=NEAR)
    assert reading.reports[0].at == datetime(2018, 12, 18, 2, tzinfo=UTC)
    assert "taken from the bulletin's heading" in str(reading.problems[0])
    alone = read("METAR ZBAA 32002MPS CAVOK 05/M13 Q1022=", reference=NEAR)
    assert alone.reports[0].at == NEAR
    assert "taken from the reference" in str(alone.problems[0])


def test_impossible_times_and_groups_are_told() -> None:
    """Day 35 leaves a report out; a group nobody knows is named, the rest of its report is used."""
    reading = read(
        "METAR ZBAA 350200Z 32002MPS CAVOK 05/M13 Q1022=\n"
        "METAR ZBTJ 180200Z 35004MPS CAVOK XYZZY7 07/M11 Q1021=\n",
        reference=NEAR,
    )
    assert [r.station for r in reading.reports] == ["ZBTJ"]
    assert reading.reports[0].unread == ("XYZZY7",)
    assert reading.reports[0].air_temperature_c == 7.0
    assert [p.what.split(":")[0] for p in reading.problems] == [
        "time group 350200 does not exist near 2018-12-18T03",
        "groups not understood",
    ]


def test_arrival_is_kept() -> None:
    """Known when received, if told; otherwise at the time of the report."""
    text = "METAR ZBAA 180200Z 32002MPS CAVOK 05/M13 Q1022="
    assert set(read(text, reference=NEAR, received_at=77).batch.known_at.tolist()) == {77}
    own = read(text, reference=NEAR).batch
    assert set(own.known_at.tolist()) == {epoch_s(datetime(2018, 12, 18, 2, tzinfo=UTC))}


def test_latin_1_and_lower_case_do_no_harm() -> None:
    """A bulletin with an accent in a comment and lower-case groups is read, and says how."""
    reading = read(
        "aéroport\nmetar zbaa 180200z 32002mps cavok 05/m13 q1022=".encode("latin-1"), reference=NEAR
    )
    assert reading.reports[0].dew_point_c == -13.0
    assert reading.notes == ("read as latin-1",)
    assert len(reading.problems) == 1


def test_a_file_without_report_is_refused() -> None:
    """Nothing that looks like a report is an input error, not an empty success."""
    with pytest.raises(InputError, match="no METAR"):
        read("station,time\nA,1\n", reference=NEAR)


@given(st.integers(0, 40 * 365 * 24 * 60), st.integers(-20 * 24 * 60, 23 * 60))
def test_day_and_hour_find_their_month(minutes: int, away: int) -> None:
    """Any report not more than a day ahead of, and twenty behind, the reference gets its true date."""
    near = datetime.fromtimestamp(minutes * 60, UTC)
    at = datetime.fromtimestamp((minutes + away) * 60, UTC)
    assert resolve(at.strftime("%d%H%M"), near) == at


@given(st.text(alphabet=st.sampled_from(list("ZBA 018Z/MPSKTQ=\n+-RFSN\x01TM")), max_size=120))
def test_no_text_breaks_the_framing(text: str) -> None:
    """Any text after a good report: the good one is read, nothing is raised."""
    reading = read(f"METAR ZBAA 180200Z 32002MPS CAVOK 05/M13 Q1022=\n{text}", reference=NEAR)
    assert reading.reports[0].station == "ZBAA"
    assert reading.reports[0].pressure_msl_hpa == 1022.0
    list(frames(text, ProblemLog("x")))
