"""Model versions as they are kept, and the append-only log that says which one is served.

A version is a set of files below `models/{version}/`; its manifest is written last, so a version that can be
seen is whole. A promotion is one object, created only where none stands, and names the hash of the one before:
history cannot be lost, two writers cannot both win, and "what was served on that day" has an answer. Keys count
down, so the newest entry is the first that a store lists, at any length of the log.
"""

import hashlib
import json
import re
import time
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from malaria import codec
from malaria.domain import ModelVersion, Promotion
from malaria.errors import AlreadyExists, BadOptions, Conflict, Damaged, ModelUnusable, NotFound, UnknownVersion
from malaria.ports import Clock, ObjectStore

MODEL = "model.tflite"
LOG = "promotions/"
_LAST = 99_999_999
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_ENTRY = re.compile(r"promotions/\d{8}\.json")
_WAITS = (0.05, 0.25, 1.0)
"""Seconds before each further try to write an entry after an error that says nothing about the outcome."""


class Registry:
    """The kept versions and the promotion log, over an object store."""

    def __init__(self, objects: ObjectStore, clock: Clock) -> None:
        self._objects, self._clock = objects, clock

    # ---- versions ----

    def publish(self, info: ModelVersion, files: Mapping[str, Path]) -> None:
        """Keep a version: its files first, its manifest last. Publishing the same model again changes nothing.

        files: local path of each file by its name; "model.tflite" must be among them.

        Raises:
            BadOptions: a name cannot be used, or there is no model.tflite.
            Damaged: model.tflite does not have the digest that `info` names.
            Conflict: the version stands already with another digest.
        """
        hashes = _checked(info, files)
        if self._stands(info):
            return
        for name, path in files.items():
            self._keep(f"models/{info.version}/{name}", path, hashes[name])
        manifest = {**codec.to_json(info), "files": hashes}
        try:
            self._objects.create(_manifest_key(info.version), _encoded(manifest))
        except AlreadyExists:
            self._stands(info)

    def versions(self) -> list[ModelVersion]:
        """Every kept version, newest first. Raises Damaged where a manifest cannot be read."""
        names = [o.key.split("/")[1] for o in self._objects.list("models/") if _is_manifest(o.key)]
        return sorted((self.version(name) for name in names), key=lambda v: (v.created, v.version), reverse=True)

    def version(self, version: str) -> ModelVersion:
        """One kept version. Raises UnknownVersion, and Damaged where its manifest cannot be read."""
        return codec.version_from_json(self._manifest(version))

    def fetch(self, version: str, file: str, to: Path) -> Path:
        """Bring a version's file to `to`, unless the right one lies there already; return `to`.

        Raises:
            UnknownVersion: no such version. NotFound: it has no such file.
            Damaged: the stored file is not the one that was published (ModelUnusable for the model itself).
        """
        manifest = self._manifest(version)
        hashes = {**manifest.get("files", {}), MODEL: manifest["digest"]}
        if file not in hashes:
            raise NotFound(f"Version {version} holds no {file}; it holds {', '.join(sorted(hashes))}.")
        if to.is_file() and _sha256(to) == hashes[file]:
            return to
        to.parent.mkdir(parents=True, exist_ok=True)
        kind = ModelUnusable if file == MODEL else Damaged
        try:
            self._objects.fetch(f"models/{version}/{file}", to)
        except NotFound:
            raise kind(f"{file} of version {version} is missing from the store. Publish it again.") from None
        if _sha256(to) != hashes[file]:
            to.unlink(missing_ok=True)
            raise kind(
                f"{file} of version {version} is not the file that was published: its SHA-256 differs. "
                "Restore the store from a backup, or roll back to another version."
            )
        return to

    # ---- the log ----

    def newest(self) -> Promotion | None:
        """The entry that names what is served, or None before the first. Raises Damaged."""
        found = self._newest()
        return found[0] if found else None

    def history(self) -> list[Promotion]:
        """Every entry, newest first. Raises Damaged, naming an entry that is missing or cannot be read."""
        return [entry for entry, _ in self._walk()]

    def promote(
        self, version: str, *, verdict: str, actor: str, reason: str, after: int | None = None
    ) -> Promotion:
        """Serve a version from now on: append an entry to the log.

        after: number of the entry that the decision was made on (0: an empty log); where another has come
            since, nothing is written.

        Raises:
            UnknownVersion: it is not kept here.
            Conflict: it is served already, or another promotion came first.
        """
        info = self.version(version)
        found = self._newest()
        number = found[0].number if found else 0
        if after is not None and number != after:
            raise Conflict(
                f"Another promotion (entry {number}) came after entry {after}, on which this was decided. "
                "Nothing was written; look at what is served now and decide again."
            )
        if found and (found[0].version, found[0].digest) == (info.version, info.digest):
            raise Conflict(f"Version {version} is served already (entry {number}); there is nothing to promote.")
        entry = Promotion(
            number=number + 1,
            version=info.version,
            digest=info.digest,
            verdict=verdict,
            actor=actor,
            reason=reason,
            at=self._clock.now(),
            previous=hashlib.sha256(found[1]).hexdigest() if found else "",
            nonce=uuid.uuid4().hex,
        )
        return self._append(entry)

    def rollback(self, *, actor: str, reason: str, to: str | None = None) -> Promotion:
        """Serve again what was served before: append an entry that names it.

        to: the version to go back to; None: the one that was served before the present one. A second
            rollback without `to` therefore returns to the version left by the first.

        Raises:
            Conflict: nothing else was served before, `to` never was, or another promotion came first.
            UnknownVersion, Damaged: the version is no longer kept as it was served.
        """
        past = self._walk()
        present = next(past, (None, b""))[0]
        if present is None:
            raise Conflict("Nothing has been promoted yet, so there is nothing to roll back to.")
        if to == present.version:
            raise Conflict(f"Version {to} is served already; there is nothing to roll back.")
        goal = next((e for e, _ in past if e.version == to or (to is None and e.version != present.version)), None)
        if goal is None:
            raise Conflict(
                f"Version {to} was never served, so it is no rollback; promote it instead."
                if to
                else f"Only {present.version} was ever served, so there is nothing to roll back to."
            )
        if self.version(goal.version).digest != goal.digest:
            raise Damaged(f"Version {goal.version} is not the model that entry {goal.number} of the log served.")
        return self.promote(goal.version, verdict="rollback", actor=actor, reason=reason, after=present.number)

    def verify(self) -> None:
        """Check the whole log: no entry missing, each naming the hash of the one before.

        A changed newest entry shows only once another follows it, since nothing names its hash yet.

        Raises:
            Damaged: names the first entry, from the newest back, that does not hold.
        """
        for _ in self._walk():
            pass

    # ---- inside ----

    def _manifest(self, version: str) -> dict[str, Any]:
        key = _manifest_key(version)
        if not _NAME.fullmatch(version):
            raise UnknownVersion(f"There is no model version {version[:100]!r}.")
        try:
            manifest = _decoded(key, self._objects.get(key))
        except NotFound:
            raise UnknownVersion(f"There is no model version {version}. `malaria models list` names them.") from None
        if manifest.get("version") != version or "digest" not in manifest:
            raise Damaged(f"{key} is not the manifest of version {version}.")
        return manifest

    def _stands(self, info: ModelVersion) -> bool:
        try:
            digest = self._manifest(info.version)["digest"]
        except UnknownVersion:
            return False
        if digest != info.digest:
            raise Conflict(f"Version {info.version} stands already with another model (SHA-256 {digest[:12]}...).")
        return True

    def _keep(self, key: str, path: Path, sha256: str) -> None:
        """Create a file, or mend what a publication that was cut short left behind."""
        try:
            self._objects.create(key, path)
        except AlreadyExists:
            if hashlib.sha256(self._objects.get(key)).hexdigest() != sha256:
                self._objects.put(key, path)

    def _newest(self) -> tuple[Promotion, bytes] | None:
        first = self._objects.list(LOG, limit=1)
        if first and not _ENTRY.fullmatch(first[0].key):  # something else lies in the log's folder
            first = [o for o in self._objects.list(LOG) if _ENTRY.fullmatch(o.key)][:1]
        return self._read(_LAST - int(first[0].key[len(LOG) : -len(".json")])) if first else None

    def _read(self, number: int) -> tuple[Promotion, bytes]:
        key = _entry_key(number)
        try:
            content = self._objects.get(key)
        except NotFound:
            raise Damaged(f"Entry {number} of the promotion log is missing ({key}).") from None
        try:
            entry = codec.promotion_from_json(_decoded(key, content))
        except (ValueError, KeyError, TypeError) as error:
            raise Damaged(f"Entry {number} of the promotion log cannot be read ({key}): {error}") from error
        if entry.number != number:
            raise Damaged(f"Entry {number} of the promotion log says that it is entry {entry.number} ({key}).")
        return entry, content

    def _walk(self) -> Iterator[tuple[Promotion, bytes]]:
        """Entries from the newest back, each checked against the hash that its follower names."""
        found = self._newest()
        while found:
            yield found
            entry = found[0]
            if entry.number == 1:
                if entry.previous:
                    raise Damaged("Entry 1 of the promotion log names an entry before it, and there is none.")
                return
            found = self._read(entry.number - 1)
            if hashlib.sha256(found[1]).hexdigest() != entry.previous:
                raise Damaged(
                    f"Entry {entry.number - 1} of the promotion log is not what entry {entry.number} followed: one of "
                    "the two was changed after it was written. Restore the log from a backup."
                )

    def _append(self, entry: Promotion) -> Promotion:
        """Write an entry once. A create whose outcome is unknown is settled by reading back."""
        content = _encoded(codec.to_json(entry))
        for wait in (*_WAITS, None):
            try:
                self._objects.create(_entry_key(entry.number), content)
                return entry
            except AlreadyExists:  # perhaps our own: a retried request meets its first success like this
                standing = self._nonce(entry.number)
            except Exception:  # whatever a network throws; settled below, and raised where it cannot be
                standing = self._nonce(entry.number)
                if standing is None and wait is None:
                    raise
            if standing == entry.nonce:
                return entry
            if standing is not None:
                break
            time.sleep(wait or 0.0)
        raise Conflict(
            f"Another promotion became entry {entry.number} at the same moment. "
            "Nothing of this one was written; look at what is served now and decide again."
        )

    def _nonce(self, number: int) -> str | None:
        """Whose entry stands under a number; None where none does."""
        try:
            return codec.promotion_from_json(_decoded(_entry_key(number), self._objects.get(_entry_key(number)))).nonce
        except NotFound:
            return None


def _entry_key(number: int) -> str:
    return f"{LOG}{_LAST - number:08}.json"


def _manifest_key(version: str) -> str:
    return f"models/{version}/manifest.json"


def _is_manifest(key: str) -> bool:
    parts = key.split("/")
    return len(parts) == 3 and parts[2] == "manifest.json" and _NAME.fullmatch(parts[1]) is not None


def _checked(info: ModelVersion, files: Mapping[str, Path]) -> dict[str, str]:
    """The SHA-256 of each file to publish, names and model checked."""
    for name in (info.version, *files):
        if not _NAME.fullmatch(name) or name == "manifest.json":
            raise BadOptions(f"{name!r} cannot be kept; use letters, digits, '.', '_' and '-'.")
    if MODEL not in files:
        raise BadOptions(f"Version {info.version} has no {MODEL}; a version without it cannot be served.")
    hashes = {name: _sha256(path) for name, path in files.items()}
    if hashes[MODEL] != info.digest:
        raise Damaged(f"{files[MODEL]} has SHA-256 {hashes[MODEL][:12]}..., its manifest says {info.digest[:12]}...")
    return hashes


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _encoded(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False).encode()


def _decoded(key: str, content: bytes) -> dict[str, Any]:
    try:
        value = json.loads(content)
    except ValueError as error:
        raise Damaged(f"{key} cannot be read: {error}") from error
    if not isinstance(value, dict):
        raise Damaged(f"{key} cannot be read: it is not a JSON object.")
    return value
