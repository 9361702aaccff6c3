"""One look round, where a schedule has no process that stays: what `supervisor` does on a laptop.

What waits and what runs is told as it is at one look, and read as the most of many, so that it does not
matter how often it is looked at. Jobs that end are told of by their ledger (`metered_jobs`), also those that
are buried here.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from malaria import metric_names as names
from malaria import policy
from malaria.arrivals import Arrivals
from malaria.domain import JobState
from malaria.services import Services

log = logging.getLogger(__name__)

_MANY = 1000
"""Jobs beyond so many are not counted."""


@dataclass(frozen=True)
class Round:
    """unaccounted: uploads that had no job. changed: jobs whose process had ended without a word. opened: a
    retraining that was due. launched: the job that was. swept: kept pictures that had lapsed."""

    unaccounted: int
    changed: int
    opened: str | None
    launched: str | None
    swept: int


def look(services: Services) -> None:
    """See to what has ended, and launch what waits. Events that have it done repeat and come in any order, so
    it asks nothing of them. Raises Busy where ledger or launcher fail; look again."""
    services.trigger.reconcile()
    services.trigger.dispatch()
    tell(services)


def tell(services: Services) -> None:
    """Tell how many jobs wait and run now. Raises Busy where the ledger fails."""
    queued, running = (
        len(services.jobs.list(state=state, limit=_MANY)) for state in (JobState.QUEUED, JobState.RUNNING)
    )
    services.meter.tell({names.JOBS_QUEUED: queued, names.JOBS_RUNNING: running})


def go(services: Services, arrivals: Arrivals) -> Round:
    """Every duty once, also where one before it fails. Raises an ExceptionGroup of what went wrong."""
    errors: list[Exception] = []

    def do(duty: Callable[[], Any]) -> Any:
        try:
            return duty()
        except Exception as error:  # whatever it was, the other duties must be done; it is raised in the end
            log.exception("a duty of the round failed: %s", type(error).__name__)
            errors.append(error)
            return None

    missed = do(arrivals.missed)
    if missed is not None:
        services.meter.tell({names.UNACCOUNTED_UPLOADS: len(missed)})
    changed = do(services.trigger.reconcile)
    swept = do(services.kept.sweep)
    opened = do(lambda: policy.look(services))
    launched = do(services.trigger.dispatch)
    do(lambda: tell(services))
    if errors:
        raise ExceptionGroup("duties of the round failed", errors)
    return Round(
        unaccounted=len(missed),
        changed=len(changed),
        opened=opened.id if opened else None,
        launched=launched.id if launched else None,
        swept=swept,
    )
