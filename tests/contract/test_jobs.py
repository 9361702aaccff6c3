"""What every ledger of jobs does."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from malaria.domain import Job, JobState, Method, Progress, RetrainOptions, Verdict
from malaria.errors import AlreadyExists, BadInput, JobFinished, UnknownTask
from malaria.ports import JobStore
from tests.contract.clock import SetClock

TERMINAL = [state for state in JobState if state.terminal]


def job(clock: SetClock, name: str, after: float = 0.0) -> Job:
    created = clock.now() + timedelta(seconds=after)
    return Job(
        id=name, identity=f"identity of {name}", name=f"{name}.zip", upload=f"u/{name}", created=created
    )


def full_job(clock: SetClock) -> Job:
    epochs = tuple(
        Progress("fit", epoch=i, epochs=3, loss=0.5 / i, validation_loss=0.6 / i) for i in (1, 2, 3)
    )
    return replace(
        job(clock, "full", after=0.000001),
        name="a+b %41é 日本 \U0001f9ea.zip",
        options=RetrainOptions(Method.FULL, 3, 32, 1e-4, "mobilenet_v2", "a note\nof two lines"),
        state=JobState.RUNNING,
        actor="someone",
        attempt=2,
        leader="other",
        handle="12:34",
        lease=7,
        cancel_requested=True,
        started=clock.now(),
        finished=clock.now(),
        progress=Progress("fit", 12.5, 33.25, 1, 3, 0.7, 0.6, 0.8, 0.75, "message"),
        epochs=epochs,
        reason="because",
        verdict=Verdict.UNDECIDABLE,
        dataset="d" * 64,
        champion="v1",
        version="v2",
        report={"accepted": {"Parasitized": 3}, "quarantined": [{"name": "x", "reason": "y"}], "none": None},
        receipt={"value": 0.25, "passed": True},
    )


def test_a_job_comes_back_as_it_was_added(jobs: JobStore, clock: SetClock) -> None:
    added = full_job(clock)
    assert jobs.add(added) == added
    assert jobs.get("full") == added
    assert jobs.list() == [added]


def test_one_identity_is_one_job(jobs: JobStore, clock: SetClock) -> None:
    first = jobs.add(job(clock, "a"))
    again = replace(job(clock, "b"), identity=first.identity)
    assert jobs.add(again) == first
    jobs.change("a", lambda j: replace(j, state=JobState.FAILED))
    assert jobs.add(again).state == JobState.FAILED
    assert len(jobs.list()) == 1
    with pytest.raises(UnknownTask):
        jobs.get("b")


def test_of_many_adders_of_one_identity_one_wins(jobs: JobStore, clock: SetClock) -> None:
    rivals = [replace(job(clock, f"job-{i}"), identity="the same") for i in range(24)]
    with ThreadPoolExecutor(12) as pool:
        stands = set(pool.map(lambda j: jobs.add(j).id, rivals))
    assert len(stands) == 1
    assert [j.id for j in jobs.list()] == list(stands)


def test_an_id_is_used_once(jobs: JobStore, clock: SetClock) -> None:
    first = jobs.add(job(clock, "a"))
    with pytest.raises(AlreadyExists, match="id a"):
        jobs.add(replace(first, identity="another"))
    assert jobs.get("a") == first


def test_an_unknown_task(jobs: JobStore) -> None:
    with pytest.raises(UnknownTask, match="nowhere"):
        jobs.get("nowhere")
    with pytest.raises(UnknownTask, match="nowhere"):
        jobs.change("nowhere", lambda j: j)


def test_the_newest_come_first(jobs: JobStore, clock: SetClock) -> None:
    for name, after in (("b", 2.0), ("d", 3.5), ("a", 1.0), ("c", 2.0), ("early", -3600.0)):
        jobs.add(job(clock, name, after))
    assert [j.id for j in jobs.list()] == [
        "d",
        "c",
        "b",
        "a",
        "early",
    ]  # equal times: the later added is newer
    assert [j.id for j in jobs.list(limit=2)] == ["d", "c"]
    assert jobs.list(limit=0) == []
    jobs.change("c", lambda j: replace(j, state=JobState.RUNNING))
    jobs.change("a", lambda j: replace(j, state=JobState.FAILED))
    assert [j.id for j in jobs.list(state=JobState.QUEUED)] == ["d", "b", "early"]
    assert [j.id for j in jobs.list(state=JobState.QUEUED, limit=1)] == ["d"]
    assert [j.id for j in jobs.list(state=JobState.RUNNING)] == ["c"]
    assert jobs.list(state=JobState.CANCELLED) == []


def test_a_change_stands(jobs: JobStore, clock: SetClock) -> None:
    jobs.add(job(clock, "a"))
    changed = jobs.change("a", lambda j: replace(j, state=JobState.RUNNING, attempt=j.attempt + 1))
    assert (changed.state, changed.attempt) == (JobState.RUNNING, 1)
    assert jobs.get("a") == changed


def test_what_a_change_raises_passes_and_changes_nothing(jobs: JobStore, clock: SetClock) -> None:
    before = jobs.add(job(clock, "a"))

    def refuse(j: Job) -> Job:
        raise BadInput(f"not {j.id}")

    with pytest.raises(BadInput, match="not a"):
        jobs.change("a", refuse)
    assert jobs.get("a") == before
    assert jobs.change("a", lambda j: replace(j, attempt=5)).attempt == 5  # and nothing stays locked


@pytest.mark.parametrize("state", TERMINAL)
def test_terminal_rows_are_final(jobs: JobStore, clock: SetClock, state: JobState) -> None:
    jobs.add(job(clock, "a"))
    ended = jobs.change("a", lambda j: replace(j, state=state))
    called: list[Job] = []

    def requeue(j: Job) -> Job:
        called.append(j)
        return replace(j, state=JobState.QUEUED)

    with pytest.raises(JobFinished, match=state.value):
        jobs.change("a", requeue)
    assert jobs.get("a") == ended
    assert called == []


def test_no_change_is_lost_between_threads(jobs: JobStore, clock: SetClock) -> None:
    jobs.add(job(clock, "a"))

    def count(_: int) -> int:
        return jobs.change("a", lambda j: replace(j, attempt=j.attempt + 1)).attempt

    with ThreadPoolExecutor(12) as pool:
        seen = list(pool.map(count, range(120)))
    assert sorted(seen) == list(range(1, 121))
    assert jobs.get("a").attempt == 120


def test_one_lease_at_a_time(jobs: JobStore) -> None:
    token = jobs.acquire("one", 60)
    assert token is not None
    assert jobs.acquire("two", 60) is None
    assert jobs.acquire("one", 60) is None  # another process of that name, as far as anyone can tell
    jobs.release(token)
    later = jobs.acquire("two", 60)
    assert later is not None
    assert later > token


def test_of_many_who_ask_for_the_lease_one_gets_it(jobs: JobStore) -> None:
    with ThreadPoolExecutor(12) as pool:
        tokens = [t for t in pool.map(lambda i: jobs.acquire(f"run {i}", 60), range(24)) if t is not None]
    assert len(tokens) == 1


def test_a_lease_runs_out_and_its_token_is_fenced_off(jobs: JobStore, clock: SetClock) -> None:
    old = jobs.acquire("one", 60)
    assert old is not None
    clock.go(59)
    assert jobs.acquire("two", 60) is None
    clock.go(2)
    new = jobs.acquire("two", 60)
    assert new is not None
    assert new > old
    assert not jobs.renew(old, 60)
    jobs.release(old)
    assert jobs.acquire("three", 60) is None, "a token that lost the lease gave away another's"
    assert jobs.renew(new, 60)


def test_a_renewed_lease_holds(jobs: JobStore, clock: SetClock) -> None:
    token = jobs.acquire("one", 60)
    assert token is not None
    for _ in range(5):
        clock.go(50)
        assert jobs.renew(token, 60)
        assert jobs.acquire("two", 60) is None


def test_a_lease_that_nobody_took_can_be_renewed_late(jobs: JobStore, clock: SetClock) -> None:
    token = jobs.acquire("one", 60)
    assert token is not None
    clock.go(3600)  # the laptop slept
    assert jobs.renew(token, 60)
    assert jobs.acquire("two", 60) is None


def test_a_lease_that_was_given_back_is_gone(jobs: JobStore) -> None:
    token = jobs.acquire("one", 60)
    assert token is not None
    jobs.release(token)
    jobs.release(token)
    assert not jobs.renew(token, 60)
    assert not jobs.renew(token + 1, 60)
    assert jobs.acquire("two", 60) == token + 1


def test_tokens_grow_for_ever(jobs: JobStore) -> None:
    tokens = []
    for _ in range(20):
        token = jobs.acquire("one", 60)
        assert token is not None
        tokens.append(token)
        jobs.release(token)
    assert tokens == sorted(set(tokens))


def test_a_clock_set_back_does_not_hold_the_lease_for_ever(jobs: JobStore, clock: SetClock) -> None:
    held = jobs.acquire("one", 60)
    assert held is not None
    clock.go(-86_400)
    assert jobs.acquire("two", 60) is None, "its holder may live: it gets the time it asked for"
    assert jobs.renew(held, 60)
    clock.go(61)
    assert jobs.acquire("two", 60) is not None


@pytest.mark.parametrize(
    "setting", [lambda j: replace(j, name="\x00 \ufffd"), lambda j: replace(j, reason="'; DROP")]
)
def test_odd_text_is_only_text(jobs: JobStore, clock: SetClock, setting: Callable[[Job], Job]) -> None:
    added = jobs.add(setting(job(clock, "odd '\"; --")))
    assert jobs.get(added.id) == added
