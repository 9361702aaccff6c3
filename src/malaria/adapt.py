"""Adapt a served model to a laboratory: refit its head on feature memory and upload, in about a minute.

The new cells are embedded through the served .tflite file in several views; the head is refitted on them
and on the memory together (`refitting`) and written into the file's constants. No TensorFlow, no base images.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from malaria import head as heads
from malaria.domain import Progress, Role
from malaria.head import Head
from malaria.memory import Memory, remember
from malaria.ports import Report
from malaria.predict import Model
from malaria.preprocess import Pixels, pixels
from malaria.refitting import AdaptSettings, Guarded, NewCells, Released, Stays, refit
from malaria.shards import Shard, ShardCell, Shards


@dataclass(frozen=True)
class Adapted:
    """tflite: the challenger's file. memory: with the new cells. old, new: the heads before and after; stays:
    why they are the same, where they are. learnt: how many uninfected and parasitized cells were learnt from.
    parity: largest difference between a probability of the file and that of the new head, over a few cells.
    """

    tflite: bytes
    memory: Memory
    old: Head
    new: Head
    stays: Stays | None
    learnt: tuple[int, int]
    parity: float


GOLDEN = 8
"""Cells of each shard that the written file is asked."""


def adapt(
    champion: Model,
    content: bytes,
    memory: Memory,
    shards: Shards,
    new: Sequence[Shard],
    settings: AdaptSettings,
    report: Report,
    first: Released | None = None,
) -> Adapted:
    """Adapt `champion`, whose .tflite file is `content`, to the cells of the new shards.

    first: the head of the first release, from which it descends; None where it is the champion. Raises
    Damaged where the memory holds nothing to calibrate on.
    """
    old = heads.read(content)
    guarded = Guarded(memory.of(Role.VALIDATION, base=True), memory.of(Role.TRAIN, base=False))
    cells, shown = embed(champion, shards, new, settings.views, len(old.weights), report)
    at, learnt_from = champion.info.threshold, memory.of(Role.TRAIN)
    done = refit(old, learnt_from, guarded, shown, settings, report, threshold=at, first=first)
    written = heads.write(content, done.head)
    parity = parity_of(written, done.head, champion, shards, new)
    uninfected, parasitized = map(int, shown.sizes)
    learnt = (uninfected, parasitized)
    return Adapted(written, memory.with_cells(cells), old, done.head, done.stays, learnt, parity)


class Embedded(NamedTuple):
    """memory: the cells, upright. shown: those to train on, in all views."""

    memory: Memory
    shown: NewCells


def embed(
    model: Model, shards: Shards, new: Sequence[Shard], views: int, width: int, report: Report
) -> Embedded:
    """Embed every cell of the shards; `width` is that of the model's embedding."""
    cells = [(cell, shard.sha256) for shard in new for cell in shard.cells]
    rows, extra = [], []
    scored = model.score_many(_views(model, shards, new, views))
    for i, (cell, _) in enumerate(cells):
        learnt = cell.role == Role.TRAIN
        upright, *turned = [next(scored) for _ in range(views if learnt else 1)]
        rows.append(upright.embedding)
        extra += [[upright.embedding, *(one.embedding for one in turned)]] if learnt else []
        if i % 16 == 0:
            message = f"{i} of {len(cells)} cells"
            report(Progress("embed", percent=80.0 * i / len(cells), message=message))
    memory = _remembered(cells, np.array(rows, np.float32).reshape(-1, width))
    learnt_from = memory.of(Role.TRAIN)
    shown = np.array(extra, np.float32).reshape(len(learnt_from), views, width)
    return Embedded(memory, NewCells(shown, learnt_from.labels, learnt_from.patients))


def _remembered(cells: Sequence[tuple[ShardCell, str]], embeddings: npt.NDArray[np.float32]) -> Memory:
    """n cells, each with the shard that holds it, by their embeddings, (n, width)."""
    return remember(
        embeddings,
        np.array([int(c.label) for c, _ in cells], np.uint8),
        np.array([c.group for c, _ in cells], dtype=np.str_),
        np.array([c.role.value for c, _ in cells], dtype=np.str_),
        np.array([origin for _, origin in cells], dtype=np.str_),
        np.array([c.fingerprint for c, _ in cells], np.uint64),
    )


def _views(model: Model, shards: Shards, new: Sequence[Shard], views: int) -> Iterator[Pixels]:
    for shard in new:
        for cell, data in shards.pictures(shard):
            square = pixels(data, model.info.input_size)
            for k in range(views if cell.role == Role.TRAIN else 1):
                yield turn(square, k)


def turn(square: Pixels, k: int) -> Pixels:
    """The k-th of the eight flips and quarter turns of a square picture; 0 is upright."""
    turned = np.rot90(square, k % 4)
    return np.ascontiguousarray(turned[:, ::-1] if k >= 4 else turned)


def parity_of(written: bytes, new: Head, champion: Model, shards: Shards, cells: Sequence[Shard]) -> float:
    """How far the written file is off what was computed, at most, in probability: 0 to 1."""
    challenger, worst = Model(written, champion.info, interpreters=1), 0.0
    for shard in cells:
        for _, (_, data) in zip(range(GOLDEN), shards.read(shard.sha256), strict=False):
            scored = challenger.score(pixels(data, champion.info.input_size))
            told = float(new.probabilities(scored.embedding[np.newaxis])[0])
            worst = max(worst, abs(told - scored.probability))
    return worst
