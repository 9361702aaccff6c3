"""What a training is made of: everything that, with the data and the seed, decides the weights."""

import math
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator

from malaria import codec
from malaria.errors import BadOptions
from malaria.options import COMPACT, NETWORKS

STRICT = {"extra": "forbid"}
"""Recipe files name known fields only."""
WIDTHS = (0.1, 1.4)
"""Narrowest and widest MobileNetV2 that is built."""
SIZES = (32, 512)
"""Smallest and largest input, in pixels."""


def _must(be: str, holds: Callable[[Any], bool]) -> AfterValidator:
    """What a field must be, beside its kind; `changed` holds recipes to it. NaN holds nothing."""

    def check(value: Any) -> Any:
        if not holds(value):
            raise ValueError(f"it must be {be}")
        return value

    return AfterValidator(check)


def is_size(pixels: int) -> bool:
    """Whether networks take pictures of so many pixels a side."""
    return pixels % 32 == 0 and SIZES[0] <= pixels <= SIZES[1]


Amount = Annotated[float, _must("a number from 0", lambda v: 0 <= v < math.inf)]
Rate = Annotated[float, _must("a number above 0", lambda v: 0 < v < math.inf)]
Share = Annotated[float, _must("a share from 0 to 1", lambda v: 0 <= v <= 1)]
BelowOne = Annotated[float, _must("a share from 0 to less than 1", lambda v: 0 <= v < 1)]
Count = Annotated[int, _must("a whole number from 0", lambda v: v >= 0)]
AtLeastOne = Annotated[int, _must("a whole number from 1", lambda v: v >= 1)]
Size = Annotated[int, _must("a multiple of 32 from {} to {}".format(*SIZES), is_size)]
Width = Annotated[float, _must("from {} to {}".format(*WIDTHS), lambda v: WIDTHS[0] <= v <= WIDTHS[1])]
Seed = Annotated[int, _must("a whole number from 0 to 2^31", lambda v: 0 <= v <= 2**31)]
Network = Annotated[str, _must(f"one of {', '.join(NETWORKS)}", NETWORKS.__contains__)]


@dataclass(frozen=True)
class Stage:
    """Epochs at one input size (pixels, a multiple of 32)."""

    __pydantic_config__: ClassVar = STRICT

    size: Size
    epochs: AtLeastOne


@dataclass(frozen=True)
class Shares:
    """How much of an epoch each part of the `mixture` is, in any unit.

    epoch_cells: cells an epoch; 0: as many as show each base cell once. transplants: how many cells are made
    with a spot moved onto them. platelets: share of the uninfected of those whose spot is a platelet.
    varied: share of the restained whose stain is none that was seen, but one drawn about such a one.
    by_patient: how far base cells of patients with few are drawn more often; 1: every patient alike.
    """

    __pydantic_config__: ClassVar = STRICT

    plain: Amount = 1.0
    surrounded: Amount = 0.0
    laboratories: Amount = 0.0
    masked: Amount = 0.0
    restained: Amount = 0.0
    transplanted: Amount = 0.0
    epoch_cells: Count = 0
    transplants: Count = 8000
    platelets: Share = 0.0
    varied: Share = 0.0
    by_patient: Share = 0.0

    def of_parts(self) -> dict[str, float]:
        """The shares by the name of their part."""
        names = ("plain", "surrounded", "laboratories", "masked", "restained", "transplanted")
        return {name: float(getattr(self, name)) for name in names}


@dataclass(frozen=True)
class Changes:
    """How far augmentation goes.

    Of places: turned, the chance of each of two flips and of a swap of the axes, which make all eight turns
    at one half; zoom and shift, shares of the side. Of lamp and camera: lamp, the share of a channel that
    comes from all three in shares drawn anew. Of optical density: strength and tint, natural logarithms, of
    all channels together and each apart; light, an even filter over all. Of intensity: gain and offset of
    each channel, shares; gamma, a natural logarithm. blur_share: pictures whose neighbouring pixels are
    averaged. coarse_share: pictures at half the resolution. noise: the most of its standard deviation, of
    255. jpeg_share: pictures that were saved as JPEG. marked: pictures of either class with a small rectangle
    of any colour, as ink or dirt (after Zhong et al., AAAI 2020), which must not tell the label.
    """

    __pydantic_config__: ClassVar = STRICT

    turned: Share = 0.5
    zoom: BelowOne = 0.15
    shift: Amount = 0.06
    lamp: Share = 0.0
    strength: Amount = 0.0
    tint: Amount = 0.0
    light: Amount = 0.0
    gain: Amount = 0.2
    offset: Amount = 0.06
    gamma: Amount = 0.29  # exp(0.29) = 1.33
    blur_share: Share = 0.2
    coarse_share: Share = 0.0
    noise: Amount = 6.0
    jpeg_share: Share = 0.0
    marked: Share = 0.0


UNNAMED = {"momentum": 0.999}
"""What recipes of older versions meant where they named none, and began from pretrained weights."""


def _shows(shares: Shares) -> bool:
    return any(share > 0 for share in shares.of_parts().values()) and bool(shares.plain or shares.epoch_cells)


Stages = Annotated[tuple[Stage, ...], _must("one stage or more", len)]
Shown = Annotated[
    Shares, _must("such that a part has a share above 0: plain, or others and then epoch_cells too", _shows)
]


@dataclass(frozen=True)
class Recipe:
    """All of a training but its cells.

    learning_rate: the highest, per step. weight_decay: decoupled (Loshchilov & Hutter, ICLR 2019).
    clip: of the gradient's norm. robust: q of a loss that doubted labels pull on less; 0: cross-entropy.
    average: momentum of a moving average of the weights, which takes their place after each epoch; 0: none.
    momentum: of the statistics of a backbone's batches, where it starts from pretrained weights or from
    nothing; at Keras' 0.999 they would still be half those of its start after 700 steps, of other pictures or
    of none. A network that was fitted before keeps its own.
    normalised: how far the stain of each picture is brought to one density before the network sees it, as a
    power of the factor; a network that was fitted before keeps its own.
    start_share: how much of the finished weights are those of the network that was gone on from: what it knew
    and what it learnt, averaged (Wortsman et al., CVPR 2022).
    teacher_share: how much of a target a teacher says, where there is one.
    """

    __pydantic_config__: ClassVar = STRICT

    network: Network = "mobilenet_v2"
    width: Width = 1.0
    stages: Stages = field(default_factory=lambda: (Stage(96, 3), Stage(128, 6)))
    batch_size: AtLeastOne = 32
    learning_rate: Rate = 6e-4
    warmup_steps: Count = 400
    weight_decay: Amount = 0.02
    clip: Rate = 1.0
    dropout: BelowOne = 0.3
    label_smoothing: BelowOne = 0.05
    robust: Share = 0.0
    average: BelowOne = 0.0
    momentum: BelowOne = 0.99
    normalised: Share = 0.0
    start_share: Share = 0.0
    teacher_share: Share = 0.7
    shares: Shown = field(default_factory=Shares)
    changes: Changes = field(default_factory=Changes)
    seed: Seed = 7

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


def recipe_of(network: str | None) -> Recipe:
    """The recipe by which a network is trained unless one is told otherwise; None: the default network's.

    Base cells on black and on plasma, which every set of cells allows; how the shipped networks were trained
    stands in their manifests and in models/recipes.
    """
    return Recipe(network=network or Recipe.network, shares=Shares(surrounded=0.5))


def read(path: Path) -> dict[str, Any]:
    """What a recipe file (TOML) sets. Raises BadOptions where it is no TOML."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadOptions(f"The recipe {path} cannot be read: {error}.") from None


def changed(recipe: Recipe, told: dict[str, Any]) -> Recipe:
    """The recipe with other values: the names of its fields, `shares` and `changes` as tables of their own.

    Raises BadOptions, naming the field that is unknown, of the wrong kind or out of its range.
    """
    given = dict(told)
    for name in ("shares", "changes"):
        if isinstance(given.get(name), dict):
            given[name] = {**vars(getattr(recipe, name)), **given[name]}
    found = codec.checked(Recipe, {**vars(recipe), **given}, "The recipe's")
    if found.network == COMPACT and found.width != 1.0:
        raise BadOptions(f"The recipe's width is wrong: {COMPACT} has one width, 1.")
    return found
