"""The pictures that `malaria predict` is pointed at: in files, folders and ZIPs."""

import contextlib
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from malaria.errors import BadInput, ImageTooLarge, MalariaError, NotFound, UnreadableImage

MAX_FILE = 64 * 2**20
"""Bytes of the largest picture file that is read, in a ZIP or outside."""


@dataclass(frozen=True)
class Picture:
    """A name to show and a way to its bytes, which may raise MalariaError or OSError."""

    name: str
    read: Callable[[], bytes]


def find(paths: Sequence[Path], stack: contextlib.ExitStack) -> list[Picture]:
    """Every picture under the paths, in order; what cannot be opened is there as a picture that raises."""
    found: list[Picture] = []
    for path in paths:
        if path.is_dir():
            found += _in_folder(path)
        elif path.suffix.lower() == ".zip" and path.is_file():
            found += _in_zip(path, stack)
        elif path.exists():
            found.append(Picture(str(path), lambda path=path: _bytes(path)))  # type: ignore[misc]
        else:
            found.append(_broken(path, NotFound(f"There is no file or folder {path}.")))
    return found


def _broken(path: Path, error: MalariaError) -> Picture:
    def read() -> bytes:
        raise error

    return Picture(str(path), read)


def _in_folder(folder: Path) -> list[Picture]:
    from malaria.cells import is_picture

    inside = sorted(
        p for p in folder.rglob("*") if p.is_file() and is_picture(p.relative_to(folder).as_posix())
    )
    if not inside:
        return [_broken(folder, BadInput(f"The folder {folder} holds no pictures."))]
    return [Picture(str(p), lambda p=p: _bytes(p)) for p in inside]  # type: ignore[misc]


def _in_zip(path: Path, stack: contextlib.ExitStack) -> list[Picture]:
    from malaria.cells import is_picture

    try:
        archive = stack.enter_context(zipfile.ZipFile(path))
    except (zipfile.BadZipFile, OSError, NotImplementedError) as error:
        return [_broken(path, UnreadableImage(f"The ZIP cannot be opened: {error}."))]
    names = sorted(n for n in archive.namelist() if not n.endswith("/") and is_picture(n))
    if not names:
        return [_broken(path, BadInput(f"The ZIP {path} holds no pictures."))]
    return [Picture(f"{path}/{n}", lambda n=n: _entry(archive, n)) for n in names]  # type: ignore[misc]


def _bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        return _bounded(file.read(MAX_FILE + 1))


def _entry(archive: zipfile.ZipFile, name: str) -> bytes:
    try:
        with archive.open(name) as file:
            return _bounded(file.read(MAX_FILE + 1))
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, zlib.error) as error:
        raise UnreadableImage(f"The entry of the ZIP cannot be read: {error}.") from error


def _bounded(data: bytes) -> bytes:
    if len(data) > MAX_FILE:
        raise ImageTooLarge(f"The file is larger than {MAX_FILE // 2**20} MB. Send the crop of one cell.")
    return data
