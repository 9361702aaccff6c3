"""Labelled cells as they lie on disk: a ZIP or a folder with `Parasitized/` and `Uninfected/`.

For data that the reader trusts (evaluation, base data). Uploads go through `ingest`, which trusts nothing.
"""

import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from malaria.domain import Cell, Label
from malaria.errors import BadLayout
from malaria.patients import patient_of

FOLDERS = {"parasitized": Label.PARASITIZED, "uninfected": Label.UNINFECTED}
SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".gif"})


def label_of(path: str) -> Label | None:
    """The label named by a path's nearest class folder (any case, any depth), or None."""
    for part in reversed(PurePosixPath(path).parts[:-1]):
        if (label := FOLDERS.get(part.lower())) is not None:
            return label
    return None


def is_picture(path: str) -> bool:
    """Whether a path looks like a picture a person put there (not `__MACOSX`, not a dot file)."""
    parts = PurePosixPath(path).parts
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in parts)
    return not hidden and PurePosixPath(path).suffix.lower() in SUFFIXES


def read(source: Path) -> Iterator[tuple[Cell, bytes]]:
    """Each labelled cell of a ZIP or folder with its bytes, in the order of names.

    Raises:
        BadLayout: the source does not exist, or holds no picture under a class folder.
    """
    found = False
    for path, data in _files(source):
        label = label_of(path)
        if label is not None and is_picture(path):
            found = True
            yield Cell(PurePosixPath(path).name, label, patient_of(path)), data
    if not found:
        raise BadLayout(
            f"{source} holds no pictures under Parasitized/ or Uninfected/. "
            "Put each cell's picture into the folder of its class."
        )


def _files(source: Path) -> Iterator[tuple[str, bytes]]:
    if source.is_dir():
        for path in sorted(p for p in source.rglob("*") if p.is_file()):
            yield path.relative_to(source).as_posix(), path.read_bytes()
    elif zipfile.is_zipfile(source):
        with zipfile.ZipFile(source) as archive:
            for name in sorted(archive.namelist()):
                if not name.endswith("/"):
                    yield name, archive.read(name)
    else:
        raise BadLayout(f"{source} is neither a folder nor a ZIP.")
