"""Pictures that are nearly the same: saved anew, lit otherwise, turned, cut off at the edge.

Each is stretched to 16 x 16 colours, its mean taken off and brought to unit length, so that light and
contrast count for nothing. Two are near where these correlate by `NEAR` or more in any of the eight flips and
quarter turns. Different cells hardly ever come as near, copies saved as JPEG, resized or a pixel off nearly
always do. Those turned by any other angle are found by `near_turned`; tests/flow/test_near_copies.py asks all
of it of real cells. One with something painted on is most often not found.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from malaria import near_turned
from malaria.domain import Progress
from malaria.ports import Report

SIDE, NEAR = 16, 0.99
TURNED = 20_000
"""Up to so many pictures are compared in all turns; more only as they are, in an eighth of the time."""
_BLOCK = 512

Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """What is compared of an RGB picture. whole: SIDE x SIDE x 3 colours; it is stretched and not padded, for
    black bars are alike on all. middle: as `near_turned` says."""

    whole: bytes
    middle: bytes


def thumbnail(image: Image.Image) -> Thumbnail:
    """Of an RGB picture."""
    whole = image.resize((SIDE, SIDE), Image.Resampling.BOX).tobytes()
    return Thumbnail(whole, near_turned.middle(image))


def first_alike(thumbnails: Sequence[Thumbnail], report: Report) -> npt.NDArray[np.intp]:
    """For each of n pictures, (n,), the first that it is near to, or that one's own first; itself if none.

    report: is told how many are compared. Raises whatever it raises to stop the work.
    """
    n = len(thumbnails)
    colours = np.frombuffer(b"".join(one.whole for one in thumbnails), np.uint8).reshape(n, SIDE, SIDE, 3)
    upright, first = _vectors(colours), np.arange(n)
    few = n <= TURNED
    turns = near_turned.Turns([one.middle for one in thumbnails]) if few else None
    for start in range(0, n, _BLOCK):
        report(Progress("ingest", percent=100.0 * start / n, message=f"{start} of {n} cells compared"))
        block = slice(start, min(n, start + _BLOCK))
        alike = np.zeros((block.stop - start, block.stop), np.bool_)
        for k in range(8 if few else 1):
            alike |= _vectors(_turned(colours[block], k)) @ upright[: block.stop].T >= NEAR
        maybe = turns.maybe(block) if turns else alike
        for row in range(len(alike)):
            one, earlier = start + row, np.flatnonzero(alike[row, : start + row])
            met = int(earlier[0]) if len(earlier) else None
            if turns:
                turned = turns.first(one, np.flatnonzero(maybe[row, : one if met is None else met]))
                met = met if turned is None else turned
            if met is not None:
                first[one] = first[met]
    return first


def _turned(colours: npt.NDArray[np.uint8], k: int) -> npt.NDArray[np.uint8]:
    turned = np.rot90(colours, k % 4, axes=(1, 2))
    return turned[:, :, ::-1] if k >= 4 else turned


def _vectors(colours: npt.NDArray[np.uint8]) -> Vectors:
    """(m, SIDE, SIDE, 3) to (m, SIDE * SIDE * 3); nothing is near to a picture without any structure."""
    flat = colours.astype(np.float32)
    flat = (flat - flat.mean(axis=(1, 2), keepdims=True)).reshape(len(colours), SIDE * SIDE * 3)
    length = np.linalg.norm(flat, axis=1, keepdims=True)
    return np.asarray(flat / np.maximum(length, 1e-6), np.float32)
