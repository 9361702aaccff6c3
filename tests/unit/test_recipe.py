"""Recipes from files: what they name is changed, what they mistake is told."""

from dataclasses import fields, replace
from pathlib import Path
from typing import get_type_hints

import pytest

from malaria.errors import BadOptions
from malaria.options import NETWORKS
from malaria.training import recipe as recipes
from malaria.training.recipe import Recipe, Shares, Stage


def test_a_file_changes_what_it_names(tmp_path: Path) -> None:
    file = tmp_path / "recipe.toml"
    file.write_text("seed = 9\nstages = [{size = 64, epochs = 2}]\n[shares]\nsurrounded = 0.5\n")
    found = recipes.changed(Recipe(), recipes.read(file))
    assert (found.seed, found.stages, found.shares.surrounded) == (9, (Stage(64, 2),), 0.5)
    assert found.shares.plain == Recipe().shares.plain
    assert found.changes == Recipe().changes


@pytest.mark.parametrize(
    ("told", "named"),
    [
        ({"sed": 9}, "sed"),
        ({"shares": {"plane": 1.0}}, "shares.plane"),
        ({"changes": {"zoom": "far"}}, "changes.zoom"),
        ({"stages": [{"size": 64}]}, "stages.0.epochs"),
        ({"stages": []}, "stages is wrong: it must be one stage or more"),
        (
            {"stages": [{"size": 100, "epochs": 1}]},
            "stages.0.size is wrong: .* multiple of 32 from 32 to 512",
        ),
        ({"stages": [{"size": 544, "epochs": 1}]}, "stages.0.size"),
        ({"stages": [{"size": 0, "epochs": 1}]}, "stages.0.size"),
        ({"stages": [{"size": 96, "epochs": 1}, {"size": 96, "epochs": 0}]}, "stages.1.epochs .* from 1"),
        ({"batch_size": 0}, "batch_size .* from 1"),
        ({"learning_rate": 0.0}, "learning_rate .* above 0"),
        ({"learning_rate": float("inf")}, "learning_rate"),
        ({"weight_decay": float("nan")}, "weight_decay"),
        ({"warmup_steps": -1}, "warmup_steps"),
        ({"clip": 0.0}, "clip"),
        ({"dropout": 1.0}, "dropout .* from 0 to less than 1"),
        ({"dropout": -0.1}, "dropout"),
        ({"label_smoothing": 1.0}, "label_smoothing"),
        ({"teacher_share": 1.1}, "teacher_share .* from 0 to 1"),
        ({"seed": -1}, "seed"),
        ({"network": "resnet"}, "network .* one of mobilenet_v2, compact_cnn, ensemble"),
        ({"width": 1.5}, "width .* from 0.1 to 1.4"),
        ({"network": "compact_cnn", "width": 0.5}, "width .* compact_cnn has one width"),
        ({"shares": {"masked": -0.1}}, "shares.masked .* from 0"),
        ({"shares": {"plain": 0.0}}, "shares is wrong: .* above 0"),
        ({"shares": {"plain": 0.0, "masked": 1.0}}, "shares is wrong: .* epoch_cells"),
        ({"shares": {"epoch_cells": -1}}, "shares.epoch_cells"),
        ({"shares": {"transplants": -1}}, "shares.transplants"),
        ({"changes": {"zoom": 1.0}}, "changes.zoom .* less than 1"),
        ({"changes": {"gain": -0.1}}, "changes.gain"),
        ({"changes": {"coarse_share": 1.5}}, "changes.coarse_share .* from 0 to 1"),
        ({"changes": {"jpeg_share": -0.5}}, "changes.jpeg_share"),
        ({"changes": {"marked": 2}}, "changes.marked .* from 0 to 1"),
    ],
)
def test_a_mistake_is_named(told: dict[str, object], named: str) -> None:
    with pytest.raises(BadOptions, match=named):
        recipes.changed(Recipe(), told)


@pytest.mark.parametrize("network", [None, *NETWORKS])
def test_what_ships_and_what_lies_on_the_edge_is_taken(network: str | None) -> None:
    own = recipes.recipe_of(network)
    assert recipes.changed(own, {}) == own
    edge = {"teacher_share": 1, "dropout": 0, "shares": {"plain": 0, "masked": 1, "epoch_cells": 10}}
    assert recipes.changed(own, {**edge, "stages": [{"size": 512, "epochs": 1}]}).size == 512


def test_every_number_of_a_recipe_has_a_range() -> None:
    """A field that is added must say what it takes."""
    for part in (recipes.Stage, recipes.Shares, recipes.Changes, Recipe):
        kinds = get_type_hints(part, include_extras=True)
        open_ones = [f.name for f in fields(part) if kinds[f.name] in (int, float, str)]
        assert open_ones == [], part.__name__


def test_a_file_that_is_no_toml_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text("seed = ")
    with pytest.raises(BadOptions, match="cannot be read"):
        recipes.read(tmp_path / "x.toml")
    with pytest.raises(BadOptions, match="cannot be read"):
        recipes.read(tmp_path / "none.toml")


def test_the_recipes_of_what_ships_and_of_what_comes_next_can_be_read(models_dir: Path) -> None:
    told = {path.stem: recipes.read(path) for path in (models_dir / "recipes").glob("*.toml")}
    read = {name: recipes.changed(recipes.recipe_of(one.get("network")), one) for name, one in told.items()}
    assert read["black"].shares.of_parts() == {**dict.fromkeys(Shares().of_parts(), 0.0), "plain": 1.0}
    assert all(read["travel"].shares.of_parts().values()), "every part is shown"
    assert read["compact"].network == "compact_cnn"
    assert read["compact"].shares == replace(read["travel"].shares, epoch_cells=26000)
    assert read["compact"].changes == read["travel"].changes
    assert read["compact-next"].shares == replace(read["mobilenet"].shares, epoch_cells=26000)
    assert read["sharpened"].shares == read["mobilenet"].shares
    assert replace(read["sharpened"].changes, marked=0.0) == read["mobilenet"].changes
    assert read["compact-next"].changes == read["sharpened"].changes
