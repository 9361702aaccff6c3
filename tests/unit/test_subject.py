"""What is refused, what is sent to a person, and how the bounds are chosen."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from malaria.domain import ModelVersion, Review, Screen
from malaria.predict import Scored, interpret
from malaria.subject import MOST_REFUSED, MOST_SENT, WHY, Subject, choose, judged, screened

SCREEN = Screen(refuse=0.2, review=0.6, network="f" * 64, refused=0.01, reviewed=0.04, hundredth=0.2)


def shown(cell: float, rest: Subject = Subject.NOTHING) -> npt.NDArray[np.float32]:
    found = np.full(len(Subject), 1e-6, np.float32)
    found[Subject.CELL], found[rest] = cell, 1 - cell
    return found


@pytest.mark.parametrize("subject", list(WHY))
def test_what_is_no_cell_is_refused_by_its_name_and_near_ones_are_sent_to_a_person(subject: Subject) -> None:
    refused = judged(shown(0.1, subject), SCREEN)
    assert refused.refused
    assert refused.reason is not None
    assert refused.reason.code == WHY[subject][0]
    near = judged(shown(0.3, subject), SCREEN)
    assert not near.refused
    assert near.reason is not None
    assert (near.reason.code, near.reason.text[:11]) == (refused.reason.code, "This may be")
    assert judged(shown(0.6, subject), SCREEN) == (False, None)


def test_every_subject_but_a_cell_has_a_name_of_its_own() -> None:
    assert set(WHY) == set(Subject) - {Subject.CELL}
    assert len({code for code, _, _ in WHY.values()}) == len(WHY)


def test_a_graph_or_a_version_that_does_not_tell_lets_all_pass() -> None:
    assert judged(None, SCREEN) == (False, None)
    assert judged(shown(0.0), None) == (False, None)


def test_a_refused_picture_gets_no_prediction_whatever_the_network_says(shipped_info: ModelVersion) -> None:
    info = replace(shipped_info, screen=SCREEN, review=Review(0.4, 0.6, 0.1, 0.01), threshold=0.5)

    def asked(p: float, cell: float) -> tuple[str | None, float | None, str | None]:
        scored = Scored(p, np.zeros((8, 8), np.float32), np.zeros(128, np.float32), shown(cell))
        answer = interpret(scored, info)
        return answer.prediction, answer.confidence, answer.review.code if answer.review else None

    assert asked(0.99, 0.1) == (None, None, "no-cell")
    assert asked(0.99, 0.3) == ("Parasitized", 0.99, "no-cell")
    assert asked(0.99, 0.9) == ("Parasitized", 0.99, None)
    assert asked(0.5, 0.9) == ("Parasitized", 0.5, "uncertain")
    assert asked(0.5, 0.3)[2] == "no-cell", "what is no cell matters more than how it is called"


@given(st.lists(st.lists(st.floats(0, 1), min_size=1, max_size=300), min_size=1, max_size=4))
def test_the_bounds_keep_to_the_rule_in_every_laboratory(said: list[list[float]]) -> None:
    cells = {f"laboratory {i}": np.array(p) for i, p in enumerate(said)}
    screen = choose(cells, [], "f" * 64)
    assert screen.refuse == min(screen.hundredth, screen.review)
    for p in cells.values():
        refused, reviewed = screened(p, screen)
        assert refused <= min(MOST_REFUSED, screen.refused + 1e-12)
        assert refused + reviewed <= MOST_SENT + 1e-12
        assert reviewed <= screen.reviewed + 1e-12


def test_the_bounds_are_as_high_as_the_rule_allows() -> None:
    cells = {"a": np.arange(1, 1001) / 1000, "b": np.arange(1001, 2001) / 2000}
    screen = choose(cells, [], "f" * 64)
    assert screened(cells["a"], screen) == pytest.approx((0.01, 0.04), abs=2e-3)
    assert (screen.refused, screen.reviewed) == screened(cells["a"], screen), "of the worst laboratory"
    assert screened(cells["b"], screen) == (0.0, 0.0)


def test_what_disturbed_cells_are_given_lowers_the_first_bound_only() -> None:
    cells = {"a": np.arange(1, 1001) / 1000}
    plain, careful = (choose(cells, those, "f" * 64) for those in ([], [cells["a"], cells["a"] / 4]))
    assert careful.refuse == pytest.approx(plain.refuse / 4, abs=1e-3)
    assert (careful.review, careful.hundredth) == (plain.review, plain.refuse)
    assert screened(cells["a"] / 4, careful)[0] <= MOST_REFUSED
