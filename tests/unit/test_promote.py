"""The promotion log, on real stores in memory and on disk."""

import json
from pathlib import Path

import pytest

from malaria.errors import (
    Conflict,
    Damaged,
    UnknownVersion,
)
from malaria.ports import ObjectStore
from malaria.promote import Registry
from tests.unit.registries import key, objects, promote, publish, registry, roll, served

__all__ = ["objects", "registry"]


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
