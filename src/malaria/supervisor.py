"""What a laptop does beside answering: looks at the inbox, launches what waits, buries what died, and
takes up newly promoted models. On AWS events and schedules do this."""

import logging
import threading
import time
from collections.abc import Callable

from malaria import policy
from malaria.adapters.inbox import Inbox
from malaria.services import Services

log = logging.getLogger(__name__)

SELDOM = 60.0
"""Seconds between two looks at the kept pictures, of which there may be many."""


class Supervisor:
    """A thread that looks round every `poll_seconds`; a context manager starts and ends it."""

    def __init__(self, services: Services, inbox: Inbox) -> None:
        self._services, self._inbox = services, inbox
        self._stop = threading.Event()
        self._told: set[str] = set()
        self._due = float("-inf")
        self._thread = threading.Thread(target=self._work, name="supervisor", daemon=True)

    def __enter__(self) -> "Supervisor":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(timeout=10)

    def look(self) -> None:
        """One round. Each duty stands alone: one that fails is logged and tried again next time."""
        duties: tuple[Callable[[], object], ...] = (
            self._services.served.refresh,
            self._inbox.scan,
            self._services.trigger.reconcile,
            self._services.trigger.dispatch,
        )
        if time.monotonic() >= self._due:
            self._due = time.monotonic() + SELDOM
            duties += (self._services.kept.sweep, self._open_retraining)
        for duty in duties:
            try:
                duty()
                self._told.discard(duty.__name__)
            except Exception:  # whatever it was, the next round must come; it is told once, not every second
                if duty.__name__ not in self._told:
                    self._told.add(duty.__name__)
                    log.exception("%s failed and is tried again every round", duty.__name__)

    def _open_retraining(self) -> None:
        policy.look(self._services)

    def _work(self) -> None:
        while not self._stop.is_set():
            self.look()
            self._stop.wait(self._services.settings.poll_seconds)
