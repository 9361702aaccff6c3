"""Adapt a served model to a laboratory: refit its head on feature memory and upload, in about a minute.

The new cells are embedded through the served .tflite file in several views; the head is refitted on them
and on the memory together, with a penalty on its change from the served head; the temperature is set
anew on validation patients; the head is written into the file's constants. No TensorFlow, no base images.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from malaria import head as heads
from malaria.domain import Progress, Role
from malaria.errors import Damaged
from malaria.head import Head
from malaria.memory import BASE, Memory, is_base, remember
from malaria.ports import Report
from malaria.predict import Model
from malaria.preprocess import Pixels, pixels
from malaria.shards import Shard, Shards


@dataclass(frozen=True)
class AdaptSettings:
    """views: flips and turns of each new training cell, 1 to 8. penalty: on the head's change.

    cell_weights: how much one new cell counts against one remembered, tried from the strongest; the first
    is taken by which neither sensitivity nor specificity on base validation patients falls by more than
    `base_loss`, nor specificity at the other base laboratories, so a site is not paid for by the others.
    site_share: the most that all new cells weigh together, as a share of everything.
    """

    views: int = 4
    penalty: float = 2e-4
    cell_weights: tuple[float, ...] = (20.0, 14.0, 10.0, 7.0, 5.0, 3.5, 2.5)
    base_loss: float = 0.004
    site_share: float = 0.5


@dataclass(frozen=True)
class Adapted:
    """tflite: the challenger's file. memory: with the new cells. old, new: the heads before and after."""

    tflite: bytes
    memory: Memory
    old: Head
    new: Head


GOLDEN_TOLERANCE = 1e-4
"""Largest difference between the written file's probability and the computed one."""


def adapt(
    champion: Model,
    content: bytes,
    memory: Memory,
    shards: Shards,
    new: Sequence[Shard],
    settings: AdaptSettings,
    report: Report,
) -> Adapted:
    """Adapt `champion`, whose .tflite file is `content`, to the cells of the new shards.

    Raises:
        Damaged: the written file does not answer as computed.
    """
    old = heads.read(content)
    cells, extra, extra_labels = embed(champion, shards, new, settings.views, len(old.weights), report)
    joined = memory.with_cells(cells)
    validation = memory.of(Role.VALIDATION, base=True)
    cooled = old
    if len(extra):
        cooled = _refit(old, memory.of(Role.TRAIN), validation, extra, extra_labels, settings, report)
    written = heads.write(content, cooled)
    _check_golden(written, cooled, champion, shards, new)
    return Adapted(written, joined, old, cooled)


def _refit(
    old: Head,
    remembered: Memory,
    validation: Memory,
    extra: npt.NDArray[np.float32],
    labels: npt.NDArray[np.uint8],
    settings: AdaptSettings,
    report: Report,
) -> Head:
    """The head refitted with the strongest weight of the new cells that base validation patients bear.

    Its temperature is set on the NIH ones alone: another laboratory that brings one class only would say how
    common that class is, not how sure to be.
    """
    counted = _weights(remembered)
    cells, most = (
        len(extra) / settings.views,
        float(counted.sum()) * settings.site_share / (1 - settings.site_share),
    )
    embeddings = np.concatenate([remembered.embeddings, extra])
    # What is remembered is to be answered as it was: with no new cells nothing would change. Fitting
    # its labels again would move the head towards cells that the network was trained on.
    targets = np.concatenate([old.probabilities(remembered.embeddings), labels])
    nih = validation.where(validation.origins == BASE)
    before = _rates(old, validation)
    fitted = old
    for weight in settings.cell_weights:
        report(Progress("train", percent=80.0, message=f"refitting the head, new cells weigh {weight:g}"))
        each = min(cells * weight, most) / len(extra)
        weights = np.concatenate([counted, np.full(len(extra), each)])
        fitted = heads.refit(old, embeddings, targets, weights, settings.penalty)
        fitted = fitted.cooled(heads.temperature(fitted.logits(nih.embeddings), nih.labels))
        if np.all(_rates(fitted, validation) >= before - settings.base_loss):
            break
    return fitted


def _weights(remembered: Memory) -> heads.Floats:
    """How much each remembered cell counts, (n,): all base cells together as much as the NIH ones, so that a
    site does not count for less where the base holds other laboratories too."""
    base = is_base(remembered.origins)
    nih = int(np.sum(remembered.origins == BASE))
    return np.where(base & (nih > 0), nih / max(int(base.sum()), 1), 1.0)


def _rates(head: Head, validation: Memory) -> heads.Floats:
    """At a probability of one half: sensitivity and specificity on NIH cells, and specificity on those of the
    other base laboratories where the memory holds any."""
    right, labels = (head.logits(validation.embeddings) >= 0) == validation.labels, validation.labels
    nih = validation.origins == BASE
    sets = [nih & (labels == 1), nih & (labels == 0), ~nih & (labels == 0)]
    return np.array([right[cells].mean() for cells in sets if np.any(cells)])


def embed(
    model: Model, shards: Shards, new: Sequence[Shard], views: int, width: int, report: Report
) -> tuple[Memory, npt.NDArray[np.float32], npt.NDArray[np.uint8]]:
    """Embed every cell of the shards; `width` is that of the model's embedding.

    Returns the cells as a Memory (upright view), and for the cells to train on the embeddings of all
    views, (m * views, width), with their labels.
    """
    cells = [(cell, shard.sha256) for shard in new for cell in shard.cells]
    rows, extra, labels = [], [], []
    scored = model.score_many(_views(model, shards, new, views))
    for i, (cell, _) in enumerate(cells):
        turns = [next(scored).embedding for _ in range(views if cell.role == Role.TRAIN else 1)]
        rows.append(turns[0])
        if cell.role == Role.TRAIN:
            extra.extend(turns)
            labels.extend([int(cell.label)] * views)
        if i % 16 == 0:
            message = f"{i} of {len(cells)} cells"
            report(Progress("embed", percent=80.0 * i / len(cells), message=message))
    memory = remember(
        np.array(rows, np.float32).reshape(-1, width),
        np.array([int(c.label) for c, _ in cells], np.uint8),
        np.array([c.group for c, _ in cells], dtype=np.str_),
        np.array([c.role.value for c, _ in cells], dtype=np.str_),
        np.array([origin for _, origin in cells], dtype=np.str_),
        np.array([c.fingerprint for c, _ in cells], np.uint64),
    )
    return memory, np.array(extra, np.float32).reshape(-1, width), np.array(labels, np.uint8)


def _views(model: Model, shards: Shards, new: Sequence[Shard], views: int) -> Iterator[Pixels]:
    for shard in new:
        wanted = {cell.fingerprint for cell in shard.cells}
        for cell, data in shards.read(shard.sha256):
            if cell.fingerprint not in wanted:
                continue
            square = pixels(data, model.info.input_size)
            for k in range(views if cell.role == Role.TRAIN else 1):
                yield turn(square, k)


def turn(square: Pixels, k: int) -> Pixels:
    """The k-th of the eight flips and quarter turns of a square picture; 0 is upright."""
    turned = np.rot90(square, k % 4)
    return np.ascontiguousarray(turned[:, ::-1] if k >= 4 else turned)


def _check_golden(written: bytes, new: Head, champion: Model, shards: Shards, cells: Sequence[Shard]) -> None:
    """The written file must answer as computed, or nothing goes on from here."""
    challenger = Model(written, champion.info, interpreters=1)
    for shard in cells:
        for _, (_, data) in zip(range(8), shards.read(shard.sha256), strict=False):
            scored = challenger.score(pixels(data, champion.info.input_size))
            told = float(new.probabilities(scored.embedding[np.newaxis])[0])
            if abs(told - scored.probability) > GOLDEN_TOLERANCE:
                raise Damaged(
                    f"The adapted file answers {scored.probability:.6f} where {told:.6f} was computed."
                )
