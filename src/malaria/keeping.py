"""Pictures that are kept for a while, where the operator has asked for it, so that confirmed ones can teach.

`waiting/{fingerprint}` holds the bytes of a picture that was answered, until it lapses or is confirmed;
`pool/{fingerprint}` those confirmed, until a retraining has them. Nothing is kept unless
`days` is more than 0, and what is there is removed once it, or the wish to retrain, is gone.
"""

import logging
from datetime import timedelta
from pathlib import PurePosixPath

from malaria.errors import Busy, NotFound
from malaria.ports import Clock, ObjectStore

log = logging.getLogger(__name__)

WAITING, POOL = "waiting/", "pool/"


class Kept:
    """The kept pictures. Safe to use from many threads and processes: every step may be done twice.

    days: for which a picture waits to be confirmed. pooled: whether confirmed ones are put aside for a
    retraining.
    """

    def __init__(self, objects: ObjectStore, clock: Clock, *, days: int, pooled: bool) -> None:
        self.objects, self.days = objects, days
        self._clock, self._pooled = clock, pooled

    def keep(self, fingerprint: int, picture: bytes) -> None:
        """Keep the bytes of a picture that was answered, from now on for `days`.

        A store that fails is logged: the answer matters more.
        """
        if not self.days:
            return
        try:
            self.objects.put(_key(WAITING, fingerprint), picture)
        except Busy:
            log.warning("a picture could not be kept", exc_info=True)

    def confirm(self, fingerprint: int) -> None:
        """Put a picture that is kept aside for a retraining, where one is to be opened.

        Raises Busy where the store fails; confirm it again.
        """
        if not (self.days and self._pooled):
            return
        waiting = _key(WAITING, fingerprint)
        try:
            self.objects.put(_key(POOL, fingerprint), self.objects.get(waiting))
        except NotFound:
            return
        self.objects.delete(waiting)

    def pool(self) -> set[int]:
        """Fingerprints of the confirmed pictures that are put aside."""
        return {int(PurePosixPath(info.key).name, 16) for info in self.objects.list(POOL)}

    def read(self, fingerprint: int) -> bytes:
        """A picture of the pool. Raises NotFound."""
        return self.objects.get(_key(POOL, fingerprint))

    def remove(self, fingerprint: int) -> None:
        """Remove a picture from the pool."""
        self.objects.delete(_key(POOL, fingerprint))

    def sweep(self) -> int:
        """Remove what has lapsed; return how many pictures were removed."""
        before = self._clock.now() - timedelta(days=self.days)
        lapsed = [info.key for info in self.objects.list(WAITING) if not self.days or info.modified < before]
        if not (self.days and self._pooled):
            lapsed += [info.key for info in self.objects.list(POOL)]
        for key in lapsed:
            self.objects.delete(key)
        return len(lapsed)


def _key(folder: str, fingerprint: int) -> str:
    return f"{folder}{fingerprint:016x}"
