"""What hidden tenths and pointing say of a model's activation maps: figures, with intervals over patients."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from malaria.bootstrap import Floats, Groups, drawn_sums
from malaria.evaluation import Explained, HiddenTenth, OfParasites, Rate
from malaria.hiding import HOTTEST, RANDOM
from malaria.metrics import LEVEL
from malaria.pointing import Pointed
from malaria.scoring import Scores
from malaria.shares import share

CALLED, RIGHTLY = "called parasitized", "parasitized and called so"
HIDDEN = {"hottest tenth": HOTTEST, "random tenth": RANDOM}
DIFFERENCE = "difference"
Bools = npt.NDArray[np.bool_]


def explained(
    scores: Scores, pointed: Sequence[Pointed], threshold: float, *, draws: int, seed: int
) -> Explained:
    """Figures of cells that were shown whole ("raw") and with either tenth hidden, and of synthetic cells."""
    called = scores.views["raw"] >= threshold
    sets = {CALLED: called, RIGHTLY: called & (scores.labels == 1)}
    hidden = [
        one
        for name, rows in sets.items()
        if rows.any()
        for one in _of_cells(name, scores.where(rows), threshold, draws, seed)
    ]
    return Explained(tuple(hidden), _pointing(pointed, draws, seed))


def _of_cells(name: str, scores: Scores, threshold: float, draws: int, seed: int) -> list[HiddenTenth]:
    """The hottest tenth, a random one, and the one less the other; pairs are resampled together."""
    groups, columns = scores.groups, {}
    for tenth, view in HIDDEN.items():
        columns[tenth] = np.stack(
            [
                scores.views["raw"] - scores.views[view],
                scores.logits["raw"] - scores.logits[view],
                scores.views[view] < threshold,
            ],
            axis=1,
        )
    columns[DIFFERENCE] = columns["hottest tenth"] - columns["random tenth"]
    found = []
    for tenth, of in columns.items():
        probability, logit, flipped = means(of, groups, draws, seed)
        if tenth in HIDDEN:
            flipped = share(of[:, 2] > 0, groups, draws, seed)
        patients = len(np.unique(groups))
        found.append(HiddenTenth(name, len(groups), patients, tenth, probability, logit, flipped))
    return found


def means(columns: Floats, groups: Groups, draws: int, seed: int) -> list[Rate]:
    """The mean of each column of (n, k), with its interval where there is more than one group."""
    seen = columns.mean(axis=0)
    if not draws or len(np.unique(groups)) < 2:
        return [Rate(float(value), None) for value in seen]
    ones = np.ones((len(columns), 1))
    alike = np.ones(len(columns), np.int8)
    sums = drawn_sums(alike, groups, np.hstack([ones, columns]), draws, seed)
    low, high = np.quantile(sums[:, 1:] / sums[:, :1], [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    return [Rate(float(v), (float(a), float(b))) for v, a, b in zip(seen, low, high, strict=True)]


def _pointing(pointed: Sequence[Pointed], draws: int, seed: int) -> tuple[OfParasites, ...]:
    """All parasitized synthetic cells, then each form of parasite, the most frequent first."""
    forms: dict[str, list[Pointed]] = {"all": list(pointed)}
    for one in pointed:
        forms.setdefault(one.kind, []).append(one)
    order = sorted(forms, key=lambda form: -len(forms[form]))
    return tuple(_of_form(form, forms[form], draws, seed) for form in order if forms[form])


def _of_form(form: str, of: Sequence[Pointed], draws: int, seed: int) -> OfParasites:
    called = [one for one in of if one.called]
    if not called:
        return OfParasites(form, len(of), 0, 0)
    groups = np.array([one.patient for one in called], np.str_)
    hits = share(np.array([one.hit for one in called]), groups, draws, seed)
    beside = means(np.array([[one.chance, one.right, one.down] for one in called]), groups, draws, seed)
    return OfParasites(form, len(of), len(called), len(np.unique(groups)), hits, *beside)
