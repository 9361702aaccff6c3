"""What a training is made of: everything that, with the data and the seed, decides the weights."""

import tomllib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

from malaria.errors import BadOptions

STRICT = {"extra": "forbid"}
"""Recipe files name known fields only."""


@dataclass(frozen=True)
class Stage:
    """Epochs at one input size (pixels, a multiple of 32)."""

    __pydantic_config__: ClassVar = STRICT

    size: int
    epochs: int


@dataclass(frozen=True)
class Shares:
    """How much of an epoch each part of the `mixture` is, in any unit.

    epoch_cells: cells an epoch; 0: as many as show each base cell once. transplants: how many cells are made
    with a spot moved onto them.
    """

    __pydantic_config__: ClassVar = STRICT

    plain: float = 1.0
    surrounded: float = 0.0
    laboratories: float = 0.0
    masked: float = 0.0
    restained: float = 0.0
    transplanted: float = 0.0
    epoch_cells: int = 0
    transplants: int = 8000

    def of_parts(self) -> dict[str, float]:
        """The shares by the name of their part."""
        names = ("plain", "surrounded", "laboratories", "masked", "restained", "transplanted")
        return {name: float(getattr(self, name)) for name in names}


@dataclass(frozen=True)
class Changes:
    """How far augmentation goes.

    Of places: zoom and shift, shares of the side. Of optical density: strength and tint, natural logarithms,
    of all channels together and each apart; light, an even filter over all; body, the most that a dark stain
    adds to the cell's body, in body_share of the pictures. Of intensity: gain and offset of each channel,
    shares; gamma, a natural logarithm. coarse_share: pictures at half the resolution.
    """

    __pydantic_config__: ClassVar = STRICT

    zoom: float = 0.15
    shift: float = 0.06
    strength: float = 0.0
    tint: float = 0.0
    light: float = 0.0
    body: float = 0.0
    body_share: float = 0.0
    gain: float = 0.2
    offset: float = 0.06
    gamma: float = 0.29  # exp(0.29) = 1.33
    coarse_share: float = 0.0


@dataclass(frozen=True)
class Recipe:
    """Rates are per step; sizes in pixels; teacher_share: how much of a target a teacher
    says, where there is one; decay is decoupled (Loshchilov & Hutter, ICLR 2019)."""

    __pydantic_config__: ClassVar = STRICT

    network: str = "mobilenet_v2"
    width: float = 1.0
    stages: tuple[Stage, ...] = field(default_factory=lambda: (Stage(96, 3), Stage(128, 6)))
    batch_size: int = 32
    learning_rate: float = 6e-4
    warmup_steps: int = 400
    weight_decay: float = 0.02
    clip: float = 1.0
    dropout: float = 0.3
    label_smoothing: float = 0.05
    teacher_share: float = 0.7
    shares: Shares = field(default_factory=Shares)
    changes: Changes = field(default_factory=Changes)
    seed: int = 7

    @property
    def epochs(self) -> int:
        return sum(stage.epochs for stage in self.stages)

    @property
    def size(self) -> int:
        """The input size of the finished network."""
        return self.stages[-1].size

    def size_at(self, epoch: int) -> int:
        """The input size in epoch `epoch`, counted from 0."""
        for stage in self.stages:
            if epoch < stage.epochs:
                return stage.size
            epoch -= stage.epochs
        raise IndexError(epoch)


TRAVELLING = Shares(1.0, 0.5, 0.4, 0.1, 0.4, 0.5, epoch_cells=26_000, transplants=12_000)
"""Base cells on black and among neighbours, other laboratories' cells, and parasites moved onto those."""
RECIPES: dict[str, Recipe] = {
    "mobilenet_v2": Recipe(
        stages=(Stage(96, 7), Stage(128, 6)),
        shares=TRAVELLING,
        changes=Changes(strength=0.15, tint=0.1, light=0.05, coarse_share=0.15),
    )
}


def recipe_of(network: str | None) -> Recipe:
    """The recipe by which a network is trained unless one is told otherwise; None: the default network's."""
    return RECIPES.get(network or Recipe.network, replace(Recipe(), network=network or Recipe.network))


def read(path: Path) -> dict[str, Any]:
    """What a recipe file (TOML) sets. Raises BadOptions where it is no TOML."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadOptions(f"The recipe {path} cannot be read: {error}.") from None


def changed(recipe: Recipe, told: dict[str, Any]) -> Recipe:
    """The recipe with other values: the names of its fields, `shares` and `changes` as tables of their own.

    Raises BadOptions, naming the field that is unknown or of the wrong kind.
    """
    from pydantic import TypeAdapter, ValidationError

    given = dict(told)
    for name in ("shares", "changes"):
        if isinstance(given.get(name), dict):
            given[name] = {**vars(getattr(recipe, name)), **given[name]}
    adapter = TypeAdapter(Recipe)
    try:
        known = {**vars(recipe), **given}
        return adapter.validate_python(known)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise BadOptions(f"The recipe's {place} is wrong: {first['msg']}.") from None
