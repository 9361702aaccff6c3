"""What an adaptation gains and costs by the number of cells that a laboratory labels.

Uploads are drawn from one half of a laboratory's fields (or patients); the head is refitted on them exactly
as `adapt` does; the other half says what the laboratory gained. What it cost is told by validation patients
that the refit has not looked at: gate and test patients are left alone.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from malaria import metrics, roles
from malaria.adapt import turn
from malaria.domain import Label, Progress, Role
from malaria.head import Head
from malaria.memory import BASE, Memory
from malaria.patients import draw
from malaria.ports import Report
from malaria.preprocess import Pixels
from malaria.progress import part
from malaria.refitting import AdaptSettings, NewCells, refit

if TYPE_CHECKING:
    from malaria.predict import Model

FIGURES = ("accuracy", "sensitivity", "specificity", "auc", "specificity_at_sensitivity_90")
SIZES = (25, 50, 100, 200, 500, 1000)
LOOKED_AT = 0.5
"""Share of the validation patients that a refit looks at; the others judge it."""


@dataclass(frozen=True)
class Ground:
    """Base cells: learnt with the new ones; looked at while the head is refitted; judged on."""

    learnt: Memory
    looked_at: Memory
    judged: Memory


Change = tuple[float | None, float | None]
"""A figure before and after; None where the cells cannot say."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """One upload. cells: how many were labelled; parasitized, of them. changed: whether the head was.

    site: figures of the laboratory's other fields. base: of base patients.
    """

    cells: int
    parasitized: int
    changed: bool
    site: Mapping[str, Change]
    base: Mapping[str, Change]


def embed(model: "Model", cells: Iterable[tuple[Pixels, Label, str]], views: int, report: Report) -> NewCells:
    """A laboratory's cells as the model sees them: pixels (s, s, 3) at its input size, label, group."""
    labels, groups = [], []

    def shown() -> Iterator[Pixels]:
        for pixels, label, group in cells:
            labels.append(int(label))
            groups.append(group)
            yield from (turn(pixels, k) for k in range(views))

    found = []
    for scored in model.score_many(shown()):
        found.append(scored.embedding)
        if len(found) % 512 == 0:
            report(Progress("embed", message=f"{len(found) // views} cells"))
    return NewCells(
        np.array(found, np.float32).reshape(len(labels), views, -1),
        np.array(labels, np.uint8),
        np.array(groups, np.str_),
    )


def played(patient: str) -> bool:
    """Whether a training patient plays in the laboratory that is simulated: a sixth of them."""
    return draw(patient, "simulated-site") < 1 / 6


def ground(memory: Memory, simulated: bool) -> Ground:
    """The base cells of a study. simulated: whether the laboratory is made of the training patients that are
    `played`, whose own cells are then left out."""
    learnt, held = memory.of(Role.TRAIN, base=True), memory.of(Role.VALIDATION, base=True)
    if simulated:
        learnt = learnt.where(~np.array([played(patient) for patient in learnt.patients], np.bool_))
    looked_at = np.array([draw(patient, "adapt-curve") < LOOKED_AT for patient in held.patients], np.bool_)
    judged = held.where(~looked_at)
    return Ground(learnt, held.where(looked_at), judged.where(judged.origins == BASE))


def curve(
    old: Head,
    base: Ground,
    site: NewCells,
    settings: AdaptSettings,
    sizes: Sequence[int],
    draws: int,
    seed: int,
    report: Report,
) -> list[Drawn]:
    """Adapt to `draws` uploads of each size; one that half of the fields do not hold is left out."""
    found = []
    for number, (cells, i) in enumerate((cells, i) for cells in sizes for i in range(draws)):
        tell = part(report, 100.0 * number / (len(sizes) * draws), 100.0 / (len(sizes) * draws))
        taken = _upload(site, cells, np.random.default_rng((seed, i)))
        if taken is not None:
            found.append(_adapted(old, base, site, settings, *taken, tell))
    return found


def _upload(
    site: NewCells, cells: int, rng: np.random.Generator
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.bool_]] | None:
    """Rows of an upload, drawn from one half of the groups, and a mask (n,) of the other half."""
    groups = rng.permutation(np.unique(site.groups))
    near = np.isin(site.groups, groups[: (len(groups) + 1) // 2])
    there = np.flatnonzero(near)
    return (rng.permutation(there)[:cells], ~near) if len(there) >= cells else None


def _adapted(
    old: Head,
    base: Ground,
    site: NewCells,
    settings: AdaptSettings,
    rows: npt.NDArray[np.intp],
    judged: npt.NDArray[np.bool_],
    report: Report,
) -> Drawn:
    learnt = rows[_to_train(site, rows)]
    shown = NewCells(site.views[learnt, : settings.views], site.labels[learnt], site.groups[learnt])
    new = refit(old, base.learnt, base.looked_at, shown, settings, report)
    upright = site.views[judged, 0]
    return Drawn(
        len(rows),
        int(site.labels[rows].sum()),
        new is not old,
        _compared(old, new, upright, site.labels[judged], site.groups[judged]),
        _compared(old, new, base.judged.embeddings, base.judged.labels, base.judged.patients),
    )


def _to_train(site: NewCells, rows: npt.NDArray[np.intp]) -> npt.NDArray[np.bool_]:
    """Which cells of an upload are learnt from: a fifth are kept for the gate, as in a retraining."""
    labels: dict[str, set[Label]] = {}
    for group, label in zip(site.groups[rows], site.labels[rows], strict=True):
        labels.setdefault(str(group), set()).add(Label(label))
    shared = roles.share_out(labels, {})
    return np.array([shared[str(group)] == Role.TRAIN for group in site.groups[rows]])


def _compared(
    old: Head,
    new: Head,
    embeddings: npt.NDArray[np.float32],
    labels: npt.NDArray[np.uint8],
    groups: npt.NDArray[np.str_],
) -> dict[str, Change]:
    """Figures at a probability of one half, of the head before and of the head after."""
    before, after = (
        metrics.metrics(labels, head.probabilities(embeddings), groups, 0.5, bootstrap=0)
        for head in (old, new)
    )
    return {name: (getattr(before, name), getattr(after, name)) for name in FIGURES}
