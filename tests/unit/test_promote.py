"""Versions and the promotion log, on real stores in memory and on disk."""

import hashlib
import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from malaria.adapters.objects import local, memory
from malaria.domain import ModelVersion, ObjectInfo, Promotion
from malaria.errors import (
    AlreadyExists,
    BadOptions,
    Busy,
    Conflict,
    Damaged,
    ModelUnusable,
    NotFound,
    UnknownVersion,
)
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


# ---- versions ----


def test_a_published_version_comes_back_as_it_was(registry: Registry, tmp_path: Path) -> None:
    publish(registry, tmp_path, "v1")
    assert registry.version("v1") == described("v1", b"model v1")
    assert registry.fetch("v1", "memory.npz", tmp_path / "deep" / "m.npz").read_bytes() == b"memory v1"
    assert registry.newest() is None, "publishing serves nothing"


def test_versions_are_listed_newest_first(registry: Registry, tmp_path: Path) -> None:
    for day, name in enumerate(["b", "c", "a"]):
        model = tmp_path / name
        model.write_bytes(name.encode())
        info = described(name, name.encode())
        registry.publish(
            ModelVersion(
                info.version, info.digest, info.network, 128, START + timedelta(days=day), info.size_bytes
            ),
            {"model.tflite": model},
        )
    assert [v.version for v in registry.versions()] == ["a", "c", "b"]


def test_publishing_again_changes_nothing(registry: Registry, tmp_path: Path) -> None:
    publish(registry, tmp_path, "v1")
    publish(registry, tmp_path, "v1")
    assert len(registry.versions()) == 1


def test_a_name_is_never_given_to_another_model(registry: Registry, tmp_path: Path) -> None:
    publish(registry, tmp_path, "v1")
    other = tmp_path / "other"
    other.write_bytes(b"another model")
    with pytest.raises(Conflict, match="v1 stands already"):
        registry.publish(described("v1", b"another model"), {"model.tflite": other})
    assert registry.fetch("v1", "model.tflite", tmp_path / "m").read_bytes() == b"model v1"


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


@pytest.mark.parametrize("at", ["model.tflite", "memory.npz", "manifest.json"])
def test_a_publication_cut_short_shows_nothing_and_can_be_done_again(
    objects: ObjectStore, tmp_path: Path, at: str
) -> None:
    with pytest.raises(Dies):
        publish(Registry(Faulty(objects, "before", at, Dies()), Ticking()), tmp_path, "v1")
    registry = Registry(objects, Ticking())
    assert registry.versions() == []
    with pytest.raises(UnknownVersion):
        promote(registry, "v1")
    objects.put("models/v1/memory.npz", b"an older try's memory")
    publish(registry, tmp_path, "v1")
    assert registry.fetch("v1", "memory.npz", tmp_path / "m").read_bytes() == b"memory v1"


def test_a_file_that_is_not_the_described_model_is_refused(registry: Registry, tmp_path: Path) -> None:
    model = tmp_path / "m"
    model.write_bytes(b"something else")
    with pytest.raises(Damaged, match="SHA-256"):
        registry.publish(described("v1", b"the model"), {"model.tflite": model})
    with pytest.raises(BadOptions, match=r"model\.tflite"):
        registry.publish(described("v1", b"something else"), {"memory.npz": model})
    assert registry.versions() == []


@pytest.mark.parametrize("name", ["", "../v1", "a/b", ".hidden", "a b", "x" * 101])
def test_odd_names_are_unknown_or_refused(registry: Registry, tmp_path: Path, name: str) -> None:
    with pytest.raises(UnknownVersion):
        registry.version(name)
    (tmp_path / "m").write_bytes(b"m")
    with pytest.raises(BadOptions):
        registry.publish(described(name, b"m"), {"model.tflite": tmp_path / "m"})


@pytest.mark.parametrize(("file", "error"), [("model.tflite", ModelUnusable), ("memory.npz", Damaged)])
def test_a_changed_or_lost_file_is_told_and_not_left_behind(
    registry: Registry, objects: ObjectStore, tmp_path: Path, file: str, error: type[Exception]
) -> None:
    publish(registry, tmp_path, "v1")
    objects.put(f"models/v1/{file}", b"bits rot")
    with pytest.raises(error, match="SHA-256"):
        registry.fetch("v1", file, tmp_path / "to")
    assert not (tmp_path / "to").exists()
    objects.delete(f"models/v1/{file}")
    with pytest.raises(error, match="gone"):
        registry.fetch("v1", file, tmp_path / "to")


def test_a_good_local_copy_is_kept_and_a_bad_one_replaced(
    registry: Registry, objects: ObjectStore, tmp_path: Path
) -> None:
    publish(registry, tmp_path, "v1")
    to = registry.fetch("v1", "model.tflite", tmp_path / "to")
    to.write_bytes(b"cut sh")
    assert registry.fetch("v1", "model.tflite", to).read_bytes() == b"model v1"
    objects.delete("models/v1/model.tflite")
    assert registry.fetch("v1", "model.tflite", to).read_bytes() == b"model v1"


def test_a_file_that_the_version_never_had(registry: Registry, tmp_path: Path) -> None:
    publish(registry, tmp_path, "v1")
    with pytest.raises(NotFound, match=r"memory\.npz, model\.tflite"):
        registry.fetch("v1", "network.keras", tmp_path / "to")
    with pytest.raises(UnknownVersion, match="v2"):
        registry.fetch("v2", "model.tflite", tmp_path / "to")


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff", b'{"version": "v1"}'])
def test_a_damaged_manifest_is_named(registry: Registry, objects: ObjectStore, content: bytes) -> None:
    objects.put("models/v1/manifest.json", content)
    with pytest.raises(Damaged, match=r"models/v1/manifest\.json"):
        registry.version("v1")


# ---- the log ----


def test_the_newest_entry_is_served(registry: Registry, tmp_path: Path) -> None:
    publish(registry, tmp_path, "v1", "v2")
    first, second = promote(registry, "v1"), promote(registry, "v2")
    assert registry.newest() == second
    assert registry.history() == [second, first]
    assert (first.number, second.number, first.previous) == (1, 2, "")
    assert second.digest == registry.version("v2").digest
    assert first.at < second.at
    registry.verify()


def test_the_newest_is_found_beyond_nine_and_beside_strange_files(
    registry: Registry, objects: ObjectStore, tmp_path: Path
) -> None:
    publish(registry, tmp_path, "v1", "v2")
    for i in range(12):
        promote(registry, "v1" if i % 2 else "v2")
    objects.put("promotions/.DS_Store", b"a file manager was here")
    newest = registry.newest()
    assert newest is not None and newest.number == 12
    assert promote(registry, "v2").number == 13
    assert len(registry.history()) == 13


def test_what_is_served_already_is_not_promoted_again(registry: Registry, tmp_path: Path) -> None:
    publish(registry, tmp_path, "v1")
    promote(registry, "v1")
    with pytest.raises(Conflict, match="served already"):
        promote(registry, "v1")
    assert len(registry.history()) == 1


def test_only_kept_versions_are_promoted(registry: Registry) -> None:
    with pytest.raises(UnknownVersion, match="nowhere"):
        promote(registry, "nowhere")
    assert registry.newest() is None


def test_a_decision_made_on_an_older_state_is_not_carried_out(registry: Registry, tmp_path: Path) -> None:
    publish(registry, tmp_path, "v1", "v2", "v3")
    assert promote(registry, "v1", after=0).number == 1
    promote(registry, "v2")
    with pytest.raises(Conflict, match="Entry 2 came after entry 1"):
        promote(registry, "v3", after=1)
    assert served(registry) == ["v1", "v2"]


def roll(registry: Registry, to: str | None = None) -> str:
    return registry.rollback(actor="ada", reason="worse in the field", to=to).version


def test_rollback_goes_to_what_was_served_before(registry: Registry, tmp_path: Path) -> None:
    publish(registry, tmp_path, "v1", "v2", "v3", "v4")
    for version in ("v1", "v2", "v3"):
        promote(registry, version)
    assert roll(registry) == "v2"
    assert roll(registry) == "v1", "further back, never to what a rollback left"
    with pytest.raises(Conflict, match="No version from before v1"):
        roll(registry)
    assert roll(registry, to="v3") == "v3"
    promote(registry, "v1")
    newest = registry.newest()
    assert newest is not None
    assert (newest.verdict, newest.number, newest.digest) == ("accepted", 7, registry.version("v1").digest)
    assert roll(registry) == "v3"
    roll(registry, to="v1")
    with pytest.raises(Conflict, match="v4 was never served"):
        roll(registry, to="v4")
    with pytest.raises(Conflict, match="v1 is served already"):
        roll(registry, to="v1")
    registry.verify()


def test_there_must_be_something_to_roll_back_to(registry: Registry, tmp_path: Path) -> None:
    with pytest.raises(Conflict, match="Nothing has been promoted"):
        roll(registry)
    publish(registry, tmp_path, "v1")
    promote(registry, "v1")
    with pytest.raises(Conflict, match="No version from before v1"):
        roll(registry)


def test_no_rollback_to_a_model_that_was_exchanged(
    registry: Registry, objects: ObjectStore, tmp_path: Path
) -> None:
    publish(registry, tmp_path, "v1", "v2")
    promote(registry, "v1")
    promote(registry, "v2")
    manifest = json.loads(objects.get("models/v1/manifest.json"))
    objects.put("models/v1/manifest.json", json.dumps({**manifest, "digest": "0" * 64}).encode())
    with pytest.raises(Damaged, match="v1"):
        roll(registry)


def key(number: int) -> str:
    return f"promotions/{99_999_999 - number:08}.json"


@pytest.mark.parametrize("broken", [1, 2, 3])
@pytest.mark.parametrize("how", ["reason", "gone", "spaces", "nonsense"])
def test_a_changed_log_is_told_naming_the_entry(
    registry: Registry, objects: ObjectStore, tmp_path: Path, broken: int, how: str
) -> None:
    publish(registry, tmp_path, "v1", "v2")
    for i in range(4):
        promote(registry, "v1" if i % 2 else "v2")
    registry.verify()
    content = objects.get(key(broken))
    changed = {
        "reason": content.replace(b"try", b"TRY"),
        "spaces": content + b" ",
        "nonsense": b"{}",
    }
    if how == "gone":
        objects.delete(key(broken))
    else:
        assert changed[how] != content
        objects.put(key(broken), changed[how])
    named = f"{99_999_999 - broken}" if how == "nonsense" else f"Entry {broken} "
    with pytest.raises(Damaged, match=named):
        registry.verify()
    newest = registry.newest()
    assert newest is not None and newest.number == 4, "serving goes on"


def test_an_entry_put_under_another_number_is_told(
    registry: Registry, objects: ObjectStore, tmp_path: Path
) -> None:
    publish(registry, tmp_path, "v1")
    promote(registry, "v1")
    objects.put(key(2), objects.get(key(1)))
    with pytest.raises(Damaged, match="Entry 2"):
        registry.newest()


# ---- outcomes that are not known, and races ----


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("error", [Dies("connection reset"), AlreadyExists("412 on a retried request")])
def test_an_unknown_outcome_is_settled_by_reading_back(
    objects: ObjectStore, tmp_path: Path, when: str, error: Exception
) -> None:
    publish(Registry(objects, Ticking()), tmp_path, "v1")
    faulty = Faulty(objects, when, "promotions/", error)
    entry = promote(Registry(faulty, Ticking()), "v1")
    assert faulty.left == 0
    history = Registry(objects, Ticking()).history()
    assert [e.nonce for e in history] == [entry.nonce], "written once, however often it was tried"


def test_an_error_that_stays_is_passed_on_and_writes_nothing(objects: ObjectStore, tmp_path: Path) -> None:
    publish(Registry(objects, Ticking()), tmp_path, "v1")
    down = Registry(Faulty(objects, "before", "promotions/", Dies("no network"), times=99), Ticking())
    with pytest.raises(Dies, match="no network"):
        promote(down, "v1")
    assert Registry(objects, Ticking()).newest() is None


class Silent(Faulty):
    """A store whose answer to a create is lost and which then answers nothing for a moment."""

    def get(self, key: str) -> bytes:
        if "promotions/" in key and self.left == 0:
            self.left = -1
            raise Busy("The store cannot be reached.")
        return super().get(key)


def test_a_store_that_falls_silent_after_the_write_is_asked_again(
    objects: ObjectStore, tmp_path: Path
) -> None:
    publish(Registry(objects, Ticking()), tmp_path, "v1")
    entry = promote(Registry(Silent(objects, "after", "promotions/", Dies()), Ticking()), "v1")
    assert Registry(objects, Ticking()).history() == [entry]


class Overtaken(Faulty):
    """A store in which another writer's entry lands just before ours, and our answer is lost."""

    def __init__(self, inner: ObjectStore, first: Callable[[], object]) -> None:
        super().__init__(inner, "before", "promotions/", Dies("connection reset"))
        self._first = first

    def create(self, key: str, data: bytes | Path) -> None:
        if "promotions/" in key and self.left:
            self._first()
        super().create(key, data)


def test_an_unknown_outcome_that_another_won_is_a_conflict(objects: ObjectStore, tmp_path: Path) -> None:
    other = Registry(objects, Ticking())
    publish(other, tmp_path, "v1", "v2")
    ours = Registry(Overtaken(objects, lambda: promote(other, "v2")), Ticking())
    with pytest.raises(Conflict, match="same moment"):
        promote(ours, "v1")
    assert served(other) == ["v2"]


class Watched(Faulty):
    """A store in which something happens the first time that a key is read."""

    def __init__(self, inner: ObjectStore, key: str, then: Callable[[], object]) -> None:
        super().__init__(inner, "before", "", Dies(), times=0)
        self._key, self._then = key, [then]

    def get(self, key: str) -> bytes:
        if key == self._key and self._then:
            self._then.pop()()
        return super().get(key)


def test_a_rollback_does_not_undo_a_promotion_it_has_not_seen(objects: ObjectStore, tmp_path: Path) -> None:
    other = Registry(objects, Ticking())
    publish(other, tmp_path, "v1", "v2", "v3")
    promote(other, "v1")
    promote(other, "v2")
    ours = Registry(Watched(objects, "models/v1/manifest.json", lambda: promote(other, "v3")), Ticking())
    with pytest.raises(Conflict, match="Entry 3 came after entry 2"):
        roll(ours)
    assert served(other) == ["v1", "v2", "v3"]


@settings(deadline=None, max_examples=15)
@given(
    plan=st.lists(
        st.lists(st.sampled_from(["v0", "v1", "v2", "back"]), min_size=1, max_size=4), min_size=2, max_size=12
    ),
    on_disk=st.booleans(),
)
def test_racing_writers_never_lose_an_entry_nor_both_win(
    plan: list[list[str]], on_disk: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("race")
    objects: ObjectStore = local(folder / "store") if on_disk else memory()
    publish(Registry(objects, Ticking()), folder, "v0", "v1", "v2")
    start = threading.Barrier(len(plan))

    def write(steps: list[str]) -> list[Promotion]:
        registry, won = Registry(objects, Ticking()), []
        start.wait()
        for step in steps:
            try:
                won.append(
                    registry.rollback(actor="x", reason="y") if step == "back" else promote(registry, step)
                )
            except Conflict:
                continue  # lost, or nothing to do: the caller is told
        return won

    with ThreadPoolExecutor(len(plan)) as pool:
        won = [entry for entries in pool.map(write, plan) for entry in entries]
    registry = Registry(objects, Ticking())
    registry.verify()
    history = registry.history()
    assert sorted(won, key=lambda e: e.number) == history[::-1], (
        "who was told 'done' is in the log, and nobody else"
    )
    assert [e.number for e in history[::-1]] == list(range(1, len(history) + 1))
    assert all(a.version != b.version for a, b in pairwise(history))
    if any(step != "back" for steps in plan for step in steps[:1]):
        assert history, "somebody wins"
