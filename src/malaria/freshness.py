"""Takes up new promotions between requests, where no thread may outlive one."""

import logging
from datetime import datetime, timedelta

from malaria.errors import MalariaError
from malaria.ports import Clock
from malaria.predict import Served

log = logging.getLogger(__name__)


class Freshness:
    """Looks for a new promotion where the last look is `seconds` old. By the clock, not by a count of the
    process, which may stand still while nobody asks."""

    def __init__(self, served: Served, clock: Clock, seconds: float = 20.0) -> None:
        self._served, self._clock, self._every = served, clock, timedelta(seconds=seconds)
        self._looked: datetime | None = None

    def look(self) -> None:
        """Never raises: what is served goes on being served, and the next look tries again."""
        now = self._clock.now()
        if self._looked is not None and timedelta(0) <= now - self._looked < self._every:
            return
        self._looked = now
        try:
            self._served.refresh()
        except (MalariaError, OSError):  # OSError: no room for the new model
            log.exception("what is served now could not be looked up")
