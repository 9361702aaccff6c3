"""How far a picture is from what a model learnt: in its features, and in brightness and colour.

Features: Mahalanobis distance to the nearer class mean of the remembered train cells, under one covariance
of both, as Lee et al. (NeurIPS 2018) do to find what a network never saw. The covariance is shrunk towards
its diagonal, since channels that hardly ever vary would else decide, and 1 is the distance that 5 in 100 of
those cells exceed.

Brightness and colour: means over a coarse grid of the pixels that are not the black surround, in standard
deviations of the train cells' means, of the laboratory that is most alike. Both need no label, so they speak
before anybody has confirmed a cell.
"""

import json
import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from malaria import memory
from malaria.domain import ModelVersion, Role
from malaria.errors import Damaged, MalariaError
from malaria.memory import Memory
from malaria.preprocess import BLACK, Pixels
from malaria.promote import Registry

log = logging.getLogger(__name__)

FILE = "appearance.json"
"""Beside the models that ship: brightness and colour of the project's train cells."""
MEMORY = "memory.npz"
SHRINK = 0.1
"""Share of the diagonal in the covariance."""
EXCEEDED = 95.0
MOST = 5000
"""Train cells that are looked at: more would only make an instance start more slowly."""
STEP = 8
"""Every so many rows and columns of a picture are looked at."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Features:
    """whitening: (width, width), by which the covariance becomes the identity. centres: (classes, width), the
    class means so whitened. unit: the distance that 5 in 100 train cells exceed."""

    whitening: npt.NDArray[np.float32]
    centres: npt.NDArray[np.float32]
    unit: float

    @classmethod
    def of(cls, known: Memory) -> "Features":
        """Of the train cells of a memory, or some MOST evenly among them. Raises Damaged where it has fewer
        than two."""
        rows = np.flatnonzero(known.roles == Role.TRAIN.value)
        if len(rows) < 2:
            raise Damaged("The feature memory holds no train cells to compare with.")
        some = np.zeros(len(known), np.bool_)
        some[rows[:: max(1, len(rows) // MOST)]] = True
        train = known.where(some)
        embeddings = train.embeddings.astype(np.float64)
        classes = [label for label in (0, 1) if (train.labels == label).any()]
        means = np.stack([embeddings[train.labels == label].mean(axis=0) for label in classes])
        centred = embeddings - means[np.searchsorted(classes, train.labels)]
        covariance = centred.T @ centred / len(centred)
        diagonal = np.diag(np.diag(covariance))
        floor = 1e-6 * max(float(np.trace(covariance)) / len(covariance), 1e-12)  # some never fire
        shrunk = (1 - SHRINK) * covariance + SHRINK * diagonal + floor * np.eye(len(covariance))
        whitening = np.linalg.inv(np.linalg.cholesky(shrunk)).T
        whitened, centres = embeddings @ whitening, means @ whitening
        nearest = np.min([np.linalg.norm(whitened - centre, axis=1) for centre in centres], axis=0)
        unit = float(np.percentile(nearest, EXCEEDED))
        return cls(whitening.astype(np.float32), centres.astype(np.float32), max(unit, 1e-12))

    def distance(self, embedding: npt.NDArray[np.float32]) -> float:
        """Of one cell, (width,), to the nearer class."""
        whitened = np.einsum("i,ij->j", embedding, self.whitening)  # for so little, threads only cost
        away = self.centres - whitened
        return float(np.sqrt(np.min(np.einsum("ij,ij->i", away, away)))) / self.unit


@dataclass(frozen=True, slots=True)
class Usual:
    """Mean and standard deviation, over the train cells of one laboratory, of each figure of `looks`. cells:
    how many they were."""

    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    cells: int

    @classmethod
    def of(cls, figures: Floats) -> "Usual":
        """Of the figures of n cells, (n, 3)."""
        mean, deviation = figures.mean(axis=0), figures.std(axis=0)
        return cls(tuple(mean.tolist()), tuple(deviation.tolist()), len(figures))


@dataclass(frozen=True)
class Appearance:
    """What is usual in each laboratory that was learnt from."""

    laboratories: Mapping[str, Usual]

    @classmethod
    def read(cls, path: Path) -> "Appearance":
        """Raises Damaged where the file is none."""
        try:
            told = json.loads(path.read_text())["laboratories"]
            found = {
                str(name): Usual(tuple(one["mean"]), tuple(one["deviation"]), int(one["cells"]))
                for name, one in told.items()
            }
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise Damaged(f"{path} tells no brightness and colour: {error!r}") from error
        if not found:
            raise Damaged(f"{path} tells of no laboratory.")
        return cls(found)

    def off(self, square: Pixels) -> float:
        """Standard deviations by which the farthest of a picture's figures is off, in the laboratory where it
        is off least; 0 of an all black one."""
        found = looks(square)
        if found is None:
            return 0.0
        return min(
            max(abs(f - m) / d for f, m, d in zip(found, one.mean, one.deviation, strict=True))
            for one in self.laboratories.values()
        )


def looks(square: Pixels) -> tuple[float, float, float] | None:
    """Brightness, 0 to 255, and the shares of red and of blue in it, of a picture (s, s, 3) without its black
    surround; None where it is all black."""
    coarse = square[::STEP, ::STEP]
    red, green, blue = coarse[..., 0], coarse[..., 1], coarse[..., 2]
    lit = np.maximum(np.maximum(red, green), blue) > BLACK
    count = int(np.count_nonzero(lit))
    if not count:
        return None
    sums = [int(channel[lit].sum()) for channel in (red, green, blue)]
    total = sum(sums)
    return total / 3 / count, sums[0] / total, sums[2] / total


@dataclass(frozen=True)
class Familiar:
    """What a version learnt looks like; a part that is not known says nothing (NaN), which is not told."""

    features: Features | None
    appearance: Appearance | None

    def distance(self, embedding: npt.NDArray[np.float32]) -> float:
        return self.features.distance(embedding) if self.features else float("nan")

    def deviation(self, square: Pixels) -> float:
        return self.appearance.off(square) if self.appearance else float("nan")


class Familiarity:
    """What the served version learnt looks like, read once for each version. For many threads.

    models: folder of the models that ship, whose memories lie here and need not be brought from the store.
    """

    def __init__(self, registry: Registry, models: Path, cache: Path) -> None:
        self._registry, self._models, self._cache = registry, models, cache
        self._appearance: Appearance | None = None
        self._known: tuple[str, Familiar] | None = None
        self._lock = threading.Lock()

    def of(self, info: ModelVersion) -> Familiar:
        """Never raises: pictures are answered, whatever is not known. What failed is logged, once."""
        known = self._known
        if known is not None and known[0] == info.version:
            return known[1]
        with self._lock:
            if self._known is None or self._known[0] != info.version:
                self._known = info.version, Familiar(self._features(info.version), self._appearances())
            return self._known[1]

    def _features(self, version: str) -> Features | None:
        try:
            path = self._models / version / MEMORY
            if not path.is_file():
                path = self._registry.fetch(version, MEMORY, self._cache / version / MEMORY)
            return Features.of(memory.load(path))
        except (MalariaError, OSError, np.linalg.LinAlgError) as error:
            log.warning("how far features of version %s are off cannot be told: %s", version, error)
            return None

    def _appearances(self) -> Appearance | None:
        if self._appearance is None:
            try:
                self._appearance = Appearance.read(self._models / FILE)
            except Damaged as error:
                log.warning("how far brightness and colour are off cannot be told: %s", error)
        return self._appearance
