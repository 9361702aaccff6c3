"""How much work may be done at once, and how much may wait."""

import threading
from collections import Counter
from collections.abc import Callable
from typing import TypeVar

import anyio.to_thread
from anyio import CapacityLimiter

from malaria.errors import Busy

T = TypeVar("T")


class Turnstile:
    """Runs work in threads: so many at once, so many more waiting, the rest refused at once.

    The bound on threads is a bound on memory too: each may hold a decoded picture of 50 million pixels.
    """

    def __init__(self, at_once: int, waiting: int, what: str) -> None:
        self._limiter = CapacityLimiter(at_once)
        self._most = at_once + waiting
        self._what = what
        self._inside = 0  # touched by the event loop's thread only

    async def run(self, work: Callable[[], T]) -> T:
        """Run `work` in a thread. Raises Busy where too many wait already, and what `work` raises."""
        if self._inside >= self._most:
            raise Busy(f"{self._inside} {self._what} are under way or waiting. Try again in a second.")
        self._inside += 1
        try:
            return await anyio.to_thread.run_sync(work, limiter=self._limiter)
        finally:
            self._inside -= 1


class Tally:
    """Counts of what this process has answered."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: Counter[str] = Counter()

    def add(self, answers: Counter[str]) -> None:
        with self._lock:
            self._answers.update(answers)

    def read(self) -> dict[str, int]:
        with self._lock:
            return dict(self._answers)
