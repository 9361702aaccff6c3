"""Shards in the store: immutable, streamed, checked as they are read."""

import json
import zipfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from malaria.adapters import objects
from malaria.domain import Label, Role
from malaria.errors import Damaged, NotFound
from malaria.ports import ObjectStore
from malaria.shards import Shard, ShardCell, Shards, content_id
from tests.unit import zips

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def make(
    folder: Path, seeds: list[int], *, patient: str = "A", created: datetime = NOW
) -> tuple[Shard, Path]:
    cells, path = [], folder / f"cells-{seeds[0]}-{patient}.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for seed in sorted(seeds):
            data, label = zips.png(seed), Label(seed % 2)
            name = f"{label.text}/{seed:016x}.png"
            archive.writestr(name, data)
            digest = sha256(data).hexdigest()
            cells.append(
                ShardCell(name, f"{seed}.png", label, patient, patient, Role.TRAIN, digest, 2**63 + seed)
            )
    ident = content_id("site", cells)
    return Shard(ident, "site", tuple(cells), "upload", created), path


@pytest.fixture(params=["memory", "local"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    return objects.memory() if request.param == "memory" else objects.local(tmp_path / "store")


def test_what_is_saved_is_loaded_and_read(store: ObjectStore, tmp_path: Path) -> None:
    shard, path = make(tmp_path, [1, 2, 3])
    shards = Shards(store)
    assert shards.save(shard, path) == shard
    assert shards.load(shard.sha256) == shard
    assert [(cell.original, data) for cell, data in shards.read(shard.sha256)] == [
        (f"{seed}.png", zips.png(seed)) for seed in (1, 2, 3)
    ]


def test_the_first_of_equal_content_stands(store: ObjectStore, tmp_path: Path) -> None:
    shards = Shards(store)
    first, path = make(tmp_path, [1, 2])
    shards.save(first, path)
    later, other = make(tmp_path, [1, 2], created=NOW + timedelta(1))
    assert later.sha256 == first.sha256
    assert shards.save(later, other) == first
    assert shards.load(first.sha256) == first


def test_a_save_that_was_killed_half_way_is_made_good(store: ObjectStore, tmp_path: Path) -> None:
    shard, path = make(tmp_path, [1, 2])
    store.put(f"datasets/{shard.sha256}/cells.zip", b"half a ZI")
    shards = Shards(store)
    assert shards.list() == []
    shards.save(shard, path)
    assert len(list(shards.read(shard.sha256))) == 2


def test_all_are_listed_oldest_first(store: ObjectStore, tmp_path: Path) -> None:
    shards = Shards(store)
    made = [make(tmp_path, [seed], created=NOW + timedelta(days)) for seed, days in ((1, 2), (2, 0), (3, 1))]
    for shard, path in made:
        shards.save(shard, path)
    assert [shard.cells[0].original for shard in shards.list()] == ["2.png", "3.png", "1.png"]


def test_an_unknown_shard_is_not_found(store: ObjectStore) -> None:
    with pytest.raises(NotFound):
        Shards(store).load("0" * 64)
    with pytest.raises(NotFound):
        next(Shards(store).read("0" * 64))


def test_reading_a_few_cells_leaves_nothing_behind(
    store: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shard, path = make(tmp_path, [1, 2, 3])
    shards = Shards(store)
    shards.save(shard, path)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    reading = shards.read(shard.sha256)
    next(reading)
    assert list(scratch.iterdir())
    del reading
    assert not list(scratch.iterdir())


def test_a_changed_picture_is_found(store: ObjectStore, tmp_path: Path) -> None:
    shard, path = make(tmp_path, [1, 2])
    shards = Shards(store)
    shards.save(shard, path)
    with zipfile.ZipFile(path, "w") as archive:
        for cell in shard.cells:
            archive.writestr(cell.name, zips.png(99))
    store.put(f"datasets/{shard.sha256}/cells.zip", path)
    with pytest.raises(Damaged, match="is not the one that was stored"):
        next(shards.read(shard.sha256))


def test_a_missing_picture_is_found(store: ObjectStore, tmp_path: Path) -> None:
    shard, path = make(tmp_path, [1, 2])
    shards = Shards(store)
    shards.save(shard, path)
    zips.pack(path, {"Parasitized/other.png": b"x"})
    store.put(f"datasets/{shard.sha256}/cells.zip", path)
    with pytest.raises(Damaged, match="cannot be read"):
        list(shards.read(shard.sha256))


def test_a_changed_manifest_is_found(store: ObjectStore, tmp_path: Path) -> None:
    shard, path = make(tmp_path, [1, 2])
    shards = Shards(store)
    shards.save(shard, path)
    key = f"datasets/{shard.sha256}/manifest.json"
    told = json.loads(store.get(key))
    told["cells"][0]["label"] = 1 - told["cells"][0]["label"]
    store.put(key, json.dumps(told).encode())
    with pytest.raises(Damaged, match="other cells"):
        shards.load(shard.sha256)
    store.put(key, b"{not json")
    with pytest.raises(Damaged, match="not JSON"):
        shards.load(shard.sha256)


def test_other_cells_are_another_shard(tmp_path: Path) -> None:
    shard, _ = make(tmp_path, [1, 2])
    cells = shard.cells
    flipped = [replace(cell, label=Label(1 - cell.label)) for cell in cells]
    named = [replace(cell, patient="someone else") for cell in cells]
    ids = [content_id("site", some) for some in (cells, flipped, named, cells[:1], [])]
    assert len({*ids, content_id("base", cells)}) == 6
    moved = [replace(cell, original="another name.png", role=Role.GATE) for cell in cells]
    assert content_id("site", moved) == ids[0], "file names and roles are no content"


@given(st.randoms())
def test_the_order_of_cells_changes_no_id(random: Random) -> None:
    cell = ShardCell("a", "a", Label.PARASITIZED, "p", "p", Role.TRAIN, "", 1)
    cells = [replace(cell, fingerprint=i, label=Label(i % 2)) for i in range(12)]
    shuffled = list(cells)
    random.shuffle(shuffled)
    assert content_id("site", cells) == content_id("site", shuffled)


def test_a_manifest_of_other_cells_is_never_saved_over(store: ObjectStore, tmp_path: Path) -> None:
    shard, path = make(tmp_path, [1, 2])
    shards = Shards(store)
    shards.save(shard, path)
    shards.save(replace(shard, name="renamed"), path)
    assert shards.load(shard.sha256).name == "upload"
