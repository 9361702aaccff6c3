"""The file of figures: quantiles from buckets, restarts, outages, thinning, several writers, a full disk."""

import sqlite3
from datetime import timedelta
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from malaria import metric_names as names
from malaria.adapters.sqlite_history import KEPT, MINUTES_KEPT, SqliteHistory
from malaria.errors import Busy
from malaria.history import LATENCY, QUANTILES, REQUESTS, UP, Span
from tests.contract.clock import SetClock


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.sqlite"


@pytest.fixture
def history(path: Path, clock: SetClock) -> SqliteHistory:
    return SqliteHistory(path, clock)


def test_quantiles_are_near_those_of_the_values(history: SqliteHistory, clock: SetClock) -> None:
    values = np.random.default_rng(3).lognormal(3, 1, 4000)
    history.tell({LATENCY: values.tolist()})
    whole = history.read([LATENCY], Span.of("1h", clock.now()))[LATENCY].whole
    assert whole is not None
    for share in QUANTILES:
        exact = np.quantile(values, share, method="inverted_cdf")
        assert whole.quantiles[share] == pytest.approx(exact, rel=0.026)


def test_zero_has_a_place_among_values(history: SqliteHistory, clock: SetClock) -> None:
    history.tell({names.IMAGE_DEVIATION: [0.0, 0.0, 0.0, 2.0]})
    found = history.read([names.IMAGE_DEVIATION], Span.of("1h", clock.now()))[names.IMAGE_DEVIATION].whole
    assert found is not None
    assert found.quantiles[0.5] == 0.0
    assert found.quantiles[0.99] == pytest.approx(2.0, rel=0.03)


def test_what_was_written_survives_a_restart(history: SqliteHistory, path: Path, clock: SetClock) -> None:
    history.tell({REQUESTS: 3})
    history.flush()
    again = SqliteHistory(path, clock)
    again.tell({REQUESTS: 4})
    whole = again.read([REQUESTS], Span.of("1h", clock.now()))[REQUESTS].whole
    assert whole is not None
    assert whole.total == 7


def test_time_without_a_pulse_is_an_outage_and_time_before_the_file_is_not(
    history: SqliteHistory, clock: SetClock
) -> None:
    clock.go(60)
    history.tell({UP: 60.0})
    clock.go(540)
    found = history.read([UP], Span.of("1h", clock.now()))[UP]
    assert found.whole is not None
    assert found.whole.count == 600
    assert found.whole.mean == pytest.approx(0.1)
    known = [step.mean for step in found.steps if step]
    assert known == [1.0] + [0.0] * 9


def test_a_step_that_has_just_begun_is_no_outage(history: SqliteHistory, clock: SetClock) -> None:
    """The first beat of a minute is told seconds after it began."""
    clock.go(60)
    history.tell({UP: 60.0})
    told = []
    for after in (3, 12):  # 3 seconds into the next minute, and 15, with no beat meanwhile
        clock.go(after)
        told.append(history.read([UP], Span.of("1h", clock.now()))[UP].steps[-1])
    assert [one.mean if one else None for one in told] == [1.0, 0.0]


def test_a_beat_that_began_in_the_minute_before_counts_there(history: SqliteHistory, clock: SetClock) -> None:
    """Beats of seven seconds fall on no whole minute, and no minute lacks any."""
    for _ in range(60):
        clock.go(7)
        history.tell({UP: 7.0})
    found = history.read([UP], Span.of("1h", clock.now()))[UP]
    assert [step.mean for step in found.steps if step] == [pytest.approx(1.0)] * 7


def test_old_minutes_become_hours_and_add_up_to_the_same(history: SqliteHistory, clock: SetClock) -> None:
    for _ in range(150):
        history.tell({REQUESTS: 1, LATENCY: 12.0})
        clock.go(60)
    clock.go(MINUTES_KEPT.total_seconds() + 3600)
    history.flush()
    span = Span.of("7d", clock.now())
    before = history.read([REQUESTS, LATENCY], span)
    rows = _rows(history)
    history.thin()
    history.thin()
    assert _rows(history) < rows / 10
    assert history.read([REQUESTS, LATENCY], span) == before


def test_what_is_older_still_is_dropped(history: SqliteHistory, clock: SetClock) -> None:
    history.tell({REQUESTS: 1})
    history.flush()
    clock.go((KEPT + timedelta(minutes=1)).total_seconds())
    history.thin()
    assert _rows(history) == 0


def test_writers_add_up(history: SqliteHistory, path: Path, clock: SetClock) -> None:
    def write(mine: SqliteHistory) -> None:
        for _ in range(20):
            mine.tell({REQUESTS: 1})
            mine.flush()

    threads = [Thread(target=write, args=(one,)) for one in (history, history, SqliteHistory(path, clock))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    whole = history.read([REQUESTS], Span.of("1h", clock.now()))[REQUESTS].whole
    assert whole is not None
    assert whole.total == 60


def test_a_file_that_is_locked_loses_nothing(path: Path, clock: SetClock) -> None:
    history = SqliteHistory(path, clock, busy=0.05)
    history.tell({REQUESTS: 1})
    with sqlite3.connect(path, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Busy, match="file of figures"):
            history.flush()
        history.tell({REQUESTS: 1})
        other.execute("ROLLBACK")
    whole = history.read([REQUESTS], Span.of("1h", clock.now()))[REQUESTS].whole
    assert whole is not None
    assert whole.total == 2


def _rows(history: SqliteHistory) -> int:
    with history._file.reading() as db:
        return int(db.execute("SELECT COUNT(*) FROM told").fetchone()[0])
