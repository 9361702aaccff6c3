"""Errors beyond those that the probabilities announce: found where they are, seldom where they are not."""

import numpy as np
import pytest

from malaria.domain import Confirmation, Label
from malaria.drift import Excess, excess
from tests.unit.confirmations import P, U, row

RUNS, CELLS, EVERY = 100, 200, 10
AT = 3.0
"""The setting that docs/feedback.md names."""


def test_errors_are_those_told_and_those_expected_whatever_the_threshold() -> None:
    cells = [row(1, P, P, p=0.9), row(2, U, P, p=0.9), row(3, P, U, p=0.2), row(4, P, P, p=0.3)]
    found = excess([*cells, row(5, U, None, p=0.6)])
    beyond = [-0.1, 0.9, 0.8, -0.7]
    spread = max(sum(q * (1 - q) for q in (0.1, 0.1, 0.2, 0.7)), sum(b * b for b in beyond)) ** 0.5
    assert (found.cells, found.wrong) == (4, 2)
    assert found.expected == pytest.approx(0.1 + 0.1 + 0.2 + 0.7)
    assert found.deviations == pytest.approx((2 - 1.1) / spread)


def test_without_answers_there_is_no_drift() -> None:
    assert excess([]) == excess([row(1, P, None)]) == Excess(0, 0, 0.0, 0.0)
    assert excess([row(1, P, P, p=1.0)]).deviations == 0.0


def test_the_surer_the_model_was_the_more_an_error_weighs() -> None:
    sure, unsure = (
        excess([row(i, Label(i % 5 == 0), U, p=p) for i in range(80)]).deviations for p in (0.01, 0.2)
    )
    assert sure > 3
    assert unsure == pytest.approx(0.0)


def test_one_odd_patient_is_no_drift() -> None:
    everyone = [row(i, P, U, p=0.02) for i in range(50)]
    alone = [row(i, P, U, p=0.02, patient="k-1") for i in range(50)]
    assert excess(everyone).deviations > 5
    assert excess(alone).deviations == pytest.approx(1.0)


def opened(rng: np.random.Generator, more: float, patient: int) -> bool:
    """Whether it is ever found among `CELLS` cells, looked at after every `EVERY`.

    more: by how much the model is wrong more often than it says. patient: cells of each.
    """
    p = rng.beta(0.15, 0.15, CELLS)
    doubt = np.minimum(p, 1 - p)
    wrong = rng.random(CELLS) < np.minimum(doubt + more, 1)
    cells: list[Confirmation] = []
    for i in range(CELLS):
        said = P if p[i] >= 0.5 else U
        cells.append(
            row(i, Label(int(said) ^ int(wrong[i])), said, p=float(p[i]), patient=f"k-{i // patient}")
        )
        if (i + 1) % EVERY == 0 and i >= 2 * EVERY and excess(cells).deviations >= AT:
            return True
    return False


@pytest.mark.parametrize("patient", [1, 10])
def test_looked_at_often_a_model_that_says_the_truth_seldom_opens_one(patient: int) -> None:
    rng = np.random.default_rng(patient)
    assert sum(opened(rng, 0.0, patient) for _ in range(RUNS)) <= 2


@pytest.mark.parametrize(
    ("more", "patient", "least"), [(0.1, 1, 75), (0.1, 10, 40), (0.2, 1, 98), (0.2, 10, 95)]
)
def test_a_model_that_errs_more_than_it_says_opens_one(more: float, patient: int, least: int) -> None:
    rng = np.random.default_rng(7)
    assert sum(opened(rng, more, patient) for _ in range(RUNS)) >= least
