"""`malaria serve` as a process of its own, which a test may kill and start again at the same address."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx


class Server:
    """Serves `home` at one address of this machine, from `start` to `stop`.

    supervised: whether it launches trainings; else jobs wait in the queue.
    """

    def __init__(self, home: Path, *, supervised: bool = False, **settings: str) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.home = home
        self._supervisor = "--supervisor" if supervised else "--no-supervisor"
        self._settings = {f"MALARIA_{name.upper()}": value for name, value in settings.items()}
        self._process: subprocess.Popen[bytes] | None = None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = int(free.getsockname()[1])
        self.url = f"http://127.0.0.1:{self._port}"

    def start(self) -> "Server":
        """Raises AssertionError where it does not answer within a minute and a half."""
        command = [sys.executable, "-m", "malaria.cli", "serve", "--port", str(self._port), self._supervisor]
        environment = {**os.environ, **self._settings, "MALARIA_HOME": str(self.home)}
        with (self.home / "serve.log").open("ab") as out:
            self._process = subprocess.Popen(command, env=environment, stdout=out, stderr=out)
        deadline = time.monotonic() + 90
        while not self._answers():
            assert self._process.poll() is None and time.monotonic() < deadline, self.log()
            time.sleep(0.1)
        return self

    def stop(self) -> None:
        """At once, as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def log(self) -> str:
        return (self.home / "serve.log").read_text(errors="replace")[-2000:]

    def _answers(self) -> bool:
        try:
            return bool(httpx.get(f"{self.url}/health", timeout=5).json()["status"] == "ok")
        except httpx.HTTPError:
            return False
