"""How much each caller may ask: a bucket of tokens for each name, which fills again evenly.

The buckets live in one process: another process, and on AWS another instance of the function, has buckets of
its own. What they stand for is not kept; a process that starts anew begins with full ones.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

MINUTE = 60.0
MOST = 10_000
"""Names whose buckets are remembered. More would let strangers fill the memory."""
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Standing:
    """left: whole tokens that can be taken now. wait: seconds until there is one more than these."""

    left: int
    wait: float


@dataclass(slots=True)
class _Bucket:
    """level: tokens at the time `at`; below 0 where more was taken than a full bucket holds."""

    level: float
    at: float


class Buckets:
    """A bucket for each name, full at first; for many threads.

    A bucket holds the tokens of one minute, so a caller may use a minute's worth at once. Beyond `most` names
    the one that was used longest ago is forgotten, which is as if its bucket were full.
    """

    def __init__(self, most: int = MOST, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._most, self._monotonic = most, monotonic
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, name: str, per_minute: int, tokens: int = 1) -> float:
        """Take tokens and return 0; or take none, and return the seconds after which they can be had.

        Who asks for more than a full bucket holds gets it from a full one, and owes the rest: nothing is
        too large for ever, and over time no name gets more than its rate. per_minute: 1 or more.
        """
        with self._lock:
            bucket = self._now(name, per_minute)
            lacking = min(tokens, per_minute) - bucket.level
            if lacking > _ROUNDING:
                return lacking * MINUTE / per_minute
            bucket.level -= tokens
            return 0.0

    def standing(self, name: str, per_minute: int) -> Standing:
        """What can be taken now, and when it will be more."""
        with self._lock:
            level = self._now(name, per_minute).level
        left = max(0, int(level + _ROUNDING))
        return Standing(left, (left + 1 - level) * MINUTE / per_minute)

    def __len__(self) -> int:
        return len(self._buckets)

    def _now(self, name: str, per_minute: int) -> _Bucket:
        """The bucket of a name as it stands now; it is the one used last."""
        now = self._monotonic()
        bucket = self._buckets.setdefault(name, _Bucket(per_minute, now))
        passed = max(0.0, now - bucket.at)
        bucket.level = min(per_minute, bucket.level + passed * per_minute / MINUTE)
        bucket.at = now
        self._buckets.move_to_end(name)
        if len(self._buckets) > self._most:
            self._buckets.popitem(last=False)
        return bucket
