"""Recipes from files: what they name is changed, what they mistake is told."""

from pathlib import Path

import pytest

from malaria.errors import BadOptions
from malaria.training import recipe as recipes
from malaria.training.recipe import Recipe, Stage


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
    ],
)
def test_a_mistake_is_named(told: dict[str, object], named: str) -> None:
    with pytest.raises(BadOptions, match=named):
        recipes.changed(Recipe(), told)


def test_a_file_that_is_no_toml_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text("seed = ")
    with pytest.raises(BadOptions, match="cannot be read"):
        recipes.read(tmp_path / "x.toml")
    with pytest.raises(BadOptions, match="cannot be read"):
        recipes.read(tmp_path / "none.toml")
