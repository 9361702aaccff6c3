"""When a process that has no thread of its own looks for a new promotion."""

import pytest

from malaria.errors import Busy
from malaria.freshness import Freshness
from tests.contract.clock import SetClock


class Counted:
    """What is served, as far as it is asked to look."""

    def __init__(self) -> None:
        self.looks = 0
        self.error: Exception | None = None

    def refresh(self) -> bool:
        self.looks += 1
        if self.error:
            raise self.error
        return False


def fresh(served: Counted, clock: SetClock) -> Freshness:
    return Freshness(served, clock, seconds=20)  # type: ignore[arg-type]


def test_it_looks_at_first_and_where_the_last_look_is_old() -> None:
    served, clock = Counted(), SetClock()
    freshness, looks = fresh(served, clock), []
    for passed in (0, 1, 18.9, 0.2, 19.9, 0.2):
        clock.go(passed)
        freshness.look()
        looks.append(served.looks)
    assert looks == [1, 1, 1, 2, 2, 3]


def test_a_clock_set_back_does_not_end_the_looking() -> None:
    served, clock = Counted(), SetClock()
    freshness = fresh(served, clock)
    freshness.look()
    clock.go(-86_400)
    freshness.look()
    assert served.looks == 2


@pytest.mark.parametrize("error", [Busy("the store is out of reach"), OSError("no space left on device")])
def test_a_look_that_fails_is_logged_and_the_next_is_not_at_once(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    served, clock = Counted(), SetClock()
    served.error = error
    freshness = fresh(served, clock)
    freshness.look()
    freshness.look()
    assert served.looks == 1, "callers do not wait for a store that fails, each anew"
    assert str(error) in caplog.text
    clock.go(20)
    freshness.look()
    assert served.looks == 2
