"""What `synthetic` draws with: stains, the plane of one cell, and the parasites on it."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from PIL import Image

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Stain:
    """Colours in RGB 0..255. plasma: between the cells. chromatin, cytoplasm: of a parasite. pallor: 0..1."""

    body: Colour
    plasma: Colour
    chromatin: Colour
    cytoplasm: Colour
    pallor: float

    def varied(self, rng: np.random.Generator, sigma: float) -> "Stain":
        """The same stain on another day: brightness moves with `sigma`, hue with a third of it."""
        shift = rng.normal(0, sigma) + rng.normal(0, sigma / 3, 3)
        shift = np.clip(shift, -2 * sigma, 2 * sigma)
        red, green, blue = (float(c + s) for c, s in zip(self.body, shift, strict=True))
        return replace(self, body=(red, green, blue))


STAINS = {
    "giemsa-pink": Stain((206, 144, 147), (221, 184, 164), (164, 20, 118), (192, 90, 140), 0.65),
    "giemsa-salmon": Stain((209, 150, 136), (223, 186, 158), (166, 22, 100), (194, 92, 118), 0.65),
    "giemsa-grey": Stain((178, 166, 172), (201, 199, 186), (134, 26, 142), (160, 100, 160), 0.6),
    "giemsa-blue": Stain((163, 165, 186), (199, 203, 190), (106, 30, 146), (136, 102, 172), 0.6),
    "giemsa-lilac": Stain((181, 160, 183), (205, 198, 188), (126, 24, 144), (154, 94, 162), 0.6),
    "giemsa-yellow": Stain((197, 160, 142), (216, 190, 166), (158, 26, 112), (182, 100, 130), 0.6),
}


class Plane:
    """The square that one cell is drawn on. Coordinates run from -1 to 1; the mean cell has radius 0.8.

    size: pixels along a side. x, y, radius, angle: (size, size).
    """

    def __init__(self, size: int) -> None:
        self.size = size
        line = np.linspace(-1.0, 1.0, size)
        self.x, self.y = np.meshgrid(line, line)
        self.radius = np.hypot(self.x, self.y)
        self.angle = np.arctan2(self.y, self.x)

    def distance(self, x: float, y: float) -> Floats:
        return np.hypot(self.x - x, self.y - y)

    def outline(self, rng: np.random.Generator) -> Floats:
        """The membrane's distance from the centre at each pixel's angle: an oval, not quite regular."""
        edge = np.full_like(self.angle, 0.80)
        for waves, strength in ((2, 0.055), (3, 0.028), (4, 0.016), (5, 0.011), (7, 0.007), (11, 0.005)):
            edge += rng.normal(0, strength) * np.cos(waves * self.angle + rng.uniform(0, 2 * np.pi))
        return np.clip(edge, 0.55, 0.97)

    def clouds(self, rng: np.random.Generator, grain: int) -> Floats:
        """Smooth noise of about unit strength, `grain` clouds across."""
        small = Image.fromarray(rng.normal(0, 1, (grain, grain)).astype(np.float32))
        return np.asarray(small.resize((self.size, self.size), Image.Resampling.BICUBIC), dtype=np.float64)

    def pallor(self, rng: np.random.Generator) -> Floats:
        """The thin middle of the disc, 0..1: soft in most cells, sharply bounded in some."""
        x, y = rng.normal(0, 0.06, 2)
        reach, steep = rng.uniform(0.25, 0.45), rng.uniform(1.6, 5.0)
        return np.asarray(np.exp(-((self.distance(float(x), float(y)) / reach) ** steep)))

    def coarse(self, mask: Bools) -> Bools:
        """The mask as a segmentation at a third of the resolution leaves it: in steps."""
        third = (self.size // 3, self.size // 3)
        small = Image.fromarray((mask * 255).astype(np.uint8)).resize(third, Image.Resampling.NEAREST)
        return np.asarray(small.resize((self.size, self.size), Image.Resampling.NEAREST)) > 127


def blur(planes: Floats, sigma: float) -> Floats:
    """Gaussian blur of (h, w, 3) in pixels, channel by channel and without rounding to whole levels."""
    width = int(np.ceil(3 * sigma))
    kernel = np.exp(-0.5 * (np.arange(-width, width + 1) / sigma) ** 2)
    kernel /= kernel.sum()
    for axis in (0, 1):
        margin = [(width, width) if a == axis else (0, 0) for a in range(3)]
        padded = np.pad(planes, margin, mode="edge")
        length = planes.shape[axis]
        planes = sum(k * padded.take(range(i, i + length), axis) for i, k in enumerate(kernel))
    return planes


@dataclass
class _Paint:
    """A cell being painted: colours (s, s, 3), and where parasites lie."""

    colours: Floats
    where: Bools

    def lay(self, colour: Colour, cover: Floats) -> None:
        """Lay a colour over the cell; cover: 0..1 (s, s)."""
        self.colours = self.colours + (np.array(colour) - self.colours) * cover[..., None]
        self.where = self.where | (cover > 0.3)


def infect(rng: np.random.Generator, plane: Plane, body: Floats, stain: Stain) -> tuple[str, Floats, Bools]:
    """Draw parasites of one form on a cell; returns the form, the new colours and the parasites' pixels."""
    paint = _Paint(body, np.zeros(plane.radius.shape, dtype=np.bool_))
    kind = str(rng.choice(["ring", "rings", "trophozoite", "schizont"], p=[0.5, 0.15, 0.28, 0.07]))
    if kind == "ring":
        _ring(rng, plane, paint, stain, *_place(rng, 0.52))
    elif kind == "rings":
        first = rng.uniform(0, 2 * np.pi)
        for turn in range(int(rng.integers(2, 4))):
            angle = first + turn * 2.1 + rng.uniform(-0.3, 0.3)
            reach = rng.uniform(0.3, 0.5)
            _ring(rng, plane, paint, stain, reach * np.cos(angle), reach * np.sin(angle))
    elif kind == "trophozoite":
        _trophozoite(rng, plane, paint, stain, *_place(rng, 0.42))
    else:
        _schizont(rng, plane, paint, stain, *_place(rng, 0.2))
    return kind, paint.colours, paint.where


def _place(rng: np.random.Generator, reach: float) -> tuple[float, float]:
    angle, radius = rng.uniform(0, 2 * np.pi), reach * np.sqrt(rng.random())
    return float(radius * np.cos(angle)), float(radius * np.sin(angle))


def _dot(
    rng: np.random.Generator, plane: Plane, x: float, y: float, radius: float, softness: float = 0.35
) -> Floats:
    """An oval spot, 0..1, turned at random."""
    turn, long = rng.uniform(0, np.pi), rng.uniform(1.0, 1.6)
    dx, dy = plane.x - x, plane.y - y
    along = (dx * np.cos(turn) + dy * np.sin(turn)) / long
    across = (dy * np.cos(turn) - dx * np.sin(turn)) * np.sqrt(long)
    return np.asarray(np.clip((1.0 - np.hypot(along, across) / radius) / softness + 0.5, 0.0, 1.0))


def _ring(rng: np.random.Generator, plane: Plane, paint: _Paint, stain: Stain, x: float, y: float) -> None:
    """Young form: a thin ring of cytoplasm about a pale vacuole, with a dark dot of chromatin, or two."""
    radius, wall = rng.uniform(0.12, 0.19), rng.uniform(0.026, 0.042)
    turn, long = rng.uniform(0, np.pi), rng.uniform(1.0, 1.35)
    dx, dy = plane.x - x, plane.y - y
    along = (dx * np.cos(turn) + dy * np.sin(turn)) / long
    across = (dy * np.cos(turn) - dx * np.sin(turn)) * long
    reach, angle = np.hypot(along, across), np.arctan2(across, along)
    start = rng.uniform(0, 2 * np.pi)
    facing = 0.5 + 0.5 * np.cos(angle - start)  # thickest beside the chromatin, thin or open opposite
    paint.lay(stain.plasma, 0.35 * np.clip((radius - reach) / 0.04, 0, 1))
    cover = np.exp(-(((reach - radius) / wall) ** 2)) * (0.35 + 0.6 * facing)
    paint.lay(stain.cytoplasm, np.clip(cover, 0, 0.95))
    for spot in range(1 + int(rng.random() < 0.2)):
        at = start + spot * rng.uniform(0.7, 1.2)
        a, b = long * radius * np.cos(at), radius / long * np.sin(at)
        cx, cy = x + a * np.cos(turn) - b * np.sin(turn), y + a * np.sin(turn) + b * np.cos(turn)
        paint.lay(stain.chromatin, 0.95 * _dot(rng, plane, cx, cy, rng.uniform(0.05, 0.08)))


def _trophozoite(
    rng: np.random.Generator, plane: Plane, paint: _Paint, stain: Stain, x: float, y: float
) -> None:
    """Growing form: an uneven body of cytoplasm, dark chromatin, a vacuole and specks of brown pigment."""
    size = rng.uniform(0.15, 0.25)
    cover: Floats = np.zeros(plane.radius.shape)
    for _ in range(4):
        ox, oy = rng.normal(0, 0.45 * size, 2)
        cover = np.maximum(cover, _dot(rng, plane, x + ox, y + oy, size * rng.uniform(0.45, 0.8), 0.6))
    patchy = np.clip(0.72 + 0.16 * plane.clouds(rng, 12), 0.35, 0.95)
    paint.lay(stain.cytoplasm, cover * patchy)
    if rng.random() < 0.6:
        vx, vy = rng.normal(0, 0.3 * size, 2)
        paint.lay(stain.plasma, 0.5 * _dot(rng, plane, x + vx, y + vy, 0.3 * size, 0.8))
    for _ in range(1 + int(rng.random() < 0.4)):
        cx, cy = rng.normal(0, 0.4 * size, 2)
        paint.lay(stain.chromatin, 0.95 * _dot(rng, plane, x + cx, y + cy, rng.uniform(0.06, 0.10)))
    _pigment(rng, plane, paint, x, y, 0.5 * size)


def _schizont(
    rng: np.random.Generator, plane: Plane, paint: _Paint, stain: Stain, x: float, y: float
) -> None:
    """Dividing form: a cluster of young parasites around a clump of pigment."""
    size = rng.uniform(0.28, 0.38)
    paint.lay(stain.cytoplasm, 0.6 * _dot(rng, plane, x, y, size, 0.5))
    count = int(rng.integers(8, 16))
    for i in range(count):
        reach, angle = size * np.sqrt((i + 0.5) / count), 2.4 * i + rng.normal(0, 0.2)
        cx, cy = x + reach * np.cos(angle), y + reach * np.sin(angle)
        paint.lay(stain.chromatin, 0.9 * _dot(rng, plane, cx, cy, rng.uniform(0.045, 0.06)))
    _pigment(rng, plane, paint, x, y, 0.1)


def _pigment(
    rng: np.random.Generator, plane: Plane, paint: _Paint, x: float, y: float, spread: float
) -> None:
    for _ in range(int(rng.integers(2, 6))):
        ox, oy = rng.normal(0, spread, 2)
        paint.lay((92, 62, 52), 0.55 * _dot(rng, plane, x + ox, y + oy, 0.018, 0.8))


def specks(rng: np.random.Generator, plane: Plane, body: Floats, stain: Stain) -> Floats:
    """Faint debris of stain on an uninfected cell: small, pale and without chromatin."""
    paint = _Paint(body, np.zeros(plane.radius.shape, dtype=np.bool_))
    red, green, blue = (0.86 * channel for channel in stain.body)
    for _ in range(int(rng.integers(1, 4))):
        x, y = _place(rng, 0.55)
        strength, radius = rng.uniform(0.25, 0.6), rng.uniform(0.02, 0.04)
        paint.lay((red, green, blue), strength * _dot(rng, plane, x, y, radius, 0.9))
    return paint.colours
