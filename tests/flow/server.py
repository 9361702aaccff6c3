"""A real `malaria serve` in a process of its own, and what a test asks of it."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx


@dataclass
class RunningServer:
    home: Path
    url: str
    client: httpx.Client
    process: subprocess.Popen[bytes]

    def version(self) -> str:
        return str(self.client.get("/health").raise_for_status().json()["model_version"])

    def predict(self, data: bytes) -> dict[str, Any]:
        answer = self.client.post("/predict", files={"file": ("cell.png", data, "image/png")})
        found: dict[str, Any] = answer.raise_for_status().json()
        return found

    def verdict_on(self, name: str, seconds: float = 240) -> dict[str, Any]:
        """Wait until the job of that upload has ended, and return its whole status."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            tasks = self.client.get("/retrain/tasks").raise_for_status().json()["tasks"]
            for task in tasks:
                status = self.client.get(f"/retrain/status/{task['task_id']}").raise_for_status().json()
                if status["name"] == name and status["state"] not in ("queued", "running"):
                    return dict(status)
            time.sleep(0.25)
        raise AssertionError(f"no verdict on {name} within {seconds} s; {self.log()}")

    def wait_for_version(self, version: str, seconds: float = 30) -> None:
        deadline = time.monotonic() + seconds
        while self.version() != version:
            assert time.monotonic() < deadline, f"{version} was not taken up within {seconds} s"
            time.sleep(0.1)

    def log(self) -> str:
        return "\n".join(p.read_text()[-2000:] for p in sorted(self.home.glob("logs/*.log")))


@contextlib.contextmanager
def start_server(home: Path) -> Iterator[RunningServer]:
    """Serve `home` on a free port of the loopback address until the block ends."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    home.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "malaria.cli", "serve", "--port", str(port)]
    with (home / "serve.log").open("wb") as out:
        process = subprocess.Popen(
            command, env={**os.environ, "MALARIA_HOME": str(home)}, stdout=out, stderr=subprocess.STDOUT
        )
    url = f"http://127.0.0.1:{port}"
    try:
        with httpx.Client(base_url=url, timeout=120) as client:
            _wait(client, process, home)
            yield RunningServer(home, url, client, process)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(client: httpx.Client, process: subprocess.Popen[bytes], home: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, (home / "serve.log").read_text()
        with contextlib.suppress(httpx.TransportError):
            if client.get("/health").status_code == 200:
                return
        time.sleep(0.1)
    raise AssertionError("the server did not answer: " + (home / "serve.log").read_text())
