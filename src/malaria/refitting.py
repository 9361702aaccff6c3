"""Refit a head on a laboratory's new cells and on what is remembered, as far as the others bear it.

The change from the served head is penalised, and what is remembered is to be answered as before. Two guards
bound how much the new cells count: base validation patients and earlier laboratories may lose little, the
former since the first release too, and the laboratory's own cells must be answered better by heads that have
not learnt them. Where no strength passes both, the head stays as it is. With few cells the second guard errs
often; the gate judges after it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from malaria import dealing
from malaria import head as heads
from malaria.domain import Progress
from malaria.errors import BadOptions, Damaged
from malaria.head import Floats, Head
from malaria.memory import BASE, Memory, is_base
from malaria.ports import Report


class Prior(StrEnum):
    """How the new cells' classes weigh: both alike, or as they were drawn."""

    ALIKE = "alike"
    DRAWN = "drawn"


@dataclass(frozen=True)
class AdaptSettings:
    """views: flips and turns of each new training cell, 1 to 8. penalty: on the head's change, above 0.
    prior: how the new cells' classes weigh.

    cell_weights: how much one new cell counts at most against one remembered, tried in turn; the first is
    taken by which no set of cells that is guarded loses more than the share `base_loss`, or one cell, and the
    new cells gain. base_loss_in_all: the same of base cells since the first release, lest many steps that
    each lose little lead down. parts: into which the new cells are split to ask them, 2 or more; 0: they are
    not asked. fewest: cells of each class that must be there to learn from; with fewer the head stays as it
    is. site_share: the most that all new cells weigh, as a share of everything, below 1.

    Raises BadOptions where one is out of its range.
    """

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    views: int = 4
    penalty: float = 1e-5
    prior: Prior = Prior.ALIKE
    cell_weights: tuple[float, ...] = (20.0, 10.0, 5.0, 2.5, 1.2, 0.6, 0.3, 0.1)
    base_loss: float = 0.004
    base_loss_in_all: float = 0.012
    site_share: float = 0.5
    parts: int = 4
    fewest: int = 5

    def __post_init__(self) -> None:
        for name, holds, wanted in (
            ("views", 1 <= self.views <= 8, "1 to 8"),
            ("penalty", self.penalty > 0, "above 0"),
            ("cell_weights", self.cell_weights and min(self.cell_weights) > 0, "one or more, above 0"),
            ("base_loss", self.base_loss >= 0, "0 or more"),
            ("base_loss_in_all", self.base_loss_in_all >= 0, "0 or more"),
            ("site_share", 0 < self.site_share < 1, "between 0 and 1"),
            ("parts", self.parts == 0 or self.parts >= 2, "0, or 2 or more"),
            ("fewest", self.fewest >= 1, "1 or more"),
        ):
            if not holds:
                raise BadOptions(f"{name} is {getattr(self, name)}; it must be {wanted}.")


@dataclass(frozen=True)
class NewCells:
    """m cells to learn. views: (m, v, width) embeddings in v flips and turns. labels: (m,) 0 or 1. groups:
    (m,) patient, else field, else cell."""

    views: npt.NDArray[np.float32]
    labels: npt.NDArray[np.uint8]
    groups: npt.NDArray[np.str_]

    def where(self, mask: npt.NDArray[np.bool_]) -> "NewCells":
        return NewCells(self.views[mask], self.labels[mask], self.groups[mask])

    @property
    def sizes(self) -> npt.NDArray[np.intp]:
        """How many are uninfected and how many parasitized, (2,)."""
        return np.bincount(self.labels, minlength=2)


class Stays(StrEnum):
    """Why a head stays as it is: too few cells of a class, the others would lose, the cells do not gain."""

    FEW = "few"
    BASE = "base"
    SITE = "site"


@dataclass(frozen=True)
class Refitted:
    """head: the new one, or the old one where it stays, and then why."""

    head: Head
    stays: Stays | None = None


@dataclass(frozen=True)
class Guarded:
    """Cells that must bear it. validation: of base patients. earlier: of laboratories adapted to before.

    Raises Damaged where there are no NIH validation cells of both classes: nothing could be calibrated.
    """

    validation: Memory
    earlier: Memory

    def __post_init__(self) -> None:
        if len(np.unique(self.nih.labels)) < 2:
            raise Damaged(
                "The feature memory holds no NIH validation cells of both classes, so no head can be "
                "calibrated on it. `malaria doctor` says what is wrong with it."
            )

    @property
    def nih(self) -> Memory:
        return self.validation.where(self.validation.origins == BASE)

    def base(self) -> list[Memory]:
        """By class: of NIH, of the other base laboratories; those that hold cells."""
        return _by_class(self.nih, self.validation.where(self.validation.origins != BASE))

    def sets(self) -> list[Memory]:
        """The same, and by class those of earlier laboratories."""
        return [*self.base(), *_by_class(self.earlier)]


def _by_class(*of: Memory) -> list[Memory]:
    sets = [cells.where(cells.labels == label) for cells in of for label in (0, 1)]
    return [cells for cells in sets if len(cells)]


class Released(NamedTuple):
    """A head with its operating point, P(parasitized) above 0 and below 1."""

    head: Head
    threshold: float

    def right(self, cells: Memory) -> int:
        """How many cells it answers rightly."""
        at = float(np.log(self.threshold / (1 - self.threshold)))
        return int(((self.head.logits(cells.embeddings) >= at) == (cells.labels == 1)).sum())


def refit(
    old: Head,
    remembered: Memory,
    guarded: Guarded,
    new: NewCells,
    settings: AdaptSettings,
    report: Report,
    threshold: float = 0.5,
    first: Released | None = None,
) -> Refitted:
    """The head refitted with the strongest weight of the new cells that both guards pass, else the old one.

    remembered: what is learnt beside the new cells. threshold: the operating point, above 0 and below 1.
    first: the first release, from which the old head descends; None where that is the old one.
    """
    if new.sizes.min() < settings.fewest:
        return Refitted(old, Stays.FEW)
    fit, at = _Fit(old, remembered, guarded, settings), float(np.log(threshold / (1 - threshold)))
    bounds = [_Bound(Released(old, threshold), guarded.sets(), settings.base_loss)]
    if first is not None:
        bounds.append(_Bound(first, guarded.base(), settings.base_loss_in_all, Released(old, threshold)))
    served, why = _Answers.of(old, new, at), Stays.BASE
    for weight in settings.cell_weights:
        report(Progress("train", percent=80.0, message=f"refitting the head, new cells weigh {weight:g}"))
        fitted = fit(new, weight)
        if not all(bound.holds(Released(fitted, threshold)) for bound in bounds):
            continue
        if not settings.parts or _gains(fit, new, weight, served, at):
            return Refitted(fitted)
        why = Stays.SITE
    return Refitted(old, why)


class _Fit:
    """Fits heads to new cells, beside the same remembered ones."""

    def __init__(self, old: Head, remembered: Memory, guarded: Guarded, settings: AdaptSettings) -> None:
        self.old, self.settings = old, settings
        self._embeddings, self._weights = remembered.embeddings, _weights(remembered)
        # What is remembered is to be answered as it was: with no new cells nothing would change. Fitting its
        # labels again would move the head towards cells that the network was trained on.
        self._targets = old.probabilities(self._embeddings)
        # The temperature is set on NIH patients alone: another laboratory that brings one class only would
        # say how common that class is, not how sure to be.
        self._nih = guarded.nih

    def __call__(self, new: NewCells, weight: float) -> Head:
        views = new.views.shape[1]
        each = np.repeat(self._each(new, weight) / views, views)
        fitted = heads.refit(
            self.old,
            np.concatenate([self._embeddings, new.views.reshape(-1, new.views.shape[2])]),
            np.concatenate([self._targets, np.repeat(new.labels, views)]),
            np.concatenate([self._weights, each]),
            self.settings.penalty,
        )
        return fitted.cooled(heads.temperature(fitted.logits(self._nih.embeddings), self._nih.labels))

    def _each(self, new: NewCells, weight: float) -> Floats:
        """How much each new cell counts, (m,).

        Both classes weigh alike, unless asked otherwise: their share says how they were chosen, not how
        likely a parasite is, and a head that learnt it would pay specificity with sensitivity.
        """
        share = self.settings.site_share
        most = float(self._weights.sum()) * share / (1 - share)
        if self.settings.prior == Prior.DRAWN:
            return np.full(len(new.labels), min(weight, most / len(new.labels)))
        of_class = min(new.sizes.min() * weight, most / 2)
        return np.asarray(of_class / new.sizes[new.labels], np.float64)


@dataclass(frozen=True)
class _Bound:
    """What no set of cells may lose, a share of them or one cell, against what an earlier head answers; or no
    more than the served head has lost already, where that is more: what helps must not be shut out by it."""

    before: Released
    sets: Sequence[Memory]
    loss: float
    served: Released | None = None

    def holds(self, after: Released) -> bool:
        return all(self._lost(cells, after) <= self._most(cells) for cells in self.sets)

    def _lost(self, cells: Memory, after: Released) -> int:
        return self.before.right(cells) - after.right(cells)

    def _most(self, cells: Memory) -> float:
        already = self._lost(cells, self.served) if self.served else 0
        return max(self.loss * len(cells), 1, already)


@dataclass(frozen=True)
class _Answers:
    """To m cells. losses: (m,) cross-entropy, the mean of a cell's views. right: (m,) share of its views."""

    losses: Floats
    right: Floats

    @classmethod
    def of(cls, head: Head, cells: NewCells, at: float) -> "_Answers":
        logits, truth = head.logits(cells.views), cells.labels[:, np.newaxis]
        return cls(heads.losses(logits, truth).mean(axis=1), ((logits >= at) == truth).mean(axis=1))


def _gains(fit: _Fit, new: NewCells, weight: float, served: _Answers, at: float) -> bool:
    """Whether new cells are answered better, both classes alike, by heads that have not learnt them: at less
    loss, and no fewer of them rightly. False where no cell of a class could be asked so."""
    asked = np.zeros(len(new.labels), np.bool_)
    lost, won = np.zeros(len(asked)), np.zeros(len(asked))
    for apart in dealing.parts(new.groups, new.labels, fit.settings.parts):
        rest = new.where(~apart)
        if rest.sizes.min():
            told = _Answers.of(fit(rest, weight), new.where(apart), at)
            lost[apart], won[apart] = served.losses[apart] - told.losses, told.right - served.right[apart]
            asked |= apart
    of_class = [asked & (new.labels == label) for label in (0, 1)]
    if not all(cells.any() for cells in of_class):
        return False
    return bool(
        np.mean([lost[cells].mean() for cells in of_class]) > 0
        and np.mean([won[cells].mean() for cells in of_class]) >= 0
    )


def _weights(remembered: Memory) -> Floats:
    """How much each remembered cell counts, (n,): all base cells together as much as the NIH ones, so that a
    site does not count for less where the base holds other laboratories too."""
    base = is_base(remembered.origins)
    nih = int(np.sum(remembered.origins == BASE))
    return np.where(base & (nih > 0), nih / max(int(base.sum()), 1), 1.0)
