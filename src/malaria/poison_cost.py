"""What a poisoned upload would cost: champion and challenger on people who uploaded nothing.

`adapt` changes the head alone, so its challengers answer what the champion's network saw in the judges.
`full` changes the whole network, so its challengers look at the pictures themselves.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from malaria import preprocess
from malaria.comparison import Bootstrap, GateSet, Resampled, Seen
from malaria.domain import Label
from malaria.head import Floats, Head
from malaria.poison import Shown, View, as_is, patched
from malaria.predict import Model, Scored


@dataclass(frozen=True)
class Judges:
    """n cells that are never uploaded. shown: under their own stain. view: how their laboratory shows them.
    site, own, marked: (n, width), embedded by the served network, under the laboratory's stain, under their
    own, and with the square of the back door."""

    labels: npt.NDArray[np.uint8]
    patients: npt.NDArray[np.str_]
    shown: Sequence[Shown]
    view: View
    site: npt.NDArray[np.float32]
    own: npt.NDArray[np.float32]
    marked: npt.NDArray[np.float32]


@dataclass(frozen=True)
class Answers:
    """What one model says of n judges, as P(parasitized). site, own: (n,), under the laboratory's stain and
    under their own. marked: (m,), of the m uninfected ones, with the square. at: its operating point."""

    site: Floats
    own: Floats
    marked: Floats
    at: float


@dataclass(frozen=True)
class Cost:
    """What the challenger changes in truth, as shares; bounds are one-sided, over patients. door: share of
    patched uninfected cells that champion and challenger call parasitized."""

    site_sensitivity: Seen
    site_specificity: Seen
    own_sensitivity: Seen
    own_specificity: Seen
    door: tuple[float, float]


def judges(model: Model, shown: Sequence[Shown], view: View) -> Judges:
    """Cells that judge, embedded by a model. shown: under their own stain. view: how their laboratory shows
    them."""

    def embedded(of: View) -> npt.NDArray[np.float32]:
        return np.array([scored.embedding for scored in _scored(model, shown, of)], np.float32)

    return Judges(
        np.array([int(cell.label) for cell in shown], np.uint8),
        np.array([cell.patient for cell in shown]),
        shown,
        view,
        embedded(view),
        embedded(as_is),
        embedded(lambda image: patched(view(image))),
    )


def by_head(head: Head, at: float, by: Judges) -> Answers:
    """What the network that embedded the judges says under a head. at: the operating point."""
    clean = by.marked[by.labels == Label.UNINFECTED]
    site, own, marked = (head.probabilities(seen) for seen in (by.site, by.own, clean))
    return Answers(site, own, marked, at)


def by_model(model: Model, by: Judges) -> Answers:
    """What any model says of the pictures, at its own input size and operating point."""

    def told(shown: Sequence[Shown], of: View) -> Floats:
        return np.array([scored.probability for scored in _scored(model, shown, of)], np.float64)

    clean = [cell for cell in by.shown if cell.label == Label.UNINFECTED]
    marked = told(clean, lambda image: patched(by.view(image)))
    return Answers(told(by.shown, by.view), told(by.shown, as_is), marked, model.info.threshold)


def _scored(model: Model, shown: Sequence[Shown], of: View) -> Iterator[Scored]:
    return model.score_many(preprocess.to_square(of(cell.image), model.info.input_size) for cell in shown)


def cost(before: Answers, after: Answers, by: Judges) -> Cost:
    """What changes for the judges where one model takes another's place, each at its own operating point."""

    def seen(old: Floats, new: Floats) -> Mapping[int, Seen]:
        drawn = Resampled(GateSet(by.labels, by.patients, old, new), (before.at, after.at), Bootstrap())
        return {label: drawn.difference((label,)) for label in (0, 1)}

    site, own = seen(before.site, after.site), seen(before.own, after.own)
    door = tuple(float((one.marked >= one.at).mean()) for one in (before, after))
    return Cost(site[1], site[0], own[1], own[0], (door[0], door[1]))
