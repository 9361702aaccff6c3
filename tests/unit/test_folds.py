"""No patient on two sides, ever; the folds are alike; the mixed split is what it says."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from malaria import folds
from malaria.errors import BadInput, PatientOverlap

PATIENTS = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=40)
"""Parasitized and uninfected cells of each patient."""


def table(patients: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    labels = [y for infected, clean in patients for y in [1] * infected + [0] * clean]
    names = [f"C{i}" for i, (infected, clean) in enumerate(patients) for _ in range(infected + clean)]
    return np.array(labels, np.uint8), np.array(names, np.str_)


def hospital(seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """90 patients with parasites, of very unlike size, and 30 without, in no order."""
    rng = np.random.default_rng(seed)
    sick = [(int(n) + 1, int(rng.integers(1, 120))) for n in rng.pareto(1.2, 90) * 20 if n < 600]
    labels, names = table([*sick, *((0, int(n)) for n in rng.integers(20, 120, 30))])
    order = rng.permutation(len(labels))
    return labels[order], names[order]


@given(patients=PATIENTS, count=st.integers(2, 6), seed=st.integers(0, 99))
def test_a_patient_is_never_on_two_sides_and_held_out_once(
    patients: list[tuple[int, int]], count: int, seed: int
) -> None:
    labels, names = table(patients)
    try:
        splits = folds.by_patient(labels, names, count, seed)
    except BadInput:
        return  # too few; `test_enough_patients_are_split` holds it to not saying so always
    assert len(splits) == count
    assert sorted(np.concatenate([s.held_out for s in splits]).tolist()) == list(range(len(labels)))
    for split in splits:
        parts = [set(names[rows].tolist()) for rows in split.parts().values()]
        assert not parts[0] & parts[1]
        assert not parts[0] & parts[2]
        assert not parts[1] & parts[2]
        assert sum(len(rows) for rows in split.parts().values()) == len(labels)
        assert all(set(labels[rows].tolist()) == {0, 1} for rows in split.parts().values())


@given(count=st.integers(2, 6), seed=st.integers(0, 99), sizes=st.integers(5, 40))
def test_enough_patients_are_split(count: int, seed: int, sizes: int) -> None:
    labels, names = table([(sizes, sizes)] * 24)
    assert len(folds.by_patient(labels, names, count, seed)) == count


def test_folds_are_alike_in_patients_and_cells() -> None:
    labels, names = hospital()
    infected = set(names[labels == 1].tolist())
    for split in folds.by_patient(labels, names, 5, 7):
        held = set(names[split.held_out].tolist())
        assert len(held) == pytest.approx(24, abs=3)
        assert len(held & infected) / len(held) == pytest.approx(0.75, abs=0.1)
        assert len(split.held_out) == pytest.approx(len(labels) / 5, rel=0.1)
        assert labels[split.held_out].mean() == pytest.approx(labels.mean(), abs=0.05)
        assert len(split.validation) == pytest.approx(len(labels) / 10, rel=0.3), "one patient may be a tenth"


def test_the_draw_depends_on_cells_and_seed_only() -> None:
    labels, names = hospital()
    drawn = [set(names[s.held_out].tolist()) for s in folds.by_patient(labels, names, 5, 7)]
    order = np.random.default_rng(0).permutation(len(labels))
    again = folds.by_patient(labels[order], names[order], 5, 7)
    assert [set(names[order][s.held_out].tolist()) for s in again] == drawn
    other = [set(names[s.held_out].tolist()) for s in folds.by_patient(labels, names, 5, 8)]
    assert other != drawn


def test_the_mixed_split_mixes_patients_and_the_guard_sees_it() -> None:
    labels, names = hospital()
    split, kept_apart = folds.mixed(labels, 5, 7), folds.by_patient(labels, names, 5, 7)[0]
    assert sorted(np.concatenate(list(split.parts().values())).tolist()) == list(range(len(labels)))
    assert len(split.held_out) == pytest.approx(len(kept_apart.held_out), rel=0.1)
    assert len(split.validation) == pytest.approx(len(kept_apart.validation), rel=0.3)
    folds.apart(kept_apart, names)
    with pytest.raises(PatientOverlap, match="both sides"):
        folds.apart(split, names)


def test_the_guard_sees_one_patient_in_two_parts() -> None:
    names = np.array(["a", "b", "c", "a"])
    rows = [np.array([0]), np.array([1]), np.array([2, 3])]
    for turn in range(3):
        with pytest.raises(PatientOverlap, match="such as a"):
            folds.apart(folds.Split(*(rows[turn:] + rows[:turn])), names)


@pytest.mark.parametrize(
    ("patients", "count"), [([], 2), ([(9, 9)] * 20, 1), ([(9, 9)] * 3, 5), ([(0, 9)] * 20, 5)]
)
def test_too_few_patients_are_told(patients: list[tuple[int, int]], count: int) -> None:
    with pytest.raises(BadInput):
        folds.by_patient(*table(patients), count, 0)


def test_some_patients_of_both_kinds() -> None:
    labels, names = hospital()
    kept = folds.some(labels, names, 24, 3)
    infected = set(names[labels == 1].tolist())
    assert len(kept) == pytest.approx(24, abs=1)
    assert len(set(kept.tolist()) & infected) == pytest.approx(18, abs=1)
    assert kept.tolist() == folds.some(labels, names, 24, 3).tolist()
    assert len(folds.some(labels, names, 10_000, 3)) == len(set(names.tolist()))
