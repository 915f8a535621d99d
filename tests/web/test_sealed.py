"""Words and photos over HTTP: sealed for the record, open to those who work on it, gone when forgotten."""

from __future__ import annotations

from typing import Any

import pytest

from tests.records.test_sealed import exif, jpeg, segment
from tests.web.conftest import House

WORDS = "caller 555-0100 says the bridge is a mirror 请回电"
TEXT = {"content-type": "text/plain; charset=utf-8"}


def incident(house: House, who: dict[str, str]) -> str:
    """An incident; returns its address."""
    data = {
        "type": "crash",
        "headline": {"en": "Crash", "zh": "事故"},
        "corridors": ["cor-0"],
        "area": "town",
        "happened_at": house.clock.now().isoformat(),
    }
    body = {"kind": "incident", "verb": "report", "key": "incident-1", "data": data}
    answer = house.client.post("/api/v1/commands", json=body, headers=who)
    assert answer.status_code == 201, answer.text
    return f"/api/v1/records/incident/{answer.json()['record_id']}"


def seal(
    house: House, at: str, who: dict[str, str], field: str, key: str, content: bytes, **headers: str
) -> Any:
    """Post content for a field."""
    given = {**who, **(headers or TEXT)}
    return house.client.post(
        f"{at}/sealed", params={"field": field, "key": key}, content=content, headers=given
    )


def test_words_go_in_and_come_out(house: House) -> None:
    """The record holds a hash, never the words; the dispatcher reads them; forgetting is final."""
    who = house.token("dispatcher")
    at = incident(house, who)
    answer = seal(house, at, who, "description", "note-0001", WORDS.encode())
    assert answer.status_code == 201, answer.text
    row = house.client.get(at, headers=who)
    assert "555-0100" not in row.text
    reference = row.json()["data"]["description"]
    [listed] = house.client.get(f"{at}/sealed", headers=who).json()["sealed"]
    assert listed == {"field": "description", **reference}
    back = house.client.get(f"{at}/sealed/{reference['sealed']}", headers=who)
    assert (back.text, back.headers["cache-control"]) == (WORDS, "no-store")
    assert back.headers["content-disposition"] == "attachment"
    assert house.services.sealer is not None
    house.services.sealer.store.forget(row.json()["id"])
    gone = house.client.get(f"{at}/sealed/{reference['sealed']}", headers=who)
    assert gone.status_code == 404
    assert house.journal.verify().ok


def test_photos_lose_their_metadata_and_add_up(house: House) -> None:
    """Two photos make a list of two; neither has Exif; larger than another request may be."""
    who = house.token("field")
    at = incident(house, who)
    large = jpeg(segment(0xE1, exif(1)), *[segment(0xDB, bytes(65_000)) for _ in range(20)])
    assert len(large) > 1_100_000
    kinds = {"content-type": "image/jpeg"}
    assert (
        seal(house, at, who, "photos", "photo-0001", jpeg(segment(0xE1, exif(1))), **kinds).status_code == 201
    )
    assert seal(house, at, who, "photos", "photo-0002", large, **kinds).status_code == 201
    photos = house.client.get(at, headers=who).json()["data"]["photos"]
    assert len(photos) == 2
    for photo in photos:
        got = house.client.get(f"{at}/sealed/{photo['sealed']}", headers=who)
        assert got.headers["content-type"] == "image/jpeg"
        assert b"Exif" not in got.content
    too_much = seal(house, at, who, "photos", "photo-0003", bytes(17 * 1_048_576), **kinds)
    assert too_much.status_code == 413


def test_the_same_key_seals_once(house: House) -> None:
    """Sent again it is the same event; the key for another field is a conflict."""
    who = house.token("dispatcher")
    at = incident(house, who)
    first = seal(house, at, who, "description", "note-0001", WORDS.encode()).json()
    assert seal(house, at, who, "description", "note-0001", WORDS.encode()).json() == first
    assert seal(house, at, who, "contact", "note-0001", b"555-0100").status_code == 409
    assert house.services.sealer is not None
    assert len(house.services.sealer.store.listed(first["record_id"])) == 1


@pytest.mark.parametrize(
    ("field", "content", "media_type", "status"),
    [
        ("headline", b"x", "text/plain", 422),
        ("description", b"", "text/plain", 422),
        ("description", b"\xff\xfe", "text/plain", 422),
        ("description", b"x", "application/pdf", 422),
        ("photos", b"GIF89a", "image/jpeg", 422),
    ],
)
def test_what_cannot_be_sealed(
    house: House, field: str, content: bytes, media_type: str, status: int
) -> None:
    """No sealed field, nothing, no UTF-8, another type, no photo: refused, and nothing is kept."""
    who = house.token("dispatcher")
    at = incident(house, who)
    answer = seal(house, at, who, field, "note-0001", content, **{"content-type": media_type})
    assert answer.status_code in (status, 400), answer.text
    assert house.services.sealer is not None
    assert house.services.sealer.store.listed(at.rpartition("/")[2]) == []


def test_who_may_seal_and_read(house: House) -> None:
    """Scope, role and area decide: a reader's token seals nothing, another town reads nothing."""
    who = house.token("dispatcher")
    at = incident(house, who)
    assert seal(house, at, who, "description", "note-0001", WORDS.encode()).status_code == 201
    sealed = house.client.get(at, headers=who).json()["data"]["description"]["sealed"]
    reader = house.token("dispatcher", "read")
    assert seal(house, at, reader, "description", "note-0002", b"x").status_code == 403
    assert house.client.get(f"{at}/sealed/{sealed}", headers=reader).status_code == 200
    for stranger in (house.token("dispatcher", area="elsewhere"), house.token("viewer")):
        assert seal(house, at, stranger, "description", "note-0003", b"x").status_code == 403
        assert house.client.get(f"{at}/sealed/{sealed}", headers=stranger).status_code == 403
    assert house.client.get(f"{at}/sealed/{sealed}").status_code == 401
    assert house.client.get(f"{at}/sealed/{'0' * 32}", headers=who).status_code == 404
    wrong = at.replace("/incident/", "/task/")
    assert house.client.get(f"{wrong}/sealed/{sealed}", headers=who).status_code == 404
