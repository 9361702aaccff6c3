"""Pictures that show no cell, made by chance: blank, noise, clouds, writing, shapes, scenes, gratings.

To learn what is not a cell, and to measure how much of it is caught. Each kind draws its colours, sizes and
contrast from the generator that is handed in, so that none has a look of its own.
"""

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

SIDE = 128
Floats = npt.NDArray[np.float64]
Rng = np.random.Generator
Colour = tuple[int, int, int]


def blank(rng: Rng) -> Image.Image:
    """One colour, or a slant from one to another, with the grain of a camera or none."""
    y, x = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j][..., np.newaxis]
    slant = rng.normal(0, 25, 3) * x + rng.normal(0, 25, 3) * y
    grain = rng.normal(0, rng.uniform(0, 6), (SIDE, SIDE, 3))
    return _picture(rng.uniform(0, 255, 3) + slant * rng.integers(2) + grain)


def noise(rng: Rng) -> Image.Image:
    """Every pixel by itself, or every block of some; coloured or grey, sharp or soft."""
    across = SIDE // int(rng.choice((1, 2, 4, 8, 16)))
    levels = rng.integers(0, 256, (across, across, 3))
    if rng.random() < 0.4:
        levels[:] = levels[..., :1]
    how = Image.Resampling.NEAREST if rng.random() < 0.5 else Image.Resampling.BILINEAR
    return _picture(levels).resize((SIDE, SIDE), how)


def clouds(rng: Rng) -> Image.Image:
    """Noise whose spectrum falls as a power of the frequency, as that of landscapes does."""
    return _picture(_clouds(rng))


def writing(rng: Rng) -> Image.Image:
    """Lines of letters and digits, dark on light or light on dark."""
    light, dark = rng.integers(180, 256, 3), rng.integers(0, 120, 3)
    paper, ink = (light, dark) if rng.random() < 0.7 else (dark, light)
    page = Image.new("RGB", (int(rng.integers(90, 400)), int(rng.integers(60, 300))), _colour(paper))
    pen, size = ImageDraw.Draw(page), int(rng.integers(9, 70))
    font = ImageFont.load_default(size)
    for top in range(int(rng.integers(-size, 10)), page.height, int(size * rng.uniform(1.1, 1.8))):
        line = "".join(map(chr, rng.integers(48, 122, 40))).replace("`", " ")
        pen.text((int(rng.integers(-20, 12)), top), line, _colour(ink), font)
    return page


def shapes(rng: Rng) -> Image.Image:
    """One to a dozen polygons, bars, lines and arcs, plain or clouded, on a ground of any kind."""
    grounds = (np.zeros(3), np.full(3, 255.0), rng.uniform(0, 255, 3))
    ground = np.broadcast_to(grounds[rng.integers(3)], (SIDE, SIDE, 3))
    page = _picture(_clouds(rng) if rng.random() < 0.3 else ground)
    for _ in range(int(rng.integers(1, 12))):
        plain = np.broadcast_to(rng.uniform(0, 255, 3), (SIDE, SIDE, 3))
        page.paste(_picture(_clouds(rng) if rng.random() < 0.3 else plain), mask=_shape(rng))
    return page


def scenes(rng: Rng) -> Image.Image:
    """A few wide bands one before the other, each shaded, with soft edges: hills, curtains, wallpaper."""
    y, x = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    page = _shaded(rng)
    for _ in range(int(rng.integers(1, 6))):
        angle, bend, waves = rng.uniform(0, 2 * np.pi), rng.uniform(0, 0.5), rng.uniform(0.5, 4)
        along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
        edge = across - rng.uniform(-0.9, 0.9) - bend * np.sin(waves * along + rng.uniform(0, 6))
        soft = 1 / (1 + np.exp(-np.clip(edge / 10 ** rng.uniform(-2.5, -0.7), -30, 30)))[..., np.newaxis]
        page = page * soft + _shaded(rng) * (1 - soft)
    if rng.random() < 0.4:
        page = page + _clouds(rng) - 128
    return _letterboxed(_picture(page), rng)


def gratings(rng: Rng) -> Image.Image:
    """Stripes or checks, straight or slanted, sharp or soft."""
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    angle, waves = rng.uniform(0, np.pi), rng.uniform(1.5, 16)
    along = 2 * np.pi * waves / SIDE * (x * np.cos(angle) + y * np.sin(angle))
    across = 2 * np.pi * waves / SIDE * (y * np.cos(angle) - x * np.sin(angle))
    level = np.sin(along) * (np.sin(across) if rng.random() < 0.5 else 1.0)
    level = np.sign(level) if rng.random() < 0.5 else level
    low, high = rng.uniform(0, 255, (2, 3))
    return _picture(low + (high - low) * (0.5 + 0.5 * level[..., np.newaxis]))


KINDS: Mapping[str, Callable[[Rng], Image.Image]] = {
    "blank": blank,
    "noise": noise,
    "clouds": clouds,
    "writing": writing,
    "shapes": shapes,
    "scenes": scenes,
    "gratings": gratings,
}
UNTAUGHT = ("gratings",)
"""Kinds that no training shows, to tell how kinds fare that nobody thought of."""


def _clouds(rng: Rng) -> Floats:
    rate = np.fft.fftfreq(SIDE)
    falls = (np.hypot(rate[:, np.newaxis], rate) + 1 / SIDE) ** -rng.uniform(0.6, 2.0)
    waves = np.fft.fft2(rng.normal(size=(3, SIDE, SIDE))) * falls
    levels = np.fft.ifft2(waves).real.transpose(1, 2, 0)
    levels = (levels - levels.mean((0, 1))) / levels.std((0, 1))
    if rng.random() < 0.5:  # one pattern in all channels, as light and shade are
        levels = levels[..., :1] * rng.uniform(0.5, 1.0, 3)
    return np.asarray(rng.uniform(40, 215, 3) + levels * rng.uniform(10, 70), np.float64)


def _shaded(rng: Rng) -> Floats:
    """A colour that turns into another from one end to the other."""
    y, x = np.mgrid[0 : 1 : SIDE * 1j, 0 : 1 : SIDE * 1j]
    angle = rng.uniform(0, 2 * np.pi)
    along = 0.5 + (x - 0.5) * np.cos(angle) + (y - 0.5) * np.sin(angle)
    first, last = rng.uniform(0, 255, (2, 3)) * rng.choice((0.4, 1.0))
    return np.asarray(first + (last - first) * along[..., np.newaxis], np.float64)


def _letterboxed(page: Image.Image, rng: Rng) -> Image.Image:
    """The picture squeezed to the sides of a photograph."""
    return page.resize((SIDE, int(SIDE * rng.choice((0.56, 0.67, 0.75, 1.0)))))


def _shape(rng: Rng) -> Image.Image:
    """Where one shape is, as a mask."""
    mask = Image.new("L", (SIDE, SIDE))
    pen, reach, (x, y) = ImageDraw.Draw(mask), rng.uniform(5, 60), rng.uniform(0, SIDE, 2)
    kind = rng.integers(4)
    if kind == 0:
        angles = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(3, 12))))
        radii = reach * rng.uniform(0.3, 1.2, len(angles))
        pen.polygon([(x + r * np.cos(a), y + r * np.sin(a)) for r, a in zip(radii, angles, strict=True)], 255)
    elif kind == 1:
        half = reach * rng.uniform(0.1, 1.0)
        pen.rectangle((x - reach, y - half, x + reach, y + half), 255)
    elif kind == 2:
        corners = [tuple(rng.uniform(0, SIDE, 2)) for _ in range(int(rng.integers(2, 6)))]
        pen.line(corners, 255, int(rng.integers(1, 12)))
    else:
        pen.arc((x - reach, y - reach, x + reach, y + reach), 0, int(rng.integers(60, 360)), 255, 4)
    return mask


def _picture(levels: npt.NDArray[np.generic]) -> Image.Image:
    return Image.fromarray(np.clip(levels, 0, 255).astype(np.uint8))


def _colour(levels: npt.NDArray[np.integer]) -> Colour:  # type: ignore[type-arg]
    red, green, blue = (int(level) for level in levels)
    return red, green, blue
