"""The figures that confirmed labels give."""

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest

from malaria import quality as told
from malaria.domain import Label
from malaria.errors import BadOptions
from malaria.feedback import settle
from malaria.metrics import metrics
from malaria.quality import FEWEST, Asked, Figure, Quality, quality
from tests.unit.confirmations import MONDAY, P, U, many, row

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


@pytest.mark.parametrize(
    ("day", "week"),
    [
        ((2026, 12, 31, 23), "2026-W53"),
        ((2027, 1, 3, 23), "2026-W53"),
        ((2027, 1, 4, 0), "2027-W01"),
        ((2024, 12, 29, 23), "2024-W52"),
        ((2024, 12, 30, 0), "2025-W01"),
    ],
)
def test_a_week_at_the_edge_of_a_year_has_the_iso_year(day: tuple[int, int, int, int], week: str) -> None:
    assert told.week(datetime(*day, tzinfo=UTC)) == week


def test_a_week_is_that_of_utc() -> None:
    monday_there = datetime(2026, 1, 5, 1, tzinfo=timezone(timedelta(hours=3)))
    assert told.week(monday_there) == "2026-W01"


def test_answers_that_were_sent_to_a_person_and_the_others_are_told_apart() -> None:
    sent = many({(P, P): 12, (U, P): 4, (U, U): 10, (P, U): 6}, 1000, review=True, site="a", version="v2")
    rows = [*many(ENOUGH, site="b"), *sent]
    found = quality(rows)
    whole, others = found.overall, found.overall.not_sent
    assert (whole.cells, others.cells, others.parasitized, others.uninfected) == (132, 100, 40, 60)
    assert whole.sent_to_review.value == pytest.approx(32 / 132)
    assert whole.sent_to_review.low is not None and whole.sent_to_review.high is not None
    assert whole.sent_to_review.low < 32 / 132 < whole.sent_to_review.high
    assert (others.sensitivity.value, others.specificity.value) == (38 / 40, 57 / 60)
    assert others.accuracy.value == pytest.approx(0.95)
    assert whole.accuracy.value == pytest.approx(117 / 132)
    assert others == quality(many(ENOUGH)).overall.not_sent
    (b, a) = found.by_version
    assert (b.sent_to_review.value, a.sent_to_review.value) == (0.0, 1.0)
    assert [one.not_sent.cells for one in found.by_site] == [0, 100]
    assert [one.sent_to_review.value for one in found.by_week] == [whole.sent_to_review.value]
    assert a.not_sent.too_few and "0 parasitized and 0 uninfected" in a.not_sent.too_few


def test_a_share_of_too_few_cells_sent_to_review_is_not_told() -> None:
    few, enough = (quality(many({(P, P): n}, review=True)).overall for n in (FEWEST - 1, FEWEST))
    assert few.sent_to_review == Figure()
    assert enough.sent_to_review.value == 1.0
    assert enough.sent_to_review.low == pytest.approx(0.025 ** (1 / FEWEST))


def test_a_rate_of_none_and_of_all_has_an_interval() -> None:
    found = quality(many({(U, P): 25, (U, U): 30})).overall
    assert (found.sensitivity.value, found.sensitivity.low) == (0.0, 0.0)
    assert found.sensitivity.high == pytest.approx(1 - 0.025 ** (1 / 25))
    assert (found.specificity.value, found.specificity.high) == (1.0, 1.0)
    assert found.specificity.low == pytest.approx(0.025 ** (1 / 30))


def test_a_question_without_room_for_an_answer_is_refused() -> None:
    for until in (MONDAY, MONDAY - timedelta(days=1)):
        with pytest.raises(BadOptions, match="since is not before until"):
            Asked(since=MONDAY, until=until)


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
    assert bins[0.7].share.value == pytest.approx(2 / 3)
    assert (bins[0.9].share.value, bins[0.9].share.high) == (1.0, 1.0)
    assert bins[0.9].share.low == pytest.approx(0.025)
    assert bins[0.7].mean == pytest.approx((0.75 + 0.79 + 0.72) / 3)
    assert (bins[0.3].mean, bins[0.3].share) == (None, Figure())
    assert bins[0.9].high == 1.0


def test_confirming_the_doubtful_cells_biases_rates_but_not_the_table_by_probability() -> None:
    """What the note says is so: a calibrated model, all cells against those whose answers looked doubtful."""
    rng = np.random.default_rng(0)
    p = rng.beta(0.15, 0.15, 12_000)
    truth = rng.random(len(p)) < p
    doubtful = rng.random(len(p)) < np.where(np.abs(p - 0.5) < 0.4, 0.5, 0.02)

    def those(mask: np.ndarray) -> Quality:
        return quality(
            row(int(i), P if truth[i] else U, P if p[i] >= 0.5 else U, p=float(p[i]))
            for i in np.flatnonzero(mask)
        )

    all_cells, confirmed = those(np.ones(len(p), bool)), those(doubtful)
    whole, part = (one.overall.sensitivity.value for one in (all_cells, confirmed))
    assert whole is not None and part is not None and whole > part + 0.1
    for bin_ in confirmed.by_probability:
        assert bin_.cells >= 20 and bin_.share.value is not None and bin_.mean is not None
        spread = 4 * (bin_.mean * (1 - bin_.mean) / bin_.cells) ** 0.5
        assert bin_.share.value == pytest.approx(bin_.mean, abs=spread)
