"""The base cells beside which an adaptation is studied: what is learnt with, what guards and what judges."""

from dataclasses import dataclass

import numpy as np

from malaria.domain import Role
from malaria.errors import BadInput
from malaria.memory import BASE, Memory
from malaria.patients import draw
from malaria.refitting import Guarded

FOLDS = 5


@dataclass(frozen=True)
class Ground:
    """Base cells: learnt with the new ones; guarded while the head is refitted; judged on."""

    learnt: Memory
    guarded: Guarded
    judged: Memory

    @property
    def counts(self) -> tuple[int, int]:
        """Of the judging cells, how many are uninfected and how many parasitized."""
        ill = int(np.count_nonzero(self.judged.labels))
        return len(self.judged) - ill, ill


def played(patient: str) -> bool:
    """Whether a training patient plays in the laboratory that is simulated: a sixth of them."""
    return draw(patient, "simulated-site") < 1 / 6


def grounds(memory: Memory, simulated: bool) -> list[Ground]:
    """The base cells of a study, up to `FOLDS` times. simulated: whether the laboratory is made of the
    training patients that are `played`, whose own cells are then left out.

    A fifth of the NIH validation patients judges, another each time; the others are guarded, with other base
    laboratories. The fewer are guarded the more the others lose, so the guard is nearly as fine as that of
    `adapt`, which has them all. The parts are of unlike size, for patients are.

    Raises BadInput where there are fewer than two such patients.
    """
    learnt, held = memory.of(Role.TRAIN, base=True), memory.of(Role.VALIDATION, base=True)
    if simulated:
        learnt = learnt.where(~np.array([played(patient) for patient in learnt.patients], np.bool_))
    nih, none = held.origins == BASE, held.where(np.zeros(len(held), np.bool_))
    if len(np.unique(held.patients[nih])) < 2:
        raise BadInput(
            "The feature memory holds fewer than two NIH validation patients, so none could judge beside "
            "those that guard. `malaria doctor` says what is wrong with it."
        )
    judging = [nih & np.isin(held.patients, fold) for fold in _folds(held.where(nih))]
    return [
        Ground(learnt, Guarded(held.where(~judges), none), held.where(judges))
        for judges in judging
        if judges.any()
    ]


def _folds(nih: Memory) -> list[list[str]]:
    """The patients in `FOLDS` parts, those with and those without parasites dealt apart."""
    ill = set(nih.patients[nih.labels == 1].tolist())
    dealt = sorted(
        set(nih.patients.tolist()), key=lambda patient: (patient in ill, draw(patient, "adapt-curve"))
    )
    return [dealt[fold::FOLDS] for fold in range(FOLDS)]
