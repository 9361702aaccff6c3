"""Versions of models, kept and fetched whole, on real stores in memory and on disk."""

from datetime import timedelta
from pathlib import Path

import pytest

from malaria.domain import ModelVersion
from malaria.errors import (
    BadOptions,
    Conflict,
    Damaged,
    ModelUnusable,
    NotFound,
    UnknownVersion,
)
from malaria.ports import ObjectStore
from malaria.promote import Registry
from tests.unit.registries import START, Dies, Faulty, Ticking, described, objects, promote, publish, registry

__all__ = ["objects", "registry"]


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
