"""One look round, where a schedule has no process that stays: what `supervisor` does on a laptop."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from malaria import policy
from malaria.arrivals import Arrivals
from malaria.services import Services

log = logging.getLogger(__name__)


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
    changed = do(services.trigger.reconcile)
    swept = do(services.kept.sweep)
    opened = do(lambda: policy.look(services))
    launched = do(services.trigger.dispatch)
    if errors:
        raise ExceptionGroup("duties of the round failed", errors)
    return Round(
        unaccounted=len(missed),
        changed=len(changed),
        opened=opened.id if opened else None,
        launched=launched.id if launched else None,
        swept=swept,
    )
