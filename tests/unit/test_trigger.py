"""Intake and launching, with fakes of the ports: each race is played out step by step."""

import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from malaria.domain import Job, JobState, Method, RetrainOptions
from malaria.trigger import Trigger
from tests.unit.plays import LEASE, Killed, Mortal, Stage, stage

__all__ = ["stage"]


FULL = RetrainOptions(method=Method.FULL)


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
