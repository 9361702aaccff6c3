"""Pictures are kept only where that was asked for, only for a while, and put aside once confirmed."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from malaria.adapters import objects
from malaria.errors import Busy, NotFound
from malaria.keeping import Kept


class Now:
    """The real time, moved on: what is stored bears the store's own."""

    def __init__(self) -> None:
        self.later = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.later


@pytest.fixture
def clock() -> Now:
    return Now()


@pytest.fixture
def store() -> objects.Objects:
    return objects.memory()


Make = Callable[..., Kept]


@pytest.fixture
def make(store: objects.Objects, clock: Now) -> Make:
    return lambda days=30, pooled=True: Kept(store, clock, days=days, pooled=pooled)


def keys(store: objects.Objects) -> list[str]:
    return [info.key for info in store.list("")]


def test_nothing_is_kept_unless_asked_for(make: Make, store: objects.Objects) -> None:
    off = make(days=0)
    off.keep(7, b"picture")
    off.confirm(7)
    assert keys(store) == []


def test_a_confirmed_picture_is_put_aside_once(make: Make, store: objects.Objects) -> None:
    kept = make()
    kept.keep(2**64 - 1, b"picture")
    assert keys(store) == ["waiting/ffffffffffffffff"]
    for _ in range(2):
        kept.confirm(2**64 - 1)
    assert keys(store) == ["pool/ffffffffffffffff"]
    assert kept.pool() == {2**64 - 1}
    assert kept.read(2**64 - 1) == b"picture"
    kept.remove(2**64 - 1)
    assert kept.pool() == set()
    with pytest.raises(NotFound):
        kept.read(2**64 - 1)


def test_a_picture_that_was_not_kept_cannot_be_put_aside(make: Make, store: objects.Objects) -> None:
    make().confirm(7)
    assert keys(store) == []


def test_where_no_retraining_is_to_be_opened_pictures_only_wait(make: Make, store: objects.Objects) -> None:
    kept = make(pooled=False)
    kept.keep(7, b"picture")
    kept.confirm(7)
    assert keys(store) == ["waiting/0000000000000007"]


def test_what_waits_lapses_and_what_was_confirmed_stays(
    make: Make, store: objects.Objects, clock: Now
) -> None:
    kept = make(days=2)
    kept.keep(1, b"one")
    kept.keep(2, b"two")
    kept.confirm(2)
    clock.later = timedelta(days=1, hours=23)
    assert kept.sweep() == 0
    clock.later = timedelta(days=2, minutes=1)
    assert kept.sweep() == 1
    assert keys(store) == ["pool/0000000000000002"]


def test_what_was_kept_goes_when_keeping_ends(make: Make, store: objects.Objects) -> None:
    kept = make()
    kept.keep(1, b"one")
    kept.keep(2, b"two")
    kept.confirm(2)
    store.put("rounds/00000001.json", b"{}")
    assert make(pooled=False).sweep() == 1
    assert keys(store) == ["rounds/00000001.json", "waiting/0000000000000001"]
    kept.keep(2, b"two")
    kept.confirm(2)
    assert make(days=0).sweep() == 2
    assert keys(store) == ["rounds/00000001.json"]


def test_a_store_that_fails_does_not_cost_the_answer(
    make: Make, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(self: objects.Objects, key: str, data: bytes) -> None:
        raise Busy("the disk is full")

    monkeypatch.setattr(objects.Objects, "put", full)
    make().keep(1, b"one")
    assert "could not be kept" in caplog.text
