"""Runs that died, and the jobs that their run had taken in: played out step by step."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from malaria.domain import JobState, Method, RetrainOptions
from malaria.errors import Busy
from malaria.trigger import LAUNCHING, Trigger
from tests.unit.plays import LEASE, Run, Stage, stage

__all__ = ["stage"]


FULL = RetrainOptions(method=Method.FULL)


def test_a_living_run_is_left_alone(stage: Stage) -> None:
    job = stage.submit()
    run = stage.run(stage.launch())
    stage.clock.go(3 * LEASE)  # the laptop slept; the process lives and will renew
    assert stage.trigger.reconcile() == []
    assert run.beat()
    assert stage.job(job).state == JobState.RUNNING


def test_a_dead_run_is_queued_again_once_and_its_lease_given_back(stage: Stage) -> None:
    job = stage.submit()
    stage.run(stage.launch()).die()
    assert [j.id for j in stage.trigger.reconcile()] == [job.id]
    again = stage.job(job)
    assert (again.state, again.handle, again.lease, again.attempt) == (JobState.QUEUED, "", None, 1)
    assert "started again" in again.reason
    second = stage.launch()
    assert second.attempt == 2, "the lease of the dead run is in the way"
    stage.run(second).die()
    (failed,) = stage.trigger.reconcile()
    assert (failed.state, failed.finished) == (JobState.FAILED, stage.clock.now())
    assert f"logs/{job.id}.log" in failed.reason
    assert stage.jobs.acquire("next", LEASE) is not None


def test_a_second_attempt_may_succeed(stage: Stage) -> None:
    job = stage.submit()
    stage.run(stage.launch()).die()
    stage.trigger.reconcile()
    stage.run(stage.launch()).end()
    assert (stage.job(job).state, stage.job(job).attempt) == (JobState.SUCCEEDED, 2)
    assert stage.trigger.reconcile() == []


def test_a_process_that_never_begins_is_tried_three_times(stage: Stage) -> None:
    job = stage.submit()
    for attempt in (1, 2, 3):
        launched = stage.launch()
        assert launched.attempt == attempt
        stage.launcher.end(launched.handle)
        assert stage.trigger.dispatch() is None
        stage.trigger.reconcile()
    assert stage.job(job).state == JobState.FAILED
    assert "before its work began" in stage.job(job).reason
    assert f"logs/{job.id}.log" in stage.job(job).reason
    assert len(stage.launcher.launched) == 3


def test_killed_between_lease_and_row(stage: Stage) -> None:
    """No row knows whose the lease is: the next run waits until it has run out."""
    job = stage.submit()
    launched = stage.launch()
    run = Run(stage, job.id, 1, launched.handle)
    assert run.acquire()
    run.die()
    stage.trigger.reconcile()
    assert stage.trigger.dispatch() is None
    stage.clock.go(LEASE + 1)
    second = stage.launch()
    assert second.attempt == 2
    stage.run(second).end()
    assert stage.job(job).state == JobState.SUCCEEDED


def test_a_run_that_finds_the_lease_taken_leaves_its_job_queued(stage: Stage) -> None:
    job = stage.submit()
    launched = stage.launch()
    other = stage.jobs.acquire("by hand/1", LEASE)
    assert other is not None
    run = stage.run(launched)
    assert run.group == []
    stage.trigger.reconcile()
    assert stage.trigger.dispatch() is None
    stage.jobs.release(other)
    stage.run(stage.launch()).end()
    assert stage.job(job).state == JobState.SUCCEEDED


def test_the_end_told_just_before_death_stands(stage: Stage) -> None:
    """The process ends between the look at its row and the look at the process."""
    job = stage.submit()
    run = stage.run(stage.launch())
    seen = stage.job(job)
    run.end()
    assert stage.trigger._has_ended(seen)
    assert stage.trigger._if_unmoved(seen, stage.trigger._bury) is None
    assert stage.job(job).reason == "the verdict"


def test_a_run_that_requeued_itself_is_not_buried_by_an_older_look(stage: Stage) -> None:
    job = stage.submit()
    run = stage.run(stage.launch())
    seen = stage.job(job)
    run.requeue_one()
    run.leave()
    again = stage.launch()
    assert stage.trigger._if_unmoved(seen, stage.trigger._bury) is None
    assert stage.job(job) == again


def test_two_reconcilers_bury_once(stage: Stage) -> None:
    job = stage.submit()
    stage.run(stage.launch()).die()
    rivals = [Trigger(stage.objects, stage.jobs, stage.launcher, stage.clock) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        buried = [j for found in pool.map(lambda t: t.reconcile(), rivals) for j in found]
    assert [j.id for j in buried] == [job.id]


def test_a_late_reconciler_does_not_take_the_lease_from_the_next_run(stage: Stage) -> None:
    stage.submit()
    dead = stage.run(stage.launch())
    dead.die()
    assert dead.token is not None
    stage.trigger.reconcile()
    alive = stage.run(stage.launch())
    stage.jobs.release(dead.token)  # what a reconciler that was held up would do now
    assert alive.beat()


def test_a_run_started_by_hand_counts_while_it_holds_the_lease(stage: Stage) -> None:
    job = stage.submit()
    run = Run(stage, job.id, 1, "unknown to the launcher")
    run.begin()
    assert stage.job(job).handle == ""
    assert stage.trigger.reconcile() == []
    stage.clock.go(LEASE - 1)
    assert run.beat()
    assert stage.trigger.reconcile() == []
    stage.clock.go(LEASE + 1)  # killed, and nobody renews
    assert [j.state for j in stage.trigger.reconcile()] == [JobState.QUEUED]


def test_a_claim_of_a_running_job_is_completed(stage: Stage) -> None:
    """The dispatcher died before it wrote down the handle; the run has begun all the same."""
    job = stage.submit()
    run = stage.run(stage.launch())
    handle = stage.job(job).handle
    stage.jobs.change(job.id, lambda j: replace(j, handle=f"{LAUNCHING}dead"))
    assert stage.trigger.reconcile() == []
    assert stage.job(job).handle == handle
    assert len(stage.launcher.launched) == 1
    run.die()
    assert [j.state for j in stage.trigger.reconcile()] == [JobState.QUEUED]


def test_a_slow_dispatcher_writes_no_handle_on_a_row_that_has_moved_on(stage: Stage) -> None:
    """Between launch and record the run has begun, was asked to end, and put its job back."""
    job = stage.submit()

    class Slow:
        def launch(self, job_id: str, attempt: int, method: Method = Method.AUTO) -> str:
            handle = stage.launcher.launch(job_id, attempt)
            run = Run(stage, job_id, attempt, handle)
            run.begin()
            run.requeue_one()
            run.leave()
            return handle

        alive, stop, log = stage.launcher.alive, stage.launcher.stop, stage.launcher.log

    Trigger(stage.objects, stage.jobs, Slow(), stage.clock).dispatch()
    assert stage.job(job).handle == ""
    assert stage.launch().attempt == 2


def test_followers_live_and_die_with_their_leader(stage: Stage) -> None:
    first, second, other = stage.submit("1.zip"), stage.submit("2.zip"), stage.submit("3.zip", FULL)
    run = stage.run(stage.launch())
    assert run.group == [first.id, second.id]
    assert stage.trigger.reconcile() == []
    run.die()
    assert {j.id for j in stage.trigger.reconcile()} == {first.id, second.id}
    assert stage.job(second).leader is None
    assert f"logs/{first.id}.log" in stage.job(second).reason
    assert stage.launch().id == first.id
    assert stage.job(other).state == JobState.QUEUED


def test_a_follower_lives_on_when_its_leader_alone_has_ended(stage: Stage) -> None:
    first, second = stage.submit("1.zip"), stage.submit("2.zip")
    run = stage.run(stage.launch())
    run.end(only=first.id, state=JobState.FAILED)
    assert stage.trigger.reconcile() == []
    assert stage.trigger.dispatch() is None
    run.die()
    assert [j.id for j in stage.trigger.reconcile()] == [second.id]
    assert stage.launch().id == second.id


def test_a_run_killed_while_it_puts_its_jobs_back(stage: Stage) -> None:
    """The leader is in the queue again, the follower still says running, and the process says no more."""
    first, second = stage.submit("1.zip"), stage.submit("2.zip")
    run = stage.run(stage.launch())
    run.requeue_one()
    assert stage.trigger.reconcile() == [], "it may be at it still: it holds the lease"
    run.die()
    assert stage.trigger.reconcile() == []
    stage.clock.go(LEASE + 1)
    assert [j.id for j in stage.trigger.reconcile()] == [second.id]
    assert stage.launch().id == first.id


def test_a_follower_of_a_run_that_came_before_is_buried(stage: Stage) -> None:
    first, second = stage.submit("1.zip"), stage.submit("2.zip")
    run = stage.run(stage.launch())
    run.requeue_one()
    run.leave()  # and the second was forgotten
    later = Run(stage, first.id, 2, "by hand")
    later.begin()
    assert later.group == [first.id]
    assert [j.id for j in stage.trigger.reconcile()] == [second.id]
    assert stage.job(first).state == JobState.RUNNING
    assert later.beat()


def test_a_launcher_that_cannot_tell_buries_nobody(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    job = stage.submit()
    stage.run(stage.launch()).die()

    def unknown(handle: str) -> bool:
        raise Busy("throttled")

    with monkeypatch.context() as patched:
        patched.setattr(stage.launcher, "alive", unknown)
        assert stage.trigger.reconcile() == []
        assert stage.job(job).state == JobState.RUNNING
    assert [found.id for found in stage.trigger.reconcile()] == [job.id]
