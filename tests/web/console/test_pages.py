"""Every page of the console is there for those who are signed in, in both languages, and for nobody else."""

from __future__ import annotations

import re

import pytest
from starlette.testclient import TestClient

from clearway.records import Actor, Command, Role
from clearway.web.app import create_app
from clearway.web.console import router as console
from tests.web.console.conftest import Desk

PAGES = (
    "/console", "/console/inbox", "/console/board", "/console/board?view=overdue", "/console/notices",
    "/console/notices/new", "/console/log", "/console/log?form=reading", "/console/log?form=task",
    "/console/log?form=measure", "/console/log?form=done", "/console/posts", "/console/dispatch",
    "/console/report", "/console/in-force", "/console/admin", "/console/roads?q=airport",
    "/console/road/cor-0", "/field", "/account",
)  # fmt: skip


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_page_opens_in_both_languages(desk: Desk, language: str) -> None:
    """Each page renders, speaks the account's language, and holds no inline script or style."""
    person = desk.browser("chief", "duty_officer", "commander", "admin", language=language)
    wanted = "zh-CN" if language == "zh" else "en"
    for path in PAGES:
        page = person.get(path)
        assert f'<html lang="{wanted}"' in page, path
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=", page), path
        if language == "en":
            assert not re.search(r"[一-鿿]{12,}", re.sub(r"<textarea.*?</textarea>", "", page, flags=re.S)), (
                path
            )


def test_record_pages_open_for_every_kind(desk: Desk) -> None:
    """Each record that exists can be looked at, now and as it stood, with its history."""
    person = desk.browser("chief", "duty_officer", "commander")
    seen = set()
    for kind in desk.services.kinds:
        for row in desk.journal.list(kind)[:2]:
            page = person.get(f"/console/record/{row.id}")
            assert row.id in page
            assert 'class="history"' in page
            seen.add(kind)
    assert {"proposal", "situation", "post", "unit", "area"} <= seen


def test_nothing_is_shown_to_strangers(desk: Desk) -> None:
    """Without a session each console route leads to the sign-in page or refuses, and tells nothing."""
    app = create_app(desk.services)
    stranger = TestClient(app, follow_redirects=False, raise_server_exceptions=False)
    rows = [row for kind in desk.services.kinds for row in desk.journal.list(kind)]
    secrets = {row.id for row in rows if row.kind in ("proposal", "situation", "unit", "post")}
    ids = {row.kind: row.id for row in rows}
    for route in _routes():
        for kind, record in ids.items():
            path = re.sub(r"\{(record|proposal|notice|post|account|corridor)[^}]*\}", record, route[1])
            path = re.sub(r"\{[^}]*\}", "1", path)
            answer = stranger.request(route[0], path, headers={"accept": "text/html"})
            assert answer.status_code in (303, 401, 403, 404, 422), f"{route} {kind}: {answer.status_code}"
            body = answer.text.replace(record, "")
            assert not [s for s in secrets if s in body], path


def _routes() -> list[tuple[str, str]]:
    found = []
    waiting = list(console.routes)
    while waiting:
        route = waiting.pop()
        inner = getattr(route, "original_router", None)
        if inner is not None:
            waiting += inner.routes
            continue
        path = getattr(route, "path", "")
        if path.startswith(("/console", "/field", "/account")) and path != "/field/manifest.json":
            found += [(m, path) for m in sorted(getattr(route, "methods", set()) - {"HEAD"})]
    assert len(found) > 30
    return found


def test_reader_without_role_may_do_nothing(desk: Desk) -> None:
    """An auditor reads; every verb is refused with the words of the rule."""
    person = desk.browser("auditor", "auditor")
    row = desk.journal.list("proposal", states=("open",))[0]
    page = person.get(f"/console/inbox/{row.id}")
    assert "You may not approve" in page
    assert "duty officer (own area)" in page
    answer = person.send(f"/console/inbox/{row.id}", verb="approve", version=str(row.version))
    assert answer.status_code == 403
    assert "needs" in answer.text
    assert desk.journal.get(row.id).state == "open"


def test_past_cannot_be_mistaken(desk: Desk) -> None:
    """A page of the past says so in title, frame and link back, and offers no action."""
    person = desk.browser("chief", "duty_officer")
    at = "2015-11-22T05:00:00Z"
    for path in ("/console", "/console/board", "/console/posts"):
        page = person.get(f"{path}?at={at}")
        assert "past-note" in page
        assert 'class="console past' in page
        assert "PAST" in page
    assert "/console/posts/post-duty/take_over" not in person.get(f"/console/posts?at={at}")


def test_details_and_sources_read_in_chinese(desk: Desk) -> None:
    """Numbers inside a task's details, where map figures are from and the time zone have Chinese words."""
    reader = desk.browser("reader", "duty_officer", language="zh")
    plans = [p for p in desk.journal.list("proposal", states=("open",)) if p.data["target_kind"] == "task"]
    body = {**plans[0].data["payload"], "area": "town"}
    actor = Actor("boss", (Role("dispatcher", "town"),), "post-dispatch")
    task = desk.journal.submit(Command("task", "open", body, actor, "treat")).record_id
    page = reader.get(f"/console/record/{task}")
    for words in ("车道公里", "最迟开始", "养护等级", "等待代价"):
        assert words in page
    assert not re.search(r"<dt>[a-z_0-9]+</dt>", page)
    state = reader.client.get("/console/state").json()
    assert state["source"]["en"].startswith("Clearway road model")
    assert state["source"]["zh"].startswith("畅途路面模式")
    assert reader.client.get("/console/segment/0").json()["source"] == state["source"]
    assert "（北京时间）" in reader.get("/console/report") or "(北京时间)" in reader.get("/console/report")
