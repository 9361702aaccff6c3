"""Dispatchers, runs, kills, cancels, naps and clocks in any order: what must hold then, and in the end."""

import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from malaria.domain import Job, JobState, Method, RetrainOptions
from malaria.errors import JobFinished
from malaria.trigger import RUNS, STARTS, Trigger
from tests.unit.plays import LEASE, Killed, Mortal, Run, Stage

OPTIONS = st.sampled_from([RetrainOptions(), RetrainOptions(method=Method.FULL)])


class Supervision(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.stage = Stage(Path(self.folder.name))
        self.runs: list[Run] = []
        self.ended: dict[str, Job] = {}
        self.begun: set[str] = set()

    def teardown(self) -> None:
        try:
            self.everything_ends()
        finally:
            self.folder.cleanup()

    @rule(options=OPTIONS)
    def submit(self, options: RetrainOptions) -> None:
        self.stage.submit(options=options)

    @rule()
    def dispatch(self) -> None:
        self.stage.trigger.dispatch()

    @rule()
    def reconcile(self) -> None:
        self.stage.trigger.reconcile()

    @rule(last=st.integers(1, 12), after=st.booleans(), what=st.sampled_from(["dispatch", "reconcile"]))
    def supervisor_is_killed(self, last: int, after: bool, what: str) -> None:
        mortal = [last]
        jobs, launcher = (Mortal(port, mortal, after) for port in (self.stage.jobs, self.stage.launcher))
        dying = Trigger(self.stage.objects, jobs, launcher, self.stage.clock)  # type: ignore[arg-type]
        try:
            getattr(dying, what)()
        except Killed:
            return

    @rule()
    def launched_runs_begin(self) -> None:
        for job_id, attempt in self.stage.launcher.launched:
            handle = f"memory:{job_id}:{attempt}"
            if handle not in self.begun and self.stage.launcher.alive(handle):
                self.begun.add(handle)
                run = Run(self.stage, job_id, attempt, handle)
                run.begin()
                if run.group:
                    self.runs.append(run)

    @rule()
    def launched_run_dies_at_once(self) -> None:
        for job_id, attempt in self.stage.launcher.launched[-1:]:
            if f"memory:{job_id}:{attempt}" not in self.begun:
                self.stage.launcher.end(f"memory:{job_id}:{attempt}")

    @rule(killed=st.booleans())
    def launched_run_takes_the_lease_and_no_more(self, killed: bool) -> None:
        for job_id, attempt in self.stage.launcher.launched[-1:]:
            run = Run(self.stage, job_id, attempt, f"memory:{job_id}:{attempt}")
            if run.handle not in self.begun and self.stage.launcher.alive(run.handle):
                self.begun.add(run.handle)
                if run.acquire() and killed:
                    run.die()
                else:
                    run.leave()

    @precondition(lambda self: self.runs)
    @rule(how=st.sampled_from(["end", "end_leader", "die", "requeue", "requeue_and_die"]))
    def a_run_goes(self, how: str) -> None:
        run = self.runs.pop()
        if not run.beat():
            run.die()
        elif how == "end":
            run.end()
        elif how == "end_leader" and len(run.group) > 1:
            run.end(only=run.group[0], state=JobState.FAILED)
            self.runs.append(run)
        elif how == "requeue":
            while run.group:
                run.requeue_one()
            run.leave()
        elif how == "requeue_and_die":
            run.requeue_one()
            run.die()
        else:
            run.die()

    @rule(which=st.integers(0, 20))
    def cancel(self, which: int) -> None:
        jobs = self.stage.jobs.list()
        if jobs:
            try:
                self.stage.trigger.cancel(jobs[which % len(jobs)].id)
            except JobFinished:
                return

    @rule(seconds=st.sampled_from([0.5, 10.0, LEASE + 1, 86_400.0, -3600.0]))
    def time_goes(self, seconds: float) -> None:
        """Runs that live renew their lease as soon as they can, a nap of the laptop included."""
        self.stage.clock.go(seconds)
        for run in self.runs:
            run.beat()

    @rule(full=st.booleans())
    def capacity(self, full: bool) -> None:
        self.stage.launcher.full = "no capacity" if full else ""

    @invariant()
    def one_living_run_holds_the_lease(self) -> None:
        assert len([run for run in self.runs if run.beat()]) == len(self.runs) <= 1

    @invariant()
    def no_living_run_is_buried(self) -> None:
        for run in self.runs:
            for job_id in run.group:
                assert self.stage.job(job_id).state == JobState.RUNNING
                assert self.stage.job(job_id).lease == run.token

    @invariant()
    def the_end_is_final(self) -> None:
        for job in self.stage.jobs.list():
            assert self.ended.get(job.id, job) == job
            if job.state.terminal:
                self.ended[job.id] = job
                assert job.reason
                assert job.finished

    def everything_ends(self) -> None:
        """All processes die; then a supervisor alone, and runs that work, bring every job to an end."""
        self.stage.launcher.full = ""
        for run in self.runs:
            run.die()
        self.runs.clear()
        for _ in range(200):
            self.stage.trigger.reconcile()
            self.stage.trigger.dispatch()
            self.launched_runs_begin()
            while self.runs:
                self.runs.pop().end()
            if all(job.state.terminal for job in self.stage.jobs.list()):
                break
            self.stage.clock.go(10)
        for job in self.stage.jobs.list():
            assert job.state.terminal, f"{job} never ended"
            if job.state == JobState.FAILED and job.reason != "the verdict":
                assert job.attempt >= min(RUNS, STARTS), f"{job} was given up too early"


Supervision.TestCase.settings = settings(
    max_examples=150, stateful_step_count=40, deadline=None, derandomize=True
)
TestSupervision = Supervision.TestCase
