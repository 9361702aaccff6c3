"""Which confirmed labels count, and the figures they give."""

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest

from malaria import feedback
from malaria.domain import Confirmation, Label, Said
from malaria.feedback import FEWEST, Asked, Figure, quality, settle
from malaria.metrics import metrics

P, U = Label.PARASITIZED, Label.UNINFECTED
MONDAY = datetime(2026, 1, 5, 12, tzinfo=UTC)


def row(
    cell: int,
    label: Label,
    said: Label | None = P,
    *,
    nonce: str = "",
    by: str = "ada",
    p: float | None = None,
    version: str = "v1",
    at: datetime = MONDAY,
    site: str | None = None,
    patient: str | None = None,
) -> Confirmation:
    probability = p if p is not None else 0.9 if said == P else 0.1
    told = Said(nonce or f"{version}-{cell}", version, probability, 0.5, said, at, cell)
    return Confirmation(told, label, by, site, patient, at + timedelta(hours=1))


def labels(rows: list[Confirmation]) -> dict[int, Label]:
    return {cell: one.label for cell, one in settle(rows).by_picture().items()}


def test_the_newest_label_of_an_answer_counts_whoever_gave_it() -> None:
    rows = [row(1, P), row(1, U, by="ben"), row(2, U), row(2, P)]
    assert labels(rows) == {1: U, 2: P}
    assert not settle(rows).disputed


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


def many(counts: dict[tuple[Label, Label], int], first: int = 0, **other: object) -> list[Confirmation]:
    """Rows by (what was said, what it is)."""
    found: list[Confirmation] = []
    for (said, label), count in counts.items():
        start = first + len(found)
        found += [row(start + i, label, said, **other) for i in range(count)]  # type: ignore[arg-type]
    return found


ENOUGH = {(P, P): 38, (U, P): 2, (U, U): 57, (P, U): 3}


def test_figures_are_those_of_an_evaluation_on_the_same_cells() -> None:
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 2, 300)
    p = np.clip(truth * 0.3 + rng.random(300) * 0.7, 0, 1)
    people = [f"k-{i}" for i in rng.integers(0, 30, 300)]
    rows = [
        row(i, Label(int(y)), P if q >= 0.5 else U, p=float(q), patient=who)
        for i, (y, q, who) in enumerate(zip(truth, p, people, strict=True))
    ]
    found = quality(rows).overall
    expected = metrics(truth.astype(np.uint8), p, np.array([f"patient:{w}" for w in people]), 0.5)
    assert (found.cells, found.patients, found.parasitized) == (300, 30, int(truth.sum()))
    for name in ("sensitivity", "specificity", "accuracy", "brier", "ece"):
        figure = getattr(found, name)
        assert figure.value == pytest.approx(getattr(expected, name))
        assert (figure.low, figure.high) == pytest.approx(expected.intervals[name])
        assert figure.low < figure.value < figure.high or name == "ece"
    assert found.too_few is None


def test_what_was_said_counts_not_one_threshold_for_all() -> None:
    """A caller may have moved the operating point: 0.4 was called parasitized there."""
    rows = many(ENOUGH) + [row(1000 + i, P, P, p=0.4) for i in range(10)]
    sensitivity = quality(rows).overall.sensitivity
    assert sensitivity.value == 48 / 50


def test_a_rate_of_too_few_cells_is_not_told() -> None:
    few = quality(many({(P, P): FEWEST - 1, (U, U): FEWEST})).overall
    assert few.sensitivity == Figure(None, None, None)
    assert few.specificity.value == 1.0
    assert few.specificity.low == pytest.approx(0.025 ** (1 / FEWEST))
    assert few.accuracy == few.brier == few.ece == Figure()
    assert few.too_few == "Too few: 19 parasitized cells are confirmed; a rate is told from 20 on."
    none = quality([]).overall
    assert (none.cells, none.sensitivity, none.specificity) == (0, Figure(), Figure())
    assert none.too_few and "0 parasitized and 0 uninfected" in none.too_few
    enough = quality(many({(P, P): FEWEST, (U, U): FEWEST})).overall
    assert enough.too_few is None and enough.accuracy.value == 1.0


def test_cells_of_one_patient_are_resampled_together() -> None:
    apart = quality(many(ENOUGH)).overall
    assert apart.patients == 100
    one = quality(many(ENOUGH, patient="k-1")).overall
    assert one.patients == 1
    assert (one.sensitivity.value, one.sensitivity.low) == (apart.sensitivity.value, None)


def test_answers_of_one_picture_by_two_models_are_resampled_together() -> None:
    rows = many(ENOUGH) + many(ENOUGH, version="v2")
    found = quality(rows)
    assert (found.overall.cells, found.overall.patients) == (200, 100)
    assert [(one.name, one.cells) for one in found.by_version] == [("v1", 100), ("v2", 100)]


def test_a_cell_of_which_nothing_was_said_is_counted_apart() -> None:
    rows = [*many(ENOUGH), row(500, P, None, p=0.2), row(501, U, None, p=0.2), row(502, U, None, p=0.2)]
    found = quality(rows)
    assert found.overall.unanswered == {"Parasitized": 1, "Uninfected": 2}
    assert (found.overall.cells, found.overall.parasitized) == (100, 40)
    assert sum(one.cells for one in found.by_probability) == 100


def test_figures_by_version_site_and_iso_week() -> None:
    new_year = datetime(2026, 1, 1, tzinfo=UTC)
    rows = [
        *many(ENOUGH, site="b"),
        *many(ENOUGH, 100, site="a", at=new_year, version="v2"),
        *many({(P, P): 1}, 200, at=datetime(2024, 12, 30, tzinfo=UTC)),
    ]
    found = quality(rows)
    assert [(f.name, f.cells) for f in found.by_version] == [("v1", 101), ("v2", 100)]
    assert [(f.name, f.cells) for f in found.by_site] == [("a", 100), ("b", 100), (None, 1)]
    assert [(f.name, f.cells) for f in found.by_week] == [
        ("2025-W01", 1),
        ("2026-W01", 100),
        ("2026-W02", 100),
    ]
    assert found.by_week[0].too_few and not found.by_week[1].too_few


def test_a_week_is_that_of_utc() -> None:
    monday_there = datetime(2026, 1, 5, 1, tzinfo=timezone(timedelta(hours=3)))
    assert feedback.week(monday_there) == "2026-W01"


@pytest.mark.parametrize(
    ("asked", "cells"),
    [
        (Asked(), {1, 2, 3}),
        (Asked(since=MONDAY), {1, 2}),
        (Asked(until=MONDAY), {3}),
        (Asked(since=MONDAY + timedelta(seconds=1)), {2}),
        (Asked(version="v2"), {2}),
        (Asked(site="a"), {1}),
        (Asked(site="nowhere"), set()),
    ],
)
def test_a_question_may_be_narrowed(asked: Asked, cells: set[int]) -> None:
    rows = [
        row(1, P, site="a"),
        row(2, P, version="v2", at=MONDAY + timedelta(days=1)),
        row(3, P, at=MONDAY - timedelta(seconds=1)),
    ]
    assert {one.said.fingerprint for one in settle(rows).cells if asked.holds(one)} == cells
    assert quality(rows, asked).overall.cells == len(cells)


def test_disputed_pictures_are_in_no_figure_and_counted() -> None:
    rows = [*many(ENOUGH), row(900, P, nonce="x"), row(900, U, nonce="y", by="ben", version="v2")]
    found = quality(rows)
    assert (found.overall.cells, found.disputed) == (100, 1)
    assert quality(rows, Asked(version="v1")).disputed == 1
    assert quality(rows, Asked(version="v3")).disputed == 0


def test_the_table_by_probability_holds_every_cell_in_its_bin() -> None:
    rows = [row(i, P if p > 0.5 else U, p=p) for i, p in enumerate((0.0, 0.05, 0.1, 0.75, 0.79, 1.0))]
    rows.append(row(99, U, p=0.72))
    bins = {round(one.low, 1): one for one in quality(rows).by_probability}
    assert len(bins) == 10
    assert {low: one.cells for low, one in bins.items() if one.cells} == {0.0: 2, 0.1: 1, 0.7: 3, 0.9: 1}
    assert bins[0.7].share == pytest.approx(2 / 3)
    assert bins[0.7].mean == pytest.approx((0.75 + 0.79 + 0.72) / 3)
    assert (bins[0.3].mean, bins[0.3].share) == (None, None)
    assert bins[0.9].high == 1.0


def test_confirming_the_doubtful_cells_biases_rates_but_not_the_table_by_probability() -> None:
    """What the note says is so: a calibrated model, all cells against those whose answers looked doubtful."""
    rng = np.random.default_rng(0)
    p = rng.beta(0.15, 0.15, 12_000)
    truth = rng.random(len(p)) < p
    doubtful = rng.random(len(p)) < np.where(np.abs(p - 0.5) < 0.4, 0.5, 0.02)

    def those(mask: np.ndarray) -> feedback.Quality:
        return quality(
            row(int(i), P if truth[i] else U, P if p[i] >= 0.5 else U, p=float(p[i]))
            for i in np.flatnonzero(mask)
        )

    all_cells, confirmed = those(np.ones(len(p), bool)), those(doubtful)
    whole, part = (one.overall.sensitivity.value for one in (all_cells, confirmed))
    assert whole is not None and part is not None and whole > part + 0.1
    for bin_ in confirmed.by_probability:
        assert bin_.cells >= 20 and bin_.share is not None and bin_.mean is not None
        spread = 4 * (bin_.mean * (1 - bin_.mean) / bin_.cells) ** 0.5
        assert bin_.share == pytest.approx(bin_.mean, abs=spread)
