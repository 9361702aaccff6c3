"""What bounds an adaptation: base patients, and the other laboratories that ship with them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from malaria import memory as memories
from malaria import synthetic
from malaria.adapt import Adapted, adapt, parity_of
from malaria.domain import Progress, Role
from malaria.ingest import Held, ingest
from malaria.memory import BASE, Memory
from malaria.refitting import AdaptSettings
from malaria.services import Services
from malaria.shards import Shard
from tests.unit.test_retrain_again import archive


@pytest.fixture
def shard(services: Services, tmp_path: Path) -> Shard:
    """A site's upload in a stain that the served model errs on, as it is stored."""
    work, upload = tmp_path / "ingest", tmp_path / "site.zip"
    work.mkdir()
    upload.write_bytes(archive(synthetic.generate(80, 8), patients=True, washed=True))
    taken = ingest(
        upload,
        kind="site",
        held=Held({}, {}),
        known_roles={},
        work=work,
        now=services.clock.now(),
        name="site.zip",
    )
    return services.shards.save(taken.shard, taken.cells_zip)


@pytest.fixture
def remembered(services: Services, tmp_path: Path) -> Memory:
    version = services.served.model.info.version
    return memories.load(services.registry.fetch(version, "memory.npz", tmp_path / "memory.npz"))


def adapted(services: Services, memory: Memory, shard: Shard, **settings: object) -> tuple[Adapted, int]:
    """The adaptation to a shard, and how many weights of its cells were tried."""
    model, said = services.served.model, []

    def report(progress: Progress) -> None:
        if "weigh" in progress.message:
            said.append(progress.message)

    content = (services.home / "cache" / model.info.version / "model.tflite").read_bytes()
    chosen = AdaptSettings(**settings)  # type: ignore[arg-type]
    return adapt(model, content, memory, services.shards, [shard], chosen, report), len(said)


def elsewhere(cells: Memory, labels: int) -> Memory:
    """Cells of a memory as if they were validation cells of another base laboratory, of one class."""
    n = len(cells)
    return replace(
        cells,
        labels=np.full(n, labels, np.uint8),
        roles=np.full(n, Role.VALIDATION.value),
        origins=np.full(n, "base:elsewhere"),
    )


def test_another_laboratory_must_bear_the_adaptation_too(
    services: Services, remembered: Memory, shard: Shard
) -> None:
    nih = remembered.where(remembered.origins == BASE)  # or the fields that ship would outweigh a few cells
    alone, tried = adapted(services, nih, shard)
    embeddings = nih.embeddings
    would_turn = (alone.old.logits(embeddings) < 0) & (alone.new.logits(embeddings) >= 0)
    assert would_turn.any(), "or the adaptation costs nobody anything"
    harmed = elsewhere(nih.where(would_turn), labels=0)
    guarded, more = adapted(services, nih.with_cells(harmed), shard)
    assert more > tried, "weaker weights are tried for their sake"
    step, smaller = (np.linalg.norm(a.new.weights - a.old.weights) for a in (alone, guarded))
    assert smaller < step


def test_another_laboratory_of_one_class_does_not_set_the_temperature(
    services: Services, remembered: Memory, shard: Shard
) -> None:
    healthy = remembered.of(Role.TRAIN).where(remembered.of(Role.TRAIN).labels == 0)
    alone, _ = adapted(services, remembered, shard, cell_weights=(5.0,))
    beside, _ = adapted(
        services, remembered.with_cells(elsewhere(healthy, labels=0)), shard, cell_weights=(5.0,)
    )
    assert np.abs(alone.new.weights - alone.old.weights).max() > 0.01
    assert np.allclose(alone.new.weights, beside.new.weights, rtol=1e-6)
    assert alone.new.bias == pytest.approx(beside.new.bias)


def test_a_site_counts_as_much_beside_other_base_laboratories(
    services: Services, remembered: Memory, shard: Shard
) -> None:
    """The same cells once more, as another laboratory's, say nothing new: the head is to move as far."""
    train = remembered.of(Role.TRAIN, base=True)
    again = replace(
        train, origins=np.full(len(train), "base:bccd"), fingerprints=train.fingerprints + np.uint64(1)
    )
    alone, _ = adapted(services, remembered, shard, cell_weights=(5.0,))
    beside, _ = adapted(services, remembered.with_cells(again), shard, cell_weights=(5.0,))
    moved = np.abs(alone.new.weights - alone.old.weights).max()
    assert moved > 0.01
    assert beside.new.weights == pytest.approx(alone.new.weights, abs=0.02 * moved)


def test_a_file_with_another_head_than_was_computed_is_told(
    services: Services, remembered: Memory, shard: Shard
) -> None:
    done, _ = adapted(services, remembered, shard, cell_weights=(5.0,))
    assert done.parity < 1e-5
    assert np.abs(done.new.weights - done.old.weights).max() > 0.01
    off = parity_of(done.tflite, done.old, services.served.model, services.shards, [shard])
    assert off > 1e-3
