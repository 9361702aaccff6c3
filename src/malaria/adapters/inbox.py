"""The folder into which people drop ZIPs: each is taken in once it is whole, and then removed."""

import logging
import os
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from malaria.domain import Job
from malaria.errors import MalariaError

log = logging.getLogger(__name__)

_UNFINISHED = (".part", ".partial", ".crdownload", ".download", ".tmp", ".filepart")


class Intake(Protocol):
    """What takes an upload in: `trigger.Trigger`."""

    def take_in(self, source: Path, *, name: str, identity: str | None, actor: str) -> Job: ...


@dataclass(frozen=True, slots=True)
class _Seen:
    """A file as it was when it last changed, and when (on this process's own clock) that was seen."""

    identity: str
    since: float
    due: float = 0.0
    """Not before this is it looked at again: something stood in the way, and has been told."""


class Inbox:
    """Looks at a folder whenever `scan` is called, from one thread.

    A ZIP is whole when its size and times stay for `settle` seconds and it ends as a ZIP does, or when they
    stay for `patience` seconds. Removing it comes last, so a crash at any point loses nothing, and its
    identity (name, size, times) keeps what is seen twice from becoming two jobs. A file dropped once more has
    a new change time, and is a new upload.
    """

    def __init__(
        self,
        folder: Path,
        trigger: Intake,
        *,
        settle: float = 1.0,
        patience: float = 10.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder, self._trigger, self._monotonic = folder, trigger, monotonic
        self._settle, self._patience = settle, patience
        self._seen: dict[str, _Seen] = {}
        self._told: set[str] = set()

    def scan(self) -> list[Job]:
        """Take in what has become whole since; return the jobs. What fails is told once and tried later."""
        self._folder.mkdir(parents=True, exist_ok=True)
        files = {path.name: path for path in sorted(self._folder.iterdir()) if self._is_upload(path)}
        self._seen = {name: seen for name, seen in self._seen.items() if name in files}
        found = []
        for name, path in files.items():
            try:
                job = self._look(path)
            except FileNotFoundError:
                continue  # taken away this moment, by a person or by another server
            except (MalariaError, OSError) as error:
                log.warning("%s in the inbox could not be taken in; it stays: %s", name, error)
                self._postpone(path)
                continue
            if job is not None:
                found.append(job)
        return found

    def _is_upload(self, path: Path) -> bool:
        name = path.name.lower()
        if name.startswith((".", "~")) or name.endswith(_UNFINISHED):
            return False
        if name.endswith(".zip") and path.is_file():
            return True
        if path.name not in self._told:
            self._told.add(path.name)
            log.warning("%s in the inbox is left alone: only .zip files are taken in", path.name)
        return False

    def _look(self, path: Path) -> Job | None:
        now = self._monotonic()
        identity = _identity(path)
        seen = self._seen.get(path.name)
        if seen is None or seen.identity != identity:
            self._seen[path.name] = _Seen(identity, now)
            return None
        age = now - seen.since
        if now < seen.due or age < self._settle:
            return None
        whole = zipfile.is_zipfile(path)
        if not whole and age < self._patience:
            return None
        job = self._trigger.take_in(path, name=path.name, identity=identity, actor="inbox")
        if whole and _identity(path) == identity:
            path.unlink(missing_ok=True)
            del self._seen[path.name]
        else:
            # Someone may still be writing it. If so it changes, and is looked at anew; if not, it stays for a
            # person to see, beside a job that says what is wrong with it.
            self._seen[path.name] = _Seen(identity, seen.since, due=float("inf"))
        return job

    def _postpone(self, path: Path) -> None:
        seen = self._seen.get(path.name)
        if seen is not None:
            self._seen[path.name] = _Seen(seen.identity, seen.since, due=self._monotonic() + 30.0)


def _identity(path: Path) -> str:
    stat = path.stat()
    name = os.fsencode(path.name).decode("utf-8", "backslashreplace")
    return f"inbox:{name}:{stat.st_size}:{stat.st_mtime_ns}:{stat.st_ctime_ns}"
