"""Something done again and again beside everything else, until it is ended."""

import logging
import threading
from collections.abc import Callable

log = logging.getLogger(__name__)


class Rounds:
    """A thread that calls `turn` every so many seconds; a context manager starts and ends it.

    What goes wrong in one round is logged, and the next comes all the same.
    """

    def __init__(self, name: str, turn: Callable[[], None], seconds: float = 0.2) -> None:
        self._turn, self._seconds = turn, seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)

    def __enter__(self) -> "Rounds":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(timeout=10)

    def _work(self) -> None:
        while not self._stop.wait(self._seconds):
            try:
                self._turn()
            except Exception:  # whatever it was, the next round must come
                log.exception("a round of %s failed", self._thread.name)
