"""Where a model looked: its activation map, laid back onto the picture that it was made of.

Class activation mapping (Zhou et al., CVPR 2016) is exact here: the pooling is a mean and the head is linear,
so each place of the grid has a logit of its own, and their mean is the logit of the answer. Nothing is
estimated and no gradient is taken. What is not exact is the place: from a place of the grid the network sees
more of the picture than lies under it, so a place is known to half a grid cell or so.

The network was shown the square of `preprocess.to_square`, so maps go back through its resizing and padding.
They are drawn on a scale that is the same for every picture, so that two pictures compare.
"""

import base64
import io
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from malaria.preprocess import corner

Activation = npt.NDArray[np.float32]
"""(g, g), in logits: a map as `predict.Scored` holds it."""
Size = tuple[int, int]
"""Width and height, in pixels."""

FULL = 50.0
"""Logits at which colour and opacity are full. The hottest place of most parasitized NIH cells has 30 to 60,
with each network that ships, that of most uninfected ones less than 1."""
OPAQUE = 0.55
"""Opacity at FULL and beyond, 0 to 1: what the model saw stays to be seen."""
LONGEST = 512
"""Pixels of a drawn map's longer side; larger pictures are shown smaller."""
LEVEL = 1e-3
"""Logits within which places are as hot."""
COLOURS = ("#16306e", "#00647d", "#009678", "#8cc850", "#fff03c")
"""From little evidence to much, evenly spaced: ever lighter, to the colour-blind too, and unlike stain."""
_TABLE = np.stack(
    [
        np.interp(np.linspace(0, len(COLOURS) - 1, 256), range(len(COLOURS)), channel)
        for channel in np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in COLOURS]).T
    ],
    axis=1,
)


@dataclass(frozen=True, slots=True)
class Place:
    """A pixel of the picture, x from the left and y from the top, from 0; and the map's logit there."""

    x: int
    y: int
    logit: float


def box(size: Size, grid: int) -> tuple[float, float, float, float]:
    """The part of a map that the picture covers, in grid cells: (left, top, right, bottom), 0 to `grid`.

    size: of the picture. What is outside of it is black padding.
    """
    side = max(size)
    left, top = corner(size, side)
    scale = grid / side
    return left * scale, top * scale, (left + size[0]) * scale, (top + size[1]) * scale


def on_picture(activation: Activation, size: Size, at: Size | None = None) -> Activation:
    """The map at each pixel of a picture: (height, width) float32, in logits.

    size: of the picture. at: the size at which it is shown; None: its own. Bilinear, so that no place
    gets more evidence, for or against, than the network gave: splines would overshoot.
    """
    covered = box(size, activation.shape[0])
    found = Image.fromarray(activation).resize(at or size, Image.Resampling.BILINEAR, box=covered)
    return np.asarray(found, np.float32)


def hottest(activation: Activation, size: Size) -> Place:
    """The place on a picture of `size` that speaks most for a parasite, however little that is.

    Known to half a grid cell or so; in a picture larger than LONGEST, to a pixel of what is shown of it. Of
    places that are as hot (maps are level towards the edges), the one nearest to the picture's middle.
    """
    heat = on_picture(activation, size, shown(size))
    rows, columns = np.nonzero(heat >= heat.max() - LEVEL)
    y, x = rows + 0.5, columns + 0.5
    nearest = np.hypot(y - heat.shape[0] / 2, x - heat.shape[1] / 2).argmin()
    scale_x, scale_y = size[0] / heat.shape[1], size[1] / heat.shape[0]
    logit = float(heat[rows[nearest], columns[nearest]])
    return Place(int(x[nearest] * scale_x), int(y[nearest] * scale_y), logit)


def shown(size: Size) -> Size:
    """The size at which a picture of `size` is drawn: its own, or with LONGEST as the longer side."""
    scale = min(1.0, LONGEST / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def shrunk(picture: Image.Image) -> Image.Image:
    """The picture as it is drawn, of the size that `shown` tells."""
    size = shown(picture.size)
    return picture if size == picture.size else picture.resize(size, Image.Resampling.BILINEAR)


def overlay(activation: Activation, size: Size) -> Image.Image:
    """The map as an RGBA picture that lies on a picture of `size` once it is stretched to it.

    Evidence for a parasite is painted, the more of it the lighter and the more opaque, from nothing at 0
    logits to FULL. Evidence against it is clear. Its own size is what `shown` tells.
    """
    strength = (on_picture(activation, size, shown(size)) / FULL).clip(0, 1)
    painted = np.empty((*strength.shape, 4))
    painted[..., :3] = _TABLE[np.rint(255 * strength).astype(np.intp)]
    painted[..., 3] = 255 * OPAQUE * strength
    return Image.fromarray(np.rint(painted).astype(np.uint8))


def explained(picture: Image.Image, activation: Activation) -> Image.Image:
    """The RGB picture, of the size that `shown` tells, with its map laid over it."""
    base = shrunk(picture).convert("RGBA")
    return Image.alpha_composite(base, overlay(activation, base.size)).convert("RGB")


def data_uri(image: Image.Image) -> str:
    """The picture as a PNG in a `data:` address."""
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(out.getvalue()).decode()}"
