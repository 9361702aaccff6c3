"""Runs of training as processes of this machine, which outlive the server that started them."""

import os
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from malaria.domain import Method
from malaria.errors import Busy

_GATE = ("/bin/sh", "-c", 'read go && exec "$@" </dev/null', "sh")
"""Waits for a line before it becomes the command; where none comes, the starter has died or lost, it ends."""


class SubprocessLauncher:
    """A TrainingLauncher. A handle is "pid:start time", so that a number used anew is not taken for the run.

    home: folder of the laptop mode; what a run prints goes to logs/{job}.log, and work/launched/ tells what
        was started. command: what to run, given `--job ID --attempt N`.
    grace: seconds between asking a run to end and killing it.
    """

    def __init__(self, home: Path, command: Sequence[str] | None = None, *, grace: float = 10.0) -> None:
        self._home = home.resolve()
        self._command = tuple(command or (sys.executable, "-m", "training_job"))
        self._grace = grace

    def launch(self, job_id: str, attempt: int, method: Method = Method.AUTO) -> str:  # noqa: ARG002
        """Start a run and return its handle; one that was started before is only named again.

        Every method runs on this machine.

        The process waits at a gate until its handle is on the disk, so of many starters one wins, and a
        starter killed at any point leaves either a run with a known handle or none. Raises Busy where the
        system gives no process or no disk.
        """
        started = self._home / "work" / "launched" / f"{job_id}.{attempt}"
        try:
            started.parent.mkdir(parents=True, exist_ok=True)
            if not started.exists():
                self._start(job_id, attempt, started)
            return started.read_text()
        except OSError as error:
            raise Busy(f"The training process could not be started: {error}.") from error

    def alive(self, handle: str) -> bool:
        pid = _pid(handle)
        return pid is not None and _start_time(pid) == handle.partition(":")[2]

    def stop(self, handle: str) -> None:
        """Ask the process and its children to end; after the grace kill them, while the caller goes on."""
        if not self.alive(handle):
            return
        self._signal(handle, signal.SIGTERM)
        timer = threading.Timer(self._grace, self._signal, (handle, signal.SIGKILL))
        timer.daemon = True
        timer.start()

    def log(self, job_id: str) -> str:
        return f"logs/{job_id}.log"

    def _start(self, job_id: str, attempt: int, started: Path) -> None:
        command = (*_GATE, *self._command, "--job", job_id, "--attempt", str(attempt))
        logs = self._home / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        with (self._home / self.log(job_id)).open("ab") as log:
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env={**os.environ, "MALARIA_HOME": str(self._home)},
            )
        assert process.stdin is not None
        with process.stdin as gate:
            if _claim(started, f"{process.pid}:{_start_time(process.pid)}"):
                with suppress(BrokenPipeError):  # it was killed at the gate: its handle tells that it is dead
                    gate.write(b"go\n")
                    gate.flush()
        # Someone must ask for its exit code, or it stays in the table of processes as a zombie.
        threading.Thread(target=process.wait, name=f"reaper-{process.pid}", daemon=True).start()

    def _signal(self, handle: str, number: signal.Signals) -> None:
        pid = _pid(handle)
        if pid is not None and self.alive(handle):
            with suppress(ProcessLookupError):
                os.killpg(pid, number)  # the run leads a session of its own, so its number names the group


def _claim(started: Path, handle: str) -> bool:
    """Write down the handle, whole and once; False where another starter was first."""
    draft = started.with_name(f".{uuid.uuid4().hex}")
    try:
        draft.write_text(handle)
        os.link(draft, started)
    except FileExistsError:
        return False
    finally:
        draft.unlink(missing_ok=True)
    return True


def _pid(handle: str) -> int | None:
    number = handle.partition(":")[0]
    return int(number) if number.isascii() and number.isdigit() else None


def _start_time(pid: int) -> str | None:
    """When a process started, in the system's own words; None where it has ended."""
    stat = Path(f"/proc/{pid}/stat")
    if Path("/proc/self/stat").exists():
        try:
            fields = stat.read_text(errors="replace").rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            return None
        return None if fields[0] in "ZX" else fields[19]
    told = subprocess.run(
        ("ps", "-o", "stat=,lstart=", "-p", str(pid)), capture_output=True, text=True, check=False
    ).stdout.split()
    return None if not told or told[0].startswith("Z") else " ".join(told[1:])
