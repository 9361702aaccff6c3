"""Progress of a part, told as that of the whole."""

from dataclasses import replace

from malaria.domain import Progress
from malaria.ports import Report


def part(report: Report, begin: float, span: float) -> Report:
    """A report for a part that counts 0 to 100 of its own, laid onto begin..begin+span of the whole."""

    def scaled(progress: Progress) -> None:
        report(replace(progress, percent=begin + span * (progress.percent or 0.0) / 100))

    return scaled
