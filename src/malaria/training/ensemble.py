"""Two fitted networks as one: both grids side by side, and one linear head over them.

Each member's head is divided by its own temperature; the head of both is half of the one beside half of the
other, so the ensemble's logit is the mean of its members' calibrated logits: a logarithmic opinion pool
(Genest & Zidek, Statistical Science 1986). Linear, unlike a mean of probabilities, so the activation map
stays exact, and `adapt`, memory and gate work on it as on any network.
"""

from collections.abc import Sequence

import keras
import numpy as np
from keras import layers

from malaria import head as heads
from malaria.errors import BadOptions
from malaria.options import ENSEMBLE
from malaria.training.dataset import CellArrays
from malaria.training.finish import calibration
from malaria.training.networks import logits, with_head


def join(members: Sequence[keras.Model], cells: CellArrays, *, dropout: float = 0.3) -> keras.Model:
    """An ensemble of fitted networks, each calibrated on the validation cells that `cells` hold.

    It is saved, exported and fine-tuned as every network is. Its own temperature is set by `finish`.
    dropout: of the joint head, in later fine-tuning.

    Raises:
        BadOptions: fewer than two members, or one that is no network of this project.
    """
    held = calibration(cells)
    temperatures = [heads.temperature(logits(member, held.pixels), held.labels) for member in members]
    return mean_of(members, temperatures, dropout=dropout)


def mean_of(
    members: Sequence[keras.Model], temperatures: Sequence[float], *, dropout: float = 0.3
) -> keras.Model:
    """The network whose logit is the mean of its members' logits, each divided by its temperature.

    Raises BadOptions as `join` does.
    """
    if len(members) < 2:
        raise BadOptions("An ensemble joins two networks or more.")
    image = keras.Input((None, None, 3), name="image")
    grids = [_trunk(member, i)(image) for i, member in enumerate(members)]
    grid = layers.Concatenate(name="features")(grids)
    network = with_head(ENSEMBLE, image, grid, dropout)
    weights, biases = zip(*(member.get_layer("head").get_weights() for member in members), strict=True)
    share = [1.0 / (len(members) * temperature) for temperature in temperatures]
    network.get_layer("head").set_weights(
        [
            np.concatenate([w * s for w, s in zip(weights, share, strict=True)]),
            np.sum([b * s for b, s in zip(biases, share, strict=True)], axis=0),
        ]
    )
    return network


def _trunk(member: keras.Model, place: int) -> keras.Model:
    """A member up to its grid; the place in the name keeps two of one kind apart."""
    try:
        grid = member.get_layer("features").output
    except ValueError:
        raise BadOptions(
            f"{member.name} has no layer `features`: it is no network of this project."
        ) from None
    return keras.Model(member.input, grid, name=f"member_{place}_{member.name}")
