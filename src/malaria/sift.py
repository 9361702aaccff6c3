"""Leave out of uploads what the served model takes for no red cell.

It gives such a picture no answer, learnt or not, so there is nothing to learn from it, nor to judge by it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from malaria.domain import Progress
from malaria.ports import Report
from malaria.predict import Model
from malaria.preprocess import Pixels, pixels
from malaria.shards import Shard, Shards
from malaria.subject import judged


def sift(model: Model, stored: Shards, new: Sequence[Shard], report: Report) -> tuple[list[Shard], list[str]]:
    """The shards without the pictures that `model` gives no answer, and what these were called, in order.

    stored: where the pictures lie. Nothing is looked at where the model has no bounds to tell by.
    """
    if model.info.screen is None:
        return list(new), []
    wanted = [cell for shard in new for cell in shard.cells]
    asked, refused = model.score_many(_shown(model, stored, new)), set()
    for i, (cell, scored) in enumerate(zip(wanted, asked, strict=True)):
        if judged(scored.subject, model.info.screen).refused:
            refused.add(cell.fingerprint)
        if i % 16 == 0:
            message = f"{i} of {len(wanted)} pictures looked at"
            report(Progress("embed", percent=100.0 * i / len(wanted), message=message))
    left = [
        replace(shard, cells=tuple(cell for cell in shard.cells if cell.fingerprint not in refused))
        for shard in new
    ]
    return left, sorted(cell.original for cell in wanted if cell.fingerprint in refused)


def _shown(model: Model, stored: Shards, new: Sequence[Shard]) -> Iterator[Pixels]:
    for shard in new:
        for _, data in stored.pictures(shard):
            yield pixels(data, model.info.input_size)
