"""Reading the plan of a study."""

from pathlib import Path

import pytest

from malaria.domain import Label
from malaria.errors import BadOptions
from malaria.training.recipe import Stage
from malaria.training.variants import Variant, read

ROOT = Path(__file__).parents[2]
LISTS = [Path("lists/published.csv"), Path("audited/suspects.csv")]
PLAN = """
[recipe]
stages = [{size = 64, epochs = 2}]
shares = {surrounded = 0.5}
[[variant]]
name = "plain"
shares = {surrounded = 0.0}
[[variant]]
name = "without all that is listed"
without = true
[[variant]]
name = "without what the audit doubts of the uninfected"
without = "suspects.csv"
without_label = "Uninfected"
[[variant]]
name = "from nothing"
backbone = false
[[variant]]
name = "of half of the patients"
patients = 0.5
"""
SMALLER_PUPIL = """
[[variant]]
name = "a"
[[variant]]
name = "b"
teacher = "a"
stages = [{size = 32, epochs = 1}]
"""


def _read(folder: Path, text: str) -> list[Variant]:
    path = folder / "plan.toml"
    path.write_text(text)
    return read(path)


def test_variants_share_what_they_do_not_change(tmp_path: Path) -> None:
    plain, without, audited, nothing, half = _read(tmp_path, PLAN)
    assert {v.recipe.stages for v in (plain, without, audited, nothing, half)} == {(Stage(64, 2),)}
    assert [v.recipe.shares.surrounded for v in (plain, without)] == [0.0, 0.5]
    assert audited.without_label == Label.UNINFECTED
    assert [v.backbone for v in (plain, nothing)] == [True, False]
    assert [v.patients for v in (plain, half)] == [1.0, 0.5]


def test_a_variant_leaves_out_no_list_all_lists_or_one(tmp_path: Path) -> None:
    plain, without, audited, *_ = _read(tmp_path, PLAN)
    assert list(plain.lists(LISTS)) == []
    assert list(without.lists(LISTS)) == LISTS
    assert list(audited.lists(LISTS)) == LISTS[1:]
    with pytest.raises(BadOptions, match=r"no list suspects\.csv was given .*, but published\.csv"):
        audited.lists(LISTS[:1])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "each with a name of its own"),
        ('[[variant]]\nname = "a"\n[[variant]]\nname = "a"\n', "each with a name of its own"),
        ("[[variant]]\nseed = 3\n", "each with a name of its own"),
        ("variant = 3\n", "must hold a table"),
        ('[[variant]]\nname = "a"\nwithout = 3\n', "a: without must be true, false or the file name"),
        ('[[variant]]\nname = "a"\nbackbone = "no"\n', "a: backbone must be true or false"),
        ('[[variant]]\nname = "a"\nwithout_label = "Sick"\n', "without_label is 'Sick'"),
        ('[[variant]]\nname = "a"\nfoo = 1\n', "foo"),
        ('[[variant]]\nname = "a"\npatients = 0\n', "a: patients is 0; it must be a share above 0"),
        ('[[variant]]\nname = "a"\npatients = 12\n', "a: patients is 12; it must be a share"),
        ('[[variant]]\nname = "a"\npatients = "all"\n', "a: patients is 'all'; it must be a share"),
        ('[[variant]]\nname = "a"\nteacher = "a"\n', "a: its teacher must be the name of a variant before"),
        (SMALLER_PUPIL, "b: its teacher must end at the same size"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(BadOptions, match=message):
        _read(tmp_path, text)


NO_VARIANTS = {"adapt", "folds", "lamp-step", "second-step"}
"""Settings of `adapt`, and recipes."""


def test_the_plans_of_the_project_can_be_read() -> None:
    plans = [path for path in (ROOT / "docs" / "studies").glob("*.toml") if path.stem not in NO_VARIANTS]
    assert len(plans) > 5
    assert all(read(path) for path in plans)
