"""Decodes an upload's pictures on all cores into one spool file, and writes the kept ones as a ZIP."""

import hashlib
import os
import time
import zipfile
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from malaria import near, preprocess
from malaria.archive import Archive, Limits, Problem
from malaria.domain import Progress
from malaria.errors import BadInput, UploadTooLarge
from malaria.layout import Picture, Refused
from malaria.patients import field_of
from malaria.ports import Report

WORKERS = 8
_PAUSE = 0.25  # seconds between two reports


@dataclass(frozen=True, slots=True)
class Decoded:
    """A picture that could be read; its PNG lies in the spool at `offset`. sha256: of the PNG's bytes.
    thumbnail: by which near copies are found."""

    picture: Picture
    fingerprint: int
    sha256: str
    offset: int
    size: int
    thumbnail: near.Thumbnail

    @property
    def group(self) -> str:
        """What stays on one side: the patient, else the field it was cut from, else the cell alone.

        Fields and cells carry a prefix, so that a field called C1 is not taken for the patient C1.
        """
        if self.picture.patient:
            return self.picture.patient
        field = field_of(self.picture.entry.name)
        return f"field:{field}" if field else f"cell:{self.fingerprint:016x}"


@dataclass(frozen=True, slots=True)
class _Made:
    png: bytes
    fingerprint: int
    pixels: int
    thumbnail: near.Thumbnail


class Spool:
    """A file that takes one PNG after another; a context manager that removes it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO = path.open("w+b")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        self._path.unlink(missing_ok=True)

    @property
    def size(self) -> int:
        return self._file.tell()

    def add(self, data: bytes) -> int:
        """Append and return the offset."""
        offset = self._file.seek(0, os.SEEK_END)
        self._file.write(data)
        return offset

    def write_zip(self, path: Path, chosen: Mapping[str, Decoded]) -> Path:
        """Write the chosen pictures under their names, in their order; equal pictures give equal bytes."""
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
            for name, found in chosen.items():
                self._file.seek(found.offset)
                archive.writestr(entry(name), self._file.read(found.size))
        return path


def entry(name: str) -> zipfile.ZipInfo:
    """An entry to write to a ZIP that is the same bytes whenever and wherever it is written."""
    info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    info.create_system, info.external_attr = 3, 0o644 << 16
    return info


def take_in(
    archive: Archive, pictures: Sequence[Picture], spool: Spool, report: Report
) -> tuple[list[Decoded], list[Refused]]:
    """Read and decode every picture, in order; what cannot be read is refused with a reason.

    Raises UploadTooLarge where the pictures are too much in all.
    """
    limits, decoded, refused, pixels = archive.limits, [], [], 0
    tell = _gently(report)
    for done, (picture, made) in enumerate(_make_all(archive, pictures), start=1):
        if isinstance(made, Problem):
            refused.append(Refused(picture.entry.shown, made.code, made.reason, picture.label.text))
        else:
            pixels += made.pixels
            _check_total(pixels, spool.size + len(made.png), limits)
            sha256, offset = hashlib.sha256(made.png).hexdigest(), spool.add(made.png)
            decoded.append(Decoded(picture, made.fingerprint, sha256, offset, len(made.png), made.thumbnail))
        message = f"{done} of {len(pictures)} pictures read"
        tell(Progress("ingest", percent=90.0 * done / len(pictures), message=message))
    return decoded, refused


def _make_all(archive: Archive, pictures: Sequence[Picture]) -> Iterator[tuple[Picture, _Made | Problem]]:
    """Decode on all cores, in order, with a bounded number of pictures in memory."""
    workers = min(WORKERS, os.cpu_count() or 1)
    waiting: deque[tuple[Picture, Future[_Made | Problem]]] = deque()
    with ThreadPoolExecutor(workers) as pool:  # Pillow decodes without the interpreter's lock
        try:
            for picture in pictures:
                data = archive.read(picture.entry)  # here, not in the pool: one file, one reader
                waiting.append((picture, pool.submit(_make, data, archive.limits.max_pixels)))
                if len(waiting) >= 2 * workers:
                    yield _next(waiting)
            while waiting:
                yield _next(waiting)
        finally:
            for _, future in waiting:
                future.cancel()


def _next(waiting: deque[tuple[Picture, Future[_Made | Problem]]]) -> tuple[Picture, _Made | Problem]:
    picture, future = waiting.popleft()
    return picture, future.result()


def _make(data: bytes | Problem, max_pixels: int) -> _Made | Problem:
    """Decode one picture and write it anew: upright RGB, no metadata, lossless."""
    if isinstance(data, Problem):
        return data
    try:
        image = preprocess.decode(data, max_pixels)
    except BadInput as error:
        return Problem(error.code, str(error))
    area = image.width * image.height
    return _Made(preprocess.to_png(image), preprocess.fingerprint_of(image), area, near.thumbnail(image))


def _check_total(pixels: int, stored: int, limits: Limits) -> None:
    if pixels > limits.max_total_pixels:
        raise UploadTooLarge(
            f"The pictures have more than {limits.max_total_pixels:,} pixels in all. "
            "Send crops of single cells, in parts."
        )
    if stored > limits.max_total_bytes:
        raise UploadTooLarge(
            f"The pictures take more than {limits.max_total_bytes:,} bytes decoded. Send the ZIP in parts."
        )


def _gently(report: Report) -> Callable[[Progress], None]:
    """The report, told at most four times a second."""
    last = float("-inf")

    def tell(progress: Progress) -> None:
        nonlocal last
        if time.monotonic() - last >= _PAUSE:
            last = time.monotonic()
            report(progress)

    return tell
