"""Figures of a laptop's server in one SQLite file: they survive a restart, and cost a request no write.

Values are counted by minute in buckets that grow by a twentieth, so that rows need only be added for the
quantiles of any stretch of time, which are off by 2.5% at most; as in DDSketch (Masson et al., VLDB 2019).
After two days minutes are put together to hours, and after ninety days they are dropped.
"""

import math
import sqlite3
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from malaria.adapters.meters import finite
from malaria.adapters.sqlite_file import SqliteFile
from malaria.errors import Busy
from malaria.history import BEAT, QUANTILES, UP, Course, Digest, Span, has_quantiles
from malaria.metric_names import Metric
from malaria.ports import Clock

_SCHEMA = """
CREATE TABLE IF NOT EXISTS told (
    minute INTEGER NOT NULL,
    metric TEXT NOT NULL,
    bucket INTEGER NOT NULL,
    count REAL NOT NULL,
    total REAL NOT NULL,
    PRIMARY KEY (metric, minute, bucket)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS told_by_minute ON told (minute);
"""
_ADD = """
INSERT INTO told (minute, metric, bucket, count, total) VALUES (?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET count = count + excluded.count, total = total + excluded.total
"""
_READ = """
SELECT (minute * 60 - :start) / :step, bucket, SUM(count), SUM(total) FROM told
WHERE metric = :metric AND minute >= :first AND minute < :end GROUP BY 1, 2 ORDER BY 1, 2
"""
_FIRST = """
SELECT minute, SUM(total) FROM told WHERE metric = :metric GROUP BY minute ORDER BY minute LIMIT 1
"""
_TO_HOURS = """
INSERT INTO told (minute, metric, bucket, count, total)
SELECT minute / 60 * 60, metric, bucket, SUM(count), SUM(total) FROM told
WHERE minute < :before AND minute % 60 != 0 GROUP BY 1, 2, 3
ON CONFLICT DO UPDATE SET count = count + excluded.count, total = total + excluded.total
"""
_GROWTH = math.log(1.05)
_NOTHING = -(10**6)
"""Bucket of zero and below, and of what has no quantiles."""
LATE = 2 * BEAT
"""Seconds: a beat comes late on a busy machine."""
MINUTES_KEPT, KEPT = timedelta(days=2), timedelta(days=90)

Key = tuple[int, str, int]


class SqliteHistory:
    """A Meter and a History in a file. Of what was told since the last `flush`, a power cut takes all; `read`
    flushes. busy: seconds to wait for another writer. flush, thin and read raise as SqliteFile does."""

    def __init__(self, path: Path, clock: Clock, *, busy: float = 5.0) -> None:
        self._file = SqliteFile(path, "The file of figures", _SCHEMA, "told_by_minute", busy)
        self._clock = clock
        self._new: dict[Key, list[float]] = defaultdict(lambda: [0.0, 0.0])
        self._lock = threading.Lock()

    def tell(self, values: Mapping[Metric, float | Sequence[float]], **properties: str) -> None:
        now = self._clock.now().timestamp()
        with self._lock:
            for metric, told in finite(values, properties).items():
                for value in told:
                    parts = _minutes_of(now, value) if metric is UP else [(int(now // 60), value)]
                    for minute, part in parts:
                        self._add((minute, metric.name, _bucket(metric, value)), 1.0, part)

    def flush(self) -> None:
        """Write what was told since. Nothing of it is lost where that fails."""
        with self._lock:
            new, self._new = self._new, defaultdict(lambda: [0.0, 0.0])
        if not new:
            return
        try:
            with self._file.writing() as db:
                db.executemany(_ADD, [(*key, *sums) for key, sums in new.items()])
        except Busy:
            with self._lock:
                for key, (count, total) in new.items():
                    self._add(key, count, total)
            raise

    def thin(self) -> None:
        """Put old minutes together, and drop what is older still."""
        now = int(self._clock.now().timestamp() // 60)
        before = (now - _minutes(MINUTES_KEPT)) // 60 * 60
        with self._file.writing() as db:
            db.execute("DELETE FROM told WHERE minute < ?", (now - _minutes(KEPT),))
            db.execute(_TO_HOURS, {"before": before})
            db.execute("DELETE FROM told WHERE minute < ? AND minute % 60 != 0", (before,))

    def read(self, metrics: Sequence[Metric], span: Span) -> Mapping[Metric, Course]:
        self.flush()
        asked = {
            "start": int(span.start.timestamp()),
            "step": int(span.step.total_seconds()),
            "first": int(span.start.timestamp() // 60),
            "end": int(span.end.timestamp() // 60),
        }
        found = {}
        with self._file.reading() as db:
            for metric in metrics:
                rows = db.execute(_READ, asked | {"metric": metric.name}).fetchall()
                found[metric] = _course(rows, span, has_quantiles(metric))
            began = self._began(db)
        if UP in found and began is not None:
            found[UP] = self._up(found[UP], span, began)
        return found

    def _began(self, db: sqlite3.Connection) -> datetime | None:
        """When the first server told that it was there, which it did until the end of that minute."""
        first = db.execute(_FIRST, {"metric": UP.name}).fetchone()
        if first is None:
            return None
        begin = datetime.fromtimestamp(60 * first[0], UTC)
        end = min(begin + timedelta(minutes=1), self._clock.now())
        return max(begin, end - timedelta(seconds=first[1]))

    def _add(self, key: Key, count: float, total: float) -> None:
        sums = self._new[key]
        sums[0] += count
        sums[1] += total

    def _up(self, told: Course, span: Span, began: datetime) -> Course:
        """The seconds that a server told of as shares of those that have passed since there is a file. In the
        step that is not over yet the last beat is still to come, so what it may hold is not missed."""
        now = self._clock.now()
        steps = []
        for begin, step in zip(span.moments, told.steps, strict=True):
            passed = (min(begin + span.step, now) - max(begin, began)).total_seconds()
            up = step.total if step else 0.0
            if now < begin + span.step and passed - up <= LATE:
                up = passed
            steps.append(Digest(passed, min(up, passed)) if passed > 0 else None)
        known = [step for step in steps if step]
        whole = Digest(sum(one.count for one in known), sum(one.total for one in known)) if known else None
        return Course(whole, tuple(steps))


def _minutes(time: timedelta) -> int:
    return int(time.total_seconds() // 60)


def _minutes_of(end: float, seconds: float) -> Iterator[tuple[int, float]]:
    """The minutes in which the seconds before `end` lie, and how many lie in each: a beat tells of the time
    before it, which may have begun in the minute before."""
    begin = end - seconds
    while begin < end:
        minute = int(begin // 60)
        until = min(end, 60.0 * (minute + 1))
        yield minute, until - begin
        begin = until


def _bucket(metric: Metric, value: float) -> int:
    return math.floor(math.log(value) / _GROWTH) if has_quantiles(metric) and value > 0 else _NOTHING


def _middle(bucket: int) -> float:
    return 0.0 if bucket == _NOTHING else math.exp((bucket + 0.5) * _GROWTH)


Rows = Sequence[tuple[int, int, float, float]]
"""Place of the step, bucket, how many values, and their sum; in order."""


def _course(rows: Rows, span: Span, ordered: bool) -> Course:
    by_step: dict[int, list[tuple[int, float, float]]] = defaultdict(list)
    whole: dict[int, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for place, bucket, count, total in rows:
        by_step[place].append((bucket, count, total))
        whole[bucket][0] += count
        whole[bucket][1] += total
    together = [(bucket, count, total) for bucket, (count, total) in sorted(whole.items())]
    steps = tuple(_digest(by_step.get(place, []), ordered) for place in range(span.steps))
    return Course(_digest(together, ordered), steps)


def _digest(buckets: Sequence[tuple[int, float, float]], ordered: bool) -> Digest | None:
    """Of buckets in order."""
    count = sum(one for _, one, _ in buckets)
    if not count:
        return None
    quantiles = dict(_quantiles(buckets, count)) if ordered else {}
    return Digest(count, sum(total for _, _, total in buckets), quantiles)


def _quantiles(buckets: Sequence[tuple[int, float, float]], count: float) -> Iterator[tuple[float, float]]:
    for share in QUANTILES:
        seen = 0.0
        for bucket, one, _ in buckets:
            seen += one
            if seen >= share * count:
                yield share, _middle(bucket)
                break
