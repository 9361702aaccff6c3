"""While a laptop's server runs it says so, and what it takes; what it was told is written down meanwhile."""

import logging
import threading
import time

from malaria.errors import MalariaError
from malaria.history import BEAT, UP
from malaria.ports import Recorder
from malaria.vitals import Vitals

log = logging.getLogger(__name__)

SELDOM = 3600.0
"""Seconds between two times that old minutes are put together."""


class Pulse:
    """A thread that beats until the context ends."""

    def __init__(self, recorder: Recorder, vitals: Vitals) -> None:
        self._recorder, self._vitals = recorder, vitals
        self._stop = threading.Event()
        self._last = time.monotonic()
        self._due = float("-inf")
        self._failing = False
        self._thread = threading.Thread(target=self._work, name="pulse", daemon=True)

    def __enter__(self) -> "Pulse":
        self._last = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(timeout=10)
        self.beat()

    def beat(self) -> None:
        """Tell and write. What fails is logged once, and tried again at the next beat."""
        now = time.monotonic()
        self._recorder.tell({UP: now - self._last, **self._vitals.take()})
        self._last = now
        try:
            self._recorder.flush()
            if now >= self._due:
                self._due = now + SELDOM
                self._recorder.thin()
            self._failing = False
        except MalariaError as error:
            if not self._failing:
                log.warning("figures are kept in memory for now: %s", error)
            self._failing = True

    def _work(self) -> None:
        while not self._stop.wait(BEAT):
            self.beat()
