"""Which confirmed labels count."""

from malaria.domain import Confirmation, Label
from malaria.feedback import settle
from malaria.quality import Asked, quality
from tests.unit.confirmations import P, U, row


def labels(rows: list[Confirmation]) -> dict[int, Label]:
    return {cell: one.label for cell, one in settle(rows).by_picture().items()}


def test_a_person_corrects_herself() -> None:
    rows = [row(1, P), row(1, U), row(2, U), row(2, P), row(2, P, by="ben")]
    assert labels(rows) == {1: U, 2: P}
    assert not settle(rows).disputed


def test_two_who_disagree_about_one_answer_dispute_it_whoever_was_last() -> None:
    rows = [row(1, P), row(1, U, by="ben")]
    for told in (rows, rows[::-1], [*rows, row(1, P)]):
        assert settle(told).cells == []
        assert {one.by: one.label for one in settle(told).disputed[1]} == {"ada": P, "ben": U}
    assert labels([*rows, row(1, U)]) == {1: U}


def test_everything_that_was_said_of_a_disputed_picture_is_at_hand() -> None:
    """So a question about one model's answers finds it, though both were last asked about another's."""
    words = [(label, by, version) for version in ("v1", "v2") for label, by in ((P, "ada"), (U, "ben"))]
    rows = [row(1, label, by=by, version=version, site="a") for label, by, version in words]
    (told,) = settle([*rows, row(1, P)]).disputed.values()
    assert {(one.said.version, one.by, one.site) for one in told} >= {("v1", "ben", "a"), ("v2", "ada", "a")}


def test_a_person_corrects_herself_by_any_answer_of_the_picture() -> None:
    rows = [row(1, P, nonce="first"), row(1, U, nonce="second")]
    settled = settle(rows)
    assert [one.label for one in settled.cells] == [U]
    assert not settled.disputed
    assert labels(list(reversed(rows))) == {1: P}


def test_people_who_disagree_about_a_picture_dispute_it() -> None:
    rows = [row(1, P, nonce="first"), row(1, U, nonce="second", by="ben"), row(2, P)]
    settled = settle(rows)
    assert [one.said.fingerprint for one in settled.cells] == [2]
    assert {one.by: one.label for one in settled.disputed[1]} == {"ada": P, "ben": U}
    agreed = settle([*rows, row(1, U, nonce="first")])
    assert not agreed.disputed
    assert agreed.by_picture()[1].label == U


def test_a_picture_counts_once_for_each_model_that_answered() -> None:
    rows = [
        row(1, P, nonce="a"),
        row(1, P, nonce="b"),
        row(1, P, nonce="c", version="v2", said=U),
    ]
    cells = settle(rows).cells
    assert sorted((one.said.version, one.said.nonce) for one in cells) == [("v1", "b"), ("v2", "c")]
    assert {one.label for one in cells} == {P}


def test_patient_and_site_are_the_newest_that_were_told() -> None:
    rows = [row(1, P, patient="old"), row(1, P, patient="k-1", site="Kisumu"), row(1, U)]
    (found,) = settle(rows).cells
    assert (found.label, found.patient, found.site) == (U, "k-1", "Kisumu")


def test_another_case_or_spaces_are_no_other_person_site_or_patient() -> None:
    rows = [
        row(1, P, by="Ada", site="Mbale", patient="K-0217"),
        row(1, U, by="ada ", site=" mbale", patient="k-0217"),
        row(2, P, by="ADA", site="MBALE", patient="K-0217 "),
    ]
    settled = settle(rows)
    assert not settled.disputed, "she has corrected herself"
    assert {cell: one.label for cell, one in settled.by_picture().items()} == {1: U, 2: P}
    assert {(one.by, one.site, one.patient) for one in settled.cells} == {("Ada", "Mbale", "K-0217")}
    assert quality(rows, Asked(site="mbale")).overall.cells == 2
    (site,) = quality(rows).by_site
    assert (site.name, site.cells, site.patients) == ("Mbale", 2, 1)
