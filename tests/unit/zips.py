"""ZIPs as they may come: ordinary ones, and hostile ones with patched bytes."""

import io
import struct
import zipfile
import zlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

LOCAL = struct.Struct("<4s5H3L2H")
CENTRAL = struct.Struct("<4s6H3L5H2L")
END = struct.Struct("<4s4H2LH")


def image(seed: int, size: tuple[int, int] = (40, 36)) -> Image.Image:
    """A grainy disc on black, unlike that of any other seed."""
    rng = np.random.default_rng(seed)
    grain = rng.integers(120, 255, (size[1], size[0], 3), dtype=np.uint8)
    disc = Image.new("L", size)
    ImageDraw.Draw(disc).ellipse((2, 2, size[0] - 3, size[1] - 3), fill=255)
    black = Image.new("RGB", size)
    black.paste(Image.fromarray(grain), mask=disc)
    return black


@lru_cache(maxsize=2048)
def png(seed: int) -> bytes:
    return encoded(image(seed))


def encoded(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def usual(count: int = 3) -> dict[str, bytes]:
    """`count` cells of each class, without patients."""
    cells = {f"Parasitized/p{i}.png": png(i) for i in range(count)}
    return cells | {f"Uninfected/u{i}.png": png(1000 + i) for i in range(count)}


def pack(path: Path, files: Mapping[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def patch_directory(path: Path, name: str, **fields: int) -> Path:
    """Change what the central directory says of an entry: flags, method, packed, size or offset."""
    data, raw = bytearray(path.read_bytes()), name.encode()
    at = data.rindex(raw) - CENTRAL.size
    where = {
        "flags": (8, "H"),
        "method": (10, "H"),
        "packed": (20, "L"),
        "size": (24, "L"),
        "offset": (42, "L"),
    }
    for field, value in fields.items():
        offset, kind = where[field]
        struct.pack_into(f"<{kind}", data, at + offset, value)
    path.write_bytes(data)
    return path


def set_local_flags(path: Path, name: str, flags: int) -> Path:
    """Set the flags in an entry's local header."""
    data = bytearray(path.read_bytes())
    struct.pack_into("<H", data, data.index(name.encode()) - LOCAL.size + 6, flags)
    path.write_bytes(data)
    return path


def raw_zip(path: Path, entries: list[tuple[bytes, int, bytes]]) -> Path:
    """Entries with names as raw bytes and flags: (name, flags, data), stored."""
    body, directory = bytearray(), bytearray()
    for name, flags, data in entries:
        directory += _central(name, flags, 0, zlib.crc32(data), len(data), len(data), len(body))
        body += LOCAL.pack(
            b"PK\3\4", 20, flags, 0, 0, 0x21, zlib.crc32(data), len(data), len(data), len(name), 0
        )
        body += name + data
    return _finish(path, bytes(body), bytes(directory), len(entries))


def overlapping_bomb(path: Path, files: int = 250, kernel: int = 27_000_000) -> Path:
    """About 42 KB that list one deflated kernel as `files` files: David Fifield's bomb in its simple form."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    zeros = bytes(kernel)
    packed, crc = packer.compress(zeros) + packer.flush(), zlib.crc32(zeros)
    first = b"Parasitized/a.png"
    body = LOCAL.pack(b"PK\3\4", 20, 0, 8, 0, 0x21, crc, len(packed), kernel, len(first), 0) + first + packed
    directory = b"".join(_central(first, 0, 8, crc, len(packed), kernel, 0) for _ in range(files))
    return _finish(path, body, directory, files)


def quoting_bomb(path: Path, files: int = 20) -> Path:
    """Each entry's data quote the next one's local header: Fifield's overlap without equal offsets."""
    names = [b"Parasitized/%03d.png" % i for i in range(files)]
    tail, offsets, headers = png(1), [], []
    for name in reversed(names):
        size, crc = len(tail), zlib.crc32(tail)
        headers.append((name, size, crc))
        tail = LOCAL.pack(b"PK\3\4", 20, 0, 0, 0, 0x21, crc, size, size, len(name), 0) + name + tail
        offsets.append(len(tail))
    directory = b"".join(
        _central(name, 0, 0, crc, size, size, len(tail) - offset)
        for (name, size, crc), offset in zip(reversed(headers), reversed(offsets), strict=True)
    )
    return _finish(path, tail, directory, files)


def many_entries(path: Path, count: int, declared: int | None = None) -> Path:
    """A ZIP of `count` empty entries; its end record may declare another number."""
    directory = b"".join(_central(b"Parasitized/%06d.png" % i, 0, 0, 0, 0, 0, 0) for i in range(count))
    return _finish(path, b"", directory, min(count if declared is None else declared, 0xFFFF))


def _central(name: bytes, flags: int, method: int, crc: int, packed: int, size: int, offset: int) -> bytes:
    head = CENTRAL.pack(
        b"PK\1\2", 20, 20, flags, method, 0, 0x21, crc, packed, size, len(name), 0, 0, 0, 0, 0, offset
    )
    return head + name


def _finish(path: Path, body: bytes, directory: bytes, count: int) -> Path:
    end = END.pack(b"PK\5\6", 0, 0, count, count, len(directory), len(body), 0)
    path.write_bytes(body + directory + end)
    return path
