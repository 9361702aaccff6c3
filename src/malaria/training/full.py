"""`full`: fine-tune a whole network on all shards, from the weights that are served or ship."""

import functools
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from malaria import codec
from malaria.checkpoints import Checkpoints
from malaria.domain import Label, ModelVersion, RetrainOptions, Role
from malaria.errors import Conflict
from malaria.grafting import Branch
from malaria.memory import BASE, is_base
from malaria.options import ENSEMBLE, MOBILENET
from malaria.ports import Report
from malaria.progress import part
from malaria.shards import Shard, Shards
from malaria.training import dataset, fit, networks
from malaria.training.dataset import CellArrays, Stored
from malaria.training.finish import Finished, finish
from malaria.training.mixture import mixture
from malaria.training.recipe import Changes, Recipe, Shares, Stage, changed, recipe_of

MADE = ("surrounded", "restained", "transplanted", "laboratories")
"""Parts of what a network is shown that `full` shows again."""
EPOCHS, LEARNING_RATE, WARMUP_STEPS = 2, 1e-4, 100
"""Of fine-tuning; everything else is as the network was trained."""


@dataclass(frozen=True)
class Start:
    """info: the version to go on from, of the network to train: the served one, or one that ships.

    weights: its Keras file, or that of the version whose head was adapted into it; None: from nothing.
    trained: the recipe by which these were trained, as a manifest tells it; empty where none does.
    """

    info: ModelVersion
    weights: Path | None
    trained: Mapping[str, Any] = field(default_factory=dict)


def full(
    start: Start,
    shards: Shards,
    chosen: Sequence[Shard],
    options: RetrainOptions,
    work: Path,
    report: Report,
    branch: Branch | None = None,
    checkpoints: Checkpoints | None = None,
) -> tuple[Finished, CellArrays]:
    """Fine-tune on the train cells of the shards; goes on from its checkpoint in `work` after a kill.

    branch: the subject network for the served graph. checkpoints: where they are kept, too, if `work` goes
    with the machine. Returns the finished files and the cells, in the order of the scored probabilities.
    """
    recipe = recipe_for(options, start.info, start.trained)
    sources = [Stored(shards, shard) for shard in chosen]

    def at(role: Role) -> Callable[[int], CellArrays]:
        @functools.lru_cache(1)
        def sized(size: int) -> CellArrays:
            return dataset.load(sources, size, work / "cache", part(report, 0, 5)).of(role)

        return sized

    for role in (Role.TRAIN, Role.VALIDATION):
        _need_both_classes(at(role)(recipe.size), role)
    keras.backend.clear_session()  # or the graphs of several runs in one process pile up
    network = _begin(start, recipe)
    run = work / f"fit-{_key(recipe, start, sources)}"
    shown = _shown(at(Role.TRAIN)(recipe.size), recipe, work / "cache", part(report, 5, 5))
    if checkpoints is not None:
        checkpoints.bring(run)
    kept = None if checkpoints is None else checkpoints.keep
    fitted = fit.fit(network, recipe, shown, at(Role.VALIDATION), run, part(report, 10, 80), kept=kept)
    everything = dataset.load(sources, recipe.size, work / "cache", report)
    placeholder = replace(start.info, network=recipe.network, input_size=recipe.size)
    report = part(report, 90, 10)
    return finish(fitted, everything, work / "finished", placeholder, report, branch), everything


def decoded(shards: Shards, chosen: Sequence[Shard], size: int, work: Path, report: Report) -> CellArrays:
    """The cells of `full` in the same order, at another input size."""
    return dataset.load([Stored(shards, shard) for shard in chosen], size, work / "cache", report)


def _key(recipe: Recipe, start: Start, sources: Sequence[Stored]) -> str:
    """Names a checkpoint by all that made it: one of other cells or another champion is not gone on from."""
    told = json.dumps([codec.to_json(recipe), start.info.digest, *(source.key for source in sources)])
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def _need_both_classes(cells: CellArrays, role: Role) -> None:
    missing = [label.text for label in Label if not np.any(cells.labels == label)]
    if missing:
        raise Conflict(
            f"The stored base images hold no {' and no '.join(missing)} cells of {role.value} patients. "
            "Import more of the base data (`malaria data fetch`, or `malaria data import ZIP...`)."
        )


def recipe_for(options: RetrainOptions, start: ModelVersion, told: Mapping[str, Any]) -> Recipe:
    """The recipe of the network, an ensemble's that of its first member, with what fine-tuning changes of it
    and what a person chose. told: by which it was trained: how labels are smoothed, weights averaged and
    pictures changed, and which are made of base cells, is as it was, as far as this version knows of it."""
    trained = recipe_of(MOBILENET if start.network == ENSEMBLE else start.network)
    kept = {name: told[name] for name in ("label_smoothing", "average") if name in told}
    names = {one.name for one in fields(Changes)}
    changes = {name: value for name, value in told.get("changes", {}).items() if name in names}
    trained = changed(trained, {**kept, "changes": changes})
    return replace(
        trained,
        network=start.network,
        stages=(Stage(start.input_size, options.epochs or EPOCHS),),
        batch_size=options.batch_size or trained.batch_size,
        learning_rate=options.learning_rate or LEARNING_RATE,
        warmup_steps=WARMUP_STEPS,
        shares=_as_trained({**vars(trained.shares), **told.get("shares", {})}),
    )


def _as_trained(shares: Mapping[str, float]) -> Shares:
    """Each base cell once an epoch, and the parts that are made of base cells in the shares that they had."""
    plain = shares["plain"] or 1.0
    parts: dict[str, Any] = {name: shares.get(name, 0.0) / plain for name in MADE}
    return Shares(**parts, varied=shares.get("varied", 0.0))


def _shown(cells: CellArrays, recipe: Recipe, cache: Path, report: Report) -> fit.TrainAt:
    """What an epoch shows: every base cell and every uploaded one as it is, and what the network was trained
    with besides, lest it forget that not every cell stands on black, nor every stain means health.

    Other base laboratories' cells are all uninfected, so no more of them than it was trained with.
    """
    base = int(np.sum(cells.origins == BASE))
    if not base:
        return lambda _: cells
    elsewhere = np.flatnonzero(is_base(cells.origins) & (cells.origins != BASE))
    rng = np.random.default_rng((recipe.seed, 6))
    most = round(recipe.shares.laboratories * base)
    left_out = rng.permutation(elsewhere)[most:]
    shown = cells.where(np.setdiff1d(np.arange(len(cells)), left_out)) if len(left_out) else cells
    made = min(recipe.shares.transplants, base)
    shares = replace(recipe.shares, laboratories=(len(shown) - base) / base, transplants=made)
    return mixture(shown, shares, recipe.seed, cache, report)


def _begin(start: Start, recipe: Recipe) -> keras.Model:
    """The network to go on from, or a new one where there are no weights.

    It begins with the head that it was trained with, not with one adapted since: that one was fitted on still
    features and does not bear the dropout and batch statistics of training.
    What was adapted to is learnt again from the cells themselves.
    """
    if start.weights is None:
        return networks.of_recipe(recipe)
    return keras.saving.load_model(start.weights, compile=False)
