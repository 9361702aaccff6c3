"""A fixed suite of disturbances that a microscope, a camera or a stain brings, and what each costs a model.

Severities are fixed, so figures of different models and days compare. What is drawn by chance (the direction
of a shift, the slant of light) is drawn from the seed and the picture itself: the same picture is always
disturbed alike, whatever else is measured with it.
"""

import io
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter
from scipy import ndimage

from malaria import segment
from malaria.scoring import View

_Pixels = npt.NDArray[np.float32]
_Disturb = Callable[[Image.Image, float, np.random.Generator], Image.Image]

PALE = (228, 222, 216)
"""Plasma as a camera with a fair white balance shows it."""


@dataclass(frozen=True, slots=True)
class Corruption:
    """One disturbance. setting: how strong, for a person; kind and severity (from 1) name it."""

    kind: str
    severity: int
    setting: str
    disturb: _Disturb
    amount: float

    @property
    def name(self) -> str:
        return f"{self.kind}/{self.severity}"

    def view(self, seed: int) -> View:
        return partial(self._of, seed=seed)

    def _of(self, image: Image.Image, seed: int) -> Image.Image:
        kind = zlib.crc32(self.kind.encode())
        rng = np.random.default_rng([seed, kind, zlib.crc32(image.tobytes())])
        return self.disturb(image.convert("RGB"), self.amount, rng)


def through_jpeg(image: Image.Image, quality: int, subsampling: str = "4:2:0") -> Image.Image:
    """The RGB picture as it is after being saved as JPEG. quality: 1 to 95, as Pillow counts it."""
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality, subsampling=subsampling)
    return Image.open(io.BytesIO(out.getvalue())).convert("RGB")


def _hue(image: Image.Image, degrees: float, rng: np.random.Generator) -> Image.Image:
    """Turned about the grey axis, either way: saturation and what is black or grey stay as they are."""
    angle = np.radians(degrees) * rng.choice((-1, 1))
    third, root = (1 - np.cos(angle)) / 3, np.sin(angle) / np.sqrt(3)
    turn = np.full((3, 3), third) + np.eye(3) * np.cos(angle)
    turn += root * np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]])
    return _image(_pixels(image) @ turn.T.astype(np.float32))


def _white_balance(image: Image.Image, share: float, rng: np.random.Generator) -> Image.Image:
    """Red up and blue down, or the other way, as a camera that takes the lamp for another."""
    shift = share * rng.choice((-1, 1))
    return _image(_pixels(image) * np.array([1 + shift, 1, 1 - shift], np.float32))


def _blur(image: Image.Image, share: float, _: np.random.Generator) -> Image.Image:
    """Out of focus; the radius is a share of the crop's longer side."""
    return image.filter(ImageFilter.GaussianBlur(share * max(image.size)))


def _jpeg(image: Image.Image, quality: float, _: np.random.Generator) -> Image.Image:
    return through_jpeg(image, int(quality))


def _brightness(image: Image.Image, stops: float, rng: np.random.Generator) -> Image.Image:
    """Exposed longer or shorter by so many stops; what is too bright is cut off."""
    return _image(_pixels(image) * np.float32(2 ** (stops * rng.choice((-1, 1)))))


def _surround(image: Image.Image, density: float, rng: np.random.Generator) -> Image.Image:
    """The cell on black (density below 0), on pale plasma (0), or on plasma that is stained a little."""
    pixels = _pixels(image)
    cell = _cell(image.tobytes(), image.size)
    if density < 0:
        return _image(pixels * cell[..., np.newaxis])
    own = np.median(pixels[cell], axis=0) if cell.any() else np.float32(255)
    height, width = cell.shape
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    across, down = rng.uniform(-0.04, 0.04, 2)
    light = 1 + across * x + down * y
    plasma = np.array(PALE) * (np.maximum(own, 1) / 255) ** density * light[..., np.newaxis]
    plasma += rng.normal(0, 2.5, pixels.shape)
    soft = ndimage.gaussian_filter(ndimage.binary_erosion(cell, iterations=2).astype(np.float32), 1.0)
    soft = (soft * ndimage.binary_erosion(cell))[..., np.newaxis]  # no black of the cut may bleed in
    return _image(pixels * soft + plasma * (1 - soft))


@lru_cache(maxsize=1)  # one picture is laid on several surrounds in turn
def _cell(rgb: bytes, size: tuple[int, int]) -> npt.NDArray[np.bool_]:
    return segment.mask(np.frombuffer(rgb, np.uint8).reshape(size[1], size[0], 3))


def _pixels(image: Image.Image) -> _Pixels:
    return np.asarray(image, np.float32)


def _image(pixels: npt.NDArray[np.floating]) -> Image.Image:  # type: ignore[type-arg]
    return Image.fromarray(np.rint(pixels).clip(0, 255).astype(np.uint8))


def _graded(kind: str, disturb: _Disturb, *graded: tuple[str, float]) -> list[Corruption]:
    return [Corruption(kind, i, setting, disturb, amount) for i, (setting, amount) in enumerate(graded, 1)]


SUITE: tuple[Corruption, ...] = (
    *_graded("hue", _hue, ("12 degrees", 12), ("25 degrees", 25)),
    *_graded("white balance", _white_balance, ("8%", 0.08), ("18%", 0.18)),
    *_graded("blur", _blur, ("1% of the side", 0.01), ("2.5% of the side", 0.025)),
    *_graded("JPEG", _jpeg, ("quality 50", 50), ("quality 15", 15)),
    *_graded("brightness", _brightness, ("1/5 stop", 0.2), ("2/5 stop", 0.4)),
    *_graded("surround", _surround, ("black", -1), ("pale", 0), ("stained", 0.4)),
)


def views(seed: int) -> Mapping[str, View]:
    """The suite as views, by the name of each disturbance."""
    return {corruption.name: corruption.view(seed) for corruption in SUITE}
