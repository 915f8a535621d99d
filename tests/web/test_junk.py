"""Junk over HTTP: what schemathesis invents from our own OpenAPI never breaks the service."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.config import SchemathesisConfig
from schemathesis.core.result import Ok

from tests.web.conftest import House

ANY_TEXT = st.text(st.characters(codec="utf-8"), max_size=60)
TROUBLE = (401, 403, 404, 405, 409, 413, 422, 400, 200, 201)


def test_junk_never_breaks_the_service(house: House) -> None:
    """Every operation, with valid and invalid input: no 5xx, no stack trace, always the declared shapes."""
    headers = house.token("duty_officer")
    config = SchemathesisConfig()
    schema = schemathesis.openapi.from_asgi("/api/openapi.json", house.client.app, config=config)
    checked = 0
    for result in schema.get_all_operations():
        assert isinstance(result, Ok)
        operation = result.ok()
        cases = operation.as_strategy() | operation.as_strategy(
            generation_mode=schemathesis.GenerationMode.NEGATIVE
        )

        @settings(
            max_examples=25,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=cases)
        def probe(case: schemathesis.Case[Any]) -> None:
            answer = case.call(headers=headers)
            assert answer.status_code in TROUBLE, (answer.status_code, answer.content[:300])
            assert b"Traceback" not in answer.content
            if answer.status_code >= 400 and answer.status_code != 405:
                assert set(answer.json()["error"]) - {"words"} == {
                    "code",
                    "what",
                    "where",
                    "hint",
                    "request_id",
                }

        probe()
        checked += 1
    assert checked >= 6


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(
    path=st.text(st.characters(codec="utf-8"), max_size=60),
    query=st.text(st.characters(codec="utf-8"), max_size=60),
)
def test_public_routes_survive_any_address(house: House, path: str, query: str) -> None:
    """Any path and query anybody types gets a page, a 404 or a 422, never a failure."""
    for base in ("/", "/cap/", "/static/"):
        answer = house.client.get(f"{base}{quote(path, safe='')}?q={quote(query)}")
        assert answer.status_code in (200, 304, 404, 405, 422), (base, path, answer.text[:200])
