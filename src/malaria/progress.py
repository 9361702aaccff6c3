"""Progress of a part, told as that of the whole."""

from dataclasses import replace

from malaria.domain import Progress
from malaria.ports import Report

SETTLED = 0.05
"""Share of a training from which its pace foretells how long it takes."""


def part(report: Report, begin: float, span: float) -> Report:
    """A report for a part that counts 0 to 100 of its own, laid onto begin..begin+span of the whole."""

    def scaled(progress: Progress) -> None:
        report(replace(progress, percent=begin + span * (progress.percent or 0.0) / 100))

    return scaled


class Series:
    """Progress of trainings that take about as long as each other: percent and seconds left over all of them.

    units: how many there are. report: for what is done between them, and is none of them.
    """

    def __init__(self, units: int, report: Report) -> None:
        self.report = report
        self._units, self._done, self._one_takes = units, 0, 0.0

    def of(self, name: str) -> Report:
        """A report for one of them, which is told as the step `name`."""

        def told(at: Progress) -> None:
            share = (at.percent or 0.0) / 100
            settled = share > SETTLED or not self._one_takes  # the first steps also build the graph
            if at.eta is not None and share < 1 and settled:
                self._one_takes = at.eta / (1 - share)
            left = self._units - self._done - share
            percent = 100 * (1 - left / self._units)
            eta = self._one_takes * left if self._one_takes else None
            self.report(replace(at, step=name, percent=percent, eta=eta))

        return told

    def finished(self) -> None:
        """One more is done, now or in a run before."""
        self._done += 1
