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
from malaria.errors import BadInput
from malaria.head import Head
from malaria.memory import BASE, Memory
from malaria.patients import draw
from malaria.ports import Report
from malaria.preprocess import Pixels
from malaria.progress import part
from malaria.refitting import AdaptSettings, Guarded, NewCells, refit

if TYPE_CHECKING:
    from malaria.predict import Model

FIGURES = ("accuracy", "sensitivity", "specificity", "auc", "specificity_at_sensitivity_90")
SIZES = (25, 50, 100, 200, 500, 1000)


@dataclass(frozen=True)
class Ground:
    """Base cells: learnt with the new ones; guarded while the head is refitted; judged on."""

    learnt: Memory
    guarded: Guarded
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
    """A laboratory's cells as the model sees them: pixels (s, s, 3) at its input size, label, group.

    Raises BadInput unless there are cells of both classes and of two groups.
    """
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
    ill, owners = sum(labels), len(set(groups))
    if not 0 < ill < len(labels) or owners < 2:
        raise BadInput(
            f"{ill} parasitized and {len(labels) - ill} uninfected cells of {owners} fields or patients were "
            "found; a laboratory is studied on cells of both classes and of two or more of these."
        )
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
    `played`, whose own cells are then left out.

    One half of the validation patients is guarded, with other base laboratories; the other half judges. So
    the guard is coarser than that of `adapt`, which has them all.
    """
    learnt, held = memory.of(Role.TRAIN, base=True), memory.of(Role.VALIDATION, base=True)
    if simulated:
        learnt = learnt.where(~np.array([played(patient) for patient in learnt.patients], np.bool_))
    judges = np.isin(held.patients, _half(held)) & (held.origins == BASE)
    return Ground(
        learnt, Guarded(held.where(~judges), held.where(np.zeros(len(held), np.bool_))), held.where(judges)
    )


def _half(held: Memory) -> list[str]:
    """Every other NIH patient, those with and those without parasites dealt apart."""
    nih = held.where(held.origins == BASE)
    ill = set(nih.patients[nih.labels == 1].tolist())
    dealt = sorted(
        set(nih.patients.tolist()), key=lambda patient: (patient in ill, draw(patient, "adapt-curve"))
    )
    return dealt[1::2]


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
    """Adapt to `draws` uploads of each size; one that half of the fields do not hold is left out.

    Raises BadInput where they hold none of the sizes.
    """
    found = []
    for number, (cells, i) in enumerate((cells, i) for cells in sizes for i in range(draws)):
        tell = part(report, 100.0 * number / (len(sizes) * draws), 100.0 / (len(sizes) * draws))
        taken = _upload(site, cells, np.random.default_rng((seed, i)))
        if taken is not None:
            found.append(_adapted(old, base, site, settings, *taken, tell))
    if not found:
        raise BadInput(
            f"One half of the fields or patients holds fewer than {min(sizes)} cells. Ask for fewer."
        )
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
    done = refit(old, base.learnt, base.guarded, shown, settings, report)
    new = done.head
    upright = site.views[judged, 0]
    return Drawn(
        len(rows),
        int(site.labels[rows].sum()),
        done.stays is None,
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
