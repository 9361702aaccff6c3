"""Intake and supervision, with fakes of the ports: each race is played out step by step."""

import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from malaria.domain import Job, JobState, Method, RetrainOptions
from malaria.errors import JobFinished, UnknownTask
from malaria.trigger import LAUNCHING, Trigger
from tests.unit.plays import LEASE, Run, Stage

FULL = RetrainOptions(method=Method.FULL)


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


class Killed(BaseException):
    """The dispatcher is killed here."""


class Mortal:
    """Passes calls on to a port until the process dies: at call number `last`, before or after its effect."""

    def __init__(self, port: object, last: list[int], after: bool) -> None:
        self._port, self._last, self._after = port, last, after

    def __getattr__(self, name: str) -> Callable[..., object]:
        def call(*args: object, **kwargs: object) -> object:
            self._last[0] -= 1
            if self._last[0] == 0 and not self._after:
                raise Killed
            try:
                return getattr(self._port, name)(*args, **kwargs)
            finally:
                if self._last[0] == 0:
                    raise Killed

        return call


# ---- taking in


def test_an_upload_becomes_a_queued_job(stage: Stage) -> None:
    job = stage.submit("a+b %41é.zip", FULL)
    assert (job.state, job.options, job.actor, job.name) == (JobState.QUEUED, FULL, "me", "a+b %41é.zip")
    assert job.upload == f"uploads/{job.id}/a+b %41é.zip"
    assert stage.objects.get(job.upload) == "a+b %41é.zip".encode()
    assert stage.job(job) == job
    assert job.created == stage.clock.now()


def test_uploads_without_identity_are_all_new(stage: Stage) -> None:
    assert stage.submit().id != stage.submit().id


def test_the_same_identity_answers_with_the_job_that_stands(stage: Stage, tmp_path: Path) -> None:
    source = tmp_path / "a.zip"
    source.write_bytes(b"cells")

    def submit(_: int = 0) -> Job:
        return stage.trigger.submit(source, name="a.zip", identity="x", options=FULL, actor="me")

    with ThreadPoolExecutor(8) as pool:
        jobs = list(pool.map(submit, range(16)))
    assert len({job.id for job in jobs}) == 1
    stage.trigger.cancel(jobs[0].id)
    source.unlink()
    assert submit().state == JobState.CANCELLED
    assert len(stage.jobs.list()) == 1
    assert len(stage.objects.list("uploads/")) == 1


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd",
        "a/b\\c.zip",
        "#12",
        "x#7.zip",
        "",
        ".zip",
        "é" * 400 + ".zip",
        "\udcff.zip",
        "a\nb\x00.ZIP",
        "..",
    ],
)
def test_any_name_can_be_taken_in(stage: Stage, tmp_path: Path, name: str) -> None:
    from malaria.adapters.objects import local

    stage.trigger = Trigger(local(tmp_path / "store"), stage.jobs, stage.launcher, stage.clock)
    source = tmp_path / "source"
    source.write_bytes(b"cells")
    job = stage.trigger.submit(source, name=name, identity=f"id {name}", options=FULL, actor="me")
    assert local(tmp_path / "store").get(job.upload) == b"cells"
    assert job.upload.startswith(f"uploads/{job.id}/")
    assert job.upload.endswith(".zip")
    assert job.upload.count("/") == 2


def test_an_intake_killed_between_object_and_row_is_done_again(stage: Stage, tmp_path: Path) -> None:
    source = tmp_path / "a.zip"
    source.write_bytes(b"cells")
    for last in range(1, 4):
        for after in (False, True):
            mortal = [last]
            dying = Trigger(
                Mortal(stage.objects, mortal, after),  # type: ignore[arg-type]
                Mortal(stage.jobs, mortal, after),  # type: ignore[arg-type]
                stage.launcher,
                stage.clock,
            )
            identity = f"{last} {after}"
            with pytest.raises(Killed):
                dying.submit(source, name="a.zip", identity=identity, options=FULL, actor="me")
            job = stage.trigger.submit(source, name="a.zip", identity=identity, options=FULL, actor="me")
            assert stage.objects.get(job.upload) == b"cells"
    assert len(stage.jobs.list()) == 6
    assert len(stage.objects.list("uploads/")) == 6


def zipped(path: Path, options: str | None) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("Parasitized/a.png", b"no picture, but nobody looks yet")
        archive.writestr("Uninfected/a.png", b"no picture, but nobody looks yet")
        if options is not None:
            archive.writestr("retrain.json", options)
    return path


def test_an_archive_says_itself_how_to_retrain(stage: Stage, tmp_path: Path) -> None:
    plain = stage.trigger.take_in(zipped(tmp_path / "a.zip", None), name="a.zip", identity="a", actor="inbox")
    assert (plain.state, plain.options) == (JobState.QUEUED, RetrainOptions())
    told = zipped(tmp_path / "b.zip", '{"method": "full", "epochs": 3, "note": "new stain"}')
    job = stage.trigger.take_in(told, name="b.zip", identity="b", actor="inbox")
    assert job.options == RetrainOptions(method=Method.FULL, epochs=3, note="new stain")


@pytest.mark.parametrize(
    ("options", "said"),
    [('{"epochs": 0}', "epochs"), ("{", "JSON"), (None, "ZIP")],
    ids=["range", "json", "no zip"],
)
def test_what_cannot_be_used_fails_with_its_reason_and_is_kept(
    stage: Stage, tmp_path: Path, options: str | None, said: str
) -> None:
    source = tmp_path / "a.zip"
    if options is None:
        source.write_bytes(b"not a ZIP at all")
    else:
        zipped(source, options)
    job = stage.trigger.take_in(source, name="a.zip", identity="a", actor="inbox")
    assert job.state == JobState.FAILED
    assert said in job.reason
    assert job.finished == stage.clock.now()
    assert stage.objects.get(job.upload) == source.read_bytes()
    assert stage.trigger.dispatch() is None


# ---- launching


def test_the_oldest_is_launched(stage: Stage) -> None:
    first = stage.submit("first.zip")
    stage.submit("second.zip")
    launched = stage.launch()
    assert (launched.id, launched.attempt, launched.state) == (first.id, 1, JobState.QUEUED)
    assert stage.launcher.alive(launched.handle)
    assert stage.job(first) == launched


def test_one_run_at_a_time(stage: Stage) -> None:
    first = stage.submit("first.zip")
    second = stage.submit("second.zip", FULL)
    run = stage.run(stage.launch())
    assert stage.trigger.dispatch() is None
    run.end()
    assert stage.job(first).state == JobState.SUCCEEDED
    assert stage.launch().id == second.id
    assert stage.trigger.dispatch() is None, "a launched run that has not begun counts"
    assert len(stage.launcher.launched) == 2


def test_nothing_waits_nothing_is_launched(stage: Stage) -> None:
    assert stage.trigger.dispatch() is None
    assert stage.trigger.reconcile() == []


def test_many_dispatchers_launch_one_run(stage: Stage) -> None:
    for i in range(5):
        stage.submit(f"{i}.zip")
    rivals = [Trigger(stage.objects, stage.jobs, stage.launcher, stage.clock) for _ in range(12)]
    with ThreadPoolExecutor(12) as pool:
        launched = [job for job in pool.map(lambda t: t.dispatch(), rivals) if job]
    assert len(launched) == 1
    assert len(stage.launcher.launched) == 1
    assert len([job for job in stage.jobs.list() if job.handle]) == 1


def test_a_run_holding_the_lease_is_waited_for(stage: Stage) -> None:
    stage.submit()
    token = stage.jobs.acquire("somebody/1", LEASE)
    assert token is not None
    assert stage.trigger.dispatch() is None
    stage.clock.go(LEASE + 1)
    assert stage.launch().attempt == 1


def test_no_capacity_keeps_the_job_queued_with_the_reason(stage: Stage) -> None:
    job = stage.submit()
    stage.launcher.full = "ResourceLimitExceeded: ask for more"
    assert stage.trigger.dispatch() is None
    waiting = stage.job(job)
    assert (waiting.state, waiting.attempt, waiting.handle) == (JobState.QUEUED, 0, "")
    assert waiting.reason == "ResourceLimitExceeded: ask for more"
    assert stage.trigger.reconcile() == []
    stage.launcher.full = ""
    assert stage.launch().attempt == 1


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("last", range(1, 9))
@pytest.mark.parametrize("begun", [False, True], ids=["not begun", "begun"])
def test_a_dispatcher_killed_at_any_step(stage: Stage, last: int, after: bool, begun: bool) -> None:
    """Whatever it did last, the job runs once, and its process is known."""
    job = stage.submit()
    mortal = [last]
    dying = Trigger(
        stage.objects,
        Mortal(stage.jobs, mortal, after),  # type: ignore[arg-type]
        Mortal(stage.launcher, mortal, after),  # type: ignore[arg-type]
        stage.clock,
    )
    try:
        dying.dispatch()
        assert last > 7, "the dispatch takes fewer calls than this test thinks"
    except Killed:
        pass
    run = stage.run(replace(job, attempt=1)) if begun and stage.launcher.launched else None
    for _ in range(3):
        assert all(changed.state == JobState.QUEUED for changed in stage.trigger.reconcile())
        stage.trigger.dispatch()
        stage.clock.go(
            3
        )  # where it died between taking and giving back its probe of the lease, that runs out
    assert stage.launcher.launched == [(job.id, 1)]
    assert stage.launcher.alive(stage.job(job).handle)
    (run or stage.run(stage.job(job))).end()
    assert stage.job(job).state == JobState.SUCCEEDED


# ---- burying


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
        def launch(self, job_id: str, attempt: int) -> str:
            handle = stage.launcher.launch(job_id, attempt)
            run = Run(stage, job_id, attempt, handle)
            run.begin()
            run.requeue_one()
            run.leave()
            return handle

        alive, stop = stage.launcher.alive, stage.launcher.stop

    Trigger(stage.objects, stage.jobs, Slow(), stage.clock).dispatch()
    assert stage.job(job).handle == ""
    assert stage.launch().attempt == 2


# ---- followers


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


# ---- cancelling


def test_a_queued_job_is_cancelled_at_once(stage: Stage) -> None:
    job = stage.submit()
    cancelled = stage.trigger.cancel(job.id)
    assert (cancelled.state, cancelled.finished) == (JobState.CANCELLED, stage.clock.now())
    assert stage.trigger.dispatch() is None


def test_a_launched_job_that_has_not_begun_is_cancelled_at_once(stage: Stage) -> None:
    job = stage.submit()
    launched = stage.launch()
    assert stage.trigger.cancel(job.id).state == JobState.CANCELLED
    assert not stage.launcher.alive(launched.handle)


def test_a_cancel_between_claim_and_handle_stops_the_process(stage: Stage) -> None:
    job = stage.submit()

    class CancelledMeanwhile:
        def launch(self, job_id: str, attempt: int) -> str:
            handle = stage.launcher.launch(job_id, attempt)
            stage.trigger.cancel(job_id)
            return handle

        alive, stop = stage.launcher.alive, stage.launcher.stop

    found = Trigger(stage.objects, stage.jobs, CancelledMeanwhile(), stage.clock).dispatch()
    assert found is not None
    assert found.state == JobState.CANCELLED
    assert not stage.launcher.alive(f"memory:{job.id}:1")


def test_the_run_of_a_job_cancelled_this_moment_does_nothing(stage: Stage) -> None:
    job = stage.submit()
    launched = stage.launch()
    run = Run(stage, job.id, 1, launched.handle)
    stage.trigger.cancel(job.id)
    run.begin()
    assert run.group == []
    assert stage.job(job).state == JobState.CANCELLED


def test_a_running_job_is_asked_to_stop(stage: Stage) -> None:
    job = stage.submit()
    run = stage.run(stage.launch())
    asked = stage.trigger.cancel(job.id)
    assert (asked.state, asked.cancel_requested) == (JobState.RUNNING, True)
    assert stage.trigger.cancel(job.id) == asked
    assert stage.trigger.reconcile() == []
    run.end(state=JobState.CANCELLED)
    with pytest.raises(JobFinished):
        stage.trigger.cancel(job.id)


def test_a_run_that_dies_while_it_should_stop_is_cancelled(stage: Stage) -> None:
    job = stage.submit()
    run = stage.run(stage.launch())
    stage.trigger.cancel(job.id)
    run.die()
    assert [j.state for j in stage.trigger.reconcile()] == [JobState.CANCELLED]
    assert stage.job(job).finished is not None


def test_a_run_put_back_while_it_should_stop_is_cancelled(stage: Stage) -> None:
    job = stage.submit()
    run = stage.run(stage.launch())
    stage.trigger.cancel(job.id)
    run.requeue_one()
    run.leave()
    assert [j.state for j in stage.trigger.reconcile()] == [JobState.CANCELLED]
    assert stage.job(job).state == JobState.CANCELLED


def test_unknown_and_ended_jobs_cannot_be_cancelled(stage: Stage) -> None:
    with pytest.raises(UnknownTask):
        stage.trigger.cancel("nowhere")
    job = stage.submit()
    stage.trigger.cancel(job.id)
    with pytest.raises(JobFinished, match="cancelled"):
        stage.trigger.cancel(job.id)
