"""What every object store does, and what the local one does when its writer is killed."""

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from malaria.adapters import objects as adapters
from malaria.errors import AlreadyExists, BadInput, Busy, NotFound
from malaria.ports import ObjectStore

ODD_KEYS = [
    "uploads/1/a+b %41é.zip",
    "uploads/1/セル 日本.zip",
    "uploads/1/a&b=c?d#e'f;g,h.zip",
    'uploads/1/[x]{y}~!@$^*()|<>`".zip',
    "uploads/1/back\\slash.zip",
    "uploads/1/.hidden",
    "uploads/1/%2F..%2e.zip",
    "promotions/99999998.json",
]


@pytest.mark.parametrize("key", ODD_KEYS)
def test_a_key_is_taken_verbatim(objects: ObjectStore, key: str) -> None:
    objects.put(key, b"cells")
    assert objects.get(key) == b"cells"
    assert [found.key for found in objects.list(key.rpartition("/")[0] + "/")] == [key]
    assert objects.exists(key)
    with pytest.raises(AlreadyExists):
        objects.create(key, b"others")
    objects.delete(key)
    assert not objects.exists(key)


def test_put_overwrites(objects: ObjectStore) -> None:
    objects.put("a/b.json", b"first, and longer")
    objects.put("a/b.json", b"second")
    assert objects.get("a/b.json") == b"second"


@pytest.mark.parametrize("size", [0, 1, 20 * 2**20 + 7])
def test_files_go_in_and_come_out_whole(objects: ObjectStore, tmp_path: Path, size: int) -> None:
    source = tmp_path / "source.zip"
    source.write_bytes(os.urandom(size))
    objects.put("put.zip", source)
    objects.create("created.zip", source)
    for key in ("put.zip", "created.zip"):
        objects.fetch(key, tmp_path / "new" / "folder" / key)
        assert (tmp_path / "new" / "folder" / key).read_bytes() == source.read_bytes()
    assert sorted(p.name for p in (tmp_path / "new" / "folder").iterdir()) == ["created.zip", "put.zip"]
    assert [found.size for found in objects.list("")] == [size, size]


def test_what_was_stored_does_not_change_with_its_source(objects: ObjectStore, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"a" * 100_000)
    objects.create("kept", source)
    source.write_bytes(b"b" * 100_000)
    assert objects.get("kept") == b"a" * 100_000


def test_create_never_replaces(objects: ObjectStore, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"file")
    objects.create("key", b"first")
    for data in (b"second", tmp_path / "file"):
        with pytest.raises(AlreadyExists, match="key"):
            objects.create("key", data)
    assert objects.get("key") == b"first"


def test_of_many_creators_one_wins(objects: ObjectStore) -> None:
    def create(i: int) -> bool:
        try:
            objects.create("promotions/1.json", f"writer {i}".encode() * 1000)
        except AlreadyExists:
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        won = list(pool.map(create, range(16)))
    assert won.count(True) == 1
    assert objects.get("promotions/1.json") == f"writer {won.index(True)}".encode() * 1000


def test_an_absent_object(objects: ObjectStore, tmp_path: Path) -> None:
    (tmp_path / "kept").write_bytes(b"as it was")
    with pytest.raises(NotFound, match="absent"):
        objects.get("absent.json")
    with pytest.raises(NotFound, match="absent"):
        objects.fetch("absent.json", tmp_path / "kept")
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir() if p.is_file()] == [("kept", b"as it was")]
    assert not objects.exists("absent.json")
    objects.delete("absent.json")


def test_a_folder_is_no_object(objects: ObjectStore) -> None:
    objects.put("a/b/c", b"")
    assert not objects.exists("a/b")
    with pytest.raises(NotFound):
        objects.get("a/b")


def test_lists_ascend_and_stop_at_the_limit(objects: ObjectStore) -> None:
    names = ["z", "B", "a", "10", "9", "é", "sub/1", "sub-2", "a b"]
    for name in names:
        objects.put(f"p/{name}", name.encode())
    objects.put("pp/other", b"")
    found = objects.list("p/")
    assert [f.key for f in found] == sorted(f"p/{name}" for name in names)
    assert [f.size for f in found] == [len(f.key.removeprefix("p/").encode()) for f in found]
    assert abs(found[0].modified - datetime.now(UTC)) < timedelta(minutes=1)
    assert [f.key for f in objects.list("p/", limit=3)] == [f.key for f in found[:3]]
    assert objects.list("p/", limit=0) == []
    assert objects.list("nothing/here/") == []
    assert len(objects.list("")) == len(names) + 1


@pytest.mark.parametrize("key", ["../escape", "a//b", "a/../b", "a/./b", "upload#1", "a/b#22"])
def test_a_key_that_cannot_be_one_is_refused(objects: ObjectStore, key: str) -> None:
    for write in (objects.put, objects.create):
        with pytest.raises(BadInput, match="cannot be the key"):
            write(key, b"x")


def test_an_unreadable_source_is_told_as_such(objects: ObjectStore, tmp_path: Path) -> None:
    for write in (objects.put, objects.create):
        with pytest.raises(FileNotFoundError, match=r"absent\.zip"):
            write("key", tmp_path / "absent.zip")
    assert not objects.exists("key")


def test_readers_see_all_or_nothing(objects: ObjectStore) -> None:
    contents = {bytes([c]) * 200_000 for c in b"abc"}
    objects.put("key", b"a" * 200_000)
    done = threading.Event()

    def write() -> None:
        for i in range(60):
            objects.put("key", bytes([b"abc"[i % 3]]) * 200_000)
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    while not done.is_set():
        assert objects.get("key") in contents
    writer.join()


def test_a_store_out_of_reach_is_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    store = adapters.s3("bucket", region="us-east-1", endpoint="http://127.0.0.1:1", patience=0.1)
    with pytest.raises(Busy, match="key"):
        store.get("key")


def test_a_killed_writer_leaves_whole_objects_only(tmp_path: Path) -> None:
    writer = (
        "import sys, pathlib, itertools\n"
        "from malaria.adapters.objects import local\n"
        "store = local(pathlib.Path(sys.argv[1]))\n"
        "for i in itertools.count():\n"
        "    store.put('big', bytes([i % 251]) * 30_000_000)\n"
        "    store.create(f'entry/{i:06}', bytes([i % 251]) * 3_000_000)\n"
        "    print(i, flush=True)\n"
    )
    for pause in (0.0, 0.013, 0.031):
        process = subprocess.Popen(
            [sys.executable, "-c", writer, str(tmp_path / str(pause))], stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(pause)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        store = adapters.local(tmp_path / str(pause))
        found = store.list("")
        assert {f.size for f in found} <= {30_000_000, 3_000_000}
        assert len(found) >= 2
        assert all(len(set(store.get(f.key))) == 1 for f in found)
        store.put("big", b"written over what the dead writer left")
        assert store.get("big").startswith(b"written")
