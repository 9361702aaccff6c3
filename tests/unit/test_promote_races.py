"""Promotions whose outcome is not known, and writers that race."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from malaria.adapters.objects import local, memory
from malaria.domain import Promotion
from malaria.errors import (
    AlreadyExists,
    Busy,
    Conflict,
)
from malaria.ports import ObjectStore
from malaria.promote import Registry
from tests.unit.registries import Dies, Faulty, Ticking, objects, promote, publish, registry, roll, served

__all__ = ["objects", "registry"]


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
