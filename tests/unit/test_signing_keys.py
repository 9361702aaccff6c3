"""The key is made once, is its owner's alone, and can be replaced without forgetting what it signed."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic import ValidationError

from malaria import signing_keys, wiring
from malaria.adapters.objects import memory
from malaria.errors import Damaged
from malaria.settings import Settings

KEYS = "a" * 32 + " , " + "b" * 40
READ = """
import sys, time
from pathlib import Path
from malaria import signing_keys
while not Path(sys.argv[2]).exists():
    time.sleep(0.001)
print(*signing_keys.stored(Path(sys.argv[1])))
"""


def test_the_first_call_makes_a_key_that_stays(tmp_path: Path) -> None:
    (key,) = signing_keys.stored(tmp_path)
    assert len(bytes.fromhex(key)) == 32
    assert signing_keys.stored(tmp_path) == (key,)
    assert [path.name for path in tmp_path.iterdir()] == ["signing.keys"]


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        signing_keys.stored(tmp_path)
        assert (tmp_path / signing_keys.FILE).stat().st_mode & 0o777 == 0o600
        signing_keys.renew(tmp_path)
        assert (tmp_path / signing_keys.FILE).stat().st_mode & 0o777 == 0o600
    finally:
        os.umask(before)


def test_processes_that_start_at_once_agree(tmp_path: Path) -> None:
    home, go = tmp_path / "home", tmp_path / "go"
    home.mkdir()
    readers = [
        subprocess.Popen([sys.executable, "-c", READ, str(home), str(go)], stdout=subprocess.PIPE, text=True)
        for _ in range(8)
    ]
    go.touch()
    told = {reader.communicate(timeout=60)[0] for reader in readers}
    assert len(told) == 1
    assert told == {signing_keys.stored(home)[0] + "\n"}
    assert [path.name for path in home.iterdir()] == ["signing.keys"]


def test_a_new_key_comes_first_and_the_others_stay(tmp_path: Path) -> None:
    (first,) = signing_keys.stored(tmp_path)
    renewed = signing_keys.renew(tmp_path)
    assert renewed[1:] == (first,)
    assert renewed[0] != first
    assert signing_keys.stored(tmp_path) == renewed


@pytest.mark.parametrize("content", [b"", b"\n\n", b"short\n", b"\xff" * 40])
def test_a_file_without_a_key_is_told_and_left(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / signing_keys.FILE
    path.write_bytes(content)
    with pytest.raises(Damaged, match=r"signing\.keys holds no key"):
        signing_keys.stored(tmp_path)
    assert path.read_bytes() == content


def test_keys_of_the_setting_go_first_and_no_file_is_made(home: Path, models_dir: Path) -> None:
    built = wiring.local(home, Settings(home=home, shipped=models_dir, signing_key=KEYS))  # type: ignore[arg-type]
    assert built.signing_keys == ("a" * 32, "b" * 40)
    assert not (home / signing_keys.FILE).exists()
    assert "aaaa" not in repr(built)


@pytest.mark.parametrize("given", ["", "  ", "a" * 31, "a" * 32 + ",secret-but-short", ","])
def test_a_key_that_is_too_short_is_refused_without_telling_it(given: str) -> None:
    with pytest.raises(ValidationError, match="32 characters") as told:
        Settings(signing_key=given)  # type: ignore[arg-type]
    assert "secret" not in str(told.value)


def test_all_who_share_a_store_get_the_same_keys() -> None:
    objects = memory()
    with ThreadPoolExecutor(8) as pool:
        (keys,) = set(pool.map(lambda _: signing_keys.shared(objects), range(8)))
    assert len(keys) == 1 and len(keys[0]) == 64
    objects.put(signing_keys.KEY, b"n" * 32 + b"\n" + keys[0].encode() + b"\n")
    assert signing_keys.shared(objects) == ("n" * 32, keys[0]), "renewed by hand: the newest first"


@pytest.mark.parametrize("content", [b"", b"short\n", b"\xff" * 40])
def test_an_object_that_holds_no_key_is_told_and_not_shown(content: bytes) -> None:
    objects = memory()
    objects.put(signing_keys.KEY, content)
    with pytest.raises(Damaged, match="holds no key") as told:
        signing_keys.shared(objects)
    assert "short\n" not in str(told.value)
    assert objects.get(signing_keys.KEY) == content
