"""What every store of confirmed labels does."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

from malaria.domain import Confirmation, Label, Said
from malaria.ports import FeedbackStore
from tests.contract.clock import SetClock


def said(nonce: str = "one", **other: object) -> Said:
    first = Said(nonce, "20261125-05ce9190", 0.9834123849868774, 0.5, Label.PARASITIZED, SetClock().now(), 7)
    return replace(first, **other)  # type: ignore[arg-type]


def row(
    nonce: str = "one", label: Label = Label.PARASITIZED, after: float = 0.0, **other: object
) -> Confirmation:
    at = SetClock().now() + timedelta(seconds=after)
    first = Confirmation(said(nonce), label, "ada", None, None, at)
    return replace(first, **other)  # type: ignore[arg-type]


def test_a_row_comes_back_as_it_was_added(feedback: FeedbackStore) -> None:
    whole = row(
        "full",
        by="Ada \U0001f9ea é",
        site="Kisumu, ward 2",
        patient="k-0217",
        after=0.000001,
        said=said(
            "full",
            fingerprint=2**64 - 1,
            label=None,
            probability=1 / 3,
            threshold=1e-9,
            needs_review=True,
        ),
    )
    assert feedback.list() == []
    assert feedback.add(whole) == whole
    assert feedback.add(row("bare")) == row("bare")
    assert feedback.list() == [whole, row("bare")]


def test_a_correction_stands_beside_what_it_corrects(feedback: FeedbackStore) -> None:
    rows = [
        row(),
        row(label=Label.UNINFECTED, after=1, by="ben"),
        row(label=Label.UNINFECTED, after=2),
        row("two", after=3),
    ]
    for one in rows:
        assert feedback.add(one) == one
    assert feedback.list() == rows


def test_the_same_by_the_same_person_is_added_once(feedback: FeedbackStore) -> None:
    first = feedback.add(row())
    assert feedback.add(row(after=5)) == first
    other = feedback.add(row(after=6, by="ben"))
    assert feedback.add(row(after=7)) == first
    assert feedback.list() == [first, other]


def test_the_same_again_adds_nothing_though_another_said_otherwise(feedback: FeedbackStore) -> None:
    first = feedback.add(row())
    other = feedback.add(row(label=Label.UNINFECTED, after=1, by="ben"))
    assert feedback.add(row(after=2)) == first
    assert feedback.add(row(label=Label.UNINFECTED, after=3, by="ben")) == other
    assert feedback.list() == [first, other]


def test_the_same_after_saying_otherwise_is_a_new_row(feedback: FeedbackStore) -> None:
    feedback.add(row())
    feedback.add(row(label=Label.UNINFECTED, after=1))
    again = row(after=2)
    assert feedback.add(again) == again
    assert [one.label for one in feedback.list()] == [1, 0, 1]


def test_a_row_that_says_more_is_a_new_one(feedback: FeedbackStore) -> None:
    feedback.add(row())
    with_patient = row(after=1, patient="p1")
    assert feedback.add(with_patient) == with_patient
    with_site = row(after=2, patient="p1", site="here")
    assert feedback.add(with_site) == with_site
    assert len(feedback.list()) == 3
    assert feedback.add(row(after=3)).at == row().at


def test_answers_of_one_picture_are_apart(feedback: FeedbackStore) -> None:
    assert feedback.add(row("one")) != feedback.add(row("two"))
    assert len(feedback.list()) == 2


def test_rows_of_one_answer_stay_in_order_though_the_clock_goes_back(feedback: FeedbackStore) -> None:
    feedback.add(row(label=Label.PARASITIZED))
    feedback.add(row(label=Label.UNINFECTED, after=-3600))
    assert [one.label for one in feedback.list()] == [1, 0]


def test_of_many_who_say_the_same_at_once_one_row_stands(feedback: FeedbackStore) -> None:
    with ThreadPoolExecutor(12) as pool:
        stands = set(pool.map(feedback.add, [row(after=i) for i in range(24)]))
    assert len(stands) == 1
    assert feedback.list() == list(stands)


def test_nothing_is_lost_of_what_many_say_at_once(feedback: FeedbackStore) -> None:
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(feedback.add, [row(f"n{i}", after=i) for i in range(48)]))
    assert {one.said.nonce for one in feedback.list()} == {f"n{i}" for i in range(48)}
