"""Kill the trainer, the server, or both: every job is truthfully ended or resumed, the store is whole."""

import os
import signal
import time
from pathlib import Path

import pytest

from malaria import wiring
from malaria.domain import Job, JobState
from malaria.settings import Settings
from malaria.tours.demo import FAINT
from tests.flow.server import RunningServer, start_server
from tests.flow.sites import Site, make_site

pytestmark = pytest.mark.flow


@pytest.fixture(scope="module")
def site(real_cells: Path, models_dir: Path) -> Site:
    return make_site(real_cells / "nih-cells-part1.zip", models_dir / "roles.json", FAINT, patients=8)


def drop(server: RunningServer, site: Site) -> None:
    partial = site.zip(server.home / "inbox" / ".site.part")
    partial.rename(server.home / "inbox" / "site.zip")


def wait_until_running(home: Path) -> Job:
    services = wiring.local(home, Settings(home=home))
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        running = services.jobs.list(state=JobState.RUNNING)
        if running and running[0].handle:
            return running[0]
        time.sleep(0.02)
    raise AssertionError("the job never ran")


def kill_trainer(job: Job) -> None:
    os.killpg(int(job.handle.split(":")[0]), signal.SIGKILL)


def assert_whole(home: Path) -> None:
    services = wiring.local(home, Settings(home=home))
    services.registry.verify()
    for info in services.registry.versions():
        services.registry.fetch(info.version, "model.tflite", home / "check" / info.version)
    assert services.jobs.list(state=JobState.RUNNING) == []


def test_a_killed_trainer_is_run_again(tmp_path: Path, site: Site) -> None:
    with start_server(tmp_path / "home") as server:
        drop(server, site)
        kill_trainer(wait_until_running(server.home))
        told = server.verdict_on("site.zip")
        assert (told["state"], told["verdict"]) == ("succeeded", "accepted"), told
        assert told["attempt"] == 2
    assert_whole(tmp_path / "home")


def test_server_and_trainer_killed_together_resume_at_the_next_start(tmp_path: Path, site: Site) -> None:
    home = tmp_path / "home"
    with start_server(home) as server:
        drop(server, site)
        job = wait_until_running(home)
        server.process.kill()
        kill_trainer(job)
        server.process.wait()
    with start_server(home) as server:
        told = server.verdict_on("site.zip")
        assert (told["state"], told["verdict"]) == ("succeeded", "accepted"), told
        server.wait_for_version(told["version"])
    assert_whole(home)


def test_a_killed_server_leaves_the_trainer_to_its_work(tmp_path: Path, site: Site) -> None:
    home = tmp_path / "home"
    with start_server(home) as server:
        drop(server, site)
        wait_until_running(home)
        server.process.kill()
        server.process.wait()
    with start_server(home) as server:
        told = server.verdict_on("site.zip")
        assert (told["state"], told["attempt"]) == ("succeeded", 1), told
        server.wait_for_version(told["version"])
    assert_whole(home)


def test_a_trainer_that_dies_every_time_fails_the_job_with_a_reason(tmp_path: Path, site: Site) -> None:
    with start_server(tmp_path / "home") as server:
        drop(server, site)
        seen: set[str] = set()
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            services = wiring.local(server.home, Settings(home=server.home))
            jobs = services.jobs.list()
            if jobs and jobs[0].state.terminal:
                break
            if jobs and jobs[0].state == JobState.RUNNING and jobs[0].handle not in seen:
                seen.add(jobs[0].handle)
                kill_trainer(jobs[0])
            time.sleep(0.02)
        told = server.verdict_on("site.zip", seconds=5)
        assert told["state"] == "failed"
        assert told["reason"]
        assert len(seen) >= 2
    assert_whole(tmp_path / "home")
