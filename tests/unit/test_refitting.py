"""A head is refitted on a laboratory's cells, as far as base patients bear it and the laboratory gains."""

from dataclasses import replace

import numpy as np
import pytest

from malaria import refitting
from malaria.domain import Progress, Role
from malaria.errors import BadOptions, Damaged
from malaria.head import Head
from malaria.memory import BASE, Memory, remember
from malaria.refitting import AdaptSettings, Guarded, NewCells, Prior, Refitted, Released, Stays, refit

WIDTH = 6
OLD = Head(np.array([4.0, -4.0, 0, 0, 0, 0]), 0.0)
"""Channel 0 speaks for a parasite and channel 1 against it; 2 tells the laboratory; the rest is noise."""


def cells(labels: np.ndarray, seed: int, *, faint: float = 0.0, elsewhere: float = 0.0) -> np.ndarray:
    """Embeddings (n, WIDTH). faint: by how much parasites speak less. elsewhere: the laboratory's channel."""
    rng = np.random.default_rng(seed)
    x = np.abs(rng.normal(0, 0.4, (len(labels), WIDTH)))
    x[:, 0] += np.where(labels == 1, 2.0 - faint, 0.0)
    x[:, 1] += np.where(labels == 0, 2.0, faint)
    x[:, 2] += elsewhere
    return np.asarray(x, np.float32)


def memory(role: Role, seed: int, n: int = 400) -> Memory:
    """Base cells, a few of which are hard to tell, as real ones are."""
    labels = (np.arange(n) % 2).astype(np.uint8)
    looks = np.where(np.arange(n) % 37 == 0, 1 - labels, labels)
    names = np.array([f"P{i % 20}" for i in range(n)])
    return remember(
        cells(looks, seed),
        labels,
        names,
        np.full(n, role.value),
        np.full(n, BASE),
        np.arange(n, dtype=np.uint64),
    )


def site(infected: int, uninfected: int, seed: int = 5, *, faint: float = 1.5) -> NewCells:
    labels = np.repeat([1, 0], [infected, uninfected]).astype(np.uint8)
    x = cells(labels, seed, faint=faint, elsewhere=1.5)
    groups = np.array([f"field {i % 8}" for i in range(len(labels))])
    return NewCells(np.stack([x, x + np.float32(0.01)], axis=1), labels, groups)


def guarded(earlier: Memory | None = None) -> Guarded:
    held = memory(Role.VALIDATION, 2)
    return Guarded(held, earlier or held.where(np.zeros(len(held), np.bool_)))


def done(new: NewCells, settings: AdaptSettings | None = None, earlier: Memory | None = None) -> Refitted:
    chosen = settings or AdaptSettings()
    return refit(OLD, memory(Role.TRAIN, 1), guarded(earlier), new, chosen, lambda _: None)


def refitted(new: NewCells, settings: AdaptSettings | None = None) -> Head:
    return done(new, settings).head


def sensitivity(head: Head, faint: float = 1.5) -> float:
    """On cells of the laboratory that nobody learnt from."""
    ill = np.ones(500, np.uint8)
    return float((head.logits(cells(ill, 99, faint=faint, elsewhere=1.5)) >= 0).mean())


def test_a_laboratory_whose_parasites_are_missed_gains_and_base_patients_lose_nothing() -> None:
    new = refitted(site(40, 60))
    assert sensitivity(OLD) < 0.5
    assert sensitivity(new) > 0.9
    held = memory(Role.VALIDATION, 2)
    assert ((new.logits(held.embeddings) >= 0) == held.labels).mean() > 0.96


def test_where_the_served_head_answers_well_nothing_falls() -> None:
    good = site(40, 60, faint=0.0)
    new, asked = refitted(good), site(300, 300, seed=50, faint=0.0)
    right = [((head.logits(asked.views[:, 0]) >= 0) == asked.labels).mean() for head in (OLD, new)]
    assert right[1] >= right[0] > 0.98


def test_cells_that_a_head_answers_worse_unless_it_has_learnt_them_change_nothing() -> None:
    """What one field seems to teach, that its parasitized cells are marked, is wrong in the other field."""
    new = site(40, 40, faint=0.9)
    fit = refitting._Fit(OLD, memory(Role.TRAIN, 1), guarded(), AdaptSettings(parts=2))
    assert gains(fit, new)
    one = np.arange(80) % 2 == 0
    views = new.views.copy()
    views[one == (new.labels == 1), :, 2] += np.float32(6.0)
    fields = np.where(one, "one field", "the other").astype(np.str_)
    assert not gains(fit, NewCells(views, new.labels, fields))


def gains(fit: refitting._Fit, new: NewCells) -> bool:
    return refitting._gains(fit, new, 20.0, refitting._Answers.of(OLD, new, 0.0), 0.0)


def test_a_class_that_one_patient_alone_holds_is_asked_by_single_cells() -> None:
    """Healthy controls beside one infected patient must not turn a gain into a refusal."""
    new = site(40, 60)
    one = np.where(new.labels == 1, "the infected one", new.groups).astype(np.str_)
    found = done(NewCells(new.views, new.labels, one))
    assert found.stays is None
    assert sensitivity(found.head) > 0.9


def test_cells_of_an_earlier_laboratory_must_bear_it_too() -> None:
    new = site(40, 60)
    strongest = AdaptSettings(cell_weights=(20.0,))
    alone = done(new, strongest)
    assert alone.stays is None
    train = memory(Role.TRAIN, 7)
    embeddings = train.embeddings + np.array([0, 0, 1.5, 0, 0, 0], np.float32)
    embeddings[:, 0] += np.where(train.labels == 0, 0.9, 0.0)
    turned = (OLD.logits(embeddings) < 0) & (alone.head.logits(embeddings) >= 0) & (train.labels == 0)
    assert turned.sum() > 5, "or the refit costs that laboratory nothing"
    other = remember(
        embeddings, train.labels, train.patients, train.roles, np.full(400, "a1" * 32), train.fingerprints
    )
    assert done(new, strongest, other.where(turned)).stays == Stays.BASE


def test_without_validation_cells_of_both_classes_nothing_is_fitted() -> None:
    held = memory(Role.VALIDATION, 2)
    with pytest.raises(Damaged, match="both classes"):
        Guarded(held.where(held.labels == 1), held)


@pytest.mark.parametrize(
    "wrong",
    [{"views": 0}, {"penalty": 0.0}, {"cell_weights": ()}, {"site_share": 1.0}, {"parts": 1}, {"fewest": 0}],
)
def test_settings_out_of_range_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(BadOptions, match=next(iter(wrong))):
        AdaptSettings(**wrong)  # type: ignore[arg-type]


def test_how_common_parasites_are_in_an_upload_is_not_learnt() -> None:
    """Ten times as many uninfected cells must not make a parasite ten times less likely."""
    few, many = site(20, 20), site(20, 20)
    times = np.where(many.labels == 0, 10, 1)
    rows = np.repeat(np.arange(40), times)
    many = NewCells(many.views[rows], many.labels[rows], many.groups[rows])
    alike, skewed = (refitted(new, AdaptSettings(cell_weights=(2.0,))) for new in (few, many))
    assert alike is not OLD
    probabilities = [head.probabilities(cells(np.ones(50, np.uint8), 3)) for head in (alike, skewed)]
    assert probabilities[0] == pytest.approx(probabilities[1], abs=1e-3)


@pytest.mark.parametrize(("infected", "uninfected"), [(0, 60), (4, 60), (60, 4)])
def test_with_too_few_of_a_class_to_see_what_it_costs_the_head_stays(infected: int, uninfected: int) -> None:
    assert done(site(infected, uninfected)) == Refitted(OLD, Stays.FEW)
    assert refitted(site(20, 60)) is not OLD


def harmful() -> NewCells:
    """Of a laboratory whose labels contradict the base, so what is learnt from enough of them is harm."""
    right = site(60, 60, faint=0.0)
    views = right.views - np.array([0, 0, 1.5, 0, 0, 0], np.float32)
    return NewCells(views, (1 - right.labels).astype(np.uint8), right.groups)


def test_what_base_patients_do_not_bear_is_not_done() -> None:
    swapped = harmful()
    loud = AdaptSettings(cell_weights=(500.0,), site_share=0.95)
    assert done(swapped, loud) == Refitted(OLD, Stays.BASE)
    assert done(swapped, replace(loud, base_loss=1.0)).stays is None


def test_many_steps_that_base_patients_bear_are_not_borne_in_all() -> None:
    """Each step may lose all that it likes against the one before; the first release still bounds it."""
    swapped = harmful()
    loud = AdaptSettings(cell_weights=(500.0,), site_share=0.95, base_loss=1.0, parts=0)
    drifted = Head(OLD.weights, OLD.bias + 0.5)

    def again(share: float, first: Released | None) -> Stays | None:
        settings = replace(loud, base_loss_in_all=share)
        return refit(
            drifted, memory(Role.TRAIN, 1), guarded(), swapped, settings, lambda _: None, first=first
        ).stays

    assert again(0.012, None) is None, "the step alone may"
    assert again(0.012, Released(OLD, 0.5)) == Stays.BASE
    assert again(1.0, Released(OLD, 0.5)) is None


def test_a_head_that_has_lost_too_much_may_learn_what_costs_no_more() -> None:
    """A head beyond the bound is not shut out from what helps it."""
    loud = AdaptSettings(cell_weights=(500.0,), site_share=0.95, base_loss=1.0, parts=0)
    drifted = done(harmful(), loud).head
    new = site(40, 60, faint=0.5)
    first, learnt = Released(OLD, 0.5), memory(Role.TRAIN, 1)
    found = refit(drifted, learnt, guarded(), new, AdaptSettings(parts=0), lambda _: None, first=first)
    assert found.stays is None
    held = memory(Role.VALIDATION, 2)
    assert Released(found.head, 0.5).right(held) >= Released(drifted, 0.5).right(held)


def test_strengths_are_tried_from_the_strongest(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []

    def report(progress: Progress) -> None:
        said.append(progress.message)

    monkeypatch.setattr(refitting, "_gains", lambda *_: False)
    settings = AdaptSettings(cell_weights=(8.0, 2.0))
    stays = refit(OLD, memory(Role.TRAIN, 1), guarded(), site(20, 20), settings, report).stays
    assert stays == Stays.SITE
    assert [text.rsplit(" ", 1)[1] for text in said] == ["8", "2"]


def test_classes_weigh_alike_or_as_they_were_drawn() -> None:
    new = site(20, 200, faint=1.0)
    alike, drawn = (
        refitting._Fit(OLD, memory(Role.TRAIN, 1), guarded(), AdaptSettings(prior=prior))._each(new, 2.0)
        for prior in Prior
    )
    assert alike[new.labels == 1].sum() == pytest.approx(alike[new.labels == 0].sum())
    assert np.ptp(drawn) == 0
    assert drawn[0] == pytest.approx(400 / 220), "all together no more than what is remembered"
    heads = [refitted(new, AdaptSettings(prior=prior, cell_weights=(2.0,))) for prior in Prior]
    assert sensitivity(heads[0], 1.0) > sensitivity(heads[1], 1.0), "rare parasites are paid for"
