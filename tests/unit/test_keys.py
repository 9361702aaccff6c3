"""Keys of callers: made once, told once, withdrawn, and known from a store that is seldom asked."""

from datetime import timedelta
from threading import Barrier

import pytest

from malaria.adapters import objects as adapters
from malaria.domain import Scope
from malaria.errors import BadOptions, Busy, Conflict, Damaged, NotFound
from malaria.keys import FOLDER, KNOWN_SECONDS, Doorkeeper, Keys
from malaria.ports import ObjectStore
from tests.contract.clock import SetClock


@pytest.fixture
def objects() -> ObjectStore:
    return adapters.memory()


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def keys(objects: ObjectStore, clock: SetClock) -> Keys:
    return Keys(objects, clock)


class Now:
    """A monotonic clock that is set by hand."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


def doorkeeper(keys: Keys, clock: SetClock, now: Now | None = None) -> Doorkeeper:
    return Doorkeeper(keys, clock, monotonic=now or Now())


def test_a_key_opens_and_its_text_is_not_kept(keys: Keys, objects: ObjectStore, clock: SetClock) -> None:
    text = keys.add("lab-3", [Scope.CONFIRM, Scope.PREDICT])
    assert len(text) > 40
    holder = doorkeeper(keys, clock).holder(text)
    assert holder is not None
    assert (holder.name, holder.scopes) == ("lab-3", (Scope.PREDICT, Scope.CONFIRM))
    assert all(text.encode() not in objects.get(info.key) for info in objects.list(FOLDER))
    assert doorkeeper(keys, clock).holder(text[:-1]) is None
    assert doorkeeper(keys, clock).holder("") is None


def test_no_two_keys_are_alike(keys: Keys) -> None:
    assert len({keys.add(f"lab-{n}", [Scope.READ]) for n in range(10)}) == 10
    assert [key.name for key in keys.all()] == sorted(f"lab-{n}" for n in range(10))


def test_a_withdrawn_key_opens_no_more_once_the_store_is_asked_again(keys: Keys, clock: SetClock) -> None:
    text, other, now = keys.add("lab-3", [Scope.READ]), keys.add("lab-4", [Scope.READ]), Now()
    door = doorkeeper(keys, clock, now)
    assert door.holder(text)
    keys.remove("lab-3")
    now.at = KNOWN_SECONDS - 1
    assert door.holder(text)
    now.at = KNOWN_SECONDS
    assert door.holder(text) is None
    assert door.holder(other)
    with pytest.raises(NotFound, match="lab-3"):
        keys.remove("lab-3")


def test_a_key_ends(keys: Keys, clock: SetClock) -> None:
    text = keys.add("lab-3", [Scope.READ], until=clock.now() + timedelta(days=1))
    door = doorkeeper(keys, clock)
    assert door.holder(text)
    clock.go(86_400)
    assert door.holder(text) is None, "it ended, though the store was not asked again"
    with pytest.raises(BadOptions, match="ended already"):
        keys.add("lab-4", [Scope.READ], until=clock.now())


@pytest.mark.parametrize("name", ["", "a b", "-a", "a" * 65, "a/b", "ä"])
def test_names_are_plain(keys: Keys, name: str) -> None:
    with pytest.raises(BadOptions, match="cannot name a key"):
        keys.add(name, [Scope.READ])


def test_a_name_has_one_key_and_a_key_some_scope(keys: Keys) -> None:
    keys.add("lab-3", [Scope.READ])
    with pytest.raises(Conflict, match="is a key lab-3"):
        keys.add("lab-3", [Scope.READ])
    with pytest.raises(BadOptions, match="predict"):
        keys.add("lab-4", [])
    keys.remove("lab-3")
    keys.add("lab-3", [Scope.OPERATE])
    assert [key.scopes for key in keys.all()] == [(Scope.OPERATE,)]


def test_two_who_change_at_once_do_not_undo_each_other(
    objects: ObjectStore, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both have read the same keys before either writes."""
    from concurrent.futures import ThreadPoolExecutor

    meet, create = Barrier(2), objects.create

    class Slow:
        def __getattr__(self, name: str) -> object:
            return getattr(objects, name)

        def create(self, key: str, data: bytes) -> None:
            meet.wait(timeout=10)
            create(key, data)

    def add(name: str) -> bool:
        try:
            Keys(Slow(), clock).add(name, [Scope.READ])  # type: ignore[arg-type]
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(add, ["one", "two"]))
    assert sorted(done) == [False, True]
    assert [key.name for key in Keys(objects, clock).all()] == ["one" if done[0] else "two"]


class Failing:
    """A store that is out of reach while `down` is set."""

    def __init__(self, objects: ObjectStore) -> None:
        self._objects, self.down, self.asked = objects, False, 0

    def __getattr__(self, name: str) -> object:
        self.asked += 1
        if self.down:
            raise Busy("out of reach")
        return getattr(self._objects, name)


def test_a_store_that_fails_leaves_what_is_known(keys: Keys, objects: ObjectStore, clock: SetClock) -> None:
    text, failing, now = keys.add("lab-3", [Scope.READ]), Failing(objects), Now()
    door = Doorkeeper(Keys(failing, clock), clock, monotonic=now)  # type: ignore[arg-type]
    failing.down = True
    with pytest.raises(Busy, match="cannot be read"):
        door.holder(text)
    failing.down = False
    assert door.holder(text)
    failing.down, now.at = True, 1000.0
    assert door.holder(text)
    before = failing.asked
    assert door.holder(text)
    assert failing.asked == before, "a store that fails is asked by every request"


def test_limits_of_a_key_are_kept_and_cannot_be_less_than_none(keys: Keys) -> None:
    keys.add("lab-3", [Scope.READ], requests_per_minute=60, pictures_per_minute=0)
    (key,) = keys.all()
    assert (key.requests_per_minute, key.pictures_per_minute) == (60, 0)
    with pytest.raises(BadOptions, match="a minute"):
        keys.add("lab-4", [Scope.READ], requests_per_minute=-1)
    with pytest.raises(BadOptions, match="a minute"):
        keys.add("lab-4", [Scope.READ], pictures_per_minute=-1)


def test_keys_made_before_there_were_limits_are_read(keys: Keys, objects: ObjectStore) -> None:
    import json

    keys.add("lab-3", [Scope.READ], requests_per_minute=60)
    (stored,) = objects.list(FOLDER)
    told = json.loads(objects.get(stored.key))
    for key in told["keys"]:
        del key["requests_per_minute"], key["pictures_per_minute"]
    objects.put(stored.key, json.dumps(told).encode())
    assert [key.requests_per_minute for key in keys.all()] == [None]


def test_damaged_keys_say_where(keys: Keys, objects: ObjectStore) -> None:
    objects.put(f"{FOLDER}99999998.json", b"{}")
    with pytest.raises(Damaged, match="private/keys/99999998"):
        keys.all()


def test_what_is_no_ring_is_passed_over(keys: Keys, objects: ObjectStore) -> None:
    objects.put(f"{FOLDER}.keep", b"")
    keys.add("lab-3", [Scope.READ])
    assert [key.name for key in keys.all()] == ["lab-3"]


def test_a_retried_write_that_meets_its_own_success_tells_the_key(
    objects: ObjectStore, clock: SetClock
) -> None:
    class Retrying:
        def __getattr__(self, name: str) -> object:
            return getattr(objects, name)

        def create(self, key: str, data: bytes) -> None:
            objects.create(key, data)
            objects.create(key, data)

    text = Keys(Retrying(), clock).add("lab-3", [Scope.READ])  # type: ignore[arg-type]
    assert doorkeeper(Keys(objects, clock), clock).holder(text)
