"""Fixtures for every room. What each needs from the machine is said in :mod:`tests.support`."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

from tests.support import chromium, postgres
from tests.support.needs import NO_PACKAGES, in_ci, missing

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).resolve().parents[1]

hypothesis.settings.register_profile("house", deadline=None, print_blob=True)
hypothesis.settings.register_profile("ci", deadline=None, print_blob=True, derandomize=True, database=None)
hypothesis.settings.load_profile("ci" if in_ci() else "house")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by the fixtures they use, so that ``-m 'not browser'`` works without further ado."""
    for item in items:
        names = set(getattr(item, "fixturenames", ()))
        if names & {"browser", "page"}:
            item.add_marker("browser")
        if names & {"postgres_url", "postgres_server"}:
            item.add_marker("postgres")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With CI=true a browser or PostgreSQL test that was skipped has failed.

    One reason is good: the npm registry could not be reached when the console's scripts were to be built.
    """
    report = yield
    if NO_PACKAGES in str(report.longrepr):
        return report
    needs = item.get_closest_marker("browser") or item.get_closest_marker("postgres")
    if in_ci() and needs and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped although CI=true: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real data sets that lie beside the repository and are not shipped with it."""
    folder = Path(os.environ.get("CLEARWAY_SHARED_DATA") or ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        missing(f"no shared data at {folder}; set CLEARWAY_SHARED_DATA to the folder")
    return folder


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """URL of a journal file that does not exist yet."""
    return f"sqlite:///{(tmp_path / 'journal.sqlite').as_posix()}"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Connection string of a PostgreSQL in which databases may be created; a private one if none is up."""
    try:
        running = postgres.running_server()
        if running:
            yield running
            return
        with postgres.private_server() as started:
            yield started
    except postgres.NoServerError as error:
        missing(str(error))


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """SQLAlchemy URL of a new empty database, dropped after the test."""
    with postgres.throw_away_database(postgres_server) as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def store_url(request: pytest.FixtureRequest) -> str:
    """An empty store, once as an SQLite file and once as a PostgreSQL database."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real chromium without a window; everything but loopback is out of its reach.

    One for each module: while it is open an event loop runs in this thread, and other tests need their own.
    """
    path = chromium.program()
    if path is None:
        missing("chromium is not installed")
    with chromium.browser(path) as running:
        yield running


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh page of its own context, desktop size, reading English."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB")
    context.set_default_timeout(15_000)
    try:
        yield context.new_page()
    finally:
        context.close()
