"""Numbered objects of which the newest counts: `{folder}{countdown}.json`, each written once, for ever.

Keys count down, so the newest is the first that a store lists, at any length, by one call for one key.
"""

import re
import time

from malaria.errors import Busy, NotFound
from malaria.ports import ObjectStore

_LAST = 99_999_999
_WAITS = (0.05, 0.25, 1.0, None)
"""Seconds to wait after each try to write that ended in an error and left nothing behind."""


class Countdown:
    """The objects of a folder ('promotions/'); numbers begin with 1. Of racing writers one wins."""

    def __init__(self, objects: ObjectStore, folder: str) -> None:
        self._objects, self._folder = objects, folder
        self._named = re.compile(rf"{re.escape(folder)}(\d{{8}})\.json")

    def key(self, number: int) -> str:
        return f"{self._folder}{_LAST - number:08}.json"

    def newest(self) -> int | None:
        """The newest number, or None before the first."""
        first = self._objects.list(self._folder, limit=1)
        if first and not self._named.fullmatch(first[0].key):  # something that is none lies in the folder
            first = [o for o in self._objects.list(self._folder) if self._named.fullmatch(o.key)][:1]
        match = self._named.fullmatch(first[0].key) if first else None
        return _LAST - int(match[1]) if match else None

    def write(self, number: int, content: bytes) -> bool:
        """Write an object once; False where another's stands. What a create came to is settled by reading
        back, never by its error, so no two writers may have the same content.

        Raises what the store raises, where it goes on failing and nothing was left behind.
        """
        for wait in _WAITS:
            try:
                self._objects.create(self.key(number), content)
                return True
            except Exception:  # AlreadyExists may be our own, met by a retried request; the rest says nothing
                standing = self._standing(number)
                if standing is None and wait is None:
                    raise
            if standing is not None:
                return standing == content
            time.sleep(wait or 0.0)
        raise AssertionError("the last try returns or raises")

    def _standing(self, number: int) -> bytes | None:
        """What is under a number; None where there is nothing, or no answer just now."""
        try:
            return self._objects.get(self.key(number))
        except (NotFound, Busy):
            return None
