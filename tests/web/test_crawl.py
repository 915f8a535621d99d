"""A stranger asks for everything: every route, a record in every state; only public words come out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

import pytest
from starlette.testclient import TestClient

from clearway.kernel.clock import iso
from clearway.kernel.errors import NotFoundError
from clearway.records import Kinds, RecordRow
from clearway.records.kinds import FieldDecl
from clearway.web.app import create_app
from tests.web.conftest import House

PUBLIC: Final = {
    ("measure", "ordered"), ("measure", "in_force"), ("measure", "removal_pending"), ("notice", "issued"),
    ("area", "active"),
}  # fmt: skip
"""What the law of the house lets a stranger see, written down by hand: kind and state."""
WORDS: Final = {
    "measure": {"headline", "reasons", "legal_basis", "decider", "exemptions", "detour", "lift_condition"},
    "notice": {"headline", "description", "instruction"},
    "area": {"name"},
}
"""Fields of these that are words to the public; times, levels and roads are checked by their own tests."""
MARK: Final = re.compile(r"XQ-([a-z_]+)-([a-z_]+)-([a-z_]+)-QX")


def mark(kind: str, state: str, field: str) -> str:
    """A word that can come from nowhere else."""
    return f"XQ-{kind}-{state}-{field}-QX"


def value_of(field: FieldDecl, word: str, now: datetime) -> Any:
    """A value of the field's type that carries the word wherever a word can stand."""
    if field.type == "list":
        item = FieldDecl(field.name, field.label, field.items or "string")
        return [value_of(item, word, now)]
    made: dict[str, Any] = {
        "words": {"en": word, "zh": word}, "integer": 1, "number": 1.0, "boolean": True, "level": 3,
        "time": iso(now + timedelta(hours=2)), "map": {"text": {"en": word, "zh": word}, "source": word},
        "enum": next(iter(field.values), word), "sealed": {"sealed": word, "sha256": word},
    }  # fmt: skip
    return made.get(field.type, word)


def rows_of(kinds: Kinds, now: datetime) -> dict[str, RecordRow]:
    """One record of each kind in each state, every declared field filled with its own word."""
    found = {}
    for kind in kinds.values():
        for state in kind.states:
            record = f"{kind.name}.{state}"
            data = {
                name: value_of(field, mark(kind.name, state, name), now)
                for name, field in kind.fields.items()
                if name != "polygons"
            }
            for name in ("starts", "held_since", "position_at", "happened_at"):
                if name in data:
                    data[name] = iso(now - timedelta(hours=1))
            if "messages" in data:
                data["messages"] = [{"identifier": "urn:one"}]
            found[record] = RecordRow(record, kind.name, state, 1, data, {}, 0, 0, 0, 1)
    return found


class Filled:
    """The house's journal, with those records in place of its own."""

    def __init__(self, real: Any, rows: dict[str, RecordRow]) -> None:
        self._real, self._rows = real, rows

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def list(self, kind: str, *, states: Any = None, **_: Any) -> Sequence[RecordRow]:
        """Records of a kind."""
        return [r for r in self._rows.values() if r.kind == kind and (not states or r.state in states)]

    def list_open(self, kind: str, **_: Any) -> Sequence[RecordRow]:
        """Records of a kind."""
        return self.list(kind)

    def find(self, record: str, **_: Any) -> RecordRow | None:
        """A record, if there is one."""
        return self._rows.get(record)

    def get(self, record: str, **_: Any) -> RecordRow:
        """A record."""
        if record not in self._rows:
            raise NotFoundError(f"no record {record!r}")
        return self._rows[record]


def routes(app: Any) -> Iterator[tuple[str, str]]:
    """Method and path of everything the application answers to, routers within routers too."""
    waiting = list(app.routes)
    while waiting:
        route = waiting.pop()
        inner: Any = getattr(route, "original_router", None) or getattr(route, "app", None)
        if getattr(inner, "routes", None):
            waiting += inner.routes
        elif hasattr(route, "methods"):
            for method in sorted(route.methods or {"GET"}):
                yield method, route.path


@pytest.fixture
def stranger(house: House) -> tuple[TestClient, dict[str, RecordRow], Any]:
    """A client without any credential, at a house that holds everything."""
    rows = rows_of(house.services.kinds, house.clock.now())
    journal: Any = Filled(house.journal, rows)
    app = create_app(replace(house.services, journal=journal))
    client = TestClient(app, raise_server_exceptions=False, follow_redirects=False)
    return client, rows, app


def test_nothing_but_public_words_comes_out(stranger: tuple[TestClient, dict[str, RecordRow], Any]) -> None:
    """Every route with every record, as page and as data; each word found must be one of those listed."""
    client, rows, app = stranger
    asked, seen = 0, set()
    for method, path in set(routes(app)):
        filled = [path]
        if "{" in path:
            filled = [re.sub(r"\{[^}]*\}", record, path) for record in rows] + [
                re.sub(r"\{[^}]*\}", "1", path)
            ]
        for address in filled:
            for accept in ("text/html", "application/json"):
                answer = client.request(method, address, headers={"accept": accept})
                asked += 1
                assert answer.status_code < 500, (method, address, answer.text[:300])
                found = {m.groups() for m in MARK.finditer(answer.text + str(answer.headers))}
                wrong = {f for f in found if f[:2] not in PUBLIC or f[2] not in WORDS[f[0]]}
                assert not wrong, (method, address, wrong)
                seen |= found
    assert asked > 2_000
    assert {f[:2] for f in seen} >= PUBLIC - {("area", "active")}, "the page does show what is public"


def test_what_is_open_without_signing_in_is_a_short_list(
    stranger: tuple[TestClient, dict[str, RecordRow], Any],
) -> None:
    """Exactly these addresses answer a stranger with something; a new route is closed until it is listed."""
    client, _, app = stranger
    open_ = set()
    for method, path in set(routes(app)):
        if method in ("HEAD", "OPTIONS"):
            continue
        address = re.sub(r"\{[^}]*\}", "1", path)
        answer = client.request(method, address, headers={"accept": "text/html"})
        sent_away = answer.status_code == 303 and answer.headers["location"].startswith("/signin?next=")
        if not sent_away and answer.status_code not in (401, 403, 404, 422):
            open_.add((method, path))
    assert open_ - {("GET", "/sw.js")} == {
        ("GET", "/"), ("GET", "/feed.atom"), ("GET", "/feed.rss"), ("GET", "/health"), ("GET", "/signin"),
        ("GET", "/api/openapi.json"), ("GET", "/field/manifest.json"),
    }  # fmt: skip
