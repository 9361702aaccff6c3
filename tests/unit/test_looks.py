import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from malaria import looks
from malaria.digests import sha256
from malaria.looks import Look

LOOK = Look(
    datetime(2026, 11, 25, 8, 0, tzinfo=UTC),
    "20261125-ab",
    "d" * 64,
    "cells.zip",
    "e" * 64,
    "malaria evaluate --data cells.zip",
    2935,
    20,
)


def test_looks_are_numbered_and_none_is_lost(tmp_path: Path) -> None:
    record = tmp_path / "new" / looks.FILE
    assert looks.count(record) == 0
    assert [looks.add(record, LOOK), looks.add(record, LOOK)] == [1, 2]
    first, second = map(json.loads, record.read_text().splitlines())
    assert first == second
    assert first["date"] == "2026-11-25T08:00:00+00:00"
    assert (first["version"], first["sha256"], first["cells"]) == (LOOK.version, LOOK.sha256, 2935)


def test_the_projects_own_looks_count_once(tmp_path: Path) -> None:
    shipped, home = tmp_path / "shipped.jsonl", tmp_path / "home.jsonl"
    looks.add(shipped, LOOK)
    looks.add(shipped, LOOK)
    assert looks.add(home, LOOK, before=[shipped, tmp_path / "none"]) == 3
    assert looks.add(shipped, LOOK, before=[shipped]) == 3
    assert looks.count(home) == 1


def test_looks_at_each_set_are_counted_apart(tmp_path: Path) -> None:
    record = tmp_path / looks.FILE
    chula = replace(LOOK, of=looks.fields_of("chula"), patients=0, fields=7)
    numbers = [looks.add(record, look) for look in (LOOK, chula, LOOK, chula, replace(chula, of="another"))]
    assert numbers == [1, 1, 2, 2, 1]
    told = json.loads(record.read_text().splitlines()[1])
    assert (told["of"], told["patients"], told["fields"]) == ("fields of chula", 0, 7)
    older = json.loads(record.read_text().splitlines()[0])
    del older["of"], older["fields"]
    record.write_text(json.dumps(older) + "\n")
    assert looks.add(record, LOOK) == 2, "what was written before there were sets is of the patients"


def test_looks_of_many_at_once_are_all_written(tmp_path: Path) -> None:
    record = tmp_path / looks.FILE
    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(lambda _: looks.add(record, LOOK), range(40)))
    assert looks.count(record) == 40
    assert sorted(numbers) == list(range(1, 41)), "no two looks get the same number"
    assert all(json.loads(line)["cells"] == 2935 for line in record.read_text().splitlines())


def test_a_folder_has_a_digest_that_every_change_changes(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "one.txt").write_text("one")
    seen = {sha256(tmp_path)}
    (tmp_path / "two.txt").write_text("two")
    seen.add(sha256(tmp_path))
    (tmp_path / "two.txt").rename(tmp_path / "three.txt")
    seen.add(sha256(tmp_path))
    assert len(seen) == 3
    assert sha256(tmp_path / "a" / "one.txt") == (
        "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed"
    )
