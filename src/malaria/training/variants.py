"""The plan of a study: a recipe that all variants share, and what each changes of it.

[recipe]
stages = [{size = 96, epochs = 3}]
[[variant]]
name = "plain"
[[variant]]
name = "with surround"
shares = {surrounded = 0.6}
[[variant]]
name = "without what is doubted"
without = true
[[variant]]
name = "taught by the first"
teacher = "plain"
[[variant]]
name = "of a quarter of the patients"
patients = 0.25
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from malaria.domain import CLASSES, Label
from malaria.errors import BadOptions
from malaria.training import recipe

OWN = ("name", "without", "without_label", "backbone", "teacher", "patients")
"""What a variant says beside its recipe."""


@dataclass(frozen=True)
class Variant:
    """name: what is told of it. recipe: all of it. without: whether cells that the study's lists name are
    left out, or the file name of the one list that counts; of one label or of both. backbone: whether it
    starts as the study says, from a pretrained backbone or a fitted network, and not from nothing. teacher:
    an earlier variant whose answers are learnt beside the labels, a share of `recipe.teacher_share`.
    patients: share of the base training patients that is learnt from, above 0, at most 1."""

    name: str
    recipe: recipe.Recipe
    without: bool | str = False
    without_label: Label | None = None
    backbone: bool = True
    teacher: str | None = None
    patients: float = 1.0

    def lists(self, known: Sequence[Path]) -> Sequence[Path]:
        """Those of the study's lists whose cells are left out. Raises BadOptions where one is not there."""
        if isinstance(self.without, bool):
            return known if self.without else ()
        found = [path for path in known if path.name == self.without]
        if not found:
            names = ", ".join(path.name for path in known) or "none"
            raise BadOptions(f"{self.name}: no list {self.without} was given with --without, but {names}.")
        return found


def read(path: Path) -> list[Variant]:
    """The variants of a plan (TOML). Raises BadOptions, naming what is wrong."""
    told = recipe.read(path)
    shared, variants = told.get("recipe", {}), told.get("variant", [])
    tables = isinstance(variants, list) and all(isinstance(v, dict) for v in variants)
    if not isinstance(shared, dict) or not tables:
        raise BadOptions(f"{path} must hold a table [recipe] and variants, [[variant]].")
    found = [_variant(own, recipe.changed(recipe.Recipe(), shared)) for own in variants]
    if not found or len({v.name for v in found} - {""}) != len(found):
        raise BadOptions(f"{path} must hold variants, [[variant]], each with a name of its own.")
    _check_teachers(found)
    return found


def _check_teachers(variants: Sequence[Variant]) -> None:
    """A teacher has been trained before, and answers pictures of the size that its pupil learns last."""
    earlier: dict[str, Variant] = {}
    for variant in variants:
        if variant.teacher is not None:
            if variant.teacher not in earlier:
                raise BadOptions(f"{variant.name}: its teacher must be the name of a variant before it.")
            if earlier[variant.teacher].recipe.size != variant.recipe.size:
                raise BadOptions(f"{variant.name}: its teacher must end at the same size of picture.")
        earlier[variant.name] = variant


def _variant(told: dict[str, Any], shared: recipe.Recipe) -> Variant:
    label, name = told.get("without_label"), str(told.get("name", ""))
    if label not in (None, *CLASSES):
        raise BadOptions(f"{name}: without_label is {label!r}; it must be {' or '.join(CLASSES)}.")
    if not isinstance(told.get("backbone", True), bool):
        raise BadOptions(f"{name}: backbone must be true or false.")
    if not isinstance(told.get("without", True), bool | str):
        raise BadOptions(f"{name}: without must be true, false or the file name of a list.")
    patients = told.get("patients", 1.0)
    if isinstance(patients, bool) or not isinstance(patients, int | float) or not 0 < patients <= 1:
        raise BadOptions(f"{name}: patients is {patients!r}; it must be a share above 0 and at most 1.")
    return Variant(
        name,
        recipe.changed(shared, {k: v for k, v in told.items() if k not in OWN}),
        told.get("without", label is not None),
        None if label is None else Label(CLASSES.index(label)),
        told.get("backbone", True),
        told.get("teacher"),
        float(patients),
    )
