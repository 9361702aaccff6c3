"""A server that is started for one run, with an empty home that goes with it."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

START_SECONDS = 180.0
STOP_SECONDS = 20.0
OURS = ("MALARIA_HOME", "MALARIA_TARGET", "MALARIA_ACCESS", "MALARIA_HOST", "MALARIA_PORT", "MALARIA_KEY")
"""Settings that this server does not take from the environment: it is open, and on the loopback address."""
_URL = re.compile(r"http://127\.0\.0\.1:\d+")


class NotStarted(Exception):
    """No server came to life. Its text says why."""


@contextlib.contextmanager
def own_server(seconds: float = START_SECONDS) -> Iterator[str]:
    """The URL of a server on a free port, which ends with the block. Other MALARIA_ settings hold for it.

    Raises NotStarted where it does not answer within `seconds`.
    """
    with tempfile.TemporaryDirectory(prefix="malaria-load-") as folder:
        home, log = Path(folder) / "home", Path(folder) / "serve.log"
        command = [sys.executable, "-m", "malaria.cli", "--target", "local", "--home", str(home)]
        command += ["serve", "--host", "127.0.0.1", "--port", "0"]
        given = {name: value for name, value in os.environ.items() if name not in OURS}
        with log.open("wb") as out:
            # A session of its own: Ctrl-C must end the run first, and only then the server.
            process = subprocess.Popen(
                command, env=given, stdout=out, stderr=subprocess.STDOUT, start_new_session=True
            )
        try:
            yield _answering(process, log, time.monotonic() + seconds)
        finally:
            _stop(process)


def _answering(process: subprocess.Popen[bytes], log: Path, deadline: float) -> str:
    """Its URL, once it answers there."""
    while process.poll() is None and time.monotonic() < deadline:
        said = _URL.search(log.read_text(errors="replace"))
        if said:
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"{said[0]}/health", timeout=5).json().get("model_loaded"):
                    return said[0]
        time.sleep(0.1)
    raise NotStarted("The server did not start:\n" + log.read_text(errors="replace")[-2000:])


def _stop(process: subprocess.Popen[bytes]) -> None:
    """As Ctrl-C does; by force where it does not end in time."""
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGINT)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
