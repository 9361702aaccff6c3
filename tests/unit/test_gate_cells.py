"""Against whom a challenger is held: the champion, and the first release from which that one descends."""

import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from malaria import gate_cells, retrain, shipped, synthetic
from malaria import head as heads
from malaria import memory as memories
from malaria.challenger import Challenge
from malaria.domain import Job, Method, ModelVersion, RetrainOptions, Role, Verdict
from malaria.full_ground import recipe_told
from malaria.head import Head
from malaria.lineage import DERIVED
from malaria.promote import Registry
from malaria.services import Services
from tests.unit.registries import START, described, objects, registry
from tests.unit.test_retrain_again import archive

__all__ = ["objects", "registry"]

ADAPT = {Method.ADAPT.value}


def descended(registry: Registry, folder: Path, *steps: tuple[str, str]) -> list[ModelVersion]:
    """A release and what came of it, by (method, verdict), each from the one before."""
    found = []
    for number, (method, verdict) in enumerate([("train", ""), *steps]):
        name = f"v{number}"
        model = folder / f"{name}.tflite"
        model.write_bytes(name.encode())
        story = {"method": method, "parent": f"v{number - 1}", "receipt": {"verdict": verdict}}
        info = replace(described(name, model.read_bytes()), lineage=story, created=START + timedelta(number))
        registry.publish(info, {"model.tflite": model})
        found.append(info)
    return found


def test_the_first_release_is_where_accepted_retrainings_began(registry: Registry, tmp_path: Path) -> None:
    line = descended(registry, tmp_path, ("adapt", "accepted"), ("full", "accepted"), ("adapt", "accepted"))
    roots = [gate_cells.first_release(registry, info, {"adapt", "full"}).version for info in line]
    assert roots == ["v0"] * 4
    same_backbone = [gate_cells.first_release(registry, info, ADAPT).version for info in line]
    assert same_backbone == ["v0", "v0", "v2", "v2"]


def test_a_version_in_smaller_numbers_stands_in_for_its_original(registry: Registry, tmp_path: Path) -> None:
    *_, last = descended(registry, tmp_path, ("adapt", "accepted"), ("export", ""), ("adapt", "accepted"))
    assert gate_cells.first_release(registry, last, set(DERIVED)).version == "v0"
    assert gate_cells.first_release(registry, last, ADAPT).version == "v2", "its embeddings are its own"


@pytest.mark.parametrize("verdict", ["rejected", "undecidable"])
def test_what_a_person_served_against_the_gate_is_a_release_of_its_own(
    registry: Registry, tmp_path: Path, verdict: str
) -> None:
    line = descended(registry, tmp_path, ("adapt", "accepted"), ("adapt", verdict), ("adapt", "accepted"))
    assert [gate_cells.first_release(registry, info, ADAPT).version for info in line] == [
        "v0", "v0", "v2", "v2",
    ]  # fmt: skip


def fallen(content: bytes, by: float) -> bytes:
    """The same model, which calls fewer cells parasitized."""
    head = heads.read(content)
    return heads.write(content, Head(head.weights, head.bias - by))


def serve(services: Services, folder: Path, by: float) -> ModelVersion:
    """Serve an adaptation that the gate is said to have accepted, with the memory of the first release."""
    registry, first = services.registry, services.served.model.info
    content = registry.fetch(first.version, "model.tflite", folder / "first.tflite").read_bytes()
    (folder / "model.tflite").write_bytes(fallen(content, by))
    files = {
        "model.tflite": folder / "model.tflite",
        "memory.npz": registry.fetch(first.version, "memory.npz", folder / "memory.npz"),
    }
    story = {"method": "adapt", "parent": first.version, "receipt": {"verdict": "accepted"}}
    model = files["model.tflite"].read_bytes()
    info = replace(
        described("20260102-aaaaaaaa", model),
        network=first.network,
        input_size=first.input_size,
        threshold=first.threshold,
        lineage=story,
    )
    registry.publish(info, files)
    registry.promote(info.version, verdict=Verdict.ACCEPTED.value, actor="ada", reason="a small step")
    services.served.refresh()
    return info


def challenge(services: Services, folder: Path) -> Challenge:
    served = services.served
    file = services.registry.fetch(served.model.info.version, "memory.npz", folder / "champion.npz")
    job = Job("job", "identity", "name", "uploads/1", START)
    return Challenge(services, job, served.model, 1, memories.load(file), folder, START)


def test_the_first_release_answers_the_base_gate_cells_that_memory_keeps(
    services: Services, tmp_path: Path
) -> None:
    first = services.served.model.info
    memory = challenge(services, tmp_path).memory
    new = heads.read((services.registry.fetch(first.version, "model.tflite", tmp_path / "a")).read_bytes())
    assert gate_cells.first_head(challenge(services, tmp_path)) is None, "the champion is the first release"
    serve(services, tmp_path, by=0.5)
    descended_from = gate_cells.first_head(challenge(services, tmp_path))
    assert descended_from is not None
    found = gate_cells.first_of_memory(memory, descended_from, new)
    assert (found.version, found.threshold) == (first.version, first.threshold)
    gate = memory.of(Role.GATE, base=True)
    assert np.array_equal(found.cells.champion, new.probabilities(gate.embeddings))
    assert np.array_equal(found.cells.champion, found.cells.challenger), "asked of the very same head"


def test_the_recipe_behind_a_version_is_that_of_the_training_it_goes_back_to(
    services: Services, models_dir: Path, tmp_path: Path
) -> None:
    first, ships = services.served.model.info, shipped.versions(models_dir)
    adapted = serve(services, tmp_path, by=0.5)
    known, current = [*services.registry.versions(), *ships], shipped.current(models_dir)
    assert recipe_told(adapted, known) == recipe_told(first, known) == first.lineage["recipe"]
    (joined,) = (one for one in current if one.network == "ensemble")
    (member,) = (one for one in current if one.network == "mobilenet_v2")
    assert recipe_told(joined, known) == member.lineage["recipe"], "of the same answers, under another name"
    other = replace(adapted, network="compact_cnn")
    assert recipe_told(other, known) == {}, "a champion of another network was not its start"
    for lost in ({"method": "adapt", "parent": "20000101-gone"}, {}):
        assert recipe_told(replace(first, lineage=lost), known) == {}


def test_gate_cells_of_earlier_uploads_are_told_from_base_cells() -> None:
    origins = np.array(["base", "base:chula", "ab12", "cd34", "ab12"])
    assert gate_cells.uploads_of(origins).tolist() == ["", "", "ab12", "cd34", "ab12"]


def test_validation_cells_of_each_other_base_laboratory_are_asked() -> None:
    origins = np.array(["base", "base:chula", "base:chula", "base:bccd", "ab12"])
    roles = np.array(["validation", "validation", "train", "validation", "validation"])
    found = gate_cells.laboratories(roles, origins)
    assert {name: np.flatnonzero(rows).tolist() for name, rows in found.items()} == {
        "the laboratory bccd": [3],
        "the laboratory chula": [1],
    }


def test_a_step_within_the_margin_is_not_accepted_where_the_whole_way_is_beyond_it(
    services: Services, tmp_path: Path
) -> None:
    """The served adaptation has lost points since the first release; the next one need lose nothing more."""
    first = services.served.model.info
    serve(services, tmp_path, by=3.0)
    upload = tmp_path / "cells.zip"
    upload.write_bytes(archive(synthetic.generate(80, 8), patients=True, washed=True))
    options = RetrainOptions(method=Method.ADAPT)
    job = services.trigger.submit(upload, name="cells.zip", identity=None, options=options, actor="test")
    assert retrain.run(services, job.id, 1, threading.Event())
    ended = services.jobs.get(job.id)
    rules = {rule["name"]: rule for rule in ended.receipt["criteria"]}
    assert ended.receipt["first"] == first.version
    lost = rules["base sensitivity since the first release"]
    assert lost["value"] < rules["base sensitivity"]["value"] and lost["value"] < -0.012
    assert lost["passed"] is False and ended.verdict == Verdict.REJECTED
