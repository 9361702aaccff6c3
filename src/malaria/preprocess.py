"""The ONE image -> tensor function, shared by training, evaluation and serving.

A picture becomes a square uint8 RGB array: turned upright by its EXIF tag, transparency laid on black
(the surround of NIH cells), padded to a square with black so that no cell is stretched, then resized
with an antialiasing filter. Scaling to [-1, 1] happens inside the network's graph.
"""

import hashlib
import io
import struct
import warnings
import zlib

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from malaria.errors import ImageTooLarge, ImageTooSmall, UnreadableImage

Pixels = npt.NDArray[np.uint8]

MAX_PIXELS = 50_000_000
"""Larger pictures are refused before they are decoded (a 40,000 x 40,000 PNG fits in 200 KB)."""
MIN_SIDE = 8
"""A smaller picture cannot show a parasite; the smallest NIH cell is 46 pixels wide."""
BLACK = 12
"""Level up to which a pixel is the black surround of a cell that was cut out before."""
GREY = 3
"""Levels by which the channels of a picture without colour may differ; of every real cell some pixel's differ
by more (tests/flow/test_colours.py)."""
FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF")


# For good and for the whole process: setting filters aside for one call only is not safe between threads.
warnings.filterwarnings("ignore", module=r"PIL\.")  # Pillow warns of odd metadata; pixels decide here

_BROKEN = (  # what Pillow's decoders were seen to raise on damaged files, or may by their source
    *(OSError, ValueError, SyntaxError, EOFError, LookupError, TypeError, AttributeError),
    *(ArithmeticError, MemoryError, RuntimeError, struct.error, zlib.error),
)


def decode(data: bytes, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """Decode an untrusted picture to upright 8-bit RGB; of an animation, the first frame.

    Raises:
        UnreadableImage: not a picture in one of FORMATS, or a damaged one.
        ImageTooLarge: more than `max_pixels` pixels.
        ImageTooSmall: a side shorter than MIN_SIDE pixels.
    """
    if not data:
        raise UnreadableImage("The file is empty. Send the picture of one stained cell.")
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
        _check_size(image, max_pixels)
        image.load()
        return _to_rgb(_upright(image))
    except UnidentifiedImageError:
        raise UnreadableImage(
            f"This is not a picture that can be read. Send one of {', '.join(FORMATS)}."
        ) from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise ImageTooLarge(
            f"The picture has more than {max_pixels:,} pixels. Send the crop of one cell, not a whole slide."
        ) from None
    except _BROKEN as error:
        raise UnreadableImage(f"The picture is damaged or cut short ({error}).") from None


def _check_size(image: Image.Image, max_pixels: int) -> None:
    width, height = image.size
    if width * height > max_pixels:
        raise ImageTooLarge(
            f"The picture is {width} x {height} pixels; at most {max_pixels:,} in all are read. "
            "Send the crop of one cell, not a whole slide."
        )
    if min(width, height) < MIN_SIDE:
        raise ImageTooSmall(
            f"The picture is {width} x {height} pixels; each side must be at least {MIN_SIDE}. "
            "Send the crop of one cell at its full resolution."
        )


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except _BROKEN:
        return image  # its metadata are damaged, its pixels are not


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I") or image.mode == "F":  # 16-bit or float grey: Pillow would clip it
        image = Image.fromarray(_grey_to_8_bits(np.asarray(image)))
    if "transparency" in image.info or any(band in ("A", "a") for band in image.getbands()):
        image = image.convert("RGBA")
        black = Image.new("RGB", image.size)
        black.paste(image, mask=image)
        return black
    return image.convert("RGB")


def _grey_to_8_bits(levels: npt.NDArray[np.generic]) -> npt.NDArray[np.uint8]:
    """Levels of any depth to 0..255: floats up to 1 are shares of white, and above 255 all are of 16 bits."""
    known = np.nan_to_num(levels, nan=0.0).clip(0, 65535).astype(np.float32)
    highest = float(known.max(initial=0.0))
    top = 65535.0 if highest > 255 else 255.0
    if levels.dtype.kind == "f" and highest <= 1:
        top = 1.0
    return (known * (255.0 / top)).astype(np.uint8)


def to_png(image: Image.Image) -> bytes:
    """A decoded picture as PNG: its pixels and nothing else."""
    out = io.BytesIO()
    image.info.clear()
    image.save(out, "PNG")
    return out.getvalue()


def to_square(image: Image.Image, size: int) -> Pixels:
    """Pad an RGB picture to a square with black, centred, and resize it to (size, size, 3) uint8."""
    side = max(image.size)
    if side * side > MAX_PIXELS and image.width != image.height:  # the square of a long strip is too large
        return _shrink_then_pad(image, size)
    if image.size != (side, side):
        square = Image.new("RGB", (side, side))
        square.paste(image, corner(image.size, side))
        image = square
    return np.asarray(image.resize((size, size), Image.Resampling.BILINEAR), dtype=np.uint8)


def corner(size: tuple[int, int], side: int) -> tuple[int, int]:
    """Where the left upper corner of a picture of (width, height) lies on its black square: (x, y)."""
    return (side - size[0]) // 2, (side - size[1]) // 2


def _shrink_then_pad(image: Image.Image, size: int) -> Pixels:
    scale = size / max(image.size)
    width, height = (max(1, round(side * scale)) for side in image.size)
    square = Image.new("RGB", (size, size))
    small = image.resize((width, height), Image.Resampling.BILINEAR)
    square.paste(small, corner(small.size, size))
    return np.asarray(square, dtype=np.uint8)


def pixels(data: bytes, size: int) -> Pixels:
    """Bytes of a picture to a (size, size, 3) uint8 RGB array. Raises as `decode`."""
    return to_square(decode(data), size)


def colourless(square: Pixels) -> bool:
    """Whether a picture, (s, s, 3), has no colour at all: black, white and grey alone."""
    return not _coloured(square[::8, ::8]) and not _coloured(square)  # a few pixels nearly always tell


def _coloured(square: Pixels) -> bool:
    red, green, blue = np.moveaxis(square, 2, 0)
    highest, lowest = (of(of(red, green), blue) for of in (np.maximum, np.minimum))
    return bool((highest - lowest).max() > GREY)


FINGERPRINT_SIZE = 128


def fingerprint(square: Pixels) -> int:
    """A 64-bit name of a cell decoded at FINGERPRINT_SIZE: equal pixels, equal name, whatever the format."""
    return int.from_bytes(hashlib.sha256(square.tobytes()).digest()[:8], "big")


def fingerprint_of(image: Image.Image) -> int:
    """The fingerprint of a decoded picture."""
    return fingerprint(to_square(image, FINGERPRINT_SIZE))
