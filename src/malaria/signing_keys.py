"""The keys under which ids of predictions are signed: the newest first, made once where none is given.

A key is text of at least SHORTEST characters. The file holds one a line, and is its owner's alone.
"""

import contextlib
import os
import secrets
from collections.abc import Sequence
from pathlib import Path

from malaria import whole
from malaria.errors import AlreadyExists, Damaged, NotFound
from malaria.ports import ObjectStore

FILE, KEY = "signing.keys", "private/signing.keys"
"""In a home folder, and in an object store."""
BYTES = 32
"""Random bytes of a key that is made here, written as hexadecimal digits."""
SHORTEST = 32


def parse(text: str, separator: str) -> tuple[str, ...]:
    """Keys in their order. Raises ValueError where there is none or one is too short; its text is not
    told."""
    keys = tuple(key.strip() for key in text.split(separator) if key.strip())
    if not keys or min(map(len, keys)) < SHORTEST:
        raise ValueError(f"each key must have at least {SHORTEST} characters")
    return keys


def stored(home: Path) -> tuple[str, ...]:
    """The keys of a home folder, made at the first call; of several processes at once, all get the same.

    Raises Damaged where the file holds none.
    """
    path = home / FILE
    if not path.exists():
        with whole.new_file(path) as partial:
            _write(partial, [secrets.token_hex(BYTES)])
    try:
        return parse(path.read_text(encoding="ascii"), "\n")
    except ValueError as error:
        raise Damaged(
            f"{path} holds no key ({error}). Restore it from a backup; or remove it, and ids signed before "
            "can no longer be confirmed."
        ) from None


def shared(objects: ObjectStore) -> tuple[str, ...]:
    """The keys of all who share an object store, made at the first call; of several at once, all get the
    same.

    Raises Damaged where the object holds none, Busy where the store fails.
    """
    try:
        return kept(objects)
    except NotFound:
        with contextlib.suppress(AlreadyExists):  # another was first
            objects.create(KEY, f"{secrets.token_hex(BYTES)}\n".encode())
        return kept(objects)


def kept(objects: ObjectStore) -> tuple[str, ...]:
    """As `shared`, where nothing is made. Raises NotFound, too."""
    content = objects.get(KEY)
    try:
        return parse(content.decode("ascii"), "\n")
    except ValueError as error:
        told = "it is no text" if isinstance(error, UnicodeDecodeError) else str(error)
        raise Damaged(
            f"Object {KEY} holds no key ({told}). Bring back an earlier version of it; or delete it, and ids "
            "signed before can no longer be confirmed."
        ) from None


def renew(home: Path) -> tuple[str, ...]:
    """Put a new key before those that stand, which are still accepted; return all of them."""
    keys = (secrets.token_hex(BYTES), *stored(home))
    with whole.file(home / FILE) as partial:
        _write(partial, keys)
    return keys


def _write(path: Path, keys: Sequence[str]) -> None:
    """A new file that nobody else may read, on the disk before it gets its name."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.writelines(f"{key}\n" for key in keys)
        file.flush()
        os.fsync(file.fileno())
