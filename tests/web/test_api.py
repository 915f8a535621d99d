"""The HTTP API: authority, idempotency, conflicts, as-of reads, and one shape for every refusal."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.web.conftest import House, measure


def _order(house: House, key: str = "order-0001", **data: Any) -> dict[str, Any]:
    return {"kind": "measure", "verb": "order", "key": key, "data": {**measure(house.clock), **data}}


def test_order_is_durable_and_readable(house: House) -> None:
    """A duty officer orders a limit; it can be read, with its history and the chain's head."""
    duty = house.token("duty_officer")
    answer = house.client.post("/api/v1/commands", json=_order(house), headers=duty)
    assert answer.status_code == 201, answer.text
    record = answer.json()["record_id"]
    row = house.client.get(f"/api/v1/records/measure/{record}", headers=duty).json()
    assert (row["state"], row["data"]["kmh"]) == ("ordered", 30)
    events = house.client.get(f"/api/v1/records/measure/{record}/history", headers=duty).json()["events"]
    assert [e["verb"] for e in events] == ["order"]
    head = house.client.get("/api/v1/head", headers=duty).json()
    assert head["hash"] == answer.json()["hash"]
    assert house.client.get("/api/v1/board", headers=duty).status_code == 404


def test_same_key_is_the_same_command(house: House) -> None:
    """Sending again answers the same event; the same key for something else is a conflict."""
    duty = house.token("duty_officer")
    first = house.client.post("/api/v1/commands", json=_order(house), headers=duty).json()
    again = house.client.post("/api/v1/commands", json=_order(house), headers=duty).json()
    assert again == first
    other = house.client.post("/api/v1/commands", json=_order(house, kmh=40), headers=duty)
    assert other.status_code == 409


def test_stale_version_is_shown_not_overwritten(house: House) -> None:
    """Two officers read version 1; the second to write is told."""
    duty = house.token("duty_officer")
    made = house.client.post("/api/v1/commands", json=_order(house), headers=duty).json()
    lift = {"kind": "measure", "verb": "lift", "record_id": made["record_id"], "expected_version": 1}
    assert house.client.post("/api/v1/commands", json={**lift, "key": "lift-0001"}, headers=duty).is_success
    stale = house.client.post("/api/v1/commands", json={**lift, "key": "lift-0002"}, headers=duty)
    assert stale.status_code == 409
    assert stale.json()["error"]["code"] == "conflict"


def test_as_of_reads_the_past(house: House) -> None:
    """What stood an hour ago can be read as it stood."""
    duty = house.token("duty_officer")
    before = house.clock.now()
    house.clock.advance(timedelta(hours=1))
    house.client.post("/api/v1/commands", json=_order(house), headers=duty)
    url = "/api/v1/records/measure"
    assert len(house.client.get(url, headers=duty).json()["records"]) == 1
    past = house.client.get(url, params={"as_of": before.isoformat()}, headers=duty).json()
    assert past["records"] == []
    naive = house.client.get(url, params={"as_of": "2015-11-22T00:00"}, headers=duty)
    assert naive.status_code == 422


@pytest.mark.parametrize(
    ("role", "scopes", "status"),
    [
        ("duty_officer", ("read", "command"), 201),
        ("auditor", ("read", "command"), 403),
        ("field", ("read", "command"), 403),
        ("duty_officer", ("read",), 403),
    ],
)
def test_who_may_order(house: House, role: str, scopes: tuple[str, ...], status: int) -> None:
    """Only a role with the authority and a token with the scope; the refusal says which rule."""
    answer = house.client.post("/api/v1/commands", json=_order(house), headers=house.token(role, *scopes))
    assert answer.status_code == status
    if status == 403:
        error = answer.json()["error"]
        assert error["what"]
        assert error["request_id"]


def test_no_token_no_answer(house: House) -> None:
    """Without a valid token nothing but 401 comes back, whatever is asked."""
    for path in ("/api/v1/records/measure", "/api/v1/records/measure/x", "/api/v1/head", "/api/v1/board"):
        for headers in ({}, {"authorization": "Bearer nonsense"}, {"authorization": "Basic xyz"}):
            answer = house.client.get(path, headers=headers)
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"] == "Bearer"


def test_incomplete_restriction_is_refused_with_the_missing_fields(house: House) -> None:
    """A restriction without legal basis and expiry cannot be ordered, and the answer names both."""
    data = measure(house.clock)
    for name in ("legal_basis", "expiry"):
        del data[name]
    command = {"kind": "measure", "verb": "order", "key": "order-0009", "data": data}
    answer = house.client.post("/api/v1/commands", json=command, headers=house.token("duty_officer"))
    assert answer.status_code == 422
    assert "legal_basis" in answer.text
    assert "expiry" in answer.text


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'{"kind": 1}', b'{"kind":"measure","verb":"order","key":"x"}', b"\xff\xfe"],
)
def test_junk_bodies_get_one_error_shape(house: House, body: bytes) -> None:
    """Junk is refused in words, with a place and a request id, and never with a stack trace."""
    headers = {**house.token("duty_officer"), "content-type": "application/json"}
    answer = house.client.post("/api/v1/commands", content=body, headers=headers)
    assert answer.status_code in (400, 422)
    assert set(answer.json()["error"]) == {"code", "what", "where", "hint", "request_id"}
    assert "Traceback" not in answer.text


def test_too_large_is_refused(house: House) -> None:
    """A body beyond the limit is refused before it is read whole."""
    headers = house.token("duty_officer")
    answer = house.client.post("/api/v1/commands", content=b" " * 1_100_000, headers=headers)
    assert answer.status_code == 413


def test_every_answer_carries_the_security_headers(house: House) -> None:
    """Pages, refusals and files alike forbid scripts from elsewhere, framing and sniffing."""
    for path in ("/", "/nowhere", "/api/v1/head", "/static/house.css"):
        headers = house.client.get(path).headers
        assert "script-src 'self'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


def test_public_files_have_etags_and_short_lives(house: House) -> None:
    """Page and feeds answer 304 to a known ETag, zip on request and live 30 seconds at most."""
    for path in ("/?lang=en", "/feed.atom", "/feed.rss", "/cap/urn:one", "/static/public.js"):
        answer = house.client.get(path)
        assert answer.status_code == 200, path
        again = house.client.get(path, headers={"if-none-match": answer.headers["etag"]})
        assert again.status_code == 304
        age = int(answer.headers["cache-control"].rpartition("=")[2])
        assert age <= (3600 if path.startswith("/static") else 30)
    assert house.client.get("/cap/urn:two").status_code == 404
    assert house.client.get("/static/secret").status_code == 404
    assert house.client.get("/health").json()["status"] == "ok"


def test_public_page_shows_what_is_ordered(house: House) -> None:
    """What an officer orders is on the public page with its basis and its end, in both languages."""
    house.client.post("/api/v1/commands", json=_order(house), headers=house.token("duty_officer"))
    english = house.client.get("/?lang=en").text
    assert "Limit 30 km/h" in english
    assert "Road Traffic Safety Law art. 39" in english
    assert "限速30公里/小时" in house.client.get("/", headers={"accept-language": "zh-CN"}).text
