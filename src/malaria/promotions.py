"""The append-only log of promotions: its newest entry names the model that is served.

An entry is one object of a Countdown, created only where none stands, and names the hash of the one before.
So history cannot be lost, two writers cannot both win, and "what was served on that day" has an answer.
"""

import hashlib
import uuid
from collections.abc import Iterator

from malaria import codec
from malaria.countdown import Countdown
from malaria.domain import ModelVersion, Promotion
from malaria.errors import Conflict, Damaged, NotFound
from malaria.ports import Clock, ObjectStore
from malaria.stored import decoded, encoded

FOLDER = "promotions/"


class PromotionLog:
    """The log in an object store. Not a lock: of racing writers one wins and the others hear Conflict."""

    def __init__(self, objects: ObjectStore, clock: Clock) -> None:
        self._objects, self._clock = objects, clock
        self._entries = Countdown(objects, FOLDER)

    def newest(self) -> Promotion | None:
        """The entry that counts, or None before the first; one list call of one key. Raises Damaged."""
        return next(self.walk(), None)

    def walk(self) -> Iterator[Promotion]:
        """Entries from the newest back, each checked against the hash that its follower names.

        Raises:
            Damaged: names the first entry that is missing, unreadable or changed.
        """
        found = self._newest()
        while found:
            entry = found[0]
            yield entry
            if entry.number == 1:
                if entry.previous:
                    raise Damaged("Entry 1 of the promotion log names an entry before it, and there is none.")
                return
            found = self._read(entry.number - 1)
            if _hash(found[1]) != entry.previous:
                raise Damaged(
                    f"Entry {entry.number - 1} of the promotion log is not what entry {entry.number} names: "
                    "one was changed after it was written. Restore the log from a backup."
                )

    def append(
        self, info: ModelVersion, *, verdict: str, actor: str, reason: str, after: int | None = None
    ) -> Promotion:
        """Make a version the one that is served.

        after: number of the entry on which this was decided (0: an empty log); None: whichever is newest.

        Raises:
            Conflict: the version is served already, or another entry came first; nothing was written.
        """
        found = self._newest()
        number = found[0].number if found else 0
        if after is not None and number != after:
            raise Conflict(
                f"Entry {number} came after entry {after} of the promotion log, on which this was decided. "
                "Nothing was written; look at what is served now and decide again."
            )
        if found and (found[0].version, found[0].digest) == (info.version, info.digest):
            raise Conflict(f"Version {info.version} is served already (entry {number}); nothing was written.")
        entry = Promotion(
            number=number + 1,
            version=info.version,
            digest=info.digest,
            verdict=verdict,
            actor=actor,
            reason=reason,
            at=self._clock.now(),
            previous=_hash(found[1]) if found else "",
            nonce=uuid.uuid4().hex,
        )
        if not self._entries.write(entry.number, encoded(codec.to_json(entry))):
            raise Conflict(
                f"Another promotion became entry {entry.number} at the same moment and nothing of this one "
                "was written. Look at what is served now and decide again."
            )
        return entry

    def _newest(self) -> tuple[Promotion, bytes] | None:
        number = self._entries.newest()
        return None if number is None else self._read(number)

    def _read(self, number: int) -> tuple[Promotion, bytes]:
        key = self._entries.key(number)
        try:
            content = self._objects.get(key)
        except NotFound:
            raise Damaged(f"Entry {number} of the promotion log is missing ({key}).") from None
        return _parsed(number, key, content), content


def _parsed(number: int, key: str, content: bytes) -> Promotion:
    entry = decoded(key, content, codec.promotion_from_json)
    if entry.number != number:
        raise Damaged(f"Entry {number} of the promotion log says that it is entry {entry.number}.")
    return entry


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
