"""Every model version that can be had here: kept in the store, or shipped with the project."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from malaria import shipped
from malaria.domain import ModelVersion
from malaria.errors import NotFound, UnknownVersion
from malaria.lineage import DERIVED, alike
from malaria.promote import Registry

_CALLED = {"memory.npz": "feature memory", "model.tflite": "model file"}
"""What people call files of a version."""
MOST_ANCESTORS = 1000
"""So that a chain of versions that names itself comes to an end."""


@dataclass(frozen=True)
class AtHand:
    """registry: of kept versions; None: only what ships counts. models: the folder of those that ship. cache:
    where files that are fetched from the store are laid."""

    registry: Registry | None
    models: Path
    cache: Path

    def version(self, chosen: str) -> ModelVersion:
        """A version that is kept or ships, by its name; one that ships also by its network.

        Raises UnknownVersion.
        """
        if self.registry is None:
            return shipped.find(self.models, chosen)
        try:
            return self.registry.version(chosen)
        except UnknownVersion as error:
            try:
                return shipped.find(self.models, chosen)
            except UnknownVersion:
                raise error from None

    def versions(self) -> Iterator[ModelVersion]:
        """All of them, each once; those that are kept first."""
        kept = self.registry.versions() if self.registry is not None else []
        names = {info.version for info in kept}
        yield from kept
        yield from (info for info in shipped.versions(self.models) if info.version not in names)

    def of_digest(self, digest: str) -> ModelVersion | None:
        """The version whose model.tflite has this SHA-256, or had it before a graft."""
        return next((info for info in self.versions() if digest in alike(info)), None)

    def ancestors(self, info: ModelVersion) -> list[ModelVersion]:
        """Of a retrained or exported version its parent and so on, to the first that was trained or is not at
        hand."""
        found: list[ModelVersion] = []
        while info.lineage.get("method") in DERIVED and len(found) < MOST_ANCESTORS:
            try:
                info = self.version(str(info.lineage.get("parent", "")))
            except UnknownVersion:
                break
            found.append(info)
        return found

    def file(self, info: ModelVersion, name: str) -> Path | None:
        """A file of a version, where it lies or fetched from the store; None where it has none of that name.

        Raises Damaged where the stored file is not the one that was published.
        """
        if self._ships(info) and (self.models / info.version / name).is_file():
            return self.models / info.version / name
        if self.registry is None:
            return None
        try:
            return self.registry.fetch(info.version, name, self.cache / info.version / name)
        except NotFound:
            return None

    def read(self, info: ModelVersion, name: str) -> bytes:
        """The content of a file of a version. Raises NotFound where it has none of that name, and as `file`
        does."""
        path = self.file(info, name)
        if path is None:
            raise NotFound(f"Version {info.version} has no {_CALLED.get(name, name)} here.")
        return path.read_bytes()

    def _ships(self, info: ModelVersion) -> bool:
        listed = shipped.listing(self.models)
        return info.version in (*listed.networks.values(), *listed.before)
