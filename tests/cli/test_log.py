"""``clearway log``: one line, one entry, with the road found by name, number and kilometre."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from clearway.cli import main
from clearway.kernel.clock import SystemClock, parse_utc
from clearway.kernel.errors import InputError
from clearway.kernel.language import Text
from clearway.network.store import save
from clearway.operations.deployment import POSTS, Deployment, open_deployment
from clearway.operations.entry import Teller, find_road, reading
from clearway.operations.installation import open_installation, read_settings
from clearway.operations.stated import stated
from clearway.operations.storm import kinds_of_house
from clearway.records import Actor, Journal, RecordRow, Role
from clearway.records.sealed import SealedStore
from tests.desks.world import AT, network
from tests.records.test_sealed import exif, jpeg, segment

SETTINGS = """
area = "beijing"
name = { en = "Beijing", zh = "北京市" }
nation = "cn"
nation_name = { en = "China", zh = "中国" }
zone = "Asia/Shanghai"
sender = "test.example"
public_url = "https://test.example"
"""


def journal(folder: Path) -> Journal:
    """The installation's journal."""
    url = f"sqlite:///{(folder / 'journal.sqlite').as_posix()}"
    return Journal.open(url, kinds_of_house(), clock=SystemClock(), doctrine_hash="test")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation with roads, areas and posts."""
    (tmp_path / "clearway.toml").write_text(SETTINGS, encoding="utf-8")
    roads = network(4)
    save(roads, tmp_path / "network")
    opened = journal(tmp_path)
    deployment = Deployment(
        "beijing", Text("Beijing", "北京市"), "cn", Text("China", "中国"), "Asia/Shanghai", POSTS, ()
    )
    open_deployment(opened, deployment, roads, simulated=False)
    opened.close()
    monkeypatch.setenv("CLEARWAY_DATA", str(tmp_path))
    monkeypatch.setenv("CLEARWAY_BY", "wang")
    return tmp_path


def log(*words: str) -> int:
    """Exit code of ``clearway log …``."""
    with pytest.raises(SystemExit) as left:
        main(["log", *words])
    code = left.value.code
    return int(code) if code is not None else 0


def only(folder: Path, kind: str) -> RecordRow:
    """The one record of a kind."""
    opened = journal(folder)
    try:
        (row,) = opened.list(kind)
        return row
    finally:
        opened.close()


def test_an_incident_at_a_kilometre(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Road by its Chinese name, kilometre to a segment; who, from which post; the id is said."""
    assert log("incident", "机场高速", "crash", "--km", "1.2", "--lanes", "1", "--level", "orange") == 0
    row = only(place, "incident")
    assert (row.state, row.data["type"], row.data["level"]) == ("reported", "crash", 3)
    assert row.data["corridors"] == ["cor-0"]
    assert row.data["segments"] == ["seg-0-1"]
    said = capsys.readouterr()
    assert row.id in said.out
    assert "机场高速" in said.err


def test_a_word_about_a_road_holds_until_it_expires(place: Path) -> None:
    """ "I stand on it": the statement becomes an override of the picture, for two hours."""
    assert log("reading", "Second Ring Road", "ice", "--because", "I stand on it", "--hours", "2") == 0
    row = only(place, "override")
    assert row.state == "in_force"
    (word,) = stated([row])
    assert (word.subject_kind, word.subject, word.quantity, word.value) == (
        "corridor", "cor-1", "condition", "ice",
    )  # fmt: skip
    assert timedelta(hours=1.9) < word.until - word.at < timedelta(hours=2.1)


def test_a_sensor_that_lies(place: Path) -> None:
    """A station is left out for three hours, with the reason."""
    assert log("sensor", "Dongsi", "--because", "reports 30 degrees in snow") == 0
    (word,) = stated([only(place, "override")])
    assert (word.subject_kind, word.subject, word.value) == ("station", "Dongsi", "reject")


def test_a_measure_by_hand(place: Path) -> None:
    """A limit nobody proposed is ordered with everything a restriction needs."""
    words = ("measure", "S12", "SPEED", "--kmh", "40", "--basis", "Road Traffic Safety Law art. 39")
    assert log(*words) == 0
    row = only(place, "measure")
    assert (row.state, row.data["kmh"], row.data["restrictive"]) == ("ordered", 40, True)
    assert row.data["legal_basis"] == "Road Traffic Safety Law art. 39"
    length = parse_utc(row.data["expiry"]) - parse_utc(row.data["starts"])
    assert length == timedelta(hours=6)


def test_a_measure_already_done_on_scene(place: Path) -> None:
    """Entered after the fact: in force, with the time it was done and a reason."""
    done = (SystemClock().now() - timedelta(minutes=10)).isoformat()
    words = ("measure", "S12", "SPACED", "--basis", "art. 39", "--done-at", done, "--because", "jam at toll")
    assert log(*words) == 0
    row = only(place, "measure")
    assert (row.state, row.data["done_on_scene"]) == ("in_force", True)


def test_a_restriction_without_legal_basis_is_refused(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The journal refuses it by name; nothing is written."""
    assert log("measure", "S12", "SPEED", "--kmh", "40") == 2
    assert "legal basis" in capsys.readouterr().err
    opened = journal(place)
    assert opened.list("measure") == []
    opened.close()


def test_a_task_by_hand(place: Path) -> None:
    """A task with due time and action, from the dispatcher's post."""
    assert log("task", "长安街", "treat", "--action", "salt", "--rate", "20", "--due", "1.5") == 0
    row = only(place, "task")
    assert (row.state, row.data["action"], row.data["rate_g_m2"]) == ("open", "salt", 20)
    assert row.data["post"] == "post-dispatch"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("incident", "Nowhere Street", "crash"), "no road is called"),
        (("incident", "机场高速", "crash", "--km", "99"), "not on a road of 3.2 km"),
        (("incident", "机场高速", "crash", "--direction", "W"), "no direction"),
        (("incident", "机场高速", "crash", "--level", "pink"), "no level"),
        (("reading", "机场高速", "gooey", "--because", "x"), "unknown road condition"),
        (("reading", "机场高速", "ice", "--because", "x", "--hours", "0"), "no end"),
        (("task", "机场高速", "treat", "--post", "post-nobody"), "no post"),
    ],
)
def test_what_cannot_be_is_said(
    place: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], told: str
) -> None:
    """Every wrong entry is refused with its reason and exit code 2."""
    assert log(*words) == 2
    assert told in capsys.readouterr().err


def test_who_enters_must_be_known(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is entered by nobody."""
    monkeypatch.delenv("CLEARWAY_BY")
    assert log("incident", "机场高速", "crash") == 2
    assert "say who you are" in capsys.readouterr().err


def test_same_words_at_the_same_moment_are_one_command() -> None:
    """The key comes from the content, so a line sent twice is entered once."""
    teller = Teller(Actor("wang", (Role("duty_officer", "beijing"),), "post-duty"), "beijing", AT)
    where = find_road(network(4), "机场高速")
    one, two = (reading(teller, where, "condition", "ice", "x") for _ in range(2))
    later = Teller(teller.actor, "beijing", AT + timedelta(seconds=1))
    assert one.key == two.key
    assert one.key != reading(later, where, "condition", "ice", "x").key


class Answer(BaseHTTPRequestHandler):
    """A server that remembers what it was sent."""

    seen: list[tuple[str, dict[str, Any]]] = []  # noqa: RUF012  # one list for the whole stand-in
    sealed: list[tuple[str, str, bytes]] = []  # noqa: RUF012  # likewise
    refuse = False

    def do_POST(self) -> None:
        """Take a command."""
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["Content-Type"] == "application/json":
            Answer.seen.append((str(self.headers["Authorization"]), json.loads(raw)))
        else:
            Answer.sealed.append((self.path, str(self.headers["Content-Type"]), raw))
        told: dict[str, Any] = {"record_id": "inc-1", "state": "reported", "seq": 7}
        if Answer.refuse:
            told = {"error": {"what": "you may not do this", "where": "incident", "hint": "Ask"}}
        answer = json.dumps(told).encode()
        self.send_response(403 if Answer.refuse else 201)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    """A stand-in for a running server."""
    Answer.seen.clear()
    Answer.sealed.clear()
    Answer.refuse = False
    http = HTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{http.server_port}"
    http.shutdown()
    http.server_close()
    thread.join()


def test_a_running_server_is_given_the_command(
    place: Path, server: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """With --server the line goes over HTTP with the token; the local journal is not touched."""
    assert log("incident", "机场高速", "crash", "--server", server, "--token", "secret") == 0
    ((token, body),) = Answer.seen
    assert token == "Bearer secret"
    assert (body["kind"], body["verb"], body["data"]["type"]) == ("incident", "report", "crash")
    assert "inc-1 reported" in capsys.readouterr().out
    Answer.refuse = True
    assert log("incident", "机场高速", "crash", "--server", server, "--token", "secret") == 2
    assert "you may not do this" in capsys.readouterr().err


def test_a_running_server_is_given_words_and_photos(place: Path, server: str, tmp_path: Path) -> None:
    """They follow the incident, to its sealed fields; the photo leaves without its metadata."""
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(jpeg(segment(0xE1, exif(1))))
    words = ("incident", "机场高速", "crash", "--server", server, "--token", "secret")
    assert log(*words, "--note", "两人受伤", "--photo", str(photo)) == 0
    (((_, command),), ((note_at, note_type, note), (photo_at, photo_type, picture))) = (
        Answer.seen,
        Answer.sealed,
    )
    assert "两人受伤" not in json.dumps(command, ensure_ascii=False)
    assert note_at.startswith("/api/v1/records/incident/inc-1/sealed?field=description&key=")
    assert (note_type, note.decode()) == ("text/plain", "两人受伤")
    assert "field=photos" in photo_at
    assert (photo_type, picture) == ("image/jpeg", jpeg())
    assert note_at.partition("key=")[2] != photo_at.partition("key=")[2]


@pytest.mark.parametrize("address", ["http://example.org", "ftp://127.0.0.1"])
def test_a_token_never_leaves_in_the_clear(
    place: Path, capsys: pytest.CaptureFixture[str], address: str
) -> None:
    """Plain HTTP to another machine is refused before anything is sent."""
    assert log("incident", "机场高速", "crash", "--server", address, "--token", "x") == 2
    assert "https only" in capsys.readouterr().err


def test_roads_are_found_or_the_choice_is_shown() -> None:
    """By id, by name with direction; an unclear name lists what it could be."""
    roads = network(4)
    assert find_road(roads, "cor-2").ids == ["cor-2"]
    assert find_road(roads, "长安街", direction="e").ids == ["cor-2"]
    with pytest.raises(InputError, match="could be several"):
        find_road(roads, "eastbound")


def test_times_are_utc(place: Path) -> None:
    """What is entered carries aware times."""
    assert log("incident", "机场高速", "crash", "--at", "2015-11-22T08:00:00+08:00") == 0
    row = only(place, "incident")
    assert parse_utc(row.data["happened_at"]) == datetime.fromisoformat("2015-11-22T00:00:00+00:00")


def test_no_installation_is_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An entry for a folder that is no installation is refused, and nothing is made there."""
    nowhere = tmp_path / "nowhere"
    with pytest.raises(SystemExit) as caught:
        main(["log", "incident", "G1", "crash", "--data", str(nowhere), "--by", "wang"])
    assert caught.value.code == 2
    assert "no installation here" in capsys.readouterr().err
    assert not nowhere.exists()


def test_serving_begins_an_installation(tmp_path: Path) -> None:
    """Serving a new folder lays a settings file to fill in, and says so."""
    with pytest.raises(InputError, match="say whose it is"):
        open_installation(tmp_path / "new")
    assert "area" in read_settings(tmp_path / "new")


def test_words_and_photos_are_sealed(place: Path, tmp_path: Path) -> None:
    """The chain holds hashes; the words open again, the photo has lost its Exif, and no file tells them."""
    words = "caller 555-0100 says the bridge is a mirror 请回电"
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(jpeg(segment(0xE1, exif(1))))
    assert log("incident", "机场高速", "crash", "--note", words, "--photo", str(photo)) == 0
    row = only(place, "incident")
    note, [picture] = row.data["description"], row.data["photos"]
    with closing(
        SealedStore.beside(f"sqlite:///{(place / 'journal.sqlite').as_posix()}", SystemClock())
    ) as store:
        assert store.open(note["sealed"], expect_sha256=note["sha256"])[0].decode() == words
        content, media_type = store.open(picture["sealed"], expect_sha256=picture["sha256"])
    assert media_type == "image/jpeg"
    assert b"Exif" not in content
    for file in place.glob("journal*"):
        assert b"555-0100" not in file.read_bytes()


def test_a_file_that_is_no_photo_reports_nothing(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The photo is looked at before the incident is entered."""
    note = tmp_path / "note.gif"
    note.write_bytes(b"GIF89a")
    assert log("incident", "机场高速", "crash", "--photo", str(note)) == 2
    assert "neither JPEG nor PNG" in capsys.readouterr().err
    opened = journal(place)
    try:
        assert opened.list("incident") == []
    finally:
        opened.close()
