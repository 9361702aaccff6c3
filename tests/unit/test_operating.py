"""Operating point and review band, on cells whose right answer is known beforehand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from malaria import operating
from malaria.operating import MOST_SENT, MOST_WRONG, choose, logit, moved, review, threshold

Cells = tuple[np.ndarray, np.ndarray, np.ndarray]  # type: ignore[type-arg]


def _cells(shift: float, spread: float = 1.0, n: int = 2000, seed: int = 1) -> Cells:
    """Labels, probabilities and patients; logits stand 3 from `shift`, by label, and vary by `spread`."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, n)
    logits = shift + 3.0 * (2 * labels - 1) + spread * rng.normal(size=n)
    patients = rng.integers(0, 20, n).astype(np.str_)
    return labels, 1 / (1 + np.exp(-logits)), patients


def test_one_half_stays_where_patients_do_not_speak_against_it() -> None:
    assert threshold(*_cells(0.0)) == 0.5


@pytest.mark.parametrize("shift", [-2.0, 2.0])
def test_a_shifted_model_gets_the_threshold_between_its_classes(shift: float) -> None:
    found = threshold(*_cells(shift))
    assert found == pytest.approx(1 / (1 + np.exp(-shift)), abs=0.1)
    assert abs(found - 0.5) > 0.2


def test_the_fewer_cells_speak_for_another_threshold_the_nearer_it_stays_to_one_half() -> None:
    few, some, many = (threshold(*_cells(1.5, n=n)) for n in (120, 600, 20_000))
    assert 0.5 <= few < some < many < 1 / (1 + np.exp(-1.5)) + 0.02


def test_one_class_alone_says_nothing_of_a_threshold() -> None:
    labels, probabilities, patients = _cells(2.0)
    only = labels == 0
    assert threshold(labels[only], probabilities[only], patients[only]) == 0.5


def test_a_band_sends_few_leaves_few_wrong_and_has_room_on_both_sides() -> None:
    labels, probabilities, _ = _cells(0.0, spread=1.6)
    wrong = (probabilities >= 0.5) != labels
    assert wrong.mean() > 2 * MOST_WRONG, "else there is nothing to send"
    band = review(labels, probabilities, 0.5)
    inside = (probabilities > band.low) & (probabilities < band.high)
    assert band.sent == pytest.approx(inside.mean(), abs=1e-3)
    assert band.wrong == pytest.approx(wrong[~inside].mean(), abs=1e-3)
    assert band.wrong < MOST_WRONG
    assert band.sent < MOST_SENT
    narrower = np.abs(logit(probabilities)) < 0.6 * logit(band.high)
    assert wrong[~narrower].mean() > band.wrong, "a narrower one leaves more wrong"


def test_where_no_band_does_both_it_is_as_wide_as_it_may_be_and_says_what_it_leaves() -> None:
    labels, probabilities, _ = _cells(0.0, spread=4.0)
    band = review(labels, probabilities, 0.5)
    assert band.sent == pytest.approx(MOST_SENT, abs=0.001)
    assert band.wrong > MOST_WRONG


def test_a_model_without_errors_still_sends_its_doubtful_cells() -> None:
    labels, probabilities, _ = _cells(0.0, spread=0.5)
    band = review(labels, probabilities, 0.5)
    assert band.wrong == 0
    assert band.sent == pytest.approx(MOST_SENT / 2, abs=0.002)


def test_a_band_is_chosen_on_cells() -> None:
    nothing = np.empty(0)
    with pytest.raises(ValueError, match="there are none"):
        review(nothing.astype(int), nothing, 0.5)


def test_a_given_threshold_is_kept_and_the_band_lies_about_it() -> None:
    point = choose(*_cells(0.0), at=0.8)
    assert point.threshold == 0.8
    assert logit(point.review.high) - logit(0.8) == pytest.approx(
        float(logit(0.8) - logit(point.review.low)), abs=1e-3
    )


def test_a_band_moves_with_the_threshold_of_a_caller() -> None:
    band = review(*_cells(0.0)[:2], 0.5)
    assert moved(band, 0.5, 0.5) == pytest.approx((band.low, band.high), abs=1e-5)
    low, high = moved(band, 0.5, 0.9)
    assert low < 0.9 < high
    assert logit(high) - logit(low) == pytest.approx(float(logit(band.high) - logit(band.low)), abs=1e-3)
    assert all(0 <= bound <= 1 for bound in (*moved(band, 0.5, 0.0), *moved(band, 0.5, 1.0)))


@given(st.lists(st.tuples(st.integers(0, 1), st.floats(0, 1)), min_size=1, max_size=60), st.floats(0, 1))
def test_any_answers_give_a_band_about_the_threshold(answers: list[tuple[int, float]], at: float) -> None:
    labels, probabilities = (np.array(column) for column in zip(*answers, strict=True))
    band = operating.review(labels, probabilities, at)
    assert 0 <= band.low <= band.high <= 1
    assert band.low <= at + 1e-6
    assert band.high >= at - 1e-6
    assert 0 <= band.sent <= MOST_SENT + 1 / len(labels)
    assert 0 <= band.wrong <= 1


def test_what_the_picture_sends_counts_among_what_is_sent() -> None:
    labels, probabilities, _ = _cells(0.0, spread=0.5)
    gone = np.arange(len(labels)) % 25 == 0  # 4%
    bare, band = review(labels, probabilities, 0.5), review(labels, probabilities, 0.5, gone)
    inside = (probabilities > band.low) & (probabilities < band.high)
    assert band.screened == pytest.approx(0.04, abs=0.001)
    assert band.sent == pytest.approx(np.mean(inside | gone), abs=0.001)
    assert band.sent == pytest.approx(0.04 + (MOST_SENT - 0.04) / 2, abs=0.002), (
        "what is left of a tenth, halved"
    )
    assert band.high - band.low < bare.high - bare.low
    assert review(labels, probabilities, 0.5, 0.04).sent == pytest.approx(band.sent, abs=0.002), (
        "or its share"
    )


def test_answers_that_the_picture_keeps_back_are_not_wrong_ones() -> None:
    labels, probabilities, _ = _cells(0.0, spread=0.5)
    gone = np.arange(len(labels)) % 25 == 0
    turned = np.where(gone, 1 - labels, labels)
    assert review(turned, probabilities, 0.5, gone).wrong == 0
    assert review(turned, probabilities, 0.5).wrong > 0


@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
def test_where_pictures_alone_send_a_tenth_no_cell_is_left_to_a_band(share: float) -> None:
    labels, probabilities, _ = _cells(0.0, spread=0.5)
    found = review(labels, probabilities, 0.5, np.arange(len(labels)) < share * len(labels))
    assert found.sent == found.screened == pytest.approx(share, abs=0.001)
