"""From a notice to a message: two languages with one set of facts, unique and lasting identifiers."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from clearway.exchange.cap.chain import active_set, references_for
from clearway.exchange.cap.checks import ring_problem
from clearway.exchange.cap.codes import SEVERITY, hazard, hazard_of, hazards, level_of
from clearway.exchange.cap.compose import Publisher, Stamp, notice_message, urgency
from clearway.exchange.cap.identifiers import file_name, identifier_for, reversed_domain
from clearway.exchange.cap.lint import lint
from clearway.exchange.cap.model import Alert, NameValue, Reference
from clearway.exchange.cap.render import render, validate
from clearway.exchange.cap.shapes import publishable_rings
from clearway.kernel.errors import InputError
from clearway.kernel.language import Text
from clearway.kernel.levels import Level
from tests.exchange.cap.making import NAMES, SENDER, SENT, message, notice

OFFICE = Publisher(
    SENDER,
    Text("Beijing road command", "北京市道路指挥中心"),
    contact="12122",
    web="https://road.beijing.example/",
)
HOUR = timedelta(hours=1)


def make(
    msg_type: str = "Alert", sent: datetime = SENT, refers: tuple[Reference, ...] = (), **changes: object
) -> Alert:
    """A message of the standard notice."""
    stamp = Stamp("d0c7", "j0urnal", hindsight=True)
    return notice_message(
        notice(**changes),
        msg_type=msg_type,
        sent=sent,
        sender=OFFICE,
        references=refers,
        notice_id="notice-1",
        stamp=stamp,
        names=NAMES,
    )


def test_a_whole_message() -> None:
    """Everything of the notice is in the message, and the message breaks no rule of any profile we keep."""
    alert = make()
    assert validate(render(alert)) == []
    assert lint(alert) == []
    chinese, english = alert.infos
    assert (chinese.language, english.language) == ("zh-CN", "en")
    assert (chinese.event, english.event) == ("道路结冰", "Icy roads")
    assert (chinese.headline, english.headline) == ("道路结冰橙色预警", "Icy roads, orange warning")
    assert chinese.event_codes[0].value == "11B21"
    assert NameValue("OET:v1.2", "OET-107") in chinese.event_codes
    assert (chinese.areas[0].description, english.areas[0].description) == ("北京市", "Beijing")
    assert chinese.areas[0].geocodes == (NameValue("GB/T 2260", "110000"),)
    assert chinese.severity == "Severe"
    assert english.parameter("levelColour") == "ORANGE"
    assert english.parameter("nextUpdateBy") == "2015-11-22T04:00:00+00:00"
    assert english.parameter("doctrineHash") == "d0c7"
    assert english.parameter("journalHead") == "j0urnal"
    assert english.parameter("forecastBasis") == "hindsight forecast"
    assert "G6京藏高速" in english.parameter("corridors")
    assert "hindsight" in alert.note
    assert alert.incidents == "sit-1"
    assert alert.identifier.startswith("urn:clearway:example.beijing.road:20151122T010000Z:")


def test_languages_share_every_fact() -> None:
    """Only words differ between the two infos."""
    for kind, refers in (("Alert", ()), ("Update", (make().reference(),)), ("Cancel", (make().reference(),))):
        one, two = make(kind, SENT + HOUR, refers).infos
        words = dict.fromkeys(
            ("language", "event", "sender_name", "headline", "description", "instruction"), ""
        )
        assert [replace(a, description="") for a in one.areas] == [
            replace(a, description="") for a in two.areas
        ]
        assert replace(one, areas=(), **words) == replace(two, areas=(), **words)  # type: ignore[arg-type]


def test_a_life_of_a_warning() -> None:
    """Alert, worse, better, stand-down: each replaces all before it; the stand-down says AllClear."""
    sent: list[Alert] = []
    for hour, level in enumerate((2, 3, 2, 0)):
        at = SENT + hour * HOUR
        kind = "Update" if sent else "Alert"
        alert = make(kind, at, references_for(sent, at), level=level)
        assert len(alert.references) == len(sent)
        assert lint(alert) == [] and validate(render(alert)) == []  # noqa: PT018  (one condition: fit to publish)
        sent.append(alert)
        assert active_set(sent, at) == [alert]
    assert [a.infos[0].severity for a in sent] == ["Moderate", "Severe", "Moderate", "Minor"]
    assert sent[-1].infos[0].response_types == ("AllClear",)
    assert sent[-1].infos[0].urgency == "Past"
    assert all("AllClear" not in a.infos[0].response_types for a in sent[:-1])


def test_cancel() -> None:
    """A Cancel responds None, has no effective time, says it is lifted, and stays readable for an hour."""
    alert = make()
    at = SENT + 7.9 * HOUR
    cancel = make("Cancel", at, references_for([alert], at))
    info = cancel.infos[0]
    assert (info.response_types, info.effective, info.onset, info.urgency) == (("None",), None, None, "Past")
    assert info.headline == "【解除】道路结冰橙色预警"
    assert cancel.infos[1].headline == "Lifted: Icy roads, orange warning"
    assert info.expires == at + HOUR
    assert info.instruction == ""
    assert active_set([alert, cancel], at) == []
    assert lint(cancel) == []


def test_drills_are_marked_and_never_actual() -> None:
    """An exercise says so first thing in both languages; a simulated notice cannot pass as real."""
    alert = make(status="Exercise", simulated=True)
    assert alert.status == "Exercise"
    assert [i.headline[:4] for i in alert.infos] == ["【演练】", "EXER"]
    assert alert.infos[0].parameter("simulated") == "true"
    assert "演练" in alert.note
    assert lint(alert) == []
    assert make(status="Test").infos[0].headline.startswith("【测试】")
    with pytest.raises(InputError, match="simulated"):
        make(simulated=True)


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"expires": None}, "expires"),
        ({"expires": "2015-11-22T01:00:00Z"}, "expires"),
        ({"expires": "soon"}, "expires"),
        ({"level": 5}, "level"),
        ({"level": "red"}, "level"),
        ({"headline": None}, "headline"),
        ({"polygons": [[[116.2, 39.8], [116.5, 39.8]]]}, "polygons[0]"),
        ({"polygons": [[[39.8, 116.2], [39.8, 116.5], [40.0, 116.5]]]}, "polygons[0]"),
        ({"geocodes": [{"value": "1"}]}, "geocodes[0]"),
        ({"starts": "2015-11-22T03:00:00"}, "starts"),
    ],
)
def test_bad_notices_are_named(changes: dict[str, object], where: str) -> None:
    """What is missing or impossible is named with its field."""
    with pytest.raises(InputError) as caught:
        make(**changes)  # type: ignore[arg-type]  # wrong on purpose
    assert caught.value.where == where


def test_only_three_kinds_are_sent() -> None:
    """Ack and Error are not ours to send."""
    with pytest.raises(InputError, match="not a kind"):
        make("Ack")


@pytest.mark.parametrize(
    ("ahead", "expected"),
    [(-1.0, "Immediate"), (0.0, "Immediate"), (0.5, "Expected"), (1.0, "Expected"), (1.5, "Future")],
)
def test_urgency(ahead: float, expected: str) -> None:
    """Urgency follows from how far ahead the event is."""
    assert urgency(SENT + ahead * HOUR, SENT) == expected


def test_severity_follows_the_level() -> None:
    """Red is Extreme, orange Severe, yellow Moderate, blue Minor; a stated severity wins."""
    words = [make(level=int(level)).infos[0].severity for level in Level if level]
    assert words == ["Minor", "Moderate", "Severe", "Extreme"]
    assert make(severity="Extreme", certainty="Observed", urgency="Future").infos[0].severity == "Extreme"
    assert SEVERITY[Level.RED] == "Extreme"


def test_areas_with_shapes_of_their_own() -> None:
    """Areas with shapes stand alone, others share the shapes of the notice; a notice without any is valid."""
    own = {"id": "x", "name": {"en": "Yanqing", "zh": "延庆区"}, "geocodes": [["GB/T 2260", "110119"]]}
    alert = make(areas=["city", own])
    assert [a.description for a in alert.infos[1].areas] == ["Beijing", "Yanqing"]
    only = make(areas=[own], polygons=[], geocodes=[])
    assert [a.description for a in only.infos[0].areas] == ["延庆区"]
    corridors = make(areas=[])
    assert corridors.infos[0].areas[0].description == "G6京藏高速"
    assert make(areas=[], corridors=[]).infos[1].areas[0].description == "See the map"


def test_level_change_is_shown() -> None:
    """An update that changes the level carries the one before."""
    refers = (make().reference(),)
    body = notice(level=2)
    alert = notice_message(
        body, msg_type="Update", sent=SENT + HOUR, sender=OFFICE, references=refers, previous_level=3
    )
    assert alert.infos[0].parameter("previousLevelColour") == "ORANGE"


def test_ten_thousand_in_one_second() -> None:
    """10,000 notices issued in one second have 10,000 identifiers and file names."""
    template = make()
    made = {identifier_for(template, f"notice-{n}") for n in range(10_000)}
    assert len(made) == 10_000
    assert len({file_name(replace(template, identifier=i)) for i in made}) == 10_000


def test_identifiers_never_change() -> None:
    """The same content gives the same identifier in any run; any change of content gives another."""
    assert make().identifier == make().identifier
    variants = [
        make(),
        make(level=4),
        make(headline={"en": "Icy roads, orange warning.", "zh": "道路结冰橙色预警"}),
        make(sent=SENT + timedelta(seconds=1)),
        make("Update", refers=(make().reference(),)),
        make(polygons=[[[116.2, 39.8], [116.5, 39.8], [116.5, 40.1]]]),
    ]
    assert len({v.identifier for v in variants}) == len(variants)
    pinned = identifier_for(message("ignored"), "salt")
    assert pinned == "urn:clearway:example.beijing.road:20151122T010000Z:p2qvb64amirl4xrallfn"


@pytest.mark.parametrize(
    "sender", ["localhost", "", "duty@", "a b.example", "-x.example", "duty@x_y.example"]
)
def test_senders_need_a_domain(sender: str) -> None:
    """Only a domain name makes an identifier ours."""
    with pytest.raises(InputError):
        reversed_domain(sender)
    assert reversed_domain("duty@Road.Beijing.example") == "example.beijing.road"


def test_file_names_are_safe() -> None:
    """File names have no colon, slash or blank, and foreign identifiers cannot steer them."""
    ours = file_name(make())
    assert ours.startswith("20151122T010000Z-alert-")
    evil = file_name(message("../../etc/passwd"))
    sly = file_name(message("urn:clearway:x:../../../a"))
    for name in (ours, evil, sly):
        assert not set(name) & set('/\\: *?"<>|')


def test_every_hazard_is_coded() -> None:
    """Each hazard has both names and an OASIS term; an unknown one becomes other; codes lead back."""
    for key, one in hazards().items():
        assert one.name.en and one.name.zh and one.oet.startswith("OET-")  # noqa: PT018
        assert make(hazard=key).infos[0].event == one.name.zh
    assert hazard("no such thing").key == "other"
    assert make(event_code="11B04").infos[0].event_codes[0].value == "11B04"
    found = hazard_of(make(hazard="blizzard").infos[0])
    assert found is not None
    assert found.cn == "11B04"
    assert hazard_of(message("x").infos[0]) is None


def test_levels_of_incoming_words() -> None:
    """The colour in the words wins; without one the severity tells."""
    info = message("x").infos[0]
    assert level_of(replace(info, headline="暴雪红色预警", severity="Unknown")) is Level.RED
    assert level_of(replace(info, event="Yellow wind warning")) is Level.YELLOW
    assert level_of(replace(info, parameters=(NameValue("ColorCode", "BLUE"),))) is Level.BLUE
    assert level_of(info) is Level.ORANGE
    assert level_of(replace(info, headline="Hundreds bored", severity="Unknown")) is Level.NONE


positions = st.tuples(st.floats(115, 118), st.floats(39, 41))
PINCHED = [[(115.0, 39.5), (117.0, 39.0), (115.0, 39.0), (115.0, 40.0), (116.0, 39.00000000000001)]]
"""On the grid this one falls into two parts; both count."""


@given(st.lists(st.lists(positions, min_size=3, max_size=60), min_size=1, max_size=4))
@settings(max_examples=60)
@example(PINCHED)
def test_any_outline_becomes_publishable(outlines: list[list[tuple[float, float]]]) -> None:
    """Tangled, overlapping or long outlines give valid rings that leave out nothing of note."""
    try:
        rings = publishable_rings(outlines)
    except InputError as error:
        assert error.where.startswith("polygons[")  # noqa: PT017  (a degenerate outline is refused by number)
        return
    import shapely

    assert rings
    assert all(ring_problem(ring) == "" for ring in rings)
    assert publishable_rings(outlines) == rings
    wanted = shapely.union_all([shapely.make_valid(shapely.polygons(o)) for o in outlines])
    given_area = shapely.union_all([shapely.polygons(r) for r in rings])
    assert wanted.difference(given_area.buffer(2e-5)).area < 1e-6


def test_long_coast_is_shortened_outwards() -> None:
    """A ring of a thousand vertices is brought below the limit and still holds every point."""
    import math

    import shapely

    points = [
        [
            116.4 + (0.3 + 0.01 * (i % 7)) * math.cos(i / 1000 * math.tau),
            39.9 + 0.2 * math.sin(i / 1000 * math.tau),
        ]
        for i in range(1000)
    ]
    (ring,) = publishable_rings([points])
    assert len(ring) <= 100
    shape = shapely.polygons(ring).buffer(2e-5)
    assert all(shape.covers(shapely.points(p)) for p in points)
