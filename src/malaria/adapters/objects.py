"""Objects in a local folder, in memory or in S3, all through obstore: streamed, atomic, created once.

obstore's local store writes beside the object and renames or links, so readers see all of it or none;
on top of it the folder is synced, since a laboratory's power fails more often than its laptop.
"""

import mmap
import os
import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import IO, Any

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, PreconditionError
from obstore.store import LocalStore, MemoryStore, S3Store

from malaria.domain import ObjectInfo
from malaria.errors import AlreadyExists, BadInput, Busy, NotFound

_CHUNK = 8 * 2**20
_STAGED = re.compile(r"#\d+(/|$)")
"""How the local store names what it is still writing; a key of that kind could never be listed there."""


class Objects:
    """An ObjectStore over one of obstore's stores.

    ordered: the store itself lists keys ascending. written: told each key after it was written.
    Every method raises Busy where the store fails or cannot be reached, BadInput where a key cannot be one.
    """

    def __init__(
        self,
        store: LocalStore | MemoryStore | S3Store,
        *,
        ordered: bool = False,
        written: Callable[[str], None] | None = None,
    ) -> None:
        self._store, self._ordered, self._written = store, ordered, written
        self._keeps = isinstance(store, MemoryStore)

    def get(self, key: str) -> bytes:
        with _told(key):
            return bytes(obstore.get(self._store, key).bytes())

    def put(self, key: str, data: bytes | Path) -> None:
        with _opened(data) as content, _told(key):
            obstore.put(self._store, key, content, chunk_size=_CHUNK)
            if self._written:
                self._written(key)

    def create(self, key: str, data: bytes | Path) -> None:
        # A conditional write is one request, which obstore holds in memory; a mapped file stays on the disk.
        # The store in memory keeps what it is given, so it must not be given a view of a file.
        opened = _opened(data) if isinstance(data, bytes) or self._keeps else _mapped(data)
        with opened as content, _told(key):
            obstore.put(self._store, key, content, mode="create", use_multipart=False)
            if self._written:
                self._written(key)

    def fetch(self, key: str, to: Path) -> None:
        to.parent.mkdir(parents=True, exist_ok=True)
        partial = to.with_name(f".{uuid.uuid4().hex}.part")
        try:
            with _told(key):
                found = obstore.get(self._store, key)
                with partial.open("wb") as file:
                    for chunk in found.stream(min_chunk_size=_CHUNK):
                        file.write(chunk)
                size = found.meta["size"]
            if partial.stat().st_size != size:
                raise Busy(f"Only a part of {key} came from the store. Try again.")
            partial.replace(to)
        finally:
            partial.unlink(missing_ok=True)

    def exists(self, key: str) -> bool:
        try:
            with _told(key):
                obstore.head(self._store, key)
        except NotFound:
            return False
        return True

    def list(self, prefix: str, limit: int | None = None) -> list[ObjectInfo]:
        if limit is not None and limit < 1:
            return []
        found: list[ObjectInfo] = []
        with _told(prefix):
            for page in obstore.list(self._store, prefix or None):
                found += [ObjectInfo(m["path"], m["size"], m["last_modified"]) for m in page]
                if self._ordered and limit is not None and len(found) >= limit:
                    break
        return sorted(found, key=lambda info: info.key)[:limit]

    def delete(self, key: str) -> None:
        try:
            with _told(key):
                obstore.delete(self._store, key)
        except NotFound:
            return


def local(root: Path, *, synced: bool = True) -> Objects:
    """Objects as files below a folder, which is made where it is absent.

    synced: what is written is on the disk before a call returns; False where it may be lost with the power.
    """
    root = root.resolve()
    root.mkdir(parents=True, exist_ok=True)

    def settle(key: str) -> None:
        path = root / key
        try:
            for place in (path, path.parent):
                _sync(place)
        except FileNotFoundError:
            return  # overwritten or deleted this moment, by a writer that sees to its own

    return Objects(LocalStore(root, automatic_cleanup=False), written=settle if synced else None)


def memory() -> Objects:
    """Objects that live as long as this process: for tests, the same code as the others."""
    return Objects(MemoryStore())


def s3(
    bucket: str,
    prefix: str = "",
    region: str | None = None,
    endpoint: str | None = None,
    *,
    patience: float = 60.0,
    session: Any = None,
) -> Objects:
    """Objects in a bucket, below a prefix; credentials are those of the environment, task or function.

    endpoint: of a store that speaks S3 elsewhere, such as "http://127.0.0.1:4566".
    patience: seconds over which a request that fails is tried again.
    session: of boto3, whose credentials are taken instead: only it reads profiles and single sign-on.
    """
    options: dict[str, Any] = {"client_options": {"allow_http": (endpoint or "").startswith("http://")}}
    options["retry_config"] = {"retry_timeout": timedelta(seconds=patience)}
    if session is not None:
        from obstore.auth.boto3 import Boto3CredentialProvider

        options["credential_provider"] = Boto3CredentialProvider(session)
        region = region or session.region_name
    if region:
        options["region"] = region
    if endpoint:
        options |= {"endpoint": endpoint, "virtual_hosted_style_request": False}
    store = S3Store(bucket, prefix=prefix or None, **options)
    return Objects(store, ordered=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _told(key: str) -> Iterator[None]:
    """What obstore raises, in the words of the house."""
    if _STAGED.search(key):
        raise BadInput(f"{key[:200]!r} cannot be the key of an object: it ends in # and a number.")
    try:
        yield
    except FileNotFoundError:
        raise NotFound(f"There is no object {key}.") from None
    except (AlreadyExistsError, PreconditionError):
        raise AlreadyExists(f"Object {key} exists already.") from None
    except ValueError as error:
        raise BadInput(f"{key[:200]!r} cannot be the key of an object.") from error
    except (BaseError, OSError) as error:
        first = str(error).partition("\n")[0]
        raise Busy(f"The object store failed on {key}: {first}") from error


@contextmanager
def _opened(data: bytes | Path) -> Iterator[bytes | IO[bytes]]:
    if isinstance(data, bytes):
        yield data
        return
    with data.open("rb") as file:
        yield file


@contextmanager
def _mapped(data: Path) -> Iterator[bytes | mmap.mmap]:
    with data.open("rb") as file:
        if not os.fstat(file.fileno()).st_size:
            yield b""  # an empty file cannot be mapped
            return
        yield mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)  # closed with the last reference
