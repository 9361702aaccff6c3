"""Cells as one cached uint8 array: decoded once, trained on many times."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from itertools import islice
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
from PIL import Image

from malaria import cells, preprocess, whole
from malaria.domain import Label, Progress, Role
from malaria.errors import BadInput
from malaria.memory import BASE
from malaria.ports import Report
from malaria.shards import Shard, Shards


@dataclass(frozen=True)
class Item:
    """One cell to learn from. group: its patient, else what must stay on one side with it.

    picture: a file's bytes, or RGB already decoded.
    """

    name: str
    label: Label
    group: str
    role: Role
    origin: str
    picture: bytes | Image.Image


class Source(Protocol):
    """Where cells come from; `key` changes whenever the cells do."""

    @property
    def key(self) -> str: ...

    def read(self) -> Iterator[Item]: ...


def key_of(path: Path, *further: object) -> str:
    """A key that changes with the file or folder, and with what JSON can hold of the rest."""
    stat = path.stat()
    told = json.dumps([str(path.resolve()), stat.st_size, stat.st_mtime_ns, *further])
    return hashlib.sha256(told.encode()).hexdigest()


@dataclass(frozen=True)
class Layout:
    """A ZIP or folder in the upload layout, with the role of each patient; cells without one are left out."""

    path: Path
    roles: Mapping[str, Role]

    @property
    def key(self) -> str:
        return key_of(self.path, sorted(self.roles.items()))

    def read(self) -> Iterator[Item]:
        for cell, data in cells.read(self.path):
            if cell.patient is not None and cell.patient in self.roles:
                yield Item(cell.name, cell.label, cell.patient, self.roles[cell.patient], BASE, data)


@dataclass(frozen=True)
class Stored:
    """A shard of the store, or as many of its cells as `shard` lists."""

    shards: Shards
    shard: Shard

    @property
    def key(self) -> str:
        told = json.dumps([self.shard.sha256, [cell.fingerprint for cell in self.shard.cells]])
        return hashlib.sha256(told.encode()).hexdigest()

    def read(self) -> Iterator[Item]:
        for cell, data in self.shards.pictures(self.shard):
            yield Item(cell.name, cell.label, cell.group, cell.role, self.shard.origin, data)


@dataclass(frozen=True)
class CellArrays:
    """n decoded cells. pixels: (n, size, size, 3) uint8; labels: (n,) uint8; groups, roles, origins, names:
    (n,) str; fingerprints: (n,) uint64."""

    pixels: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.uint8]
    groups: npt.NDArray[np.str_]
    roles: npt.NDArray[np.str_]
    origins: npt.NDArray[np.str_]
    fingerprints: npt.NDArray[np.uint64]
    names: npt.NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.labels)

    def where(self, rows: npt.NDArray[np.generic]) -> "CellArrays":
        """Some of the cells: a mask (n,) or row numbers."""
        return CellArrays(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})

    def epoch(self, seed: int) -> "CellArrays":  # noqa: ARG002  # all of them, whatever the seed
        """What an epoch of training shows: every cell once."""
        return self

    def of(self, role: Role) -> "CellArrays":
        return self.where(self.roles == role.value)


@dataclass(frozen=True)
class Part:
    """Cells of one making. pixels: (n, s, s, 3) uint8; labels: (n,) float32.

    chances: of each to be drawn, (n,), summing to 1; None: all alike.
    """

    pixels: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.float32]
    chances: npt.NDArray[np.float64] | None = None

    def at(self, size: int) -> "Part":
        if self.pixels.shape[1] == size:
            return self
        small = np.empty((len(self.labels), size, size, 3), np.uint8)
        for i, one in enumerate(self.pixels):
            small[i] = Image.fromarray(one).resize((size, size), Image.Resampling.BILINEAR)
        return Part(small, self.labels, self.chances)


COLUMNS = ("labels", "groups", "roles", "origins", "fingerprints", "names")


def load(sources: Sequence[Source], size: int, cache: Path, report: Report) -> CellArrays:
    """Decode every cell of the sources to `size`, or read them from `cache`, written whole or not at all.

    Raises BadInput where they hold none, and as `preprocess.decode` does.
    """
    key = hashlib.sha256(json.dumps([3, size, *(s.key for s in sources)]).encode()).hexdigest()[:16]
    folder = cache / f"cells-{key}"
    if not folder.exists():
        with whole.folder(folder) as partial:
            _decode(sources, size, partial, report)
    with np.load(folder / "table.npz") as table:
        columns = {name: table[name] for name in COLUMNS}
    return CellArrays(np.load(folder / "pixels.npy", mmap_mode="r"), **columns)


def _decode(sources: Sequence[Source], size: int, folder: Path, report: Report) -> None:
    table = [(i.label, i.group, i.role.value, i.origin, i.name) for s in sources for i in s.read()]
    if not table:
        raise BadInput("The data hold no cells of patients or fields that have a role.")
    shape = (len(table), size, size, 3)
    pixels = np.lib.format.open_memmap(  # type: ignore[no-untyped-call]
        folder / "pixels.npy", mode="w+", dtype=np.uint8, shape=shape
    )
    prints = np.zeros(len(table), np.uint64)

    def one(item: Item) -> tuple[preprocess.Pixels, int]:
        try:
            given = item.picture
            image = preprocess.decode(given) if isinstance(given, bytes) else given
        except BadInput as error:
            raise type(error)(f"{item.name}: {error}") from error
        name = preprocess.fingerprint_of(image)
        return preprocess.to_square(image, size), name

    items, done = (item for source in sources for item in source.read()), 0
    with ThreadPoolExecutor() as pool:  # Pillow decodes without the interpreter's lock
        while batch := list(islice(items, 256)):  # a window, so that a large set is not held in memory
            for square, name in pool.map(one, batch):
                pixels[done], prints[done] = square, name
                done += 1
            report(
                Progress("decode", percent=100.0 * done / len(table), message=f"{done} of {len(table)} cells")
            )
    pixels.flush()
    labels, groups, roles, origins, names = zip(*table, strict=True)
    np.savez_compressed(
        folder / "table.npz",
        labels=np.array(labels, np.uint8),
        groups=np.array(groups, np.str_),
        roles=np.array(roles, np.str_),
        origins=np.array(origins, np.str_),
        fingerprints=prints,
        names=np.array(names, np.str_),
    )
