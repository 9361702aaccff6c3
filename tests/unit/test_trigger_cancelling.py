"""Jobs that are to stop, whatever state they are met in."""

import pytest

from malaria.domain import JobState, Method, RetrainOptions
from malaria.errors import JobFinished, UnknownTask
from malaria.trigger import Trigger
from tests.unit.plays import Run, Stage, stage

__all__ = ["stage"]


FULL = RetrainOptions(method=Method.FULL)


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
        def launch(self, job_id: str, attempt: int, method: Method = Method.AUTO) -> str:
            handle = stage.launcher.launch(job_id, attempt)
            stage.trigger.cancel(job_id)
            return handle

        alive, stop, log = stage.launcher.alive, stage.launcher.stop, stage.launcher.log

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
