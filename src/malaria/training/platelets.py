"""Platelets of other laboratories' fields, to be laid on cells: stained as parasites are, and none.

A platelet on a red cell is what a network, and a beginner, most often takes for a parasite. Fields tell where
platelets lie, beside the cells for the most part, so each can be lifted off its plasma as it is off a cell.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage

from malaria import fields
from malaria.domain import Role
from malaria.training.dataset import Source
from malaria.training.grafts import Platelets
from malaria.training.laboratories import NATIVE, Laboratory
from malaria.training.transplant import Mask, Reals, Spot, density

KIND = "platelet"
"""The name of the kind in `fields.SETS`."""
FAINTEST = 0.12
"""Platelets that absorb less in green are left out: they are out of focus or mostly plasma."""
MARGIN = 0.4
"""How much wider than its box a platelet is cropped, to see the plasma about it."""


def platelets(sources: Sequence[Source], size: int, share: float) -> Platelets:
    """The platelets in training fields of other laboratories, sized as beside cells of `size` pixels."""
    laboratories = [source for source in sources if isinstance(source, Laboratory)] if share else []
    found = (
        spot_of(pixels)
        for laboratory in laboratories
        if any(kind.name == KIND for kind in fields.meaning_of(laboratory.name).values())
        for pixels in _crops(laboratory, size, Role.TRAIN)
    )
    return Platelets([spot for spot in found if spot is not None], share)


def _crops(laboratory: Laboratory, size: int, role: Role) -> Iterator[npt.NDArray[np.uint8]]:
    scale = size / NATIVE[laboratory.name]
    for field in fields.read(laboratory.path, fields.meaning_of(laboratory.name)):
        boxes = [box for box in field.boxes if box.kind.name == KIND]
        if boxes and laboratory.roles.get(f"{laboratory.name}/{field.name}") == role:
            image = field.image()
            for box in boxes:
                cut = fields.crop(image, box.wider(MARGIN))
                wanted = (max(8, round(cut.width * scale)), max(8, round(cut.height * scale)))
                yield np.asarray(cut.resize(wanted, Image.Resampling.BILINEAR))


def spot_of(pixels: npt.NDArray[np.uint8]) -> Spot | None:
    """The platelet in the middle of a crop, (h, w, 3); None where it touches what is about it or is faint."""
    densities = density(pixels)
    edge = np.ones(pixels.shape[:2], np.bool_)
    edge[1:-1, 1:-1] = False
    plasma = np.asarray(np.quantile(densities[edge], 0.3, axis=0), np.float32)
    core = _middle(densities[:, :, 1] - plasma[1])
    if core is None or core[edge].mean() > 0.1 or not 0.03 < core.mean() < 0.7:
        return None
    strength = float((densities[:, :, 1] - plasma[1])[core].mean())
    if strength < FAINTEST:
        return None
    whole = ndimage.binary_dilation(ndimage.binary_fill_holes(core))
    cover = ndimage.gaussian_filter(whole.astype(np.float32), 0.8)
    return Spot(np.maximum(densities - plasma, 0.0), cover, strength)


def _middle(raised: Reals) -> Mask | None:
    """The largest patch that absorbs at least two fifths of the most that is absorbed."""
    names, count = ndimage.label(ndimage.gaussian_filter(raised, 0.7) > 0.4 * np.quantile(raised, 0.97))
    if not count:
        return None
    areas = ndimage.sum_labels(np.ones_like(raised), names, np.arange(1, count + 1))
    return np.asarray(names == 1 + int(np.argmax(areas)), np.bool_)
