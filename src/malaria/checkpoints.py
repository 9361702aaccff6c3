"""Checkpoints of a training, copied to where they outlive the machine that it runs on.

A task that is killed, or whose spare capacity is taken away, is started again on another machine with an
empty disk. Nothing is removed here: the store itself lets old checkpoints lapse.
"""

import logging
from pathlib import Path, PurePosixPath

from malaria.errors import Busy, NotFound
from malaria.ports import ObjectStore

log = logging.getLogger(__name__)

FOLDER = "checkpoints/"
EPOCHS, BESIDE = "epoch-*.keras", ("history.csv",)
"""Files of a run folder: one for each epoch, of which the newest counts, and what goes on growing."""


class Checkpoints:
    """Those of one job. A store that fails is logged: it costs a later attempt time, and this one nothing."""

    def __init__(self, objects: ObjectStore, job: str) -> None:
        self._objects, self._job = objects, job

    def keep(self, run: Path) -> None:
        """Copy what a run folder holds after an epoch."""
        epochs = sorted(run.glob(EPOCHS))[-1:]
        try:
            for path in (*(run / name for name in BESIDE if (run / name).exists()), *epochs):
                self._objects.put(self._key(run, path.name), path)
        except Busy:
            log.warning("a checkpoint of job %s could not be kept", self._job, exc_info=True)

    def bring(self, run: Path) -> None:
        """Put what an earlier attempt kept into a run folder that has no checkpoint of its own."""
        if any(run.glob(EPOCHS)):
            return
        run.mkdir(parents=True, exist_ok=True)
        try:
            kept = [PurePosixPath(one.key).name for one in self._objects.list(self._key(run, ""))]
            newest = [name for name in kept if PurePosixPath(name).match(EPOCHS)][-1:]
            for name in (*(name for name in BESIDE if name in kept), *newest):
                self._objects.fetch(self._key(run, name), run / name)
        except (Busy, NotFound):
            log.warning("job %s begins anew: its checkpoint could not be read", self._job, exc_info=True)

    def _key(self, run: Path, name: str) -> str:
        return f"{FOLDER}{self._job}/{run.name}/{name}"
