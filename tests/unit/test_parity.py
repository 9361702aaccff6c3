"""How a smaller file differs from its original, and the bound within which it may be served."""

from dataclasses import replace

import numpy as np
import pytest

from malaria import parity
from malaria.paired import Drop
from malaria.parity import PATIENTS, Answered, Parity

RNG = np.random.default_rng(0)
LABELS = (np.arange(2000) % 2).astype(np.uint8)
GROUPS = np.array([f"patient:{i // 100}" for i in range(2000)])
SAID = np.clip(np.where(LABELS == 1, 0.9, 0.1) + RNG.normal(0, 0.15, 2000), 0.001, 0.999)


def answered(probabilities: np.ndarray, scale: float = 1.0) -> Answered:
    return Answered(probabilities, scale * np.ones((len(probabilities), 4)))


def beside(after: np.ndarray) -> Parity:
    return parity.compare(LABELS, GROUPS, answered(SAID), answered(after, 1.1), 0.5, draws=200)


def flipped(cells: int, apart: int = 100) -> np.ndarray:
    """The answers with so many of them turned over, so many cells apart; a patient has a hundred."""
    rows = np.arange(2000)
    turned = (rows % apart == 0) & (rows < cells * apart)
    return np.where(turned, 1 - SAID, SAID)


def test_what_is_told_of_two_files() -> None:
    seen = beside(flipped(10))
    assert seen.changed.value == 10 / 2000
    assert seen.changed.interval is not None
    assert seen.changed.interval[0] < 10 / 2000 < seen.changed.interval[1]
    assert seen.largest == pytest.approx(np.abs(flipped(10) - SAID).max())
    assert seen.mean == pytest.approx(np.abs(flipped(10) - SAID).mean())
    assert seen.embedding == pytest.approx(0.1)
    assert (seen.before.cells, seen.after.patients) == (2000, 20)
    accuracy = seen.drops["accuracy"]
    assert accuracy is not None
    assert accuracy.points == pytest.approx(100 * (seen.before.accuracy - seen.after.accuracy))  # type: ignore[operator]


def test_of_equal_answers_the_cells_say_how_many_may_have_changed() -> None:
    seen = beside(SAID)
    assert (seen.changed.value, seen.largest) == (0.0, 0.0)
    assert seen.changed.interval is not None
    assert 0 < seen.changed.interval[1] < 0.005, "2,000 cells, not 20 patients"
    assert parity.refusal({PATIENTS: seen}) == ""


def ranked_alike(seen: Parity) -> Parity:
    return replace(seen, drops={**seen.drops, "auc": Drop(0.0, (0.0, 0.0))})


def test_the_upper_end_of_the_interval_must_hold_the_bound() -> None:
    assert parity.refusal({PATIENTS: ranked_alike(beside(flipped(4)))}) == ""
    near = ranked_alike(beside(flipped(16, apart=10)))  # of two patients
    assert near.changed.value < parity.CHANGED
    told = parity.refusal({PATIENTS: near})
    assert told.startswith("0.80% (as much as ")
    assert "of the labels change on validation cells, where 1% may" in told


def test_of_other_laboratories_the_share_itself_counts() -> None:
    good, near, far = (beside(said) for said in (SAID, flipped(16, apart=10), flipped(25, apart=10)))
    assert parity.refusal({PATIENTS: good, "validation:chula": near}) == ""
    told = parity.refusal({PATIENTS: good, "validation:chula": far})
    assert told == "1.25% of the labels change on validation:chula cells, where 1% may"


def test_a_loss_of_ranking_is_refused_where_no_label_changes() -> None:
    seen = beside(SAID)
    worse = replace(seen, drops={**seen.drops, "auc": Drop(0.1, (-0.1, 0.3))})
    assert parity.refusal({PATIENTS: worse}) == (
        "the AUC falls by 0.10 points (as much as 0.30 points) on validation cells, where 0.2 may be lost"
    )
    better = replace(seen, drops={**seen.drops, "auc": Drop(-0.1, (-0.3, 0.1))})
    assert parity.refusal({PATIENTS: better}) == ""
