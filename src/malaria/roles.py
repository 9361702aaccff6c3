"""Which patient may be used for what: train, validation, gate or test. One role each, for ever.

Base patients are listed in `models/roles.json`; patients of an upload are drawn by a hash of their id, so
that the same patient, uploaded twice, stands on the same side.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path

from malaria import whole
from malaria.domain import Label, Role
from malaria.errors import PatientOverlap
from malaria.patients import alike, draw

VALIDATION_SHARE = 0.125
SITE_GATE_SHARE = 0.2
FIELD_SHARE = 0.15
LOCKED = (Role.GATE, Role.TEST)
"""Whose cells nothing is learnt from, nor chosen by."""


def draw_base_roles(development: Mapping[str, int], held_out: Mapping[str, int]) -> dict[str, Role]:
    """Draw roles for base patients, given each one's count of parasitized cells.

    Development patients become train or validation, held-out ones gate or test, half each. Patients with
    and without parasites are drawn apart, so both kinds stand on every side.

    Raises:
        PatientOverlap: a patient is in both.
    """
    apart(development, held_out)
    return {
        **_draw(development, Role.VALIDATION, Role.TRAIN, VALIDATION_SHARE),
        **_draw(held_out, Role.GATE, Role.TEST, 0.5),
    }


def _draw(patients: Mapping[str, int], first: Role, second: Role, share: float) -> dict[str, Role]:
    roles: dict[str, Role] = {}
    for infected in (True, False):
        group = sorted((p for p in patients if (patients[p] > 0) == infected), key=draw)
        cut = round(len(group) * share)
        roles |= {p: first if i < cut else second for i, p in enumerate(group)}
    return roles


def site_role(group: str) -> Role:
    """The role of an upload's patient (or slide, or cell): a fifth go to the site's own gate set."""
    return Role.GATE if draw(group, "site-gate") < SITE_GATE_SHARE else Role.TRAIN


def base_role(group: str) -> Role:
    """The role of a base patient that no list names: train or validation, never gate or test."""
    return Role.VALIDATION if draw(group) < VALIDATION_SHARE else Role.TRAIN


def field_role(group: str) -> Role:
    """The role of a field of another laboratory: most are trained on, some tuned on, some kept apart."""
    at = draw(group, "field")
    return Role.VALIDATION if at < FIELD_SHARE else Role.TEST if at < 2 * FIELD_SHARE else Role.TRAIN


def share_out(groups: Mapping[str, AbstractSet[Label]], known: Mapping[str, Role]) -> dict[str, Role]:
    """Roles of an upload's groups, given the labels in each: known ones first, else as `site_role` draws.

    Where the draw leaves one side empty, training without a class, or the gate without one that others could
    spare, new groups change sides, the lowest draws to the gate. A lone new group, or one that alone holds a
    class, is for training, since it cannot do both.
    """
    roles = {group: known.get(group) or site_role(group) for group in groups}
    free = sorted((g for g in groups if g not in known), key=lambda g: (draw(g, "site-gate"), g))
    if all(role == Role.GATE for role in roles.values()):
        held = any(g in known for g in groups)
        roles |= dict.fromkeys(free if held or len(free) == 1 else free[1:], Role.TRAIN)
    for label in Label:
        _bring_to_training(label, groups, roles, free)
    for label in Label:
        _bring_to_gate(label, groups, roles, free)
    for group in free:  # the lowest-drawn, until there is enough to decide on
        if sum(role == Role.GATE for role in roles.values()) >= _fewest_gate_groups(len(roles)):
            break
        if _spared(group, groups, roles):
            roles[group] = Role.GATE
    return roles


def _learnt(label: Label, groups: Mapping[str, AbstractSet[Label]], roles: Mapping[str, Role]) -> set[str]:
    """The groups to learn from that hold a class."""
    return {group for group, labels in groups.items() if label in labels and roles[group] == Role.TRAIN}


def _spared(group: str, groups: Mapping[str, AbstractSet[Label]], roles: Mapping[str, Role]) -> bool:
    """Whether others to learn from hold every class that a group holds."""
    return all(_learnt(label, groups, roles) - {group} for label in groups[group])


def _bring_to_training(
    label: Label, groups: Mapping[str, AbstractSet[Label]], roles: dict[str, Role], free: Sequence[str]
) -> None:
    """Where there is nothing of `label` to learn from, move the highest-drawn free group of it there."""
    holding = [group for group in free if label in groups[group]]
    if holding and not _learnt(label, groups, roles):
        roles[holding[-1]] = Role.TRAIN


def _fewest_gate_groups(groups: int) -> int:
    """A draw of a fifth leaves few groups of a small upload by chance; the gate needs two to decide on."""
    return min(3, max(groups // 3, min(2, groups // 2)))


def _bring_to_gate(
    label: Label, groups: Mapping[str, AbstractSet[Label]], roles: dict[str, Role], free: Iterable[str]
) -> None:
    """Where the gate lacks `label` and two groups hold it, move the lowest-drawn free one there."""
    holding = [group for group, labels in groups.items() if label in labels]
    elsewhere = [group for group in holding if roles[group] != Role.GATE]
    if len(elsewhere) < len(holding) or len(elsewhere) < 2:
        return
    for group in free:
        if group in elsewhere and _spared(group, groups, roles):
            roles[group] = Role.GATE
            return


def apart(left: Iterable[str], right: Iterable[str]) -> None:
    """The hard guard: raise PatientOverlap unless no patient stands on both sides."""
    there = {alike(patient) for patient in right}
    both = sorted(patient for patient in set(left) if alike(patient) in there)
    if both:
        raise PatientOverlap(f"{len(both)} patients stand on both sides of a split, such as {both[0]}.")


def load(path: Path) -> dict[str, Role]:
    return {patient: Role(role) for patient, role in json.loads(path.read_text()).items()}


def save(roles: Mapping[str, Role], path: Path) -> None:
    """Write the roles, whole or not at all: a list that is torn would forget who was tested on."""
    whole.write_text(path, json.dumps(dict(sorted(roles.items())), indent=0) + "\n")
