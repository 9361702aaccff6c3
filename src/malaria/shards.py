"""Shards: immutable sets of labelled cells in the object store, one for each upload that was taken in.

`datasets/{sha256}/cells.zip` holds the sanitised pictures, `datasets/{sha256}/manifest.json` says what each
one is. The manifest is written last and only once: where it stands, the shard is whole.
"""

import hashlib
import json
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from malaria import codec
from malaria.domain import Label, Role
from malaria.errors import AlreadyExists, Damaged
from malaria.memory import BASE
from malaria.ports import ObjectStore


@dataclass(frozen=True, slots=True)
class ShardCell:
    """One stored cell.

    name: its entry in cells.zip; original: its path as uploaded. group: its patient, else `field:...`, else
    `cell:...`; cells of one group stay on one side. sha256: of the stored bytes. fingerprint: of the pixels.
    """

    name: str
    original: str
    label: Label
    patient: str | None
    group: str
    role: Role
    sha256: str
    fingerprint: int


@dataclass(frozen=True, slots=True)
class Shard:
    """sha256: the content's id, see `content_id`; cells: sorted by name.

    kind: 'base' for NIH cells, 'base:chula' for those of a laboratory that models are trained with, such as
    Chula's; 'site' for an upload.
    """

    sha256: str
    kind: str
    cells: tuple[ShardCell, ...]
    name: str
    created: datetime

    @property
    def base(self) -> bool:
        """Whether its cells are such as models are made from, of whatever laboratory; no upload's."""
        return self.kind.partition(":")[0] == BASE

    @property
    def origin(self) -> str:
        """What a feature memory calls the origin of its cells."""
        return self.kind if self.base else self.sha256


def names(shards: Iterable[Shard]) -> dict[int, str]:
    """What people call the cells of these shards: their paths as uploaded, by fingerprint."""
    return {cell.fingerprint: cell.original for shard in shards for cell in shard.cells}


def content_id(kind: str, cells: Iterable[ShardCell]) -> str:
    """SHA-256 of kind, labels, fingerprints and patients: equal cells, equal id, however they were packed.

    Patients belong to it: the same pictures sent again with a patients.csv say more than before.
    """
    lines = sorted(f"{int(cell.label)} {cell.fingerprint:016x} {cell.patient or ''}\n" for cell in cells)
    return hashlib.sha256("".join([f"{kind}\n", *lines]).encode()).hexdigest()


class Shards:
    """The shards of an object store."""

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects

    def save(self, shard: Shard, cells_zip: Path) -> Shard:
        """Store a shard and return the one that stands: the first of its content, whatever came later."""
        if not self._objects.exists(_manifest(shard.sha256)):
            self._objects.put(_cells(shard.sha256), cells_zip)
            try:
                self._objects.create(_manifest(shard.sha256), json.dumps(codec.to_json(shard)).encode())
                return shard
            except AlreadyExists:
                pass  # another writer stored the same content just now
        return self.load(shard.sha256)

    def load(self, sha256: str) -> Shard:
        """Raises NotFound, and Damaged where the manifest does not hold what its id says."""
        try:
            told = json.loads(self._objects.get(_manifest(sha256)))
        except ValueError as error:
            raise Damaged(f"The manifest of shard {sha256} is not JSON: {error}.") from error
        shard = codec.from_json(Shard, told)
        if content_id(shard.kind, shard.cells) != sha256:
            raise Damaged(f"The manifest of shard {sha256} lists other cells than its id says.")
        return shard

    def list(self) -> "list[Shard]":
        """Every shard, oldest first."""
        keys = [info.key for info in self._objects.list("datasets/")]
        ids = [key.split("/")[1] for key in keys if key.endswith("/manifest.json")]
        return sorted(map(self.load, ids), key=lambda shard: (shard.created, shard.sha256))

    def pictures(self, shard: Shard) -> Iterator[tuple[ShardCell, bytes]]:
        """As `read`, of the cells that the shard still has, where some were taken out of it."""
        left = {cell.fingerprint for cell in shard.cells}
        return ((cell, data) for cell, data in self.read(shard.sha256) if cell.fingerprint in left)

    def read(self, sha256: str) -> Iterator[tuple[ShardCell, bytes]]:
        """Each cell with its picture (lossless PNG), sorted by name, one in memory at a time.

        Raises NotFound, and Damaged where a picture is not the one that was stored.
        """
        shard = self.load(sha256)
        with tempfile.TemporaryDirectory(prefix="malaria-shard-") as folder:
            local = Path(folder) / "cells.zip"
            self._objects.fetch(_cells(sha256), local)
            with zipfile.ZipFile(local) as archive:
                for cell in shard.cells:
                    yield cell, _stored(archive, cell, sha256)


def _stored(archive: zipfile.ZipFile, cell: ShardCell, sha256: str) -> bytes:
    try:
        data = archive.read(cell.name)
    except (KeyError, zipfile.BadZipFile) as error:
        raise Damaged(f"Cell {cell.name} of shard {sha256} cannot be read: {error}.") from error
    if hashlib.sha256(data).hexdigest() != cell.sha256:
        raise Damaged(f"Cell {cell.name} of shard {sha256} is not the one that was stored.")
    return data


def _cells(sha256: str) -> str:
    return f"datasets/{sha256}/cells.zip"


def _manifest(sha256: str) -> str:
    return f"datasets/{sha256}/manifest.json"


def distinct(shards: Sequence[Shard], seen: AbstractSet[int]) -> list[Shard]:
    """The shards with each cell once, in the first that holds it, and without those seen (fingerprints).

    A cell that counted twice would weigh twice in training and look like two witnesses at the gate.
    """
    seen, found = set(seen), []
    for shard in shards:
        cells = tuple(cell for cell in shard.cells if cell.fingerprint not in seen)
        seen |= {cell.fingerprint for cell in cells}
        found.append(replace(shard, cells=cells))
    return found
