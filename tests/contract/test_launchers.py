"""What every launcher does, and what the one with real processes must stand."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from malaria.adapters.memory_launcher import MemoryLauncher
from malaria.adapters.subprocess_launcher import SubprocessLauncher
from malaria.errors import Busy
from malaria.ports import TrainingLauncher

PYTHON = (sys.executable, "-S", "-c")
SLEEP = (*PYTHON, "import time; print('up', flush=True); time.sleep(120)")
STUBBORN = (
    *PYTHON,
    "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + SLEEP[-1],
)


def soon(holds: Callable[[], bool], seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def ends(launcher: TrainingLauncher, handle: str) -> bool:
    return soon(lambda: not launcher.alive(handle))


def kill(handle: str) -> None:
    os.killpg(int(handle.partition(":")[0]), signal.SIGKILL)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A home whose processes do not outlive the test."""
    yield tmp_path / "home"
    for started in (tmp_path / "home" / "work" / "launched").glob("*"):
        handle = started.read_text()
        if SubprocessLauncher(tmp_path / "home").alive(handle):
            kill(handle)


def in_the_table(pid: int) -> bool:
    """Whether the number is taken, be it by a zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def log(home: Path, job: str) -> str:
    path = home / "logs" / f"{job}.log"
    return path.read_text() if path.exists() else ""


@pytest.fixture(params=["memory", "subprocess", "ecs", "sagemaker"])
def launcher(request: pytest.FixtureRequest, home: Path) -> TrainingLauncher:
    if request.param == "memory":
        return MemoryLauncher()
    if request.param == "subprocess":
        return SubprocessLauncher(home, SLEEP)
    found: TrainingLauncher = request.getfixturevalue(f"{request.param}_launcher")
    return found


def test_a_launched_run_lives_until_it_is_stopped(launcher: TrainingLauncher) -> None:
    handle = launcher.launch("job", 1)
    assert launcher.alive(handle)
    launcher.stop(handle)
    assert ends(launcher, handle)
    launcher.stop(handle)


def test_a_job_and_attempt_start_once(launcher: TrainingLauncher) -> None:
    handle = launcher.launch("job", 1)
    assert launcher.launch("job", 1) == handle
    others = {launcher.launch("job", 2), launcher.launch("other", 1)}
    assert len({handle, *others}) == 3
    launcher.stop(handle)
    assert ends(launcher, handle)
    assert launcher.launch("job", 1) == handle
    assert not launcher.alive(handle), "a run that had ended was started again"
    assert all(launcher.alive(other) for other in others)


def test_of_many_starters_one_wins(launcher: TrainingLauncher) -> None:
    with ThreadPoolExecutor(8) as pool:
        handles = set(pool.map(lambda _: launcher.launch("job", 1), range(8)))
    assert len(handles) == 1
    assert launcher.alive(handles.pop())


@pytest.mark.parametrize(
    "handle",
    [
        "",
        "launching:0",
        "999999999:1",
        "1:0",
        "x:y",
        "-1:5",
        "0:0",
        "²:3",
        "sagemaker:",
        "sagemaker:malaria-nothing-1",
        "arn:aws:ecs:us-east-1:123456789012:task/trainings/00000000000000000000000000000009",
    ],
)
def test_a_handle_of_nothing_is_dead(launcher: TrainingLauncher, handle: str) -> None:
    assert not launcher.alive(handle)
    launcher.stop(handle)


def test_the_command_is_told_its_job_and_its_home(home: Path) -> None:
    told = (
        "import os, sys; print(sys.argv[1:], os.environ['MALARIA_HOME'], sys.stdin.read() == '', "
        "os.getsid(0) == os.getpid())"
    )
    launcher = SubprocessLauncher(home, (*PYTHON, told))
    for attempt in (1, 2):
        assert ends(launcher, launcher.launch("abc", attempt))
    assert log(home, "abc").splitlines() == [
        f"['--job', 'abc', '--attempt', '{attempt}'] {home.resolve()} True True" for attempt in (1, 2)
    ]


def test_by_default_the_entry_point_of_the_container_runs(home: Path) -> None:
    launcher = SubprocessLauncher(home)
    assert launcher._command == (sys.executable, "-m", "training_job")


def test_what_a_run_says_when_it_fails_is_in_its_log(home: Path) -> None:
    launcher = SubprocessLauncher(home, (*PYTHON, "raise SystemExit('out of luck')"))
    handle = launcher.launch("abc", 1)
    assert ends(launcher, handle)
    assert log(home, "abc") == "out of luck\n"


def test_a_dead_run_is_not_left_as_a_zombie(home: Path) -> None:
    launcher = SubprocessLauncher(home, SLEEP)
    handle = launcher.launch("abc", 1)
    kill(handle)
    assert ends(launcher, handle)
    assert soon(lambda: not in_the_table(int(handle.partition(":")[0])))


def test_a_number_used_anew_is_not_the_run(home: Path) -> None:
    launcher = SubprocessLauncher(home, SLEEP)
    handle = launcher.launch("abc", 1)
    pid, _, started = handle.partition(":")
    assert launcher.alive(handle)
    earlier = f"{pid}:{int(started) - 1 if started.isdigit() else 'earlier'}"
    assert not launcher.alive(earlier)
    launcher.stop(earlier)
    time.sleep(0.2)
    assert launcher.alive(handle)


def test_a_run_that_does_not_hear_is_killed_after_the_grace(home: Path) -> None:
    launcher = SubprocessLauncher(home, STUBBORN, grace=3.0)
    handle = launcher.launch("abc", 1)
    assert soon(lambda: "up" in log(home, "abc"))
    began = time.monotonic()
    launcher.stop(handle)
    assert time.monotonic() - began < 2.0, "the caller was kept waiting"
    assert launcher.alive(handle)
    assert soon(lambda: not launcher.alive(handle), 20)


def test_a_run_outlives_the_server_that_started_it(home: Path) -> None:
    server = (
        "import sys; from pathlib import Path\n"
        "from malaria.adapters.subprocess_launcher import SubprocessLauncher\n"
        "print(SubprocessLauncher(Path(sys.argv[1]), sys.argv[2:]).launch('abc', 1), flush=True)\n"
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    )
    command = [sys.executable, "-c", server, str(home), *SLEEP]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert told.returncode == -signal.SIGKILL
    launcher = SubprocessLauncher(home, SLEEP)
    assert launcher.alive(told.stdout.strip())
    assert soon(lambda: "up" in log(home, "abc")), "it never got through the gate"
    assert launcher.launch("abc", 1) == told.stdout.strip()


def test_a_starter_killed_before_the_handle_is_kept_starts_nothing(home: Path) -> None:
    server = (
        "import sys, os, signal; from malaria.adapters import subprocess_launcher; from pathlib import Path\n"
        "subprocess_launcher._claim = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "subprocess_launcher.SubprocessLauncher(Path(sys.argv[1]), sys.argv[2:]).launch('abc', 1)\n"
    )
    told = subprocess.run([sys.executable, "-c", server, str(home), *SLEEP], check=False)
    assert told.returncode == -signal.SIGKILL
    time.sleep(0.3)
    assert log(home, "abc") == ""
    launcher = SubprocessLauncher(home, SLEEP)
    assert launcher.alive(launcher.launch("abc", 1))
    assert soon(lambda: log(home, "abc") == "up\n")


def test_no_process_and_no_disk_are_busy(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file where a folder must be")
    with pytest.raises(Busy, match="could not be started"):
        SubprocessLauncher(tmp_path / "home", SLEEP).launch("abc", 1)


def test_a_full_fake_refuses_new_runs_only() -> None:
    launcher = MemoryLauncher()
    handle = launcher.launch("abc", 1)
    launcher.full = "no capacity"
    assert launcher.launch("abc", 1) == handle
    with pytest.raises(Busy, match="no capacity"):
        launcher.launch("abc", 2)
