"""The ONE image -> tensor function, shared by training, evaluation and serving.

A picture becomes a square uint8 RGB array: turned upright by its EXIF tag, transparency laid on black
(the surround of NIH cells), padded to a square with black so that no cell is stretched, then resized
with an antialiasing filter. Scaling to [-1, 1] happens inside the network's graph.
"""

import hashlib
import io
import warnings

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from malaria.errors import ImageTooLarge, ImageTooSmall, UnreadableImage

Pixels = npt.NDArray[np.uint8]

MAX_PIXELS = 50_000_000
"""Larger pictures are refused before they are decoded (a 40,000 x 40,000 PNG fits in 200 KB)."""
MIN_SIDE = 8
"""A smaller picture cannot show a parasite; the smallest NIH cell is 46 pixels wide."""
FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF")


def decode(data: bytes) -> Image.Image:
    """Decode an untrusted picture to upright 8-bit RGB; of an animation, the first frame.

    Raises:
        UnreadableImage: not a picture in one of FORMATS, or a damaged one.
        ImageTooLarge: more than MAX_PIXELS pixels.
        ImageTooSmall: a side shorter than MIN_SIDE pixels.
    """
    if not data:
        raise UnreadableImage("The file is empty. Send the picture of one stained cell.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of odd metadata; pixels decide here
            image = Image.open(io.BytesIO(data), formats=FORMATS)
            _check_size(image)
            image.load()
            return _to_rgb(ImageOps.exif_transpose(image))
    except UnidentifiedImageError:
        raise UnreadableImage(
            f"This is not a picture that can be read. Send one of {', '.join(FORMATS)}."
        ) from None
    except Image.DecompressionBombError:
        raise ImageTooLarge(f"The picture has more than {MAX_PIXELS:,} pixels.") from None
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, MemoryError) as error:
        raise UnreadableImage(f"The picture is damaged or cut short ({error}).") from None


def _check_size(image: Image.Image) -> None:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise ImageTooLarge(
            f"The picture is {width} x {height} pixels; at most {MAX_PIXELS:,} in all are read. "
            "Send the crop of one cell, not a whole slide."
        )
    if min(width, height) < MIN_SIDE:
        raise ImageTooSmall(
            f"The picture is {width} x {height} pixels; each side must be at least {MIN_SIDE}. "
            "Send the crop of one cell at its full resolution."
        )


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I") or image.mode == "F":  # 16-bit or float grey: Pillow would clip it
        levels = np.asarray(image, dtype=np.float64)
        top = 65535.0 if levels.max(initial=0) > 255 else 255.0
        image = Image.fromarray(np.clip(levels * (255.0 / top), 0, 255).astype(np.uint8))
    if "A" in image.getbands() or "transparency" in image.info:
        image = image.convert("RGBA")
        black = Image.new("RGBA", image.size, (0, 0, 0, 255))
        return Image.alpha_composite(black, image).convert("RGB")
    return image.convert("RGB")


def to_square(image: Image.Image, size: int) -> Pixels:
    """Pad an RGB picture to a square with black, centred, and resize it to (size, size, 3) uint8."""
    side = max(image.size)
    if image.size != (side, side):
        square = Image.new("RGB", (side, side))
        square.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
        image = square
    return np.asarray(image.resize((size, size), Image.Resampling.BILINEAR), dtype=np.uint8)


def pixels(data: bytes, size: int) -> Pixels:
    """Bytes of a picture to a (size, size, 3) uint8 RGB array. Raises as `decode`."""
    return to_square(decode(data), size)


FINGERPRINT_SIZE = 128


def fingerprint(square: Pixels) -> int:
    """A 64-bit name of a decoded cell at FINGERPRINT_SIZE: equal pixels, equal name, whatever the file's format."""
    return int.from_bytes(hashlib.sha256(square.tobytes()).digest()[:8], "big")
