"""Training on a mixture with another laboratory's cells, a list left out and a teacher; joining; ablating."""

import csv
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from scipy.special import logit

from malaria import memory, roles, synthetic
from malaria.digests import sha256
from malaria.domain import Progress, Role
from malaria.errors import BadOptions
from malaria.patients import patient_of
from malaria.predict import Model
from malaria.preprocess import to_square
from malaria.tours.latency import latencies
from tests.train.test_train import nih_named
from tests.unit.test_laboratories import fields

pytestmark = pytest.mark.train

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def quiet(progress: Progress) -> None:
    assert progress.percent is None or 0 <= progress.percent <= 100


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory):  # type: ignore[no-untyped-def]
    from malaria.training.plan import Plan
    from malaria.training.recipe import Recipe, Shares, Stage

    folder = tmp_path_factory.mktemp("mixed")
    development = nih_named(folder / "development", range(1, 9), 1)
    doubted = folder / "doubted.csv"
    listed = [picture.stem for picture in sorted((development / "Parasitized").iterdir())[::5]]
    doubted.write_text("original_label,cell,patient\n" + "".join(f"Parasitized,{c},-\n" for c in listed))
    return Plan(
        data=[development],
        held_out=[nih_named(folder / "held-out", range(21, 25), 2)],
        out=folder / "models",
        run=folder / "run",
        cache=folder / "cache",
        recipe=Recipe(
            network="compact_cnn",
            stages=(Stage(64, 1),),
            batch_size=16,
            shares=Shares(1.0, 0.5, 0.5, 0.2, 0.5, 0.5, transplants=16),
        ),
        backbone_weights=None,
        command="a test",
        laboratories={"bccd": fields(folder / "bccd", map(str, range(12)))},
        without=[doubted],
    )


@pytest.fixture(scope="module")
def trained(plan):  # type: ignore[no-untyped-def]
    from malaria.training.run import train

    return train(plan, NOW, quiet)


def test_fields_have_roles_and_stand_in_memory_and_figures(plan, trained) -> None:  # type: ignore[no-untyped-def]
    known = roles.load(plan.out / "roles.json")
    assert {f"bccd/{i}" for i in range(12)} <= set(known)
    kept = memory.load(plan.out / trained.version / "memory.npz")
    assert len(kept) == 64 + 32 + 24, "what is not trained on is remembered too"
    assert set(kept.origins.tolist()) == {"base", "base:bccd"}
    held = "validation:bccd" in trained.metrics
    assert held == any(known[f"bccd/{i}"] == Role.VALIDATION for i in range(12))
    assert trained.metrics["validation"]["auc"] is not None
    with plan.without[0].open() as file:
        patients = [patient_of(row["cell"]) for row in csv.DictReader(file)]
    assert trained.lineage["left_out"] == sum(known[str(p)] == Role.TRAIN for p in patients) > 0
    assert (plan.run / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert list((plan.run / "tensorboard").rglob("events.out.*"))


def test_listed_cells_are_not_learnt_from(plan) -> None:  # type: ignore[no-untyped-def]
    from malaria.training import dataset
    from malaria.training.plan import learnable, roles_of, sources_of

    cells = dataset.load(sources_of(plan, roles_of(plan)), 64, plan.cache, quiet)
    with_all, left = learnable(cells, ()), learnable(cells, plan.without)
    with plan.without[0].open() as file:
        listed = {row["cell"] for row in csv.DictReader(file)}
    stems = np.array([Path(str(name)).stem for name in cells.names])
    assert listed & set(stems[with_all]), "some of them are of training patients"
    assert set(stems[with_all]) - set(stems[left]) == listed & set(stems[with_all])


def test_a_teachers_answers_move_the_targets(plan, trained) -> None:  # type: ignore[no-untyped-def]
    from malaria.training import dataset
    from malaria.training.plan import roles_of, sources_of
    from malaria.training.teacher import targets

    cells = dataset.load(sources_of(plan, roles_of(plan)), 64, plan.cache, quiet).where(np.arange(10))
    teacher = Model.load(plan.out / trained.version / "model.tflite", trained)
    aims = targets(cells, teacher, 0.5, plan.cache, quiet)
    own = targets(cells, teacher, 0.0, plan.cache, quiet)
    assert np.array_equal(own, cells.labels)
    assert aims.shape == (10,)
    assert np.all(np.abs(aims - cells.labels) <= 0.5 + 1e-6)
    assert np.any(aims != cells.labels)
    with pytest.raises(ValueError, match="a teacher for 64"):
        targets(replace(cells, pixels=np.zeros((10, 96, 96, 3), np.uint8)), teacher, 0.5, plan.cache, quiet)


def test_a_fitted_network_goes_on_and_its_story_is_kept(plan, trained, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    from malaria.training.run import train

    start = plan.out / trained.version / "network.keras"
    recipe = replace(plan.recipe, learning_rate=1e-9, dropout=0.0)  # so that it stays what it was
    plain = replace(recipe, shares=replace(recipe.shares, surrounded=0, transplanted=0, restained=0))
    on = replace(plan, recipe=plain, start=start, run=tmp_path / "run", out=tmp_path / "models")
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "roles.json").write_bytes((plan.out / "roles.json").read_bytes())
    further = train(on, NOW, quiet)
    assert further.lineage["begun_from"]["version"] == trained.version
    assert further.lineage["begun_from"]["recipe"] == trained.lineage["recipe"]
    kept, was = (memory.load(f / "memory.npz") for f in (on.out / further.version, start.parent))
    apart = np.abs(kept.embeddings - was.embeddings).mean() / was.embeddings.std()
    assert apart < 0.5, "it went on from where it was"

    with pytest.raises(BadOptions, match="is one of a mobilenet_v2"):
        train(replace(on, recipe=replace(plain, network="mobilenet_v2"), run=tmp_path / "other"), NOW, quiet)
    (tmp_path / "bare").mkdir()
    bare = (tmp_path / "bare" / "network.keras").resolve()
    bare.write_bytes(start.read_bytes())
    with pytest.raises(BadOptions, match="no manifest"):
        train(replace(on, start=bare, run=tmp_path / "third"), NOW, quiet)


def test_weights_are_drawn_back_to_those_of_the_start() -> None:
    from malaria.training import networks
    from malaria.training.run import blend

    first, fitted, kept = (networks.build("compact_cnn") for _ in range(3))
    kept.set_weights(fitted.get_weights())
    blend(fitted, first, 0.25)
    for now, learnt, known in zip(fitted.weights, kept.weights, first.weights, strict=True):
        assert np.allclose(now.numpy(), 0.75 * learnt.numpy() + 0.25 * known.numpy(), atol=1e-6)


def test_fitted_networks_are_joined_without_training(plan, trained) -> None:  # type: ignore[no-untyped-def]
    from malaria.training.recipe import Recipe, Stage
    from malaria.training.run import train

    member = plan.out / trained.version / "network.keras"
    recipe = Recipe(network="ensemble", stages=(Stage(128, 5),))  # nothing of it is used
    joined = train(
        replace(plan, recipe=recipe, members=(member, member), run=plan.run / "joined"), NOW, quiet
    )
    assert (joined.network, joined.input_size) == ("ensemble", 64)
    assert joined.lineage["method"] == "join"
    assert not {"recipe", "without", "left_out", "teacher"} & set(joined.lineage)
    for told in joined.lineage["members"]:
        assert (told["version"], told["network"]) == (trained.version, "compact_cnn")
        assert (told["digest"], told["weights"]) == (trained.digest, sha256(member))
    listed = json.loads((plan.out / "shipped.json").read_text())
    assert listed["networks"] == {"compact_cnn": trained.version, "ensemble": joined.version}
    name = "auc"  # two of the same rank as one
    assert joined.metrics["validation"][name] == pytest.approx(trained.metrics["validation"][name])
    shown = [to_square(cell.image, 64) for cell in synthetic.generate(12, 2)]
    one, both = (
        logit(np.array([scored.probability for scored in Model.load(file, made).score_many(shown)]))
        for made in (trained, joined)
        for file in [plan.out / made.version / "model.tflite"]
    )
    again = float(both @ one / (one @ one))
    assert np.allclose(both, again * one, atol=1e-3), "and answer as one, but for a temperature set once more"


def test_variants_are_measured_on_the_same_panels_and_not_trained_twice(  # type: ignore[no-untyped-def]
    plan, trained, tmp_path: Path
) -> None:
    from malaria.training import ablate
    from malaria.training.variants import read

    told = tmp_path / "plan.toml"
    told.write_text(
        '[recipe]\nnetwork = "compact_cnn"\nstages = [{size = 64, epochs = 1}]\nbatch_size = 16\n'
        '[[variant]]\nname = "plain"\n'
        '[[variant]]\nname = "with surround"\nshares = {surrounded = 1.0}\n'
        '[[variant]]\nname = "taught"\nteacher = "plain"\nteacher_share = 1.0\n'
        '[[variant]]\nname = "of fewer patients"\npatients = 0.3\n'
    )
    variants = read(told)
    assert [v.recipe.shares.surrounded for v in variants] == [0.0, 1.0, 0.0, 0.0]
    found = ablate.ablate(replace(plan, run=tmp_path / "run"), variants, {}, quiet)
    assert set(found) == {"plain", "with surround", "taught", "of fewer patients"}
    assert found["taught"].figures != found["plain"].figures, "a teacher's answers are not the labels"
    assert found["of fewer patients"].figures != found["plain"].figures, "others are learnt from"
    shown = found["plain"].figures
    assert {"patients", "patients, surround", "patients, JPEG/2", "patients, a green square"} <= set(shown)
    assert shown["patients, a green square"] != shown["patients"], "every cell has one"
    assert [one["from_epoch"] for one in found["plain"].fitted_by] == [0]
    assert found["plain"].fitted_by[0]["packages"]["backend"] == "tensorflow"
    files = ablate.files(variants, tmp_path)
    assert list(files) == list(found)
    assert {taken.size for taken in latencies(list(files.values()), 1)} == {64}

    def never(progress: Progress) -> None:
        raise AssertionError(f"trained again: {progress}")

    again = ablate.ablate(replace(plan, run=tmp_path / "run"), variants, {}, never)
    assert again == found

    elsewhere, earlier = replace(plan, run=tmp_path / "elsewhere"), {one.key: one for one in found.values()}
    taught = {earlier[found["taught"].key].key: found["taught"]}
    assert ablate.ablate(elsewhere, variants[1:2], {}, never, before=earlier) == {
        "with surround": found["with surround"]
    }
    sitting = ablate.ablate(elsewhere, variants, {}, never, before=taught, only=["taught"])
    assert sitting == {"taught": found["taught"]}
    with pytest.raises(BadOptions, match="no variant 'tuaght'"):
        ablate.ablate(elsewhere, variants, {}, never, only=["tuaght"])


def test_studies_that_were_kept_are_known_though_recipes_can_say_more_now() -> None:
    from malaria.training import ablate
    from malaria.training.recipe import Changes, Recipe

    usual = ablate._told(Recipe())["changes"]
    assert not set(ablate.LATER) & set(usual) and {"zoom", "lamp", "jpeg_share"} <= set(usual)
    assert ablate._told(Recipe(changes=Changes(turned=0.0)))["changes"] == {"turned": 0.0, **usual}


def test_what_is_drawn_back_is_not_trained_again(plan, trained, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    from malaria.training import ablate
    from malaria.training.recipe import Shares
    from malaria.training.variants import Variant

    start = plan.out / trained.version / "network.keras"
    study = replace(plan, run=tmp_path / "run", start=start)
    recipe = replace(plan.recipe, shares=Shares())
    whole, back = Variant("whole", recipe), Variant("drawn back", replace(recipe, start_share=0.5))
    told: list[Progress] = []
    first = ablate.ablate(study, [whole], {}, told.append)
    assert any(progress.epoch for progress in told)
    told.clear()
    both = ablate.ablate(study, [whole, back], {}, told.append)
    assert not any(progress.epoch for progress in told), "the same fit, of which less is kept"
    assert both["whole"] == first["whole"]
    assert both["drawn back"].figures != both["whole"].figures
    assert both["drawn back"].fitted_by == both["whole"].fitted_by
