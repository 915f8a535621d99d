"""Messages for tests: plain ones, and any that Hypothesis can think of."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import strategies as st

from clearway.exchange.cap import model
from clearway.exchange.cap.model import Alert, Area, Circle, Info, NameValue, Reference, Resource
from clearway.kernel.language import Text

SENT = datetime(2015, 11, 22, 1, tzinfo=UTC)
SQUARE = ((116.2, 39.8), (116.5, 39.8), (116.5, 40.0), (116.2, 40.0), (116.2, 39.8))
SENDER = "duty@road.beijing.example"


def notice(**changes: object) -> dict[str, object]:
    """Body of a notice record."""
    body: dict[str, object] = {
        "hazard": "road_icing",
        "event_code": "",
        "level": 3,
        "headline": {"en": "Icy roads, orange warning", "zh": "道路结冰橙色预警"},
        "description": {"en": "Roads freeze from 11:00.", "zh": "预计11时起路面结冰。"},
        "instruction": {"en": "Slow down. Keep your distance.", "zh": "减速慢行，保持车距。"},
        "areas": ["city"],
        "polygons": [[[116.2, 39.8], [116.5, 39.8], [116.5, 40.0], [116.2, 40.0]]],
        "geocodes": ["110000"],
        "corridors": ["G6"],
        "starts": "2015-11-22T03:00:00Z",
        "expires": "2015-11-22T09:00:00Z",
        "next_update_by": "2015-11-22T04:00:00Z",
        "status": "Actual",
        "situation": "sit-1",
        "simulated": False,
    }
    return body | changes


NAMES = {"city": Text("Beijing", "北京市"), "G6": Text("G6 Jingzang Expressway", "G6京藏高速")}


def message(
    identifier: str,
    msg_type: str = "Alert",
    sent: datetime = SENT,
    *,
    refers: tuple[Alert | Reference, ...] = (),
    life_h: float | None = 6.0,
    sender: str = SENDER,
    status: str = "Actual",
    headline: str = "",
) -> Alert:
    """A small message; ``life_h`` None leaves out the expiry."""
    expires = None if life_h is None else sent + timedelta(hours=life_h)
    info = Info("Icy roads", ("Met",), "Future", "Severe", "Likely", expires=expires, headline=headline)
    references = tuple(r.reference() if isinstance(r, Alert) else r for r in refers)
    return Alert(identifier, sender, sent, status, msg_type, "Public", references=references, infos=(info,))


tokens = st.text(st.sampled_from("abcXYZ019.:-@/_"), min_size=1, max_size=20)
words = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Cn"], exclude_characters="\u2028\u2029"), max_size=60
).map(str.strip)
zones = st.integers(-12 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m)))
_SPAN = (datetime(1971, 1, 1), datetime(2199, 1, 1))  # noqa: DTZ001  (Hypothesis wants naive bounds)
times = st.datetimes(*_SPAN, timezones=zones).map(lambda t: t.replace(microsecond=0))
pairs = st.builds(NameValue, words, words)
languages = st.sampled_from(["", "zh-CN", "en", "en-US", "fr-CA", "ug"])
positions = st.tuples(st.floats(-180, 180), st.floats(-90, 90))


@st.composite
def rings(draw: st.DrawFn) -> tuple[tuple[float, float], ...]:
    """Closed rings of at least three different positions, simple or not."""
    points = draw(st.lists(positions, min_size=3, max_size=8, unique=True))
    return (*points, points[0])


circles = st.builds(Circle, st.floats(-180, 180), st.floats(-90, 90), st.floats(0, 20_000))
areas = st.builds(
    Area,
    words,
    st.lists(rings(), max_size=2).map(tuple),
    st.lists(circles, max_size=2).map(tuple),
    st.lists(pairs, max_size=3).map(tuple),
    st.none() | st.floats(-1e5, 1e6),
    st.none() | st.floats(-1e5, 1e6),
)
resources = st.builds(
    Resource,
    words,
    words,
    st.none() | st.integers(0, 10**12),
    st.just("https://x.example/a%20b?c=d"),
    tokens,
    tokens,
)
infos = st.builds(
    Info,
    event=words,
    categories=st.lists(st.sampled_from(model.CATEGORIES), min_size=1, max_size=3).map(tuple),
    urgency=st.sampled_from(model.URGENCIES),
    severity=st.sampled_from(model.SEVERITIES),
    certainty=st.sampled_from(model.CERTAINTIES),
    language=languages,
    response_types=st.lists(st.sampled_from(model.RESPONSE_TYPES), max_size=3).map(tuple),
    audience=words,
    event_codes=st.lists(pairs, max_size=3).map(tuple),
    effective=st.none() | times,
    onset=st.none() | times,
    expires=st.none() | times,
    sender_name=words,
    headline=words,
    description=words,
    instruction=words,
    web=st.sampled_from(["", "https://road.example/zh?x=1&y=2#top", "http://[::1]:8080/a"]),
    contact=words,
    parameters=st.lists(pairs, max_size=3).map(tuple),
    resources=st.lists(resources, max_size=2).map(tuple),
    areas=st.lists(areas, max_size=2).map(tuple),
)
references = st.builds(Reference, tokens, tokens, times)
alerts = st.builds(
    Alert,
    identifier=tokens,
    sender=tokens,
    sent=times,
    status=st.sampled_from(model.STATUSES),
    msg_type=st.sampled_from(model.MESSAGE_TYPES),
    scope=st.sampled_from(model.SCOPES),
    source=words,
    restriction=words,
    addresses=words,
    codes=st.lists(words.filter(bool), max_size=3).map(tuple),
    note=words,
    references=st.lists(references, max_size=3).map(tuple),
    incidents=words,
    infos=st.lists(infos, max_size=2).map(tuple),
)
"""Messages of any shape whose words are legal in XML; most break some rule of publication."""
