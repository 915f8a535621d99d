"""The fixtures of tests/conftest.py do what they promise."""

from __future__ import annotations

import http.server
import socket
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from pytest_socket import SocketConnectBlockedError
from sqlalchemy import create_engine, text

from tests import conftest
from tests.support import needs, postgres

if TYPE_CHECKING:
    from playwright.sync_api import Page


@pytest.mark.filterwarnings("ignore:A test tried to use socket")  # said once more beside the error
def test_network_beyond_loopback_is_closed() -> None:
    """A test that reaches for an address outside the machine fails by name."""
    with socket.socket() as probe, pytest.raises(SocketConnectBlockedError, match=r"192\.0\.2\.1"):
        probe.connect(("192.0.2.1", 80))


def test_store_url_is_empty_and_writable(store_url: str) -> None:
    """Both kinds of store start empty, take a table and keep Chinese text."""
    engine = create_engine(store_url)
    with engine.begin() as connection:
        connection.execute(text("create table a (b text)"))
        connection.execute(text("insert into a values ('结冰')"))
        assert connection.execute(text("select b from a")).scalar_one() == "结冰"
    engine.dispose()


def test_private_postgres_starts_and_leaves_nothing() -> None:
    """A private server answers, gives databases away and is gone afterwards, also when we are root."""
    try:
        with postgres.private_server() as conninfo:
            assert postgres.can_create_databases(conninfo)
            with postgres.throw_away_database(conninfo) as url:
                engine = create_engine(url)
                with engine.connect() as connection:
                    assert (
                        connection.execute(
                            text("select count(*) from pg_tables where schemaname='public'")
                        ).scalar()
                        == 0
                    )
                engine.dispose()
    except postgres.NoServerError as error:
        if "not installed" not in str(error):
            raise
        pytest.skip(str(error))
    assert not postgres.can_create_databases(conninfo)


def test_a_server_named_by_the_environment_must_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server somebody asked for is never silently replaced by another one."""
    monkeypatch.setenv(postgres.ENV, "postgresql://nobody@127.0.0.1:9/postgres")
    with pytest.raises(postgres.NoServerError, match=postgres.ENV):
        postgres.running_server()


def test_page_shows_chinese(page: Page, tmp_path: Path) -> None:
    """The browser loads a loopback page and runs its script."""
    (tmp_path / "index.html").write_text(
        "<!doctype html><meta charset=utf-8><p id=p></p><script>p.textContent='解除'</script>",
        encoding="utf-8",
    )

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args: object) -> None:
            super().__init__(*args, directory=str(tmp_path))  # type: ignore[arg-type]  # passed on as they came

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        page.goto(f"http://127.0.0.1:{server.server_port}/")
        assert page.inner_text("#p") == "解除"
        server.shutdown()


def test_shared_data_is_there(shared_data: Path) -> None:
    """The real storm lies beside the repository."""
    assert (shared_data / "beijing" / "beijing_roads.osm.pbf").stat().st_size > 100_000


@pytest.mark.parametrize(
    ("ci", "marker", "outcome"),
    [
        ("true", "browser", "failed"),
        ("true", "postgres", "failed"),
        ("true", "other", "skipped"),
        ("", "postgres", "skipped"),
    ],
)
def test_a_skip_fails_where_nothing_may_be_missing(
    monkeypatch: pytest.MonkeyPatch, ci: str, marker: str, outcome: str
) -> None:
    """With CI=true a skipped browser or PostgreSQL test has failed; elsewhere it is a skip."""
    monkeypatch.setenv("CI", ci)
    item = SimpleNamespace(get_closest_marker=lambda name: name if name == marker else None)
    report = SimpleNamespace(skipped=True, outcome="skipped", longrepr="no server")
    hook = conftest.pytest_runtest_makereport(item)  # type: ignore[arg-type]  # only what the hook uses
    next(hook)
    with pytest.raises(StopIteration) as ended:
        hook.send(report)  # type: ignore[arg-type]  # only what the hook uses
    assert ended.value.value.outcome == outcome


def test_what_is_missing_skips_here_and_fails_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fixture that lacks something says so in the way that fits the place."""
    monkeypatch.setenv("CI", "")
    with pytest.raises(pytest.skip.Exception, match="no browser"):
        needs.missing("no browser")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="no browser"):
        needs.missing("no browser")
