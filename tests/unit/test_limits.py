"""Buckets of tokens: nobody gets more than the rate, what is promised is kept, and memory is bounded."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from hypothesis import given
from hypothesis import strategies as st

from malaria.limits import MINUTE, Buckets


class Now:
    """A monotonic clock that is set by hand."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


def test_a_minutes_worth_may_be_used_at_once_and_comes_back_evenly() -> None:
    now = Now()
    buckets = Buckets(monotonic=now)
    assert [buckets.take("a", 60) for _ in range(60)] == [0.0] * 60
    assert buckets.take("a", 60) == pytest.approx(1.0)
    assert buckets.standing("a", 60).left == 0
    now.at += 2.5
    assert buckets.standing("a", 60).left == 2
    assert buckets.standing("a", 60).wait == pytest.approx(0.5)
    assert buckets.take("a", 60, 3) == pytest.approx(0.5)
    assert buckets.take("a", 60, 2) == 0.0
    now.at += 3600
    assert buckets.standing("a", 60).left == 60, "an hour of silence is worth no more than a minute"


def test_names_do_not_share() -> None:
    buckets = Buckets(monotonic=Now())
    assert buckets.take("a", 1) == 0.0
    assert buckets.take("a", 1) == pytest.approx(60.0)
    assert buckets.take("b", 1) == 0.0


def test_what_is_larger_than_a_bucket_is_taken_from_a_full_one_and_owed() -> None:
    now = Now()
    buckets = Buckets(monotonic=now)
    assert buckets.take("a", 60, 1) == 0.0
    assert buckets.take("a", 60, 180) == pytest.approx(1.0), "the bucket is not full"
    now.at += 1.0
    assert buckets.take("a", 60, 180) == 0.0
    assert buckets.standing("a", 60).left == 0
    assert buckets.take("a", 60, 1) == pytest.approx(121.0)


def test_a_rate_that_changes_holds_at_once() -> None:
    now = Now()
    buckets = Buckets(monotonic=now)
    assert buckets.take("a", 600, 1) == 0.0
    assert buckets.standing("a", 10).left == 10
    assert buckets.take("a", 10, 10) == 0.0
    assert buckets.take("a", 600, 1) == pytest.approx(0.1)


def test_a_clock_that_stands_still_or_goes_back_gives_nothing() -> None:
    now = Now()
    buckets = Buckets(monotonic=now)
    assert buckets.take("a", 2, 2) == 0.0
    now.at -= 500
    assert buckets.take("a", 2) == pytest.approx(30.0)


def test_memory_is_bounded_and_who_asked_last_is_remembered() -> None:
    buckets = Buckets(3, monotonic=Now())
    for name in ("a", "b", "c"):
        assert buckets.take(name, 1) == 0.0
    assert buckets.take("a", 1) > 0
    assert buckets.take("d", 1) == 0.0
    assert len(buckets) == 3
    assert buckets.take("a", 1) > 0, "the one that just asked was forgotten"
    assert buckets.take("b", 1) == 0.0, "b asked longest ago, and was forgotten"


def test_threads_get_no_token_twice() -> None:
    buckets, meet = Buckets(monotonic=Now()), Barrier(8)

    def taker(_: int) -> int:
        meet.wait(timeout=30)
        return sum(buckets.take("a", 500) == 0.0 for _ in range(200))

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(taker, range(8))) == 500


steps = st.lists(st.tuples(st.floats(0, 90), st.integers(1, 300)), min_size=1, max_size=40)


@given(st.integers(1, 1000), steps)
def test_over_any_time_no_more_is_given_than_a_bucket_and_the_rate(
    per_minute: int, asked: list[tuple[float, int]]
) -> None:
    """Save the last taking, which may be larger than a bucket: that much is owed before the next."""
    now = Now()
    buckets = Buckets(monotonic=now)
    begin, given_before_last, last = now.at, 0, 0
    for passed, tokens in asked:
        now.at += passed
        if buckets.take("a", per_minute, tokens) == 0.0:
            given_before_last, last = given_before_last + last, tokens
            earned = per_minute + (now.at - begin) * per_minute / MINUTE
            assert given_before_last + min(last, per_minute) <= earned + 1e-6


@given(st.integers(1, 1000), steps)
def test_who_waits_as_told_is_served_and_who_comes_before_is_not(
    per_minute: int, asked: list[tuple[float, int]]
) -> None:
    now = Now()
    buckets = Buckets(monotonic=now)
    for passed, tokens in asked:
        now.at += passed
        wait = buckets.take("a", per_minute, tokens)
        if not wait:
            continue
        left = buckets.standing("a", per_minute).left
        assert left < min(tokens, per_minute)
        now.at += 0.9 * wait
        assert buckets.take("a", per_minute, tokens) > 0, "a refusal has cost or given something"
        now.at += 0.1 * wait + 1e-6
        assert buckets.take("a", per_minute, tokens) == 0.0


@given(st.integers(1, 50), st.lists(st.integers(0, 200), max_size=300))
def test_never_more_names_than_said(most: int, names: list[int]) -> None:
    buckets = Buckets(most, monotonic=Now())
    for name in names:
        buckets.take(str(name), 5)
        assert len(buckets) <= most
