"""Keys of callers: who may ask what of a server that strangers can reach.

A key is 256 random bits, shown once when it is made; only its SHA-256 is kept. All keys stand in one small
object of a Countdown, `private/keys/`, and every change is a new one, created only where none stands: two
people who change at once cannot undo each other, and who could do what on some day has an answer.
"""

import hashlib
import logging
import re
import secrets
import threading
import time
import uuid
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from malaria import codec
from malaria.countdown import Countdown
from malaria.domain import Scope
from malaria.errors import BadOptions, Busy, Conflict, MalariaError, NotFound
from malaria.ports import Clock, ObjectStore
from malaria.stored import decoded, encoded

log = logging.getLogger(__name__)

FOLDER = "private/keys/"
PREFIX = "malaria_"
"""Of every key, so that whoever finds one, a person or a scanner of secrets, knows what it is."""
BYTES = 32
KNOWN_SECONDS = 30.0
"""For which keys that were read are trusted: as long a key that was withdrawn may still be accepted."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class Key:
    """name: whose it is. digest: SHA-256 of its text, hexadecimal. scopes: what it may do, reading apart,
    which all may. until: None for a key that does not end. requests_per_minute, pictures_per_minute: None for
    what the settings say, 0 for no limit."""

    name: str
    digest: str
    scopes: tuple[Scope, ...]
    created: datetime
    until: datetime | None = None
    requests_per_minute: int | None = None
    pictures_per_minute: int | None = None


@dataclass(frozen=True, slots=True)
class Ring:
    """The keys that were valid from `at` on. number: 1 for the first. nonce: tells its writer its own."""

    number: int
    at: datetime
    keys: tuple[Key, ...]
    nonce: str = ""


class Keys:
    """The keys in an object store, as an operator changes them."""

    def __init__(self, objects: ObjectStore, clock: Clock) -> None:
        self._objects, self._clock = objects, clock
        self._rings = Countdown(objects, FOLDER)

    def all(self) -> tuple[Key, ...]:
        """By name. Raises Damaged."""
        return self._newest().keys

    def add(
        self,
        name: str,
        scopes: Collection[Scope],
        until: datetime | None = None,
        *,
        requests_per_minute: int | None = None,
        pictures_per_minute: int | None = None,
    ) -> str:
        """Make a key and return its text, which is told nowhere else.

        Raises BadOptions where name, scopes, end or limits cannot be, Conflict where the name has a key or
        somebody changed the keys at the same moment.
        """
        now = self._clock.now()
        if not _NAME.fullmatch(name):
            raise BadOptions(
                f"{name[:80]!r} cannot name a key: use up to 64 letters, digits, '.', '_' and '-'."
            )
        if not scopes:
            raise BadOptions(f"Say what the key may do: {', '.join(Scope)}.")
        if until is not None and until <= now:
            raise BadOptions("The key would have ended already. Name a time to come.")
        if min(requests_per_minute or 0, pictures_per_minute or 0) < 0:
            raise BadOptions("A limit is a number a minute, 1 or more; 0 is for none.")
        ring = self._newest()
        if any(key.name == name for key in ring.keys):
            raise Conflict(f"There is a key {name}. Remove it first, or name the new one otherwise.")
        text = new_text()
        may = tuple(scope for scope in Scope if scope in scopes)
        key = Key(name, digest(text), may, now, until, requests_per_minute, pictures_per_minute)
        self._write(ring, sorted((*ring.keys, key), key=lambda one: one.name))
        return text

    def admit(self, name: str, text: str, scopes: Collection[Scope]) -> None:
        """Let a key in that was made elsewhere, under this name alone; nothing is written where it is.

        Raises Conflict where somebody changed the keys at the same moment.
        """
        ring = self._newest()
        held = next((key for key in ring.keys if key.name == name), None)
        wanted = tuple(scope for scope in Scope if scope in scopes)
        if held is not None and (held.digest, held.scopes, held.until) == (digest(text), wanted, None):
            return
        others = [key for key in ring.keys if key.name != name]
        key = Key(name, digest(text), wanted, self._clock.now())
        self._write(ring, sorted((*others, key), key=lambda one: one.name))

    def remove(self, name: str) -> None:
        """Withdraw a key. Raises NotFound, and Conflict where somebody changed the keys at the same
        moment."""
        ring = self._newest()
        left = [key for key in ring.keys if key.name != name]
        if len(left) == len(ring.keys):
            raise NotFound(f"There is no key {name[:80]!r}. `malaria keys list` names them.")
        self._write(ring, left)

    def _newest(self) -> Ring:
        number = self._rings.newest()
        if number is None:
            return Ring(0, self._clock.now(), ())
        key = self._rings.key(number)
        return decoded(key, self._objects.get(key), lambda told: codec.from_json(Ring, told))

    def _write(self, after: Ring, keys: Sequence[Key]) -> None:
        number, now = after.number + 1, self._clock.now()
        ring = Ring(number, now, tuple(keys), uuid.uuid4().hex)
        if not self._rings.write(number, encoded(codec.to_json(ring))):
            raise Conflict("Somebody changed the keys at the same moment. Nothing was changed.")


class Doorkeeper:
    """Knows keys by their text, and asks the store at most every KNOWN_SECONDS. For many threads."""

    def __init__(self, keys: Keys, clock: Clock, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._keys, self._clock, self._monotonic = keys, clock, monotonic
        self._known: dict[str, Key] = {}
        self._due = float("-inf")
        self._lock = threading.Lock()

    def holder(self, text: str) -> Key | None:
        """The key of that text, or None where it is none, was withdrawn or has ended.

        A store that fails leaves what is known: as long, a withdrawn key is still accepted. Raises Busy where
        nothing is known yet.
        """
        self._look()
        found = self._known.get(digest(text))
        ended = found is not None and found.until is not None and found.until <= self._clock.now()
        return None if ended else found

    def _look(self) -> None:
        with self._lock:
            if self._monotonic() < self._due:
                return
            try:
                self._known = {key.digest: key for key in self._keys.all()}
            except MalariaError as error:
                if self._due == float("-inf"):
                    raise Busy("The keys cannot be read just now. Try again.") from error
                log.warning("the keys could not be read; those known before are accepted: %s", error)
            self._due = self._monotonic() + KNOWN_SECONDS


def new_text() -> str:
    """The text of a key like no other."""
    return PREFIX + secrets.token_urlsafe(BYTES)


def digest(text: str) -> str:
    """SHA-256 of a key. Its 256 bits cannot be guessed, so nothing slower is needed."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
