"""The cells that the gate compares on, as champion, challenger and first release answer them.

`adapt` leaves the backbone as it is, so each head answers the embeddings that memory keeps; after `full` each
model answers the pixels.
"""

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from malaria import head as heads
from malaria.adapt import Adapted
from malaria.challenger import Challenge
from malaria.comparison import First, GateSet
from malaria.domain import Method, ModelVersion, Role, Verdict
from malaria.head import Floats, Head
from malaria.lineage import DERIVED, EXPORTED
from malaria.memory import BASE, Memory, is_base
from malaria.predict import Model
from malaria.promote import Registry
from malaria.refitting import Released
from malaria.shards import Shard

if TYPE_CHECKING:
    from malaria.training.dataset import CellArrays


def called_of(named: Mapping[int, str], fingerprints: NDArray[np.uint64]) -> NDArray[np.str_]:
    """What to call n cells, (n,): base cells of which no image is kept by their fingerprint."""
    return np.array([named.get(int(f), f"{int(f):016x}") for f in fingerprints], dtype=np.str_)


class Met(NamedTuple):
    """What both models are asked.

    base: base gate patients, with gate cells of earlier uploads. site: gate cells of the new shards; None:
    there are none. labelled: all cells of the new shards, by their `lots`. elsewhere: validation cells of
    other base laboratories, which nothing was learnt from, by what to call these.
    """

    base: GateSet
    site: GateSet | None
    labelled: list[GateSet]
    elsewhere: dict[str, GateSet]


def of_memory(adapted: Adapted, before: Memory, shards: Sequence[Shard], called: Mapping[int, str]) -> Met:
    """What memory holds of it, before and after the new shards. called: names of cells by fingerprint."""

    def answered(cells: Memory) -> GateSet:
        return _answered(cells, adapted.old, adapted.new, called)

    fresh = adapted.memory.where(np.isin(adapted.memory.origins, [shard.sha256 for shard in shards]))
    site = fresh.of(Role.GATE)
    return Met(
        answered(before.of(Role.GATE)),
        answered(site) if len(site) else None,
        [answered(fresh.where(lot)) for lot in lots(fresh.origins, shards)],
        {
            name: answered(before.where(rows))
            for name, rows in laboratories(before.roles, before.origins).items()
        },
    )


def laboratories(roles: NDArray[np.str_], origins: NDArray[np.str_]) -> dict[str, NDArray[np.bool_]]:
    """Which of n cells, (n,), are validation cells of each other base laboratory, by what to call it."""
    held = (roles == Role.VALIDATION.value) & is_base(origins) & (origins != BASE)
    return {
        f"the laboratory {str(origin).removeprefix(f'{BASE}:')}": held & (origins == origin)
        for origin in np.unique(origins[held])
    }


def lots(origins: NDArray[np.str_], shards: Sequence[Shard]) -> list[NDArray[np.bool_]]:
    """Which of n cells, (n,), are of the shards: of all of them, and where they are several of each."""
    each = [origins == shard.sha256 for shard in shards]
    return [np.isin(origins, [shard.sha256 for shard in shards]), *(each if len(each) > 1 else ())]


def _answered(cells: Memory, before: Head, after: Head, called: Mapping[int, str]) -> GateSet:
    embeddings, told = cells.embeddings, called_of(called, cells.fingerprints)
    scores = before.probabilities(embeddings), after.probabilities(embeddings)
    return GateSet(cells.labels, cells.patients, *scores, told, uploads_of(cells.origins))


def uploads_of(origins: NDArray[np.str_]) -> NDArray[np.str_]:
    """The upload that each of n cells came with, (n,); "" for base cells."""
    return np.where(is_base(origins), "", origins).astype(np.str_)


def first_release(registry: Registry, info: ModelVersion, methods: AbstractSet[str]) -> ModelVersion:
    """The version that `info` goes back to by these methods; itself where it comes of none. A retraining that
    a person served though the gate had not accepted it is a release of its own: what it gave up was given up
    knowingly. Raises UnknownVersion where one between is no longer kept."""
    while info.lineage.get("method") in methods and _passed(info):
        info = registry.version(str(info.lineage["parent"]))
    return info


def _passed(info: ModelVersion) -> bool:
    """Whether it stands in for its parent: by the gate's verdict, or as the same model in smaller numbers."""
    verdict = (info.lineage.get("receipt") or {}).get("verdict")
    return info.lineage["method"] == EXPORTED or bool(verdict == Verdict.ACCEPTED.value)


def first_head(challenge: Challenge) -> tuple[str, Released] | None:
    """The first release of the champion's backbone, and its head; None where that is the champion."""
    registry, info = challenge.services.registry, challenge.champion.info
    first = first_release(registry, info, {Method.ADAPT.value})
    if first.version == info.version:
        return None
    file = registry.fetch(first.version, "model.tflite", challenge.work / "first.tflite")
    return first.version, Released(heads.read(file.read_bytes()), first.threshold)


def first_of_memory(memory: Memory, first: tuple[str, Released], after: Head) -> First:
    """The first release on base gate cells, by its head. after: the challenger's head."""
    version, (head, threshold) = first
    return First(version, _answered(memory.of(Role.GATE, base=True), head, after, {}), threshold)


@dataclass(frozen=True)
class OfPixels:
    """Cells that `full` decoded. after: the challenger's answers, (n,). called: names, (n,). at: the same
    cells at an input size."""

    cells: "CellArrays"
    after: Floats
    called: NDArray[np.str_]
    at: Callable[[int], "CellArrays"]

    def by(self, model: Model, mask: NDArray[np.bool_]) -> GateSet:
        """Some of the cells, (n,), with the answers of a model as the champion's."""
        pixels = self.at(model.info.input_size).pixels
        asked = (np.asarray(pixels[i]) for i in np.flatnonzero(mask))
        before = np.array([scored.probability for scored in model.score_many(asked)])
        labels, groups = self.cells.labels[mask], self.cells.groups[mask]
        uploads = uploads_of(self.cells.origins[mask])
        return GateSet(labels, groups, before, self.after[mask], self.called[mask], uploads)

    def sets(self, champion: Model, shards: Sequence[Shard]) -> Met:
        """As `of_memory`, of the new shards."""
        gate = self.cells.roles == Role.GATE.value
        fresh = np.isin(self.cells.origins, [shard.sha256 for shard in shards])
        whole, origins = self.by(champion, fresh), self.cells.origins[fresh]
        site = whole.where(gate[fresh]) if np.any(gate & fresh) else None
        each = [whole.where(lot) for lot in lots(origins, shards)]
        others = laboratories(self.cells.roles, self.cells.origins).items()
        elsewhere = {name: self.by(champion, rows) for name, rows in others}
        return Met(self.by(champion, gate & ~fresh), site, each, elsewhere)

    def first(self, challenge: Challenge) -> First | None:
        """The first release on base gate cells, by its own file; None where that is the champion."""
        registry, info = challenge.services.registry, challenge.champion.info
        first = first_release(registry, info, set(DERIVED))
        if first.version == info.version:
            return None
        file = registry.fetch(first.version, "model.tflite", challenge.work / "first.tflite")
        base = (self.cells.roles == Role.GATE.value) & is_base(self.cells.origins)
        model = Model(file.read_bytes(), first, interpreters=1)
        return First(first.version, self.by(model, base), first.threshold)
