"""What an adaptation gains and costs by the number of cells that a laboratory labels.

Uploads are drawn from one half of a laboratory's fields (or patients); the head is refitted on them exactly
as `adapt` does; the other half says what the laboratory gained. What it cost is told by validation patients
that the refit has not looked at, from upload to upload by another fifth of them: gate and test patients are
left alone.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import numpy.typing as npt

from malaria import metrics, operating, roles
from malaria.adapt import turn
from malaria.adapt_ground import Ground, grounds
from malaria.domain import Label, Progress, Role
from malaria.errors import BadInput, BadOptions
from malaria.head import Floats, Head
from malaria.memory import Memory
from malaria.ports import Report
from malaria.preprocess import Pixels
from malaria.progress import part
from malaria.refitting import AdaptSettings, NewCells, refit

if TYPE_CHECKING:
    from malaria.predict import Model

FIGURES = ("accuracy", "sensitivity", "specificity", "auc", "specificity_at_sensitivity_90")
SIZES = (25, 50, 100, 200, 500, 1000)
HALF = 0.5
TRIES = 50
"""How often an upload is drawn until half of the fields hold it."""


class Labelled(StrEnum):
    """Which cells a laboratory labels: drawn ones, or those about which the served head is least certain."""

    DRAWN = "drawn"
    UNCERTAIN = "uncertain"


class Point(StrEnum):
    """The operating point after the refit: one half, or as the laboratory's kept cells want it."""

    KEPT = "kept"
    SITE = "site"


@dataclass(frozen=True)
class Variant:
    """What is studied. settings: of `adapt`. memory: share of the remembered patients whose cells are learnt
    with the new ones, above 0, at most 1. labelled, point: see there.

    Raises BadOptions where the share is out of its range.
    """

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    settings: AdaptSettings = field(default_factory=AdaptSettings)
    memory: float = 1.0
    labelled: Labelled = Labelled.DRAWN
    point: Point = Point.KEPT

    def __post_init__(self) -> None:
        if not 0 < self.memory <= 1:
            raise BadOptions(f"memory is {self.memory}; it must be above 0 and at most 1.")


Change = tuple[float | None, float | None]
"""A figure before and after; None where the cells cannot say."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """One upload. cells: how many were labelled; parasitized, of them. changed: whether the head was.

    site: figures of the laboratory's other fields. base: of base patients. judged: how many uninfected and
    parasitized cells of base patients told the latter.
    """

    cells: int
    parasitized: int
    changed: bool
    site: Mapping[str, Change]
    base: Mapping[str, Change]
    judged: tuple[int, int]


def embed(model: "Model", cells: Iterable[tuple[Pixels, Label, str]], views: int, report: Report) -> NewCells:
    """A laboratory's cells as the model sees them: pixels (s, s, 3) at its input size, label, group.

    Raises BadInput unless there are cells of two groups.
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
    owners = len(set(groups))
    if owners < 2:
        raise BadInput(
            f"{len(labels)} cells of {owners} fields or patients were found; one half of these is learnt "
            "from and the other judged on, so there must be two or more."
        )
    return NewCells(
        np.array(found, np.float32).reshape(len(labels), views, -1),
        np.array(labels, np.uint8),
        np.array(groups, np.str_),
    )


@dataclass(frozen=True)
class Asked:
    """Uploads: of how many cells, how many of each size, and the seed of their draws. at: the operating point
    of the served head, which an adapted one keeps."""

    sizes: Sequence[int] = SIZES
    draws: int = 10
    seed: int = 0
    at: float = HALF


@dataclass(frozen=True)
class Laboratory:
    """Its cells, as `embed` takes them. simulated: see `grounds`."""

    cells: Iterable[tuple[Pixels, Label, str]]
    simulated: bool


def curves(
    model: "Model",
    head: Head,
    memory: Memory,
    laboratories: Mapping[str, Laboratory],
    variants: Mapping[str, Variant],
    asked: Asked,
    report: Report,
) -> dict[str, dict[str, list[Drawn]]]:
    """Every variant's uploads at every laboratory, by their names. head, memory: those of the model.

    Raises BadInput where a laboratory has too few cells.
    """
    found: dict[str, dict[str, list[Drawn]]] = {name: {} for name in variants}
    asked = replace(asked, at=model.info.threshold)
    views, span = max(v.settings.views for v in variants.values()), 100.0 / len(laboratories) / len(variants)
    for number, (name, laboratory) in enumerate(laboratories.items()):
        begin = number * len(variants) * span
        seen = embed(model, laboratory.cells, views, part(report, begin, 0.0))
        bases = grounds(memory, laboratory.simulated)
        for place, (told, variant) in enumerate(variants.items()):
            own = part(report, begin + place * span, span)
            found[told][name] = curve(head, bases, seen, variant, asked, own)
    return found


def curve(
    old: Head,
    bases: Sequence[Ground],
    site: NewCells,
    variant: Variant,
    asked: Asked,
    report: Report,
) -> list[Drawn]:
    """Adapt to as many uploads of each size as are asked for, or as `TRIES` draws for each of them bring: an
    upload that half of the fields do not hold is drawn again. bases: taken in turn.

    Raises BadInput where they hold none of the sizes.
    """
    doubt = np.abs(old.logits(site.views[:, 0])) if variant.labelled == Labelled.UNCERTAIN else None
    found, span = [], 100.0 / (len(asked.sizes) * asked.draws)
    for number, (cells, i) in enumerate((cells, i) for cells in asked.sizes for i in range(asked.draws)):
        base, tell = bases[i % len(bases)], part(report, number * span, span)
        for again in range(TRIES):
            rng = np.random.default_rng((asked.seed, i, again) if again else (asked.seed, i))
            taken = _upload(site, cells, rng, doubt)
            if taken is not None:
                learnt = _some(base.learnt, variant.memory, rng)
                found.append(
                    _adapted(old, replace(base, learnt=learnt), site, variant, *taken, asked.at, tell)
                )
                break
    if not found:
        raise BadInput(
            f"One half of the fields or patients holds fewer than {min(asked.sizes)} cells. Ask for fewer."
        )
    return found


def _some(learnt: Memory, share: float, rng: np.random.Generator) -> Memory:
    """The cells of a share of the remembered patients, at least one."""
    if share == 1:
        return learnt
    patients = rng.permutation(np.unique(learnt.patients))
    return learnt.where(np.isin(learnt.patients, patients[: max(1, round(share * len(patients)))]))


def _upload(
    site: NewCells, cells: int, rng: np.random.Generator, doubt: Floats | None = None
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.bool_]] | None:
    """Rows of an upload, drawn from one half of the groups, and a mask (n,) of the other half.

    doubt: (n,) distance from the operating point; where it is given, the nearest cells are taken.
    """
    groups = rng.permutation(np.unique(site.groups))
    near = np.isin(site.groups, groups[: (len(groups) + 1) // 2])
    there = rng.permutation(np.flatnonzero(near))
    if doubt is not None:
        there = there[np.argsort(doubt[there], kind="stable")]
    return (there[:cells], ~near) if len(there) >= cells else None


def _adapted(
    old: Head,
    base: Ground,
    site: NewCells,
    variant: Variant,
    rows: npt.NDArray[np.intp],
    judged: npt.NDArray[np.bool_],
    served_at: float,
    report: Report,
) -> Drawn:
    train = _to_train(site, rows)
    learnt, kept = rows[train], rows[~train]
    views = site.views[learnt, : variant.settings.views]
    shown = NewCells(views, site.labels[learnt], site.groups[learnt])
    done = refit(old, base.learnt, base.guarded, shown, variant.settings, report, threshold=served_at)
    at = served_at
    if variant.point == Point.SITE and len(kept):
        told = done.head.probabilities(site.views[kept, 0])
        at = operating.threshold(site.labels[kept], told, site.groups[kept])
    upright, both = site.views[judged, 0], ((old, served_at), (done.head, at))
    return Drawn(
        len(rows),
        int(site.labels[rows].sum()),
        done.stays is None,
        _compared(both, upright, site.labels[judged], site.groups[judged]),
        _compared(both, base.judged.embeddings, base.judged.labels, base.judged.patients),
        base.counts,
    )


def _to_train(site: NewCells, rows: npt.NDArray[np.intp]) -> npt.NDArray[np.bool_]:
    """Which cells of an upload are learnt from: a fifth are kept for the gate, as in a retraining."""
    labels: dict[str, set[Label]] = {}
    for group, label in zip(site.groups[rows], site.labels[rows], strict=True):
        labels.setdefault(str(group), set()).add(Label(label))
    shared = roles.share_out(labels, {})
    return np.array([shared[str(group)] == Role.TRAIN for group in site.groups[rows]])


def _compared(
    both: tuple[tuple[Head, float], tuple[Head, float]],
    embeddings: npt.NDArray[np.float32],
    labels: npt.NDArray[np.uint8],
    groups: npt.NDArray[np.str_],
) -> dict[str, Change]:
    """Figures of the head before and of the head after, each at its operating point."""
    before, after = (
        metrics.metrics(labels, head.probabilities(embeddings), groups, at, bootstrap=0) for head, at in both
    )
    return {name: (getattr(before, name), getattr(after, name)) for name in FIGURES}
