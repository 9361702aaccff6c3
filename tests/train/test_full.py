"""`full` from stored base images to a verdict: the whole network, on synthetic, NIH-named cells."""

import threading
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from malaria import memory, retrain, roles, shipped, synthetic, wiring
from malaria.cli import app
from malaria.domain import JobState, Method, RetrainOptions, Role
from malaria.gate_cells import OfPixels
from malaria.options import COMPACT
from malaria.predict import load_version
from malaria.preprocess import to_square
from malaria.services import Services
from malaria.settings import Settings
from malaria.shards import Shard
from malaria.training.dataset import CellArrays
from malaria.training.full import LEARNING_RATE, _shown, recipe_for
from malaria.training.mixture import Mixture
from malaria.training.recipe import Changes, Recipe, Shares, Stage
from tests.unit.registries import START
from tests.unit.test_gate_cells import challenge, serve
from tests.unit.test_laboratories import fields
from tests.unit.test_retrain_again import archive

pytestmark = pytest.mark.train

FULL = RetrainOptions(method=Method.FULL, epochs=1, batch_size=16, learning_rate=1e-5)


def base_zip(path: Path, known: dict[str, Role], each: dict[Role, int], seed: int = 5) -> Path:
    """Synthetic cells named after base patients of the wanted roles, 8 to a patient."""
    patients = [p for role, n in each.items() for p in [p for p in sorted(known) if known[p] == role][:n]]
    with zipfile.ZipFile(path, "w") as archive:
        for i, cell in enumerate(synthetic.generate(8 * len(patients), seed)):
            name = f"{cell.label.text}/{patients[i // 8]}thinF_IMG_1_cell_{i}.png"
            archive.writestr(name, cell.png())
    return path


def bring(services: Services, archive: Path, *more: str) -> None:
    told = CliRunner().invoke(app, ["--home", str(services.home), "data", "import", str(archive), *more])
    assert told.exit_code == 0, told.output


def test_full_trains_gates_and_remembers_anew(services: Services, models_dir: Path, tmp_path: Path) -> None:
    known = roles.load(models_dir / "roles.json")
    each = {Role.TRAIN: 6, Role.VALIDATION: 2, Role.GATE: 6}
    elsewhere = fields(tmp_path / "fields", "abcdefgh")
    bring(services, base_zip(tmp_path / "base.zip", known, each), "--laboratory", f"bccd={elsewhere}")
    upload = synthetic.write(tmp_path / "site.zip", 200, 9)
    job = services.trigger.submit(upload, name="site.zip", identity=None, options=FULL, actor="test")
    fleeting = replace(services, fleeting=True)
    assert retrain.run(fleeting, job.id, 1, threading.Event())

    ended = services.jobs.get(job.id)
    assert ended.state == JobState.SUCCEEDED, ended.reason
    assert ended.verdict is not None
    kept = {Path(one.key).name for one in services.objects.list(f"checkpoints/{job.id}/")}
    assert kept == {"epoch-001.keras", "history.csv"}, "another machine would go on from here"
    assert [p.epoch for p in ended.epochs] == [1], "the curve has a point for the epoch"
    info = services.registry.version(str(ended.version))
    assert info.lineage["method"] == "full"
    assert info.lineage["parent"] == ended.champion
    fresh = memory.load(services.registry.fetch(info.version, "memory.npz", tmp_path / "memory.npz"))
    of_fields = int(np.sum(fresh.origins == "base:bccd"))
    assert of_fields >= 8 and len(fresh) == 8 * 14 + 200 + of_fields, "other laboratories are learnt again"
    told = [one["code"] for one in ended.receipt["advised"]]
    assert "pictures-missing" in told, "NIH cells that ship with the model, and are not stored here"
    services.registry.fetch(info.version, "network.keras", tmp_path / "network.keras")

    # The network still knows synthetic cells: it went on from the served weights, not from nothing.
    model = load_version(services.registry, info.version, tmp_path / "cache")
    cells = list(synthetic.generate(20, 77))
    said = [s.probability >= 0.5 for s in model.score_many(to_square(c.image, 128) for c in cells)]
    assert np.mean(np.array(said) == [bool(c.label) for c in cells]) >= 0.9


def test_full_goes_on_from_an_adapted_model_without_a_shock(
    home: Path, models_dir: Path, tmp_path: Path
) -> None:
    """An adapted head must bear dropout and batch statistics: one of huge weights would wreck the network."""
    services = wiring.local(home, Settings(home=home, shipped=models_dir, network=COMPACT))
    known = roles.load(models_dir / "roles.json")
    upload = tmp_path / "first.zip"
    upload.write_bytes(archive(synthetic.generate(200, 9), patients=True, washed=True))
    adapt = RetrainOptions(method=Method.ADAPT)
    first = services.trigger.submit(upload, name="first.zip", identity=None, options=adapt, actor="test")
    assert retrain.run(services, first.id, 1, threading.Event())
    version, newest = str(services.jobs.get(first.id).version), services.registry.newest()
    assert newest is not None
    assert services.registry.version(version).lineage["method"] == "adapt"
    if newest.version != version:
        services.registry.promote(version, verdict="manual", actor="test", reason="to go on from it")
    bring(
        services, base_zip(tmp_path / "base.zip", known, {Role.TRAIN: 12, Role.VALIDATION: 2, Role.GATE: 6})
    )
    more = synthetic.write(tmp_path / "more.zip", 100, 10)
    job = services.trigger.submit(more, name="more.zip", identity=None, options=FULL, actor="test")
    assert retrain.run(services, job.id, 1, threading.Event())
    ended = services.jobs.get(job.id)
    assert ended.state == JobState.SUCCEEDED, ended.reason
    assert ended.champion == version
    (epoch,) = ended.epochs
    assert epoch.loss is not None
    assert epoch.loss < 0.5, "label smoothing alone costs about 0.2; a shock costs 2 and more"


def test_the_first_release_answers_the_pixels_of_base_gate_cells(services: Services, tmp_path: Path) -> None:
    first = services.served.model
    serve(services, tmp_path, by=0.5)
    shown = list(synthetic.generate(12, 3))
    pixels = np.array([to_square(cell.image, first.info.input_size) for cell in shown])
    n, labels = len(shown), np.array([int(cell.label) for cell in shown], np.uint8)
    roles, origins = np.array(["gate", "gate", "train"] * 4), np.array(["base", "a" * 64] * 6)
    names = np.array([f"cell {i}" for i in range(n)])
    cells = CellArrays(pixels, labels, names, roles, origins, np.arange(n, dtype=np.uint64), names)
    answered = OfPixels(cells, np.linspace(0, 1, n), names, lambda _: cells)
    base = np.flatnonzero((roles == "gate") & (origins == "base"))
    found = answered.first(challenge(services, tmp_path))
    assert found is not None and found.version == first.info.version
    said = [scored.probability for scored in first.score_many(pixels[i] for i in base)]
    assert found.cells.champion.tolist() == pytest.approx(said, abs=1e-6)
    assert found.cells.challenger.tolist() == np.linspace(0, 1, n)[base].tolist()
    met, site, labelled, _ = answered.sets(
        services.served.model, [Shard("a" * 64, "site", (), "site", START)]
    )
    assert site is not None and [len(of) for of in (met, site, *labelled)] == [4, 4, 6]
    assert met.uploads is not None and set(met.uploads) == {""}, "the site's own are no earlier ones"
    told, *_ = answered.sets(services.served.model, [Shard("b" * 64, "site", (), "site", START)])
    assert {name: len(of) for name, of in told.by_upload().items()} == {"a" * 64: 4}
    assert met.champion.tolist() != found.cells.champion.tolist(), "the champion answers otherwise"


def test_full_without_validation_patients_says_what_to_import(
    services: Services, models_dir: Path, tmp_path: Path
) -> None:
    known = roles.load(models_dir / "roles.json")
    bring(services, base_zip(tmp_path / "base.zip", known, {Role.TRAIN: 2}))
    upload = synthetic.write(tmp_path / "site.zip", 40, 9)
    job = services.trigger.submit(upload, name="site.zip", identity=None, options=FULL, actor="test")
    assert retrain.run(services, job.id, 1, threading.Event())
    ended = services.jobs.get(job.id)
    assert ended.state == JobState.FAILED
    assert "validation patients" in ended.reason
    assert "data import" in ended.reason


def test_full_smooths_and_changes_pictures_as_the_network_was_trained(models_dir: Path) -> None:
    info = shipped.read_shipped(models_dir)[0]
    told = {"label_smoothing": 0.0, "average": 0.99, "changes": {"lamp": 0.3, "of_old": 1.0}, "seed": 3}
    recipe = recipe_for(RetrainOptions(method=Method.FULL, epochs=4), info, told)
    assert (recipe.label_smoothing, recipe.average, recipe.changes.lamp) == (0.0, 0.99, 0.3)
    assert (recipe.stages, recipe.learning_rate) == ((Stage(info.input_size, 4),), LEARNING_RATE)
    plain = recipe_for(RetrainOptions(method=Method.FULL), info, {})
    assert (plain.label_smoothing, plain.changes) == (Recipe().label_smoothing, Changes())


def test_full_shows_what_the_network_was_trained_with(models_dir: Path) -> None:
    info = shipped.read_shipped(models_dir)[0]
    told = {"shares": {"plain": 2.0, "surrounded": 1.0, "restained": 0.8, "varied": 0.5, "epoch_cells": 99}}
    shares = recipe_for(RetrainOptions(method=Method.FULL), info, told).shares
    assert shares == Shares(surrounded=0.5, restained=0.4, varied=0.5), "each base cell once an epoch"
    assert recipe_for(RetrainOptions(method=Method.FULL), info, {}).shares == Shares(surrounded=0.5)


def test_full_shows_no_more_of_other_base_laboratories_than_the_training_did(tmp_path: Path) -> None:
    """They are all uninfected: too many of them would teach that another stain means health."""
    n, rng = {"base": 40, "base:bccd": 100, "a" * 64: 10}, np.random.default_rng(1)
    origins = np.repeat(list(n), list(n.values()))
    labels = np.where(origins == "base:bccd", 0, rng.integers(0, 2, len(origins))).astype(np.uint8)
    names = np.array([f"cell {i}" for i in range(len(origins))])
    pixels = np.stack([to_square(cell.image, 32) for cell in synthetic.generate(len(origins), 3)])
    roles_of = np.full(len(origins), "train")
    cells = CellArrays(
        pixels, labels, names, roles_of, origins, np.arange(len(names), dtype=np.uint64), names
    )
    recipe = Recipe(shares=Shares(laboratories=0.2, restained=0.5))
    shown = _shown(cells, recipe, tmp_path, lambda _: None)(32)
    assert isinstance(shown, Mixture)
    sizes = [len(part.labels) for part in shown.parts]
    assert sizes == [40, 8 + 10, 40] and shown.counts == (40, 18, 20)
