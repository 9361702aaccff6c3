"""Refit a head on a laboratory's new cells and on what is remembered, as far as the others bear it.

The change from the served head is penalised, and what is remembered is to be answered as before. Two guards
bound how much the new cells count: base validation patients may lose little, and the laboratory's own cells
must be answered better by a head that has not learnt them. Where no strength passes both, nothing changes.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from malaria import head as heads
from malaria.domain import Progress
from malaria.head import Floats, Head
from malaria.memory import BASE, Memory, is_base
from malaria.ports import Report

SEED = 0
"""Of the parts into which a laboratory's cells are split to ask what they gain."""


@dataclass(frozen=True)
class AdaptSettings:
    """views: flips and turns of each new training cell, 1 to 8. penalty: on the head's change.

    cell_weights: how much one new cell counts against one remembered, tried from the strongest; the first
    is taken by which neither sensitivity nor specificity on base validation patients falls by more than
    `base_loss`, nor specificity at the other base laboratories, so a site is not paid for by the others;
    and by which the site's own cells gain, asked of heads that have not learnt them. parts: into which these
    are split for that; 0: they are not asked. fewest: cells of each class that must be there to see it; with fewer the head stays
    as it is. site_share: the most that all new cells weigh together, as a share of everything.
    """

    views: int = 4
    penalty: float = 1e-5
    cell_weights: tuple[float, ...] = (20.0, 10.0, 5.0, 2.5, 1.2, 0.6, 0.3, 0.1)
    base_loss: float = 0.004
    site_share: float = 0.5
    parts: int = 4
    fewest: int = 5


@dataclass(frozen=True)
class NewCells:
    """m cells to learn. views: (m, v, width) embeddings in v flips and turns. labels: (m,) 0 or 1. groups:
    (m,) patient, else field, else cell."""

    views: npt.NDArray[np.float32]
    labels: npt.NDArray[np.uint8]
    groups: npt.NDArray[np.str_]

    def where(self, mask: npt.NDArray[np.bool_]) -> "NewCells":
        return NewCells(self.views[mask], self.labels[mask], self.groups[mask])

    def by_class(self, values: Floats) -> float:
        """The mean of values, (m,), over both classes alike, however many cells each has."""
        return float(np.mean([values[self.labels == label].mean() for label in (0, 1)]))


def refit(
    old: Head,
    remembered: Memory,
    validation: Memory,
    new: NewCells,
    settings: AdaptSettings,
    report: Report,
) -> Head:
    """The head refitted with the strongest weight of the new cells that both guards pass, else the old one.

    remembered: what is learnt beside the new cells. validation: base patients that must bear it.
    """
    if min((new.labels == label).sum() for label in (0, 1)) < settings.fewest:
        return old
    fit = _Fit(old, remembered, validation, settings)
    before = _rates(old, validation)
    for weight in settings.cell_weights:
        report(Progress("train", percent=80.0, message=f"refitting the head, new cells weigh {weight:g}"))
        fitted = fit(new, weight)
        borne = np.all(_rates(fitted, validation) >= before - settings.base_loss)
        if borne and (not settings.parts or _gains(fit, new, weight, settings.parts)):
            return fitted
    return old


class _Fit:
    """Fits heads to new cells, beside the same remembered ones."""

    def __init__(self, old: Head, remembered: Memory, validation: Memory, settings: AdaptSettings) -> None:
        self.old, self._settings = old, settings
        self._embeddings, self._weights = remembered.embeddings, _weights(remembered)
        # What is remembered is to be answered as it was: with no new cells nothing would change. Fitting its
        # labels again would move the head towards cells that the network was trained on.
        self._targets = old.probabilities(self._embeddings)
        # The temperature is set on NIH patients alone: another laboratory that brings one class only would
        # say how common that class is, not how sure to be.
        self._nih = validation.where(validation.origins == BASE)

    def __call__(self, new: NewCells, weight: float) -> Head:
        """Both classes of the new cells weigh alike: their share says how they were chosen, not how likely a
        parasite is, and a head that learnt it would pay specificity with sensitivity."""
        share, views = self._settings.site_share, new.views.shape[1]
        most = float(self._weights.sum()) * share / (1 - share)
        whole = min(len(new.labels) * weight, most)
        sizes = np.bincount(new.labels, minlength=2)
        each = np.repeat(whole / 2 / (sizes[new.labels] * views), views)
        fitted = heads.refit(
            self.old,
            np.concatenate([self._embeddings, new.views.reshape(-1, new.views.shape[2])]),
            np.concatenate([self._targets, np.repeat(new.labels, views)]),
            np.concatenate([self._weights, each]),
            self._settings.penalty,
        )
        return fitted.cooled(heads.temperature(fitted.logits(self._nih.embeddings), self._nih.labels))


def _gains(fit: _Fit, new: NewCells, weight: float, parts: int) -> bool:
    """Whether new cells are answered better, both classes alike, by heads that have not learnt them: at less
    loss, and no fewer of them rightly."""
    before, after = _Answers.of(fit.old, new), _Answers.of(fit.old, new)
    for apart in _parts(new, parts):
        if len(np.unique(new.labels[~apart])) == 2:
            after.take(apart, _Answers.of(fit(new.where(~apart), weight), new.where(apart)))
    lost, won = before.losses - after.losses, after.right - before.right
    return new.by_class(lost) > 0 and new.by_class(won) >= 0


@dataclass(frozen=True)
class _Answers:
    """To m cells. losses: (m,) cross-entropy, the mean of a cell's views. right: (m,) share of its views."""

    losses: Floats
    right: Floats

    @classmethod
    def of(cls, head: Head, cells: NewCells) -> "_Answers":
        logits, truth = head.logits(cells.views), cells.labels[:, np.newaxis]
        losses = np.logaddexp(0.0, logits) - truth * logits
        return cls(losses.mean(axis=1), ((logits >= 0) == truth).mean(axis=1))

    def take(self, rows: npt.NDArray[np.bool_], those: "_Answers") -> None:
        self.losses[rows], self.right[rows] = those.losses, those.right


def _parts(new: NewCells, parts: int) -> Iterator[npt.NDArray[np.bool_]]:
    """Masks, (m,), that together take every cell once; groups stay whole where there are enough of them."""
    names, owner = np.unique(new.groups, return_inverse=True)
    if len(names) < parts:
        owner = np.arange(len(new.groups))
    place = np.random.default_rng(SEED).permutation(int(owner.max()) + 1) % parts
    for number in range(parts):
        apart = place[owner] == number
        if apart.any():
            yield apart


def _weights(remembered: Memory) -> Floats:
    """How much each remembered cell counts, (n,): all base cells together as much as the NIH ones, so that a
    site does not count for less where the base holds other laboratories too."""
    base = is_base(remembered.origins)
    nih = int(np.sum(remembered.origins == BASE))
    return np.where(base & (nih > 0), nih / max(int(base.sum()), 1), 1.0)


def _rates(head: Head, validation: Memory) -> Floats:
    """At a probability of one half: sensitivity and specificity on NIH cells, and specificity on those of the
    other base laboratories where the memory holds any."""
    right, labels = (head.logits(validation.embeddings) >= 0) == validation.labels, validation.labels
    nih = validation.origins == BASE
    sets = [nih & (labels == 1), nih & (labels == 0), ~nih & (labels == 0)]
    return np.array([right[cells].mean() for cells in sets if np.any(cells)])
