"""The store: what was known when, repeats, corrections, and files that went wrong."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clearway.kernel.errors import InputError, SystemFailureError
from clearway.series.model import ObservationBatch
from clearway.series.store import SeriesStore
from tests.series.storms import HOUR, START, series, stations, storm


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SeriesStore]:
    """An empty store."""
    with SeriesStore(tmp_path / "series.sqlite") as opened:
        yield opened


def test_a_repeat_is_counted_and_not_stored_again(store: SeriesStore) -> None:
    """The same observations delivered twice, even later, are one."""
    batch = series([1.0, 2.0, 3.0])
    first = store.append(batch)
    later = ObservationBatch.build("A", "air_temperature_c", batch.valid_at, batch.value,
                                   known_at=batch.known_at + 999, source="feed")  # fmt: skip
    second = store.append(later)
    assert (first.inserted, first.repeats, first.new_series) == (3, 0, 1)
    assert (second.inserted, second.repeats, second.new_series) == (0, 3, 0)
    assert len(store.versions(None, 0, 2**40)) == 3


def test_a_repeat_within_one_delivery_is_counted(store: SeriesStore) -> None:
    """A file that lists a reading three times stores it once."""
    report = store.append(ObservationBatch.build("A", "air_temperature_c", [START] * 3, [1.0] * 3))
    assert (report.inserted, report.repeats, report.flagged) == (1, 2, {})


def test_a_correction_is_a_new_row_known_later(store: SeriesStore) -> None:
    """Before the correction is known the old value is read, afterwards the new one; both stay."""
    store.append(ObservationBatch.build("A", "air_temperature_c", START, 1.0, known_at=START + 60))
    report = store.append(ObservationBatch.build("A", "air_temperature_c", START, 1.4, known_at=START + 7200))
    assert report.corrections == 1
    assert store.window(None, START, START, START + 7199).value.tolist() == [1.0]
    assert store.window(None, START, START, START + 7200).value.tolist() == [1.4]
    assert store.versions(None, START, START).value.tolist() == [1.0, 1.4]


def test_nothing_is_seen_before_it_was_known(store: SeriesStore) -> None:
    """A reading that arrives two hours late does not exist for readers of the hours between."""
    store.append(ObservationBatch.build("A", "air_temperature_c", START, 1.0, known_at=START + 2 * HOUR))
    assert len(store.window(None, 0, 2**40, START + HOUR)) == 0
    assert len(store.latest(None, START + HOUR)) == 0
    assert store.latest(None, START + 2 * HOUR).value.tolist() == [1.0]


def test_a_change_back_is_kept_as_a_version(store: SeriesStore) -> None:
    """A, then B, then A again are three versions: only what the last known version said is a repeat."""
    for i, value in enumerate([1.0, 2.0, 1.0, 1.0]):
        store.append(ObservationBatch.build("A", "air_temperature_c", START, value, known_at=START + i))
    assert store.versions(None, START, START).value.tolist() == [1.0, 2.0, 1.0]


def test_rows_told_out_of_order_settle_by_known_time(store: SeriesStore) -> None:
    """A version learnt earlier but delivered later does not overrule the newer one."""
    store.append(ObservationBatch.build("A", "air_temperature_c", START, 2.0, known_at=START + 100))
    store.append(ObservationBatch.build("A", "air_temperature_c", START, 1.0, known_at=START + 50))
    assert store.window(None, START, START).value.tolist() == [2.0]
    assert store.window(None, START, START, START + 60).value.tolist() == [1.0]


def test_two_sources_of_one_quantity_stay_apart(store: SeriesStore) -> None:
    """Two feeds of one station that disagree do not correct each other to and fro."""
    for _ in range(3):
        for source, value in (("a", 1.0), ("b", 1.1)):
            store.append(ObservationBatch.build("A", "air_temperature_c", START, value, source=source))
    assert sorted(store.versions(None, START, START).value.tolist()) == [1.0, 1.1]


def test_missing_value_is_kept_as_a_flagged_row(store: SeriesStore) -> None:
    """A feed that withdraws a value with NaN makes a new version without number, flagged."""
    store.append(series([1.0]))
    nan = ObservationBatch.build("A", "air_temperature_c", START, np.nan, known_at=START + 9, source="feed")
    assert store.append(nan).flagged == {"sentinel": 1}
    assert np.isnan(store.window(None, START, START).value).all()
    assert store.append(nan).repeats == 1


def test_a_row_without_subject_is_refused_whole(store: SeriesStore) -> None:
    """A batch with a nameless row is refused by row number and leaves nothing behind."""
    with pytest.raises(InputError, match="row 1"):
        store.append(ObservationBatch.build(["A", ""], "q", 0, [1.0, 2.0]))
    assert len(store.window(None, 0, 2**40)) == 0


def test_read_at_a_past_moment_is_one_indexed_query(store: SeriesStore) -> None:
    """The query of ``window`` searches the primary key; nothing is scanned."""
    store.append(series([1.0, 2.0]))
    with sqlite3.connect(store.path) as connection:
        plan = connection.execute(
            "EXPLAIN QUERY PLAN SELECT series, valid_at, known_at, value, quality FROM observation "
            "WHERE series IN (?, ?) AND valid_at BETWEEN ? AND ? AND known_at <= ? "
            "ORDER BY series, valid_at, known_at, seq",
            (1, 2, 0, 1, 1),
        ).fetchall()
    connection.close()
    details = " ".join(str(row[3]) for row in plan)
    assert "SEARCH observation USING PRIMARY KEY (series=? AND valid_at>? AND valid_at<?)" in details
    assert "SCAN observation" not in details


def _sorted(batch: ObservationBatch) -> list[tuple[str, str, int, float]]:
    """Rows as plain tuples in a fixed order."""
    columns = (batch.subject, batch.quantity, batch.valid_at, batch.value)
    return sorted(zip(*(column.tolist() for column in columns), strict=True))


def test_storm_is_read_back_hour_by_hour(store: SeriesStore, shared_data: Path) -> None:
    """All 15,840 values of November 2015 come back, and at any hour only those known by then."""
    batch = storm(shared_data, "2015")
    store.put_stations(stations(shared_data))
    report = store.append(batch)
    assert (report.rows, report.inserted, report.repeats) == (15_840, 15_840, 0)
    assert report.flagged == {}
    back = store.window(None, 0, 2**40)
    assert _sorted(back) == _sorted(batch)
    at = int(batch.valid_at.min()) + 100 * HOUR
    known = store.window(["air_temperature_c"], 0, 2**40, at)
    assert len(known) == 101 * 12
    assert int(known.valid_at.max()) == at
    assert len(store.latest(["air_temperature_c"], at)) == 12
    assert store.span() == (int(batch.valid_at.min()), int(batch.valid_at.max()))
    assert len(store.subjects("pressure_hpa")) == 12


def test_a_second_writer_and_readers_in_threads(store: SeriesStore) -> None:
    """Threads write and read at once: nothing is lost, no reader sees half a batch."""
    sizes: set[int] = set()

    def write(name: str) -> None:
        for i in range(10):
            times = START + HOUR * np.arange(100 * i, 100 * i + 100)
            store.append(ObservationBatch.build(name, "air_temperature_c", times, np.arange(100) % 7))

    def read() -> None:
        for _ in range(20):
            sizes.add(len(store.window(None, 0, 2**40)) % 100)

    threads = [threading.Thread(target=write, args=(n,)) for n in ("A", "B")]
    threads += [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.window(None, 0, 2**40)) == 2000
    assert sizes == {0}


def test_another_process_reads_what_was_written(store: SeriesStore) -> None:
    """The file is shared: a second process sees committed rows."""
    store.append(series([1.0, 2.0, 3.0]))
    code = (
        "import sys; from clearway.series.store import SeriesStore\n"
        "with SeriesStore(sys.argv[1]) as s: print(len(s.window(None, 0, 2**40)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(store.path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "3"


def test_truncated_file_is_named_not_hidden(tmp_path: Path) -> None:
    """A damaged file is refused with its name and what to do."""
    path = tmp_path / "series.sqlite"
    with SeriesStore(path) as opened:
        opened.append(series(list(np.sin(np.arange(5000)))))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SystemFailureError, match=r"series\.sqlite"), SeriesStore(path) as opened:
        opened.window(None, 0, 2**40)


def test_other_files_are_refused(tmp_path: Path) -> None:
    """A file that is no database, and one written by a newer version, are refused by name."""
    path = tmp_path / "notes.txt"
    path.write_text("not a database, but long enough to look at " * 50)
    with pytest.raises(SystemFailureError, match=r"notes\.txt"):
        SeriesStore(path)
    newer = tmp_path / "newer.sqlite"
    with sqlite3.connect(newer) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(SystemFailureError, match="format 99"):
        SeriesStore(newer)


def test_full_disk_keeps_the_batch_out_whole(store: SeriesStore) -> None:
    """When the file may not grow, the batch fails as one and the rows before it stay."""
    store.append(series([1.0]))
    store._database._writer.execute("PRAGMA max_page_count = 20")
    big = series(list(np.random.default_rng(1).normal(size=20_000).round(1)), subject="B")
    with pytest.raises(SystemFailureError, match="full"):
        store.append(big)
    assert store.window(None, 0, 2**40).subject.tolist() == ["A"]
    store._database._writer.execute("PRAGMA max_page_count = 1073741823")
    assert store.append(big).inserted == 20_000


def test_closed_store_says_so(store: SeriesStore) -> None:
    """Use after close is an error in words."""
    store.close()
    with pytest.raises(SystemFailureError, match="closed"):
        store.window(None, 0, 1)


def test_revision_moves_with_every_change(store: SeriesStore, shared_data: Path) -> None:
    """Caches see new rows and moved stations, and rest on repeats."""
    seen = [store.revision]
    store.append(series([1.0]))
    seen.append(store.revision)
    store.put_stations(stations(shared_data))
    seen.append(store.revision)
    assert seen == sorted(set(seen))
    store.append(series([1.0]))
    assert store.revision == seen[-1]


_rows = st.lists(
    st.tuples(
        st.sampled_from("AB"), st.integers(0, 3), st.integers(0, 6), st.sampled_from([1.0, 2.0, float("nan")])
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deliveries=st.lists(_rows, min_size=1, max_size=4))
def test_reads_match_a_plain_model(
    deliveries: list[list[tuple[str, int, int, float]]], tmp_path: Path
) -> None:
    """For any deliveries, ``window(known_by)`` is the value told last among those known by then."""
    path = tmp_path / "model.sqlite"
    for suffix in ("", "-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
    told: list[tuple[str, int, int, float]] = []
    with SeriesStore(path) as opened:
        for turn, delivery in enumerate(deliveries):
            rows = [(s, valid, known + 7 * turn, value) for s, valid, known, value in delivery]
            columns = list(zip(*rows, strict=True))
            opened.append(
                ObservationBatch.build(columns[0], "condition", columns[1], columns[3], known_at=columns[2])
            )
            told += rows
        for known_by in range(-1, 7 * len(deliveries)):
            expected: dict[tuple[str, int], float] = {}
            for subject, valid, known, value in sorted(told, key=lambda row: row[2]):
                if known <= known_by:
                    expected[subject, valid] = value
            found = opened.window(None, 0, 10, known_by)
            got = dict(zip(zip(found.subject, found.valid_at, strict=True), found.value, strict=True))
            assert got.keys() == expected.keys()
            for key, value in expected.items():
                assert np.array_equal(got[key], value, equal_nan=True)
