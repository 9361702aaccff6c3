"""What `full` trains on and goes on from: pictures that are stored, and weights that are served or ship."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from malaria import shipped
from malaria.challenger import Challenge
from malaria.domain import Method, ModelVersion
from malaria.errors import MissingPart, NoBaseImages, how_to_add
from malaria.lineage import EXPORTED, alike
from malaria.memory import BASE
from malaria.shards import Shard, distinct

if TYPE_CHECKING:
    from malaria.training.full import Start


def need_base_images(challenge: Challenge) -> None:
    """Raise where `full` cannot work, naming the command that mends it."""
    if not find_spec("tensorflow"):
        raise MissingPart(
            f"`full` trains the whole network and needs TensorFlow: {how_to_add('train')}. "
            "Or retrain with `--method adapt`, which does without."
        )
    if not any(shard.kind == BASE for shard in challenge.services.shards.list()):
        raise NoBaseImages(
            "`full` needs the base images, and none are stored: run `malaria data fetch` (downloads "
            "the NIH cells) or `malaria data import ZIP...`, or retrain with `--method adapt`, which "
            "works from feature memory."
        )


def every_shard(challenge: Challenge, new: Sequence[Shard]) -> list[Shard]:
    """Base shards, the new ones, and uploads that the champion has learnt from, as far as it remembers them;
    never what was rejected or left out."""
    memory, stored = challenge.memory, challenge.services.shards.list()
    learnt = set(memory.origins.tolist()) - {shard.sha256 for shard in new}
    known = set(memory.fingerprints.tolist())
    earlier = [
        replace(shard, cells=tuple(cell for cell in shard.cells if cell.fingerprint in known))
        for shard in stored
        if shard.sha256 in learnt
    ]
    return distinct([*(shard for shard in stored if shard.base), *new, *earlier], set())


def start_of(challenge: Challenge) -> "Start":
    """The served network's weights: its own, or of the version whose head was adapted into it or that was
    exported to it. Where another network is asked for, those that ship of it, else none."""
    from malaria.training.full import Start

    registry, work, info = challenge.services.registry, challenge.work, challenge.champion.info
    models = shipped.folder(challenge.services.settings.shipped)
    known = [*registry.versions(), *shipped.versions(models)]
    wanted = challenge.other_network
    if wanted is not None:
        if wanted not in shipped.listing(models).networks:
            return Start(replace(info, network=wanted), None)
        ships, folder = shipped.read_shipped(models, wanted)
        return Start(ships, folder / "network.keras", recipe_told(ships, known))
    version = info
    while version.lineage.get("method") in (Method.ADAPT.value, EXPORTED):
        version = registry.version(str(version.lineage["parent"]))
    weights = registry.fetch(version.version, "network.keras", work / "champion.keras")
    return Start(info, weights, recipe_told(version, known))


def recipe_told(info: ModelVersion, known: Sequence[ModelVersion]) -> Mapping[str, Any]:
    """The recipe of the training that a version of a network goes back to, an ensemble of its first member's;
    empty where no version that is known tells one."""
    while "recipe" not in info.lineage:
        members, parent = info.lineage.get("members"), info.lineage.get("parent")
        before = (
            (one for one in known if members[0]["digest"] in alike(one))
            if members
            else (one for one in known if one.version == parent and one.network == info.network)
        )
        found = next(before, None)
        if found is None:
            return {}
        info = found
    return dict(info.lineage["recipe"] or {})
