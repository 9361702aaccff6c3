"""The three networks through the same code: built, trained a little, exported, shipped, served, retrained."""

import json
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from malaria import challenge, memory, retrain, roles, shipped, synthetic, wiring
from malaria import head as heads
from malaria.domain import Job, JobState, Method, ModelVersion, RetrainOptions, Role
from malaria.errors import BadOptions
from malaria.operating import of_memory
from malaria.options import COMPACT, ENSEMBLE, MOBILENET
from malaria.predict import Model, load_version
from malaria.preprocess import to_square
from malaria.refitting import AdaptSettings
from malaria.services import Services
from malaria.settings import Settings
from tests.train.conftest import SIZE
from tests.train.test_full import base_zip, bring

pytestmark = pytest.mark.train

SQUARES = [to_square(cell.image, SIZE) for cell in synthetic.generate(8, 3)]


def model(ships: Path, network: str) -> tuple[Model, heads.Head]:
    info, files = shipped.read_shipped(ships, network)
    content = (files / "model.tflite").read_bytes()
    return Model(content, info, interpreters=1), heads.read(content)


@pytest.mark.parametrize(("network", "width"), [(MOBILENET, 128), (COMPACT, 128), (ENSEMBLE, 256)])
def test_each_network_is_exported_with_the_same_outputs(ships: Path, network: str, width: int) -> None:
    served, head = model(ships, network)
    assert served.info.network == network
    assert served.info.input_size == SIZE
    assert head.weights.shape == (width,)
    kept = memory.load(ships / served.info.version / "memory.npz")
    assert kept.embeddings.shape == (96, width)
    for square in SQUARES:
        scored = served.score(square)
        assert scored.activation.shape == (SIZE // 16, SIZE // 16)
        assert scored.embedding.min() >= 0
        logit = head.logits(scored.embedding[np.newaxis])[0]
        assert scored.activation.mean() == pytest.approx(logit, abs=1e-4), "the map's mean is the logit"
        assert heads.sigmoid(logit) == pytest.approx(scored.probability, abs=1e-5)


def test_the_compact_network_fits_a_megabyte(ships: Path) -> None:
    assert model(ships, COMPACT)[0].info.size_bytes <= 1_000_000


def test_all_three_ship_and_the_first_is_the_default(ships: Path) -> None:
    assert [info.network for info in shipped.versions(ships)] == [MOBILENET, COMPACT, ENSEMBLE]


def test_an_ensemble_answers_the_mean_of_its_members_calibrated_logits(ships: Path) -> None:
    """The exported members are calibrated on the same cells as the members within, so only the ensemble's own
    temperature may stand between."""
    members = [model(ships, network) for network in (MOBILENET, COMPACT)]
    joint, head = model(ships, ENSEMBLE)

    def logits(served: Model, with_head: heads.Head) -> heads.Floats:
        return with_head.logits(np.stack([served.score(square).embedding for square in SQUARES]))

    mean = np.mean([logits(*member) for member in members], axis=0)
    told = logits(joint, head)
    ratio = told / mean
    assert np.std(mean) > 1e-4, "cells that are all answered alike would show nothing"
    assert np.allclose(ratio, ratio[0], rtol=1e-3)
    found = json.loads((ships / joint.info.version / "manifest.json").read_text())["lineage"]["temperature"]
    assert 1 / ratio[0] == pytest.approx(found, rel=1e-3)


def test_a_saved_ensemble_is_loaded_and_joined_again_even_of_two_alike(ships: Path) -> None:
    import keras

    from malaria.training import ensemble

    one = keras.saving.load_model(ships / shipped.listing(ships).networks[COMPACT] / "network.keras")
    twice = ensemble.mean_of([one, one], [2.0, 2.0])
    pixels = np.stack(SQUARES)
    assert np.allclose(np.asarray(twice(pixels)), np.asarray(one(pixels)) / 2, atol=1e-5)
    with pytest.raises(BadOptions, match="two networks or more"):
        ensemble.mean_of([one], [1.0])
    with pytest.raises(BadOptions, match="no layer `features`"):
        ensemble.mean_of([one, keras.Sequential(name="another")], [1.0, 1.0])


@pytest.mark.parametrize(
    ("network", "chosen", "told"),
    [
        (ENSEMBLE, {}, "trained already"),
        ("resnet", {}, "not known"),
        (COMPACT, {"width": 0.5}, "one width"),
        (MOBILENET, {"width": 3.0}, "width is 3.0"),
        (MOBILENET, {"width": 0.5, "backbone_weights": Path("w.h5")}, "of width 1.0"),
    ],
)
def test_what_cannot_be_built_is_told(network: str, chosen: dict[str, object], told: str) -> None:
    from malaria.training import networks

    with pytest.raises(BadOptions, match=told):
        networks.build(network, **chosen)  # type: ignore[arg-type]


def test_a_narrower_mobilenet_has_the_same_grid() -> None:
    from malaria.training import networks

    narrow = networks.build(MOBILENET, width=0.35)
    assert narrow.count_params() < networks.build(MOBILENET).count_params() / 3
    grid = narrow.get_layer("features").output
    assert grid.shape[-1] == networks.EMBEDDING


@pytest.fixture
def system(ships: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Services:
    """A laptop system that serves the ensemble."""
    monkeypatch.setenv("MALARIA_SHIPPED", str(ships))
    return wiring.local(home, Settings(home=home, shipped=ships, network=ENSEMBLE))


def ended(services: Services, upload: Path, options: RetrainOptions) -> Job:
    """The job of an upload, run to its end."""
    job = services.trigger.submit(upload, name=upload.name, identity=None, options=options, actor="test")
    assert retrain.run(services, job.id, 1, threading.Event())
    return services.jobs.get(job.id)


def kept(services: Services, job: Job, folder: Path) -> tuple[ModelVersion, heads.Head, memory.Memory]:
    """The challenger of a job: its version, its head and what it remembers."""
    assert job.state == JobState.SUCCEEDED, job.reason
    fetch, version = services.registry.fetch, str(job.version)
    content = fetch(version, "model.tflite", folder / "challenger.tflite").read_bytes()
    remembered = memory.load(fetch(version, "memory.npz", folder / "challenger.npz"))
    return services.registry.version(version), heads.read(content), remembered


def test_adapt_refits_the_head_of_an_ensemble(
    system: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bold = AdaptSettings(parts=0, base_loss=1.0)  # these networks learnt next to nothing: no guard would pass
    monkeypatch.setattr(challenge, "AdaptSettings", lambda **_: bold)
    before = system.served.model
    assert before.info.network == ENSEMBLE
    upload = synthetic.write(tmp_path / "site.zip", 60, 9)
    info, head, remembered = kept(
        system, ended(system, upload, RetrainOptions(method=Method.ADAPT)), tmp_path
    )
    assert (info.network, info.lineage["method"]) == (ENSEMBLE, "adapt")
    assert head.weights.shape == (256,)
    assert remembered.embeddings.shape == (96 + 60, 256)
    after = load_version(system.registry, info.version, tmp_path / "cache")
    for square in SQUARES[:3]:
        assert np.array_equal(before.score(square).embedding, after.score(square).embedding)


def test_adapt_does_not_pretend_to_train_another_network(system: Services, tmp_path: Path) -> None:
    upload = synthetic.write(tmp_path / "site.zip", 20, 9)
    options = RetrainOptions(method=Method.ADAPT, network=COMPACT)
    job = ended(system, upload, options)
    assert job.state == JobState.FAILED
    assert "served network, ensemble" in job.reason
    assert "--method full" in job.reason


def test_full_fine_tunes_an_ensemble(system: Services, ships: Path, tmp_path: Path) -> None:
    known = roles.load(ships / "roles.json")
    bring(system, base_zip(tmp_path / "base.zip", known, {Role.TRAIN: 3, Role.VALIDATION: 1, Role.GATE: 1}))
    options = RetrainOptions(method=Method.FULL, epochs=1, batch_size=16)
    upload = synthetic.write(tmp_path / "site.zip", 20, 9)
    info, head, _ = kept(system, ended(system, upload, options), tmp_path)
    assert (info.network, info.input_size) == (ENSEMBLE, SIZE)
    assert head.weights.shape == (256,)


def test_full_of_another_network_begins_with_the_one_that_ships_at_its_own_size(
    ships: Path, models_dir: Path, home: Path, tmp_path: Path
) -> None:
    """The champion has 128 pixels, the network that is asked for ships at 64."""
    models = tmp_path / "models"
    models.mkdir()
    (models / "roles.json").symlink_to(models_dir / "roles.json")
    for info, files in (shipped.read_shipped(models_dir, MOBILENET), shipped.read_shipped(ships, COMPACT)):
        (models / info.version).symlink_to(files)
        shipped.record(models, info)
    services = wiring.local(home, Settings(home=home, shipped=models))
    known = roles.load(models / "roles.json")
    bring(services, base_zip(tmp_path / "base.zip", known, {Role.TRAIN: 3, Role.VALIDATION: 2, Role.GATE: 6}))
    options = RetrainOptions(method=Method.FULL, network=COMPACT, epochs=1, batch_size=16, learning_rate=1e-6)
    job = ended(services, synthetic.write(tmp_path / "site.zip", 20, 9), options)
    info, head, remembered = kept(services, job, tmp_path)
    assert (info.network, info.input_size) == (COMPACT, SIZE)
    assert len(remembered) == 8 * 11 + 20
    assert job.receipt["base"]["champion"]["cells"] == job.receipt["base"]["challenger"]["cells"] == 48

    # At so small a rate the head stays where the shipped network's was, up to its temperature.
    ships_head = model(ships, COMPACT)[1].weights
    alike = head.weights @ ships_head / np.linalg.norm(head.weights) / np.linalg.norm(ships_head)
    assert alike > 0.99, "it went on from the shipped weights, not from nothing"
    assert (info.threshold, info.review) == of_memory(remembered, head, screened=0.0), (
        "chosen on validation cells"
    )


def test_the_statistics_of_a_backbone_follow_its_batches() -> None:
    """At Keras' 0.999 short trainings were measured by what the pretrained backbone had seen."""
    from malaria.training import networks

    for momentum in (0.99, 0.5):
        found = {layer.momentum for layer in norms(networks.build(MOBILENET, momentum=momentum))}
        assert found == {momentum, 0.99}, "that of the neck is Keras' default for a layer"


def norms(network: Any) -> list[Any]:
    """The batch normalisations of a network and of those in it."""
    import keras

    found = []
    for layer in network.layers:
        if isinstance(layer, keras.Model):
            found += norms(layer)
        elif isinstance(layer, keras.layers.BatchNormalization):
            found.append(layer)
    return found
