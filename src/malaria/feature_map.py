"""What a version remembers, laid out in two dimensions, so that a person sees what lies beside what.

The map is the first two principal components of the remembered train cells' embeddings. Distances on it are
part of the truth only: `explained` says which share of the spread it shows.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from malaria import memory
from malaria.domain import ModelVersion, Role
from malaria.errors import Damaged
from malaria.memory import Memory

MEMORY = "memory.npz"
MOST = 5000
"""Train cells from which the components are found, evenly among all."""
KEPT = 3
"""Maps at once."""
SHOWN = 1500
"""Of these, points that are shown."""

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Learnt:
    """Train cells of one laboratory. by_patient: (patients, 2) cells of each: uninfected, parasitized; the
    largest first, and nobody named."""

    laboratory: str
    by_patient: npt.NDArray[np.int64]


@dataclass(frozen=True)
class FeatureMap:
    """centre: (width,). axes: (width, 2), which lead from an embedding to the map. points: (n, 2); labels:
    (n,) 0 uninfected, 1 parasitized; laboratories: (n,). explained: shares of the variance along the axes."""

    centre: Floats
    axes: Floats
    points: Floats
    labels: npt.NDArray[np.uint8]
    laboratories: npt.NDArray[np.str_]
    explained: tuple[float, float]
    learnt: tuple[Learnt, ...]

    @classmethod
    def of(cls, known: Memory) -> "FeatureMap":
        """Raises Damaged where fewer than three train cells are remembered."""
        train = known.of(Role.TRAIN)
        if len(train) < 3:
            raise Damaged("The feature memory holds too few train cells for a map.")
        some = train.where(_evenly(len(train), MOST))
        embeddings = some.embeddings
        centre = embeddings.mean(axis=0)
        _, strengths, components = np.linalg.svd(embeddings - centre, full_matrices=False)
        axes = _upright(components[:2], embeddings - centre, some.labels).T
        shares = strengths[:2] ** 2 / max(float(np.sum(strengths**2)), 1e-12)
        shown = _evenly(len(some), SHOWN)
        return cls(
            centre,
            axes,
            (embeddings[shown] - centre) @ axes,
            some.labels[shown],
            some.origins[shown],
            (float(shares[0]), float(shares[1])),
            tuple(_learnt(train)),
        )

    def place(self, embedding: Floats) -> tuple[float, float]:
        """Where a cell lies, by its embedding, (width,)."""
        x, y = (embedding - self.centre) @ self.axes
        return float(x), float(y)


class Maps:
    """Maps of versions, made when they are first asked for; the last few are kept. For many threads.

    read: the content of a file of a version; raises NotFound where it has none of that name.
    """

    def __init__(self, read: Callable[[ModelVersion, str], bytes]) -> None:
        self._read = read
        self._made: dict[str, FeatureMap] = {}
        self._lock = threading.Lock()

    def of(self, info: ModelVersion) -> FeatureMap:
        """Raises NotFound where the version remembers nothing, Damaged where its memory cannot be read."""
        with self._lock:
            if info.version not in self._made:
                made = FeatureMap.of(memory.load(self._read(info, MEMORY)))
                self._made = dict(list(self._made.items())[1 - KEPT :]) | {info.version: made}
            return self._made[info.version]


def _evenly(many: int, most: int) -> npt.NDArray[np.bool_]:
    chosen = np.zeros(many, np.bool_)
    chosen[np.unique(np.linspace(0, many - 1, min(many, most)).astype(np.intp))] = True
    return chosen


def _upright(components: Floats, centred: Floats, labels: npt.NDArray[np.uint8]) -> Floats:
    """Components have no direction of their own: parasitized cells lie to the right and above, so that maps
    of two versions resemble each other."""
    signs = []
    for component in components:
        along = centred @ component
        both = (labels == 1).any() and (labels == 0).any()
        towards = along[labels == 1].mean() - along[labels == 0].mean() if both else component.sum()
        signs.append(-1.0 if towards < 0 else 1.0)
    return (components * np.asarray(signs, np.float32)[:, np.newaxis]).astype(np.float32)


def _learnt(train: Memory) -> list[Learnt]:
    found = []
    for laboratory in sorted(set(train.origins.tolist())):
        own = train.where(train.origins == laboratory)
        _, index = np.unique(own.patients, return_inverse=True)
        counts = np.zeros((int(index.max()) + 1, 2), np.int64)
        np.add.at(counts, (index, own.labels.astype(np.intp)), 1)
        found.append(Learnt(laboratory, counts[np.argsort(-counts.sum(axis=1), kind="stable")]))
    return found
