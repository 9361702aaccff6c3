"""Registries to test: on stores in memory and on disk, and on stores in which a write goes wrong."""

import hashlib
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from malaria.adapters.objects import local, memory
from malaria.domain import ModelVersion, ObjectInfo, Promotion
from malaria.ports import ObjectStore
from malaria.promote import Registry

START = datetime(2026, 1, 1, tzinfo=UTC)


class Ticking:
    """A clock that moves on by a minute whenever it is asked."""

    def __init__(self) -> None:
        self._now, self._lock = START, threading.Lock()

    def now(self) -> datetime:
        with self._lock:
            self._now += timedelta(minutes=1)
            return self._now


@pytest.fixture(params=["memory", "local"])
def objects(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    store: ObjectStore = memory() if request.param == "memory" else local(tmp_path / "store")
    return store


@pytest.fixture
def registry(objects: ObjectStore) -> Registry:
    return Registry(objects, Ticking())


def described(name: str, content: bytes) -> ModelVersion:
    digest = hashlib.sha256(content).hexdigest()
    return ModelVersion(name, digest, "mobilenet", 128, START, len(content), metrics={"gate": {"auc": 0.99}})


def publish(registry: Registry, folder: Path, *names: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        model, memory_file = folder / f"{name}.tflite", folder / f"{name}.npz"
        model.write_bytes(f"model {name}".encode())
        memory_file.write_bytes(f"memory {name}".encode())
        registry.publish(
            described(name, model.read_bytes()), {"model.tflite": model, "memory.npz": memory_file}
        )


def promote(registry: Registry, version: str, **how: int) -> Promotion:
    return registry.promote(version, verdict="accepted", actor="ada", reason=f"try {version}", **how)


def served(registry: Registry) -> list[str]:
    return [entry.version for entry in reversed(registry.history())]


class Dies(Exception):
    """The process dies, or the network does."""


class Faulty:
    """A store in which a create goes wrong: `before` it took place, or `after`, so its answer is lost."""

    def __init__(
        self, inner: ObjectStore, when: str, matching: str, error: Exception, times: int = 1
    ) -> None:
        self._inner, self._when, self._matching = inner, when, matching
        self._error, self.left = error, times

    def create(self, key: str, data: bytes | Path) -> None:
        faulty = self._matching in key and self.left > 0
        if faulty:
            self.left -= 1
        if not faulty or self._when == "after":
            self._inner.create(key, data)
        if faulty:
            raise self._error

    def get(self, key: str) -> bytes:
        return self._inner.get(key)

    def put(self, key: str, data: bytes | Path) -> None:
        self._inner.put(key, data)

    def fetch(self, key: str, to: Path) -> None:
        self._inner.fetch(key, to)

    def exists(self, key: str) -> bool:
        return self._inner.exists(key)

    def list(self, prefix: str, limit: int | None = None) -> list[ObjectInfo]:
        return self._inner.list(prefix, limit)

    def delete(self, key: str) -> None:
        self._inner.delete(key)


def roll(registry: Registry, to: str | None = None) -> str:
    return registry.rollback(actor="ada", reason="worse in the field", to=to).version


def key(number: int) -> str:
    return f"promotions/{99_999_999 - number:08}.json"
