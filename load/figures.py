"""What was counted: answers, refusals that said when to come back, failures, and how long answers took."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

REFUSED = " (refused, told when to come back)"
"""Ends the name under which such refusals are counted, in every report apart from answers."""
BATCH = "/predict/batch"
"""Begins the names of batches, which take as long as they are large and are held to a bound of their own."""


@dataclass(frozen=True)
class Figures:
    """answered: right answers, and right refusals of bad input. times, batch_times: how many of the answers,
    right or wrong, took so many milliseconds, rounded as Locust rounds them."""

    answered: int = 0
    refused: int = 0
    failed: int = 0
    times: Counter[int] = field(default_factory=Counter)
    batch_times: Counter[int] = field(default_factory=Counter)

    @property
    def asked(self) -> int:
        return self.answered + self.refused + self.failed

    @property
    def failed_share(self) -> float:
        return self.failed / self.asked if self.asked else 0.0

    @property
    def refused_share(self) -> float:
        return self.refused / self.asked if self.asked else 0.0

    def since(self, before: "Figures") -> "Figures":
        """What came after `before` was counted."""
        return Figures(
            self.answered - before.answered,
            self.refused - before.refused,
            self.failed - before.failed,
            self.times - before.times,
            self.batch_times - before.batch_times,
        )


def percentile(times: Counter[int], share: float) -> int | None:
    """Milliseconds within which this share of the answers came; None where there are none."""
    total, seen = sum(times.values()), 0
    for milliseconds in sorted(times):
        seen += times[milliseconds]
        if seen >= share * total:
            return milliseconds
    return None


def counted(entries: Iterable[Any]) -> Figures:
    """The figures of Locust's entries: one for each name, with `num_requests`, `num_failures` and
    `response_times`."""
    answered = refused = failed = 0
    times: Counter[int] = Counter()
    batch_times: Counter[int] = Counter()
    for entry in entries:
        if entry.name.endswith(REFUSED):
            refused += entry.num_requests
            continue
        answered += entry.num_requests - entry.num_failures
        failed += entry.num_failures
        (batch_times if entry.name.startswith(BATCH) else times).update(entry.response_times)
    return Figures(answered, refused, failed, times, batch_times)
