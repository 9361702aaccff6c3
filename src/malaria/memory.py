"""Feature memory: what a model remembers of every cell it was made from, without one image.

A row is a cell's embedding (a byte a channel), label, patient, role, origin and fingerprint. From it
`adapt` refits the head without the base images, the gate scores base patients, and ingest knows cells it
has met.
"""

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from malaria import whole
from malaria.domain import Role
from malaria.errors import Damaged

BASE = "base"
"""The origin of NIH base cells. Those of another laboratory that ships with them name it: "base:chula_rbc12".
Cells of an upload carry their shard's sha256."""


def is_base(origins: npt.NDArray[np.str_]) -> npt.NDArray[np.bool_]:
    """Which origins are of base cells, of whatever laboratory: (n,) of (n,)."""
    return np.asarray((origins == BASE) | np.char.startswith(origins, BASE + ":"), np.bool_)


@dataclass(frozen=True)
class Memory:
    """n remembered cells.

    codes: (n, width) uint8, embedding = codes * scale; scale: (width,) float32; labels: (n,) uint8;
    patients: (n,) str, the group that stays on one side; roles, origins: (n,) str;
    fingerprints: (n,) uint64, of the decoded pixels.
    """

    codes: npt.NDArray[np.uint8]
    scale: npt.NDArray[np.float32]
    labels: npt.NDArray[np.uint8]
    patients: npt.NDArray[np.str_]
    roles: npt.NDArray[np.str_]
    origins: npt.NDArray[np.str_]
    fingerprints: npt.NDArray[np.uint64]

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def embeddings(self) -> npt.NDArray[np.float32]:
        """(n, width) float32, as far as a byte a channel keeps them."""
        return self.codes * self.scale

    def where(self, mask: npt.NDArray[np.bool_]) -> "Memory":
        return Memory(
            self.codes[mask],
            self.scale,
            self.labels[mask],
            self.patients[mask],
            self.roles[mask],
            self.origins[mask],
            self.fingerprints[mask],
        )

    def of(self, role: Role, *, base: bool | None = None, origin: str | None = None) -> "Memory":
        """The cells of one role.

        base: True only base cells, of every laboratory; False only cells of uploads. origin: only cells of
        this very origin, such as BASE.
        """
        mask = self.roles == role.value
        if base is not None:
            mask &= is_base(self.origins) == base
        if origin is not None:
            mask &= self.origins == origin
        return self.where(mask)

    def without_uploaded(self, fingerprints: npt.NDArray[np.uint64]) -> "Memory":
        """All but the cells of uploads that have one of these fingerprints; base cells stay."""
        return self.where(is_base(self.origins) | ~np.isin(self.fingerprints, fingerprints))

    def with_cells(self, other: "Memory") -> "Memory":
        """Both memories; the scale grows where the other's channels reach further."""
        scale = np.maximum(self.scale, other.scale)
        left, right = _recode(self, scale), _recode(other, scale)
        return Memory(
            np.concatenate([left, right]),
            scale,
            np.concatenate([self.labels, other.labels]),
            np.concatenate([self.patients, other.patients]),
            np.concatenate([self.roles, other.roles]),
            np.concatenate([self.origins, other.origins]),
            np.concatenate([self.fingerprints, other.fingerprints]),
        )

    def save(self, path: Path) -> None:
        """Write compressed; the file appears whole or not at all."""
        with whole.file(path) as partial, partial.open("wb") as file:
            np.savez_compressed(file, **{name: getattr(self, name) for name in FIELDS})


FIELDS = ("codes", "scale", "labels", "patients", "roles", "origins", "fingerprints")


def load(content: Path | bytes) -> Memory:
    """Raises Damaged where the file is not a feature memory."""
    try:
        with np.load(io.BytesIO(content) if isinstance(content, bytes) else content) as table:
            return Memory(**{name: table[name] for name in FIELDS})
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise Damaged(f"The feature memory cannot be read: {error}") from error


@dataclass(frozen=True, slots=True)
class Counted:
    """How many cells of one origin have one role. groups: their patients, else fields, else single cells."""

    origin: str
    role: str
    cells: int
    parasitized: int
    groups: int


def count(path: Path) -> tuple[Counted, ...]:
    """The cells of a memory by origin and role, base first; embeddings are not read. Raises Damaged."""
    try:
        with np.load(path) as table:
            labels, patients, roles, origins = (table[name] for name in FIELDS[2:6])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise Damaged(f"The feature memory cannot be read: {error}") from error
    names, of_origin = np.unique(origins, return_inverse=True)
    owners, found = np.unique(patients, return_inverse=True)[1], []
    for place in sorted(range(len(names)), key=lambda i: (not names[i].startswith(BASE), names[i])):
        for role in Role:
            rows = (of_origin == place) & (roles == role.value)
            if rows.any():
                infected, groups = int(np.count_nonzero(labels[rows])), len(np.unique(owners[rows]))
                found.append(Counted(str(names[place]), role.value, int(rows.sum()), infected, groups))
    return tuple(found)


def remember(
    embeddings: npt.NDArray[np.floating[Any]],
    labels: npt.NDArray[np.uint8],
    patients: npt.NDArray[np.str_],
    roles: npt.NDArray[np.str_],
    origins: npt.NDArray[np.str_],
    fingerprints: npt.NDArray[np.uint64],
) -> Memory:
    """Make a memory of (n, width) embeddings, which a ReLU and a mean made, so none is negative."""
    scale = (np.maximum(embeddings.max(axis=0, initial=0.0), 1e-6) / 255.0).astype(np.float32)
    codes = np.clip(np.rint(embeddings / scale), 0, 255).astype(np.uint8)
    return Memory(codes, scale, labels, patients, roles, origins, fingerprints)


def _recode(memory: Memory, scale: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    if np.array_equal(memory.scale, scale):
        return memory.codes
    codes: npt.NDArray[np.uint8] = np.clip(np.rint(memory.embeddings / scale), 0, 255).astype(np.uint8)
    return codes
