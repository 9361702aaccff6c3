"""Whether a model errs on confirmed cells more often than its probabilities say it should.

A calibrated model that calls a cell parasitized at P = 0.9 is wrong there once in ten. So the errors to be
expected are known of whichever cells people look at, doubtful ones or alarms, as long as they do not choose
by what the cell turned out to be. Errors beyond that are drift: stains, cameras or patients unlike those on
which the model was calibrated.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from math import sqrt

from malaria.domain import Confirmation, Label


@dataclass(frozen=True, slots=True)
class Excess:
    """cells: answered ones. wrong: of these. expected: wrong ones by the probabilities told. deviations: by
    how many standard deviations there are more."""

    cells: int
    wrong: int
    expected: float
    deviations: float


def excess(cells: Iterable[Confirmation]) -> Excess:
    """Errors beyond those expected, of settled cells of one model.

    The standard deviation is the larger of that of independent cells and that seen between patients (Liang
    and Zeger, Biometrika 1986), so n patients show at most the root of n deviations: one odd patient is no
    drift. A cell of an unknown patient is a patient of its own.
    """
    count, wrong, expected, variance = 0, 0, 0.0, 0.0
    beyond: dict[str | int, float] = defaultdict(float)
    for row in cells:
        if row.said.label is None:
            continue
        p = row.said.probability
        doubt = 1 - p if row.said.label == Label.PARASITIZED else p
        missed = row.said.label != row.label
        count, wrong, expected = count + 1, wrong + missed, expected + doubt
        variance += doubt * (1 - doubt)
        beyond[row.patient or row.said.fingerprint] += missed - doubt
    spread = sqrt(max(variance, sum(one * one for one in beyond.values())))
    return Excess(count, wrong, expected, (wrong - expected) / spread if spread else 0.0)
