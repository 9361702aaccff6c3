"""Every kind of picture a person may send."""

import contextlib
import io
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from malaria import preprocess
from malaria.errors import BadInput, ImageTooLarge, ImageTooSmall, UnreadableImage
from tests.unit.zips import encoded, image

RGB = image(1)


def decoded(data: bytes) -> np.ndarray:
    picture = preprocess.decode(data)
    assert picture.mode == "RGB"
    return np.asarray(picture)


def bomb_png(width: int, height: int) -> bytes:
    """A valid PNG of one-bit zeros: 40,000 x 40,000 pixels in 200 KB."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">L", len(data)) + kind + data + struct.pack(">L", zlib.crc32(kind + data))

    packer = zlib.compressobj(9)
    row = bytes(1 + (width + 7) // 8)
    data = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    head = struct.pack(">2L5B", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("data", "error", "told"),
    [
        (b"", UnreadableImage, "empty"),
        (b"these are words, not pixels", UnreadableImage, "not a picture"),
        (encoded(RGB)[:400], UnreadableImage, "damaged or cut short"),
        (encoded(RGB)[:20], UnreadableImage, "not a picture|cut short"),
        (encoded(RGB, "JPEG")[:300], UnreadableImage, "damaged or cut short"),
        (encoded(Image.new("RGB", (1, 1))), ImageTooSmall, "1 x 1"),
        (encoded(Image.new("RGB", (500, 7))), ImageTooSmall, "at least 8"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 50 50\n", UnreadableImage, "not a picture"),
    ],
    ids=["empty", "text", "png cut", "png head", "jpeg cut", "1x1", "thin", "eps"],
)
def test_what_cannot_be_used_is_refused(data: bytes, error: type[BadInput], told: str) -> None:
    with pytest.raises(error, match=told):
        preprocess.decode(data)


@pytest.mark.parametrize("side", [40_000, 10_000, 7_100])
def test_bombs_are_refused_before_they_are_decoded(side: int) -> None:
    data = bomb_png(side, side)
    assert len(data) < 300_000
    with pytest.raises(ImageTooLarge, match="pixels"):
        preprocess.decode(data)


def test_a_caller_may_set_a_lower_bound() -> None:
    with pytest.raises(ImageTooLarge, match="at most 1,000"):
        preprocess.decode(encoded(RGB), max_pixels=1000)


def test_a_long_strip_needs_no_memory_for_its_square() -> None:
    square = preprocess.pixels(bomb_png(5_000_000, 8), 64)
    assert square.shape == (64, 64, 3)


def test_a_long_strip_is_centred() -> None:
    strip = preprocess.to_square(Image.new("RGB", (8000, 800), "white"), 100)
    assert strip[45:55].min() == 255
    assert strip[:44].max() == strip[56:].max() == 0


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
def test_lossless_formats_give_the_same_pixels(kind: str) -> None:
    assert np.array_equal(decoded(encoded(RGB, kind)), np.asarray(RGB))


def test_lossless_webp_gives_the_same_pixels() -> None:
    assert np.array_equal(decoded(encoded(RGB, "WEBP", lossless=True)), np.asarray(RGB))


def test_cmyk_jpeg_is_read_in_its_true_colours() -> None:
    flat = Image.new("RGB", (64, 64), (200, 60, 120))
    found = decoded(encoded(flat.convert("CMYK"), "JPEG", quality=95))
    assert np.abs(found.astype(int) - (200, 60, 120)).max() <= 12


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF"])
def test_grey_becomes_three_equal_channels(kind: str) -> None:
    grey = RGB.convert("L")
    found = decoded(encoded(grey, kind, **({"quality": 100} if kind == "JPEG" else {})))
    assert np.array_equal(found[..., 0], found[..., 2])
    assert np.abs(found[..., 0].astype(int) - np.asarray(grey)).max() <= (4 if kind == "JPEG" else 0)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bit_grey_keeps_its_levels(kind: str) -> None:
    levels = np.arange(0, 65536, 16, dtype=np.uint16).reshape(64, 64)
    found = decoded(encoded(Image.fromarray(levels), kind))
    assert np.array_equal(found[..., 1], levels // 257)


def test_16_bit_rgb_keeps_its_colours() -> None:
    rng = np.random.default_rng(0)
    levels = rng.integers(0, 65536, (16, 16, 3), dtype=np.uint16)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in levels)
    head = struct.pack(">2L5B", 16, 16, 16, 2, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    data = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">L", len(d)) + k + d + struct.pack(">L", zlib.crc32(k + d)) for k, d in chunks
    )
    assert np.abs(decoded(data).astype(int) - levels // 256).max() <= 1


def test_float_grey_up_to_one_is_a_share_of_white() -> None:
    levels = np.linspace(0, 1, 256, dtype=np.float32).reshape(16, 16)
    levels[0, 0] = np.nan
    found = decoded(encoded(Image.fromarray(levels), "TIFF"))
    assert found.max() == 255
    assert found[8, 0, 0] == int(levels[8, 0] * 255)


def test_a_palette_is_looked_up() -> None:
    few = RGB.quantize(16)
    assert np.array_equal(decoded(encoded(few)), np.asarray(few.convert("RGB")))


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_is_transparent_becomes_black_as_the_surround_of_a_cell(mode: str) -> None:
    clear = Image.new("RGBA", (32, 32), (255, 255, 255, 0))
    clear.paste(Image.new("RGBA", (16, 32), (90, 90, 90, 255)))
    data = encoded(clear.quantize(4)) if mode == "P" else encoded(clear.convert(mode))
    found = decoded(data)
    assert np.all(found[:, 16:] == 0)
    assert np.abs(found[:, :16].astype(int) - 90).max() <= 1


def test_half_transparent_is_half_as_bright() -> None:
    found = decoded(encoded(Image.new("RGBA", (16, 16), (200, 100, 50, 128))))
    assert np.abs(found.astype(int) - (100, 50, 25)).max() <= 1


@pytest.mark.parametrize(("kind", "options"), [("GIF", {}), ("WEBP", {"lossless": True}), ("PNG", {})])
def test_of_an_animation_the_first_frame_counts(kind: str, options: dict[str, object]) -> None:
    frames = [Image.new("RGB", (32, 32), colour) for colour in ("red", "lime", "blue")]
    data = encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=50, **options)
    assert np.all(decoded(data) == (255, 0, 0))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_a_rotated_picture_equals_the_upright_one(orientation: int, kind: str) -> None:
    turns = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = RGB.transpose(turns[orientation]) if orientation > 1 else RGB
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert np.array_equal(decoded(encoded(stored, kind, exif=exif)), np.asarray(RGB))


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")  # pytest sets its own filters over the module's
def test_damaged_metadata_do_not_cost_the_picture() -> None:
    data = encoded(RGB, "PNG", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\x01\x12" + b"\xff" * 40)
    assert np.array_equal(decoded(data), np.asarray(RGB))


def test_to_square_pads_with_black_and_stretches_nothing() -> None:
    square = preprocess.to_square(Image.new("RGB", (40, 20), "white"), 40)
    assert square.dtype == np.uint8
    assert np.all(square[10:30] == 255)
    assert square[:10].max() == square[30:].max() == 0


def test_pixels_is_decode_then_square() -> None:
    data = encoded(RGB)
    assert np.array_equal(preprocess.pixels(data, 32), preprocess.to_square(RGB, 32))


@pytest.mark.parametrize(
    ("levels", "grey"), [((90, 90, 90), True), ((90, 88, 91), True), ((90, 86, 90), False)]
)
@pytest.mark.parametrize("size", [1, 128])
def test_a_picture_without_colour_is_black_white_and_grey(
    levels: tuple[int, int, int], grey: bool, size: int
) -> None:
    square = np.full((128, 128, 3), 40, np.uint8)
    square[127 - size // 2 :, :size] = levels  # one pixel of colour counts, wherever it is
    assert preprocess.colourless(square) == grey


def test_equal_pixels_have_one_fingerprint_whatever_the_format() -> None:
    prints = {
        preprocess.fingerprint(preprocess.pixels(encoded(RGB, kind, **options), preprocess.FINGERPRINT_SIZE))
        for kind, options in (("PNG", {}), ("BMP", {}), ("WEBP", {"lossless": True}))
    }
    assert len(prints) == 1
    assert 0 <= prints.pop() < 2**64
    other = preprocess.pixels(encoded(ImageOps.mirror(RGB)), preprocess.FINGERPRINT_SIZE)
    assert preprocess.fingerprint(other) != preprocess.fingerprint(preprocess.pixels(encoded(RGB), 128))


def test_many_threads_decode_alike() -> None:
    data = [encoded(image(i), "JPEG") for i in range(8)]
    alone = [preprocess.pixels(d, 64) for d in data]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda d: preprocess.pixels(d, 64), data * 20))
    assert all(np.array_equal(together[i], alone[i % 8]) for i in range(len(together)))


SEEDS = [encoded(RGB, kind) for kind in ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF")]


@pytest.mark.filterwarnings("ignore")  # Pillow warns of what it mends itself
@given(
    st.sampled_from(SEEDS),
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=20),
)
def test_any_damage_is_read_or_refused(data: bytes, changes: list[tuple[int, int]]) -> None:
    hurt = bytearray(data)
    for at, value in changes:
        hurt[at % (200 if at % 2 else len(hurt))] = value
    with contextlib.suppress(BadInput):
        assert preprocess.pixels(bytes(hurt), 32).shape == (32, 32, 3)


def test_the_stream_is_not_needed_after_decoding() -> None:
    stream = io.BytesIO(encoded(RGB, "TIFF"))
    picture = preprocess.decode(stream.getvalue())
    stream.close()
    assert picture.resize((4, 4)).size == (4, 4)
