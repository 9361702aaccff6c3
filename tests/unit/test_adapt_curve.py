"""What is drawn as an upload, who judges it, and how it is told."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from malaria import adapt_curve, adapt_pictures, adapt_tables
from malaria.adapt_curve import Asked, Drawn, Labelled, Point, Variant, curve
from malaria.adapt_ground import grounds, played
from malaria.domain import Role
from malaria.errors import BadInput, BadOptions
from malaria.memory import Memory
from malaria.refitting import AdaptSettings
from tests.unit.test_refitting import OLD, memory, site


def remembered() -> Memory:
    held = memory(Role.TRAIN, 1)
    for role in (Role.VALIDATION, Role.GATE, Role.TEST):
        held = held.with_cells(memory(role, 2))
    return held


def test_gate_and_test_patients_are_left_alone() -> None:
    bases = grounds(remembered(), simulated=False)
    for base in bases:
        assert set(base.learnt.roles) == {Role.TRAIN.value}
        for part, patients in ((base.guarded.validation, 16), (base.judged, 4)):
            assert set(part.roles) == {Role.VALIDATION.value}
            assert len(set(part.patients)) == patients, "a fifth of them judges"
        assert not set(base.guarded.validation.patients) & set(base.judged.patients)
    judged = [patient for base in bases for patient in set(base.judged.patients)]
    assert len(judged) == len(set(judged)) == 20, "each of them once"
    assert sum(sum(base.counts) for base in bases) == sum(len(base.judged) for base in bases) > 0
    one = remembered().where(np.isin(remembered().patients, remembered().patients[:1]))
    with pytest.raises(BadInput, match="fewer than two NIH validation patients"):
        grounds(one, simulated=False)


def test_patients_that_play_a_laboratory_are_not_remembered() -> None:
    for base, whole in zip(grounds(remembered(), True), grounds(remembered(), False), strict=True):
        assert not any(played(patient) for patient in base.learnt.patients)
        assert len(base.learnt) < len(whole.learnt)


def test_an_upload_is_judged_on_other_fields() -> None:
    new = site(60, 100)
    taken = adapt_curve._upload(new, 40, np.random.default_rng(0))
    assert taken is not None
    rows, judged = taken
    assert len(rows) == len(set(rows)) == 40
    assert not set(new.groups[rows]) & set(new.groups[judged])
    assert adapt_curve._upload(new, 200, np.random.default_rng(0)) is None, "half of the fields hold fewer"


def test_more_cells_gain_more_and_the_same_seed_gives_the_same() -> None:
    base = grounds(remembered(), simulated=False)
    drawn, again = (
        curve(OLD, base, site(200, 300), Variant(), Asked((10, 150), 3), lambda _: None) for _ in range(2)
    )
    assert drawn == again
    reached = {
        size: np.mean([one.site["sensitivity"][1] or 0.0 for one in drawn if one.cells == size])
        for size in (10, 150)
    }
    assert reached[150] > max(reached[10], 0.8)
    assert [one.cells for one in drawn] == [10] * 3 + [150] * 3


def test_heads_are_asked_at_the_operating_point_that_is_served() -> None:
    base = grounds(remembered(), simulated=False)

    def asked(at: float) -> tuple[float | None, float | None]:
        (one,) = curve(OLD, base, site(60, 100), Variant(), Asked((40,), 1, at=at), lambda _: None)
        return one.site["sensitivity"]

    (low, _), (half, adapted), (_, high) = asked(0.02), asked(0.5), asked(0.9)
    assert low and not half, "before"
    assert adapted and not high, "and after"


def test_an_upload_that_half_of_the_fields_do_not_hold_is_drawn_again() -> None:
    new = site(200, 300)
    new = replace(new, groups=np.where(np.arange(500) % 2, "crowded", new.groups))
    found = curve(OLD, grounds(remembered(), False), new, Variant(), Asked((260,), 6), lambda _: None)
    assert [one.cells for one in found] == [260] * 6, "only the halves with the crowded field hold so many"


def drawn(variant: Variant, size: int = 60) -> list[Drawn]:
    return curve(
        OLD,
        grounds(remembered(), simulated=False),
        site(200, 300),
        variant,
        Asked((size,), 2),
        lambda _: None,
    )


def test_the_cells_that_the_served_head_doubts_most_are_the_ones_labelled() -> None:
    new = site(200, 300)
    doubt = np.abs(OLD.logits(new.views[:, 0]))
    taken = adapt_curve._upload(new, 40, np.random.default_rng(0), doubt)
    assert taken is not None
    rows, judged = taken
    left = np.setdiff1d(np.flatnonzero(~judged), rows)
    assert doubt[rows].max() <= doubt[left].min()
    assert drawn(Variant(labelled=Labelled.UNCERTAIN)) != drawn(Variant())


def test_a_share_of_the_remembered_patients_is_learnt_with_the_new_cells() -> None:
    learnt = grounds(remembered(), simulated=False)[0].learnt
    some = adapt_curve._some(learnt, 0.25, np.random.default_rng(0))
    assert len(np.unique(some.patients)) == 5
    assert adapt_curve._some(learnt, 1.0, np.random.default_rng(0)) is learnt
    assert len(np.unique(adapt_curve._some(learnt, 0.001, np.random.default_rng(0)).patients)) == 1
    with pytest.raises(BadOptions, match="memory"):
        Variant(memory=0.0)


def test_the_operating_point_may_follow_the_kept_cells() -> None:
    """Where the head stays, the parasites that it misses are found by a lower threshold alone."""
    stays = AdaptSettings(fewest=500)
    kept, moved = (drawn(Variant(stays, point=point), 150) for point in Point)
    assert not any(one.changed for one in (*kept, *moved))
    assert all(one.site["sensitivity"][0] == one.site["sensitivity"][1] for one in kept)
    gains = [(one.site["sensitivity"][1] or 0) - (one.site["sensitivity"][0] or 0) for one in moved]
    assert min(gains) > 0.1
    assert kept[0].site["auc"] == moved[0].site["auc"]


def test_a_picture_is_drawn_of_each_laboratory_that_changed(tmp_path: Path) -> None:
    found = {"in use": {"a b": drawn(Variant()), "bccd": drawn(Variant(AdaptSettings(fewest=500)))}}
    assert [path.name for path in adapt_pictures.write(tmp_path, found)] == ["a-b.png"]
    with Image.open(tmp_path / "a-b.png") as picture:
        assert len(np.unique(np.asarray(picture.convert("RGB")).reshape(-1, 3), axis=0)) > 50


def test_tables_tell_the_change_and_its_spread() -> None:
    def upload(after: float | None, base: float = 0.969, cells: int = 40) -> Drawn:
        site = dict.fromkeys(adapt_curve.FIGURES, (0.5, after))
        return Drawn(50, 4, True, site, dict.fromkeys(adapt_tables.COST, (0.97, base)), (60, cells))

    found = {"in use": {"bbbc041": [upload(0.6), upload(0.8)]}}
    [table] = adapt_tables.tables(found)
    row = dict(zip(table.columns, table.rows[0], strict=True))
    assert (row["cells"], row["uploads"], row["changed"]) == (50, 2, 2)
    assert row["sensitivity"] == "0.500 -> 0.700 (+10.0 to +30.0)"
    assert row["NIH accuracy"] == "0.970 -> 0.969 (-0.1 to -0.1)"
    uneven = {"in use": {"bbbc041": [upload(0.6, base=0.97, cells=30), upload(0.6, base=0.87, cells=10)]}}
    row = dict(zip(table.columns, adapt_tables.tables(uneven)[0].rows[0], strict=True))
    assert row["NIH sensitivity"] == "0.970 -> 0.945 (-10.0 to +0.0)", "cells count alike, not uploads"
    assert row["NIH specificity"] == "0.970 -> 0.920 (-10.0 to +0.0)"
    [unknown] = adapt_tables.tables({"in use": {"bccd": [upload(None)]}})[0].rows
    assert unknown[5] is None
