"""Versions exported in smaller numbers: each network, an adapted one, and what must not be served."""

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from malaria import challenge, grafting, graphfile, memory, parity, retrain, shipped, synthetic, wiring
from malaria import head as heads
from malaria.challenger import Challenge
from malaria.domain import JobState, Method, Precision, RetrainOptions, Role
from malaria.errors import BadInput, Conflict
from malaria.full_ground import start_of
from malaria.grafting import Branch
from malaria.options import COMPACT, ENSEMBLE, MOBILENET
from malaria.predict import Model, load_version
from malaria.refitting import AdaptSettings
from malaria.settings import Settings
from malaria.training.dataset import CellArrays, Layout, load
from malaria.training.edge import Export, Original, export
from tests.train.conftest import NOW, SIZE, quiet
from tests.train.test_networks import SQUARES

pytestmark = pytest.mark.train

STORY = {"command": "a test", "data": {}, "laboratories": {}}
FLOAT16, INT8 = Precision.FLOAT16, Precision.INT8


def original(ships: Path, network: str) -> Original:
    info, files = shipped.read_shipped(ships, network)
    return Original(info, (files / "model.tflite").read_bytes(), memory.load(files / "memory.npz"))


@pytest.fixture(scope="module")
def cells(ships: Path) -> CellArrays:
    """Every cell that the networks were made of."""
    kept = original(ships, COMPACT).memory
    known = {p: Role(r) for p, r in zip(kept.patients.tolist(), kept.roles.tolist(), strict=True)}
    sources = [Layout(ships.parent / name, known) for name in ("development", "held-out")]
    return load(sources, SIZE, ships.parent / "cache-export", quiet)


def exported(of: Original, cells: CellArrays, *precisions: Precision) -> list[Export]:
    return export(of, cells, precisions, STORY, NOW, 0, quiet)


@pytest.fixture(scope="module", params=[MOBILENET, COMPACT, ENSEMBLE])
def both(request: pytest.FixtureRequest, ships: Path, cells: CellArrays) -> tuple[Original, Export, Export]:
    of = original(ships, request.param)
    half, small = exported(of, cells, FLOAT16, INT8)
    return of, half, small


def test_each_network_is_exported_with_its_outputs_and_its_head(
    both: tuple[Original, Export, Export],
) -> None:
    of, *those = both
    before, head = Model(of.content, of.info, interpreters=1), heads.read(of.content)
    for one, size, largest in zip(those, (0.6, 0.4), (0.002, 0.05), strict=True):
        assert len(one.content) < size * len(of.content)
        assert one.info.digest.startswith(one.info.version.split("-")[1])
        assert np.array_equal(heads.read(one.content).weights, head.weights)
        assert heads.read(one.content).bias == head.bias
        assert one.parity["validation"].largest <= largest
        after = Model(one.content, one.info, interpreters=1)
        for square in SQUARES[:3]:
            left, right = before.score(square), after.score(square)
            assert right.activation.shape == left.activation.shape
            assert right.probability == pytest.approx(left.probability, abs=largest)
            logit = head.logits(right.embedding[np.newaxis])[0]
            assert heads.sigmoid(logit) == pytest.approx(right.probability, abs=1e-5)
            assert right.activation.mean() == pytest.approx(logit, abs=1e-4), "the map's mean is the logit"


def test_the_trunk_is_int8_by_channel_and_what_follows_the_grid_float32(
    both: tuple[Original, Export, Export],
) -> None:
    from ai_edge_litert.schema_py_generated import BuiltinOperator, TensorType

    of, _, small = both
    model = graphfile.unpack(small.content)
    tensors, head = model.subgraphs[0].tensors, heads.place(model)[1]
    kernels = {BuiltinOperator.CONV_2D: 0, BuiltinOperator.DEPTHWISE_CONV_2D: 3}
    seen, kept = 0, 0
    for operation in model.subgraphs[0].operators:
        axis = kernels.get(graphfile.kind(model, operation))
        if axis is None or operation.inputs[1] == head:
            continue
        picture, kernel = (tensors[i] for i in operation.inputs[:2])
        if kernel.type == TensorType.FLOAT32:
            kept += 1
            continue
        assert kernel.type == picture.type == TensorType.INT8
        assert len(kernel.quantization.scale) == kernel.shape[axis], "a scale for each channel"
        assert len(picture.quantization.scale) == 1
        seen += 1
    assert seen >= 10
    depthwise = of.info.network != COMPACT
    assert kept == 3 * depthwise, "the stem and the first separable convolution, which has two"
    assert all(tensors[i].type == TensorType.FLOAT32 for i in model.subgraphs[0].outputs)


def test_what_a_picture_shows_is_told_as_the_original_tells_it(
    ships: Path, cells: CellArrays, branch: Branch
) -> None:
    bare = original(ships, COMPACT)
    info = replace(bare.info, screen=branch.screen)
    of = replace(bare, info=info, content=grafting.grafted(bare.content, branch))
    before = Model(of.content, info, interpreters=1)
    for one in exported(of, cells, FLOAT16, INT8):
        assert one.info.screen == branch.screen
        assert len(one.content) < len(of.content)
        after = Model(one.content, one.info, interpreters=1)
        for square in SQUARES[:3]:
            told, shown = before.score(square).subject, after.score(square).subject
            assert told is not None and shown is not None
            assert np.array_equal(told, shown)


def test_the_memory_is_of_the_exported_file(both: tuple[Original, Export, Export], cells: CellArrays) -> None:
    of, _, small = both
    assert small.memory is not None
    for name in ("labels", "patients", "roles", "origins", "fingerprints"):
        assert np.array_equal(getattr(small.memory, name), getattr(of.memory, name))
    model = Model(small.content, small.info, interpreters=1)
    places = {int(f): i for i, f in enumerate(cells.fingerprints)}
    for row in range(0, len(small.memory), 17):
        told = model.score(np.asarray(cells.pixels[places[int(small.memory.fingerprints[row])]])).embedding
        assert np.allclose(small.memory.embeddings[row], told, atol=float(small.memory.scale.max()))
    assert set(small.info.metrics) == {"validation", "gate"}


def test_without_all_cells_there_is_no_memory(ships: Path, cells: CellArrays) -> None:
    some = cells.where(cells.roles != Role.GATE.value)
    (half,) = exported(original(ships, COMPACT), some, FLOAT16)
    assert half.memory is None
    assert set(half.info.metrics) == {"validation"}


def test_calibration_is_on_both_classes_of_training_patients_only(ships: Path, cells: CellArrays) -> None:
    from malaria.training.quantise import to_calibrate

    of = original(ships, COMPACT)
    (small,) = exported(of, cells, INT8)
    told = small.info.lineage["calibration"]
    train = cells.of(Role.TRAIN)
    assert 0 < told["parasitized"] < told["cells"] <= len(train)
    assert told["patients"] == len(np.unique(train.groups))
    # Cells of other roles may change as they like.
    other = replace(cells, pixels=np.where((cells.roles == "train")[:, None, None, None], cells.pixels, 0))
    assert exported(of, other, INT8)[0].content == small.content, "the same cells give the same file"
    few = cells.where(np.flatnonzero(cells.roles == "train")[:40])
    assert np.array_equal(to_calibrate(few, 3), to_calibrate(few, 3))
    with pytest.raises(BadInput, match="no cells of both classes of validation patients"):
        exported(of, train, INT8)
    with pytest.raises(BadInput, match="no cells of both classes of train patients"):
        exported(of, cells.of(Role.VALIDATION), INT8)


def test_cells_to_calibrate_on_come_from_as_many_patients_as_there_are(
    cells: CellArrays, monkeypatch: pytest.MonkeyPatch
) -> None:
    from malaria.training import quantise

    train = cells.of(Role.TRAIN)
    patients = len(np.unique(train.groups))
    monkeypatch.setattr(quantise, "OF_EACH", patients)
    chosen = train.where(quantise.to_calibrate(train, 0))
    for label in (0, 1):
        assert len(np.unique(chosen.groups[chosen.labels == label])) == patients


def test_an_adapted_head_stands_in_the_export(ships: Path, cells: CellArrays) -> None:
    """Of an adapted version the Keras network is its parent's; only its .tflite knows the head."""
    of = original(ships, COMPACT)
    head = heads.read(of.content)
    adapted = replace(of, content=heads.write(of.content, heads.Head(head.weights * 1.5, head.bias + 0.3)))
    (small,) = exported(adapted, cells, INT8)
    assert np.allclose(heads.read(small.content).weights, head.weights * 1.5, rtol=1e-6)


def test_an_int8_version_is_kept_served_and_adapted(
    ships: Path, cells: CellArrays, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bold = AdaptSettings(parts=0, base_loss=1.0)  # this network learnt next to nothing: no guard would pass
    monkeypatch.setattr(challenge, "AdaptSettings", lambda **_: bold)
    monkeypatch.setattr(parity, "CHANGED", 1.0)  # its answers all lie near to the threshold
    monkeypatch.setattr(parity, "AUC_LOSS", 1.0)
    services = wiring.local(home, Settings(home=home, shipped=ships, network=COMPACT))
    of = original(ships, COMPACT)
    (small,) = exported(of, cells, INT8)
    assert small.memory is not None
    (tmp_path / "model.tflite").write_bytes(small.content)
    small.memory.save(tmp_path / "memory.npz")
    files = {name: tmp_path / name for name in ("model.tflite", "memory.npz")}
    services.registry.publish(small.info, files)
    services.registry.promote(small.info.version, verdict="manual", actor="test", reason="smaller")
    services.served.refresh()
    champion = services.served.model
    assert champion.info.version == small.info.version

    upload = synthetic.write(tmp_path / "site.zip", 60, 9)
    options = RetrainOptions(method=Method.ADAPT)
    job = services.trigger.submit(upload, name="site.zip", identity=None, options=options, actor="test")
    assert retrain.run(services, job.id, 1, threading.Event())
    ended = services.jobs.get(job.id)
    assert ended.state == JobState.SUCCEEDED, ended.reason
    met = Challenge(services, ended, champion, 0, small.memory, tmp_path, NOW)
    start = start_of(met)
    assert start.weights is not None
    parents = shipped.read_shipped(ships, COMPACT)[1] / "network.keras"
    assert start.weights.read_bytes() == parents.read_bytes(), "`full` goes on from the original's weights"
    after = load_version(services.registry, str(ended.version), tmp_path / "cache")
    assert after.info.lineage["parent"] == small.info.version
    assert after.info.size_bytes == len(small.content), "it is an int8 file still"
    before = Model(small.content, small.info, interpreters=1)
    head = heads.read((tmp_path / "cache" / after.info.version / "model.tflite").read_bytes())
    assert not np.array_equal(head.weights, heads.read(small.content).weights)
    for square in SQUARES[:3]:
        left, right = before.score(square), after.score(square)
        assert np.array_equal(left.embedding, right.embedding)
        told = head.probabilities(right.embedding[np.newaxis])[0]
        assert right.probability == pytest.approx(float(told), abs=1e-5)


def test_a_file_that_breaks_the_bound_is_never_kept(
    ships: Path, cells: CellArrays, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parity, "CHANGED", -1.0)
    (small,) = exported(original(ships, COMPACT), cells, INT8)
    assert "of the labels change" in small.info.lineage["unservable"]
    (tmp_path / "model.tflite").write_bytes(small.content)
    services = wiring.local(home, Settings(home=home, shipped=ships, network=COMPACT))
    with pytest.raises(Conflict, match=r"must not be served.*of the labels change"):
        services.registry.publish(small.info, {"model.tflite": tmp_path / "model.tflite"})
    assert small.info.version not in {info.version for info in services.registry.versions()}
