"""One role each, for ever."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from malaria import roles
from malaria.domain import Label, Role
from malaria.errors import PatientOverlap

BOTH = frozenset(Label)
LABELS = st.sampled_from([BOTH, frozenset({Label.PARASITIZED}), frozenset({Label.UNINFECTED})])
GROUPS = st.dictionaries(st.text(min_size=1, max_size=6), LABELS, min_size=1, max_size=12)


def test_base_roles_are_drawn_apart_with_both_kinds_on_every_side() -> None:
    development = {f"C{i}": i % 4 for i in range(80)}
    held_out = {f"D{i}": i % 4 for i in range(40)}
    drawn = roles.draw_base_roles(development, held_out)
    assert {drawn[p] for p in development} == {Role.TRAIN, Role.VALIDATION}
    assert {drawn[p] for p in held_out} == {Role.GATE, Role.TEST}
    for role in Role:
        counts = [({**development, **held_out})[p] > 0 for p in drawn if drawn[p] == role]
        assert set(counts) == {True, False}
    assert sum(role == Role.VALIDATION for role in drawn.values()) == pytest.approx(10, abs=1)


def test_a_patient_on_both_sides_is_refused() -> None:
    with pytest.raises(PatientOverlap, match="1 patients stand on both sides of a split, such as b"):
        roles.draw_base_roles({"a": 1, "b": 2}, {"b": 1})
    with pytest.raises(PatientOverlap, match="such as K-1"):
        roles.apart(["K-1", "a"], ["b", "k-1"])
    roles.apart(["a"], ["b"])


def test_roles_are_saved_and_loaded(tmp_path: Path) -> None:
    told = {"b": Role.GATE, "a": Role.TRAIN}
    roles.save(told, tmp_path / "roles.json")
    assert roles.load(tmp_path / "roles.json") == told


def test_a_fifth_of_a_site_goes_to_its_gate() -> None:
    drawn = [roles.site_role(f"patient {i}") for i in range(4000)]
    assert set(drawn) == {Role.GATE, Role.TRAIN}
    assert drawn.count(Role.GATE) / 4000 == pytest.approx(0.2, abs=0.03)


def test_an_unlisted_base_patient_is_never_judged_on() -> None:
    drawn = [roles.base_role(f"patient {i}") for i in range(4000)]
    assert set(drawn) == {Role.TRAIN, Role.VALIDATION}
    assert drawn.count(Role.VALIDATION) / 4000 == pytest.approx(0.125, abs=0.03)


@given(GROUPS, st.data())
def test_sharing_out_keeps_known_roles_and_fills_both_sides(
    groups: dict[str, frozenset[Label]], data: st.DataObject
) -> None:
    known = data.draw(
        st.dictionaries(st.sampled_from(sorted(groups)), st.sampled_from([Role.GATE, Role.TRAIN]))
    )
    shared = roles.share_out(groups, known)
    assert shared.keys() == groups.keys()
    assert known.items() <= shared.items()
    assert set(shared.values()) <= {Role.GATE, Role.TRAIN}
    assert shared == roles.share_out(dict(reversed(groups.items())), known)
    free = {group for group in groups if group not in known}
    for label in Label:
        if any(label in groups[group] for group in free):
            assert any(label in groups[group] for group in groups if shared[group] == Role.TRAIN), "to learn"
    if not known and any(spared(group, groups) for group in groups):
        assert set(shared.values()) == {Role.GATE, Role.TRAIN}


def spared(group: str, groups: Mapping[str, frozenset[Label]]) -> bool:
    """Whether other groups hold every class that it holds."""
    others = [labels for name, labels in groups.items() if name != group]
    return bool(others) and groups[group] <= set[Label]().union(*others)


@pytest.mark.parametrize("healthy", [1, 3, 4, 9])
def test_one_infected_patient_among_healthy_ones_is_learnt_from(healthy: int) -> None:
    for salt in range(50):
        groups = {f"{salt}-{i}": frozenset({Label.UNINFECTED}) for i in range(healthy)}
        groups[f"{salt}-ill"] = BOTH
        assert roles.share_out(groups, {})[f"{salt}-ill"] == Role.TRAIN


@given(GROUPS.filter(lambda groups: sum(labels == BOTH for labels in groups.values()) >= 2))
def test_the_gate_holds_both_classes_where_others_can_spare_them(
    groups: Mapping[str, frozenset[Label]],
) -> None:
    shared = roles.share_out(groups, {})
    on_gate: set[Label] = set().union(*(groups[g] for g in groups if shared[g] == Role.GATE))
    assert on_gate == BOTH


def test_a_draw_that_needs_no_mending_is_left_alone() -> None:
    groups = {f"patient {i}": BOTH for i in range(50)}
    assert roles.share_out(groups, {}) == {group: roles.site_role(group) for group in groups}


def test_a_lone_group_is_for_training_unless_its_role_is_known() -> None:
    lone = next(g for g in map(str, range(100)) if roles.site_role(g) == Role.GATE)
    assert roles.share_out({lone: BOTH}, {}) == {lone: Role.TRAIN}
    assert roles.share_out({lone: BOTH}, {lone: Role.GATE}) == {lone: Role.GATE}


@pytest.mark.parametrize(("count", "fewest"), [(2, 1), (3, 1), (4, 2), (5, 2), (9, 3), (40, 3)])
def test_the_gate_gets_groups_enough_to_decide_on(count: int, fewest: int) -> None:
    for salt in range(30):
        shared = roles.share_out({f"{salt}-{i}": BOTH for i in range(count)}, {})
        gate = sum(role == Role.GATE for role in shared.values())
        assert fewest <= gate < count
