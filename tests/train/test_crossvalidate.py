"""Cross-validation for real, on few synthetic cells: every patient held out once, through an interruption."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from malaria.domain import Label, Progress, Role
from malaria.errors import BadInput, Conflict
from tests.train.test_train import nih_named

pytestmark = pytest.mark.train


@pytest.fixture
def plan(tmp_path: Path):  # type: ignore[no-untyped-def]
    from malaria.training.crossvalidate import Plan
    from malaria.training.recipe import Recipe, Stage

    return Plan(
        data=[nih_named(tmp_path / "one", range(1, 9), 1), nih_named(tmp_path / "two", range(21, 26), 2)],
        roles={"C1P1": Role.TRAIN, "C8P8": Role.TEST, "C25P25": Role.GATE},
        folds=2,
        seed=3,
        recipe=Recipe(network="compact_cnn", stages=(Stage(32, 1),), batch_size=16),
        backbone_weights=None,
        run=tmp_path / "run",
        cache=tmp_path / "cache",
    )


def watcher(seen: list[Progress], stop_at: str = "never") -> Callable[[Progress], None]:
    def watch(progress: Progress) -> None:
        seen.append(progress)
        if progress.step == stop_at:
            raise KeyboardInterrupt

    return watch


def test_an_interrupted_run_goes_on_and_trains_no_finished_fold_again(plan) -> None:  # type: ignore[no-untyped-def]
    from malaria.training.crossvalidate import cross_validate

    with pytest.raises(KeyboardInterrupt):
        cross_validate(plan, watcher([], "fold 2 of 2"))
    assert [path.parent.name for path in plan.run.rglob("answers.npz")] == ["fold-1"]
    assert not list(plan.run.rglob("*partial*"))
    first = (plan.run / "fold-1" / "answers.npz").read_bytes()

    seen: list[Progress] = []
    done = cross_validate(plan, watcher(seen))
    assert list(dict.fromkeys(p.step for p in seen)) == ["fold 2 of 2", "mixed cells"], (
        "no fold twice, no decoding"
    )
    assert (plan.run / "fold-1" / "answers.npz").read_bytes() == first
    assert [p.percent for p in seen] == sorted(p.percent or 0.0 for p in seen)
    assert seen[0].percent is not None
    assert 33 <= seen[0].percent <= 67, "the first of three is done"
    assert seen[-1].percent == pytest.approx(100)

    told = done.kept_apart
    assert len(told) == 11 * 8, "gate and test patients stay locked"
    assert done.left_out == {"test patient": 8, "gate patient": 8}
    assert len(set(told.cells.tolist())) == len(told), "every cell is held out once"
    assert not {"C8P8", "C25P25"} & set(told.patients.tolist())
    one, two = (set(told.patients[told.folds == n].tolist()) for n in (1, 2))
    assert not one & two
    assert np.all((told.probabilities > 0) & (told.probabilities < 1))
    assert done.mixed is not None
    assert 0 < len(done.mixed) < len(told)

    again: list[Progress] = []
    assert np.array_equal(cross_validate(plan, watcher(again)).kept_apart.probabilities, told.probabilities)
    assert again == [], "nothing is left to train"


def test_answers_belong_to_their_cells(plan) -> None:  # type: ignore[no-untyped-def]
    """Labels by name are those of the folders: rows were not mixed up between table, pixels and answers."""
    from malaria.training.crossvalidate import cross_validate

    told = cross_validate(replace(plan, leaky=False), watcher([])).kept_apart
    for cell, label in zip(told.cells.tolist(), told.labels.tolist(), strict=True):
        folder = ("Uninfected", "Parasitized")[label]
        assert any((source / folder / f"{cell}.png").exists() for source in plan.data)


def test_other_settings_do_not_go_on_in_the_same_run(plan) -> None:  # type: ignore[no-untyped-def]
    from malaria.training.crossvalidate import cross_validate

    with pytest.raises(KeyboardInterrupt):
        cross_validate(plan, watcher([], "fold 1 of 2"))
    with pytest.raises(Conflict, match="other settings"):
        cross_validate(replace(plan, seed=4), watcher([]))


def test_only_locked_patients_leave_nothing_to_do(plan) -> None:  # type: ignore[no-untyped-def]
    from malaria.training.crossvalidate import cross_validate

    locked = {f"C{i}P{i}": Role.TEST for i in range(1, 30)}
    with pytest.raises(BadInput, match="stay locked"):
        cross_validate(replace(plan, roles=locked), watcher([]))


def test_listed_cells_are_not_learnt_from_but_scored(plan, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    from malaria.training.crossvalidate import cross_validate

    pictures = [path for source in plan.data for path in source.rglob("*.png")]
    rows = [f"{path.parent.name},{path.stem}\n" for path in pictures]
    listed = tmp_path / "listed.csv"
    listed.write_text("original_label,cell\n" + "".join(row for row in rows if row.startswith("Para")))
    some = replace(plan, without=[listed], leaky=False)
    with pytest.raises(BadInput, match="leave no cells of a class"):
        cross_validate(some, watcher([]))
    assert not list(plan.run.rglob("*.keras"))
    uninfected = replace(some, without_label=Label.UNINFECTED, run=tmp_path / "other")
    told = cross_validate(uninfected, watcher([])).kept_apart
    assert len(told) == 11 * 8, "nothing of that label is listed, and held out are all"
