"""Files and folders appear whole or not at all."""

from pathlib import Path
from threading import Barrier, Thread

import pytest

from malaria import roles, shipped, whole
from malaria.domain import ModelVersion, Role


def torn(path: Path, text: str, *told: object, **named: object) -> int:
    """Writing on a disk that is full halfway."""
    with path.open("w") as file:
        file.write(text[: len(text) // 2])
    raise OSError("no space left")


def test_a_file_is_replaced_at_the_end_and_keeps_what_it_held_before(tmp_path: Path) -> None:
    target = tmp_path / "a.json"
    whole.write_text(target, "one")

    def fail() -> None:
        with whole.file(target) as partial:
            assert (partial.parent, partial.suffix) == (target.parent, ".json")
            partial.write_text("two")
            assert target.read_text() == "one"
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]
    assert target.read_text() == "one"
    plain = tmp_path / "plain"
    plain.touch()
    assert target.stat().st_mode == plain.stat().st_mode


def test_a_file_that_stands_is_not_replaced(tmp_path: Path) -> None:
    target = tmp_path / "a"
    for text in ("one", "two"):
        with whole.new_file(target) as partial:
            partial.write_text(text)
    assert target.read_text() == "one"

    def fail() -> None:
        with whole.new_file(tmp_path / "b") as partial:
            partial.write_text("torn")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_folder_of_two_makers_is_the_firsts(tmp_path: Path) -> None:
    target, both = tmp_path / "new" / "cells", Barrier(2)

    def make(name: str) -> None:
        with whole.folder(target) as partial:
            both.wait(10)
            for file in ("a", "b"):
                (partial / file).write_text(name)

    makers = [Thread(target=make, args=(name,)) for name in ("one", "two")]
    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join()
    assert list(target.parent.iterdir()) == [target]
    assert len({path.read_text() for path in target.iterdir()}) == 1


def test_a_folder_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def fail() -> None:
        with whole.folder(tmp_path / "cells") as partial:
            (partial / "a").touch()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert not list(tmp_path.iterdir())
    (tmp_path / "cells").write_text("a file of that name")
    with pytest.raises(NotADirectoryError), whole.folder(tmp_path / "cells"):
        pass


def test_roles_outlive_a_write_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "roles.json"
    roles.save({"a": Role.TEST, "b": Role.TRAIN}, path)
    monkeypatch.setattr(Path, "write_text", torn)
    with pytest.raises(OSError, match="no space"):
        roles.save({"a": Role.TRAIN}, path)
    assert roles.load(path) == {"a": Role.TEST, "b": Role.TRAIN}


def test_the_listing_of_what_ships_outlives_a_write_that_fails(
    two_networks: tuple[Path, ModelVersion], monkeypatch: pytest.MonkeyPatch
) -> None:
    models, other = two_networks
    before = shipped.listing(models)
    monkeypatch.setattr(Path, "write_text", torn)
    with pytest.raises(OSError, match="no space"):
        shipped.make_default(models, other.network)
    assert shipped.listing(models) == before
