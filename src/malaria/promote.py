"""Model versions as they are kept, and which of them is served: publish, promote, roll back.

A version is a set of files below `models/{version}/`. Its manifest is written last and names each file's
SHA-256, so a version that can be seen is whole and a file that was changed is told.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from malaria import codec
from malaria.domain import ModelVersion, Promotion
from malaria.errors import (
    AlreadyExists,
    BadOptions,
    Conflict,
    Damaged,
    ModelUnusable,
    NotFound,
    UnknownVersion,
)
from malaria.metric_names import PROMOTIONS
from malaria.ports import Clock, Meter, ObjectStore
from malaria.promotions import PromotionLog
from malaria.stored import decoded, encoded

MODEL, MANIFEST = "model.tflite", "manifest.json"
ROLLBACK = "rollback"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_MANIFEST = re.compile(rf"models/({_NAME.pattern})/manifest\.json")


class Registry:
    """The kept versions and the promotion log, over an object store.

    meter: told of each entry by the process that appended it. Of several that try one wins, so no entry is
    told twice. None: nobody is told.
    """

    def __init__(self, objects: ObjectStore, clock: Clock, meter: Meter | None = None) -> None:
        self._objects, self._meter = objects, meter
        self._log = PromotionLog(objects, clock)

    def publish(self, info: ModelVersion, files: Mapping[str, Path]) -> None:
        """Keep a version: its files first, its manifest last. Publishing the same again changes nothing.

        files: local path of each file by its name; "model.tflite" must be among them.

        Raises:
            BadOptions: a name cannot be used, or there is no model.tflite.
            Damaged: model.tflite does not have the digest that `info` names.
            Conflict: the version stands already with another digest, or its manifest says that it is not to
                be served.
        """
        if refused := info.lineage.get("unservable"):
            raise Conflict(
                f"Version {info.version} must not be served and is not kept: {refused}. Serve the version "
                f"that it was made from, {info.lineage.get('parent')}."
            )
        hashes = _checked(info, files)
        if self._stands(info):
            return
        for name, path in files.items():
            self._keep(f"models/{info.version}/{name}", path, hashes[name])
        manifest = {**codec.to_json(info), "files": hashes}
        try:
            self._objects.create(_manifest_key(info.version), encoded(manifest))
        except AlreadyExists:
            self._stands(info)

    def versions(self) -> list[ModelVersion]:
        """Every kept version, newest first. Raises Damaged where a manifest cannot be read."""
        keys = (_MANIFEST.fullmatch(found.key) for found in self._objects.list("models/"))
        kept = [self.version(key[1]) for key in keys if key]
        return sorted(kept, key=lambda v: (v.created, v.version), reverse=True)

    def version(self, version: str) -> ModelVersion:
        """One kept version. Raises UnknownVersion, and Damaged where its manifest cannot be read."""
        return self._manifest(version)[0]

    def fetch(self, version: str, file: str, to: Path) -> Path:
        """Bring a version's file to `to`, unless the right one lies there already; return `to`.

        Raises:
            UnknownVersion: no such version. NotFound: it has no such file.
            Damaged: the stored file is not the one that was published (ModelUnusable for the model itself).
        """
        hashes = self._manifest(version)[1]
        if file not in hashes:
            raise NotFound(f"Version {version} holds no {file}; it holds {', '.join(sorted(hashes))}.")
        if to.is_file() and _sha256(to) == hashes[file]:
            return to
        to.parent.mkdir(parents=True, exist_ok=True)
        problem = ModelUnusable if file == MODEL else Damaged
        try:
            self._objects.fetch(f"models/{version}/{file}", to)
        except NotFound:
            raise problem(f"{file} of version {version} is gone from the store. Restore it.") from None
        if _sha256(to) != hashes[file]:
            to.unlink(missing_ok=True)
            raise problem(
                f"{file} of version {version} is not the file that was published: its SHA-256 differs. "
                "Restore it from a backup, or roll back to another version."
            )
        return to

    def newest(self) -> Promotion | None:
        """The entry that names what is served, or None before the first. Raises Damaged."""
        return self._log.newest()

    def history(self) -> list[Promotion]:
        """Every entry of the log, newest first. Raises Damaged as `verify` does."""
        return list(self._log.walk())

    def verify(self) -> None:
        """Check the whole log: no entry missing, each naming the hash of the one before.

        A changed newest entry shows only once another follows it, since nothing names its hash yet.

        Raises:
            Damaged: names the first entry, from the newest back, that does not hold.
        """
        self.history()

    def promote(
        self, version: str, *, verdict: str, actor: str, reason: str, after: int | None = None
    ) -> Promotion:
        """Serve a version from now on: append an entry to the log.

        after: number of the entry on which this was decided (0: an empty log); where another has come since,
            nothing is written.

        Raises:
            UnknownVersion: it is not kept here.
            Conflict: it is served already, or another promotion came first.
        """
        info = self.version(version)
        entry = self._log.append(info, verdict=verdict, actor=actor, reason=reason, after=after)
        if self._meter is not None:
            self._meter.tell({PROMOTIONS: 1}, model_version=version, verdict=verdict)
        return entry

    def rollback(self, *, actor: str, reason: str, to: str | None = None) -> Promotion:
        """Serve again what was served before: append an entry that names it.

        to: the version to go back to; None: the one that was served before the present one, passing over
            those that a rollback left: pressed twice it goes further back, never to what was bad.

        Raises:
            Conflict: nothing else was served before, `to` never was, or another promotion came first.
            UnknownVersion, Damaged: the version is no longer kept as it was served.
        """
        past = self._log.walk()
        present = next(past, None)
        if present is None:
            raise Conflict("Nothing has been promoted yet, so there is nothing to roll back to.")
        if to == present.version:
            raise Conflict(f"Version {to} is served already; there is nothing to roll back.")
        goal = _before(present, past) if to is None else next((e for e in past if e.version == to), None)
        if goal is None and to is None:
            raise Conflict(
                f"No version from before {present.version} is left to roll back to. Name the one to serve."
            )
        if goal is None:
            raise Conflict(f"Version {to} was never served, so it is no rollback; promote it instead.")
        if self.version(goal.version).digest != goal.digest:
            raise Damaged(f"Version {goal.version} is not the model that entry {goal.number} served.")
        return self.promote(goal.version, verdict=ROLLBACK, actor=actor, reason=reason, after=present.number)

    def _manifest(self, version: str) -> tuple[ModelVersion, dict[str, str]]:
        """A version, and the SHA-256 of each of its files."""
        if not _NAME.fullmatch(version):
            raise UnknownVersion(f"There is no model version {version[:100]!r}.")
        key = _manifest_key(version)
        try:
            content = self._objects.get(key)
        except NotFound:
            raise UnknownVersion(
                f"There is no model version {version}. `malaria models list` names those there are."
            ) from None
        info, hashes = decoded(key, content, _manifest_from_json)
        if info.version != version:
            raise Damaged(f"{key} is the manifest of version {info.version}.")
        return info, hashes

    def _stands(self, info: ModelVersion) -> bool:
        try:
            standing = self.version(info.version)
        except UnknownVersion:
            return False
        if standing.digest != info.digest:
            raise Conflict(
                f"Version {info.version} stands already with another model ({standing.digest[:12]}...)."
            )
        return True

    def _keep(self, key: str, path: Path, sha256: str) -> None:
        """Create a file, or mend what a publication that was cut short left behind."""
        try:
            self._objects.create(key, path)
        except AlreadyExists:
            if hashlib.sha256(self._objects.get(key)).hexdigest() != sha256:
                self._objects.put(key, path)


def _manifest_key(version: str) -> str:
    return f"models/{version}/{MANIFEST}"


def _manifest_from_json(value: dict[str, Any]) -> tuple[ModelVersion, dict[str, str]]:
    info = codec.version_from_json(value)
    return info, {**value.get("files", {}), MODEL: info.digest}


def _before(present: Promotion, past: Iterator[Promotion]) -> Promotion | None:
    """The newest entry of another version that no later rollback left behind."""
    left, after = {present.version}, present
    for entry in past:
        if after.verdict == ROLLBACK:
            left.add(entry.version)
        if entry.version not in left:
            return entry
        after = entry
    return None


def _checked(info: ModelVersion, files: Mapping[str, Path]) -> dict[str, str]:
    """The SHA-256 of each file to publish; names and model are checked."""
    for name in (info.version, *files):
        if not _NAME.fullmatch(name) or name == MANIFEST:
            raise BadOptions(f"{name!r} cannot be kept: names are made of letters, digits, '.', '_', '-'.")
    if MODEL not in files:
        raise BadOptions(f"Version {info.version} has no {MODEL}; without it nothing can be served.")
    hashes = {name: _sha256(path) for name, path in files.items()}
    if hashes[MODEL] != info.digest:
        raise Damaged(
            f"{files[MODEL].name} has the SHA-256 {hashes[MODEL][:12]}..., "
            f"but its manifest names {info.digest[:12]}..."
        )
    return hashes


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
