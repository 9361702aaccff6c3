"""ministack, the local stand-in of AWS, in an environment of its own: it pins the SDK that it answers.

Pinned with hashes in requirements.txt beside this file.
"""

import fcntl
import hashlib
import os
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import closing
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / ".tools"
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
REGION = "us-east-1"
ACCOUNT = "000000000000"
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
_PATIENCE = 60.0


class Unusable(Exception):
    """The local AWS cannot be used; the text says why."""


def environment() -> Path:
    """The environment that ministack runs in, made once for each pin, by one process at a time.

    Raises Unusable where it cannot be made.
    """
    pin = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:12]
    folder = TOOLS / f"ministack-{pin}"
    TOOLS.mkdir(exist_ok=True)
    with (TOOLS / "ministack.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "made").exists():
            _install(folder)
            (folder / "made").touch()
    return folder


def _install(folder: Path) -> None:
    uv = str(ROOT / "scripts" / "uv")
    python = str(folder / "bin" / "python")
    install = [uv, "pip", "install", "--python", python, "--require-hashes", "-r", str(REQUIREMENTS)]
    for command in ([uv, "venv", "--clear", "--python", sys.executable, str(folder)], install):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Unusable(f"ministack could not be installed:\n{done.stderr[-2000:]}")


class Ministack:
    """A running ministack; a context manager starts and ends it.

    home: folder of its log and, where it is to be kept, its state. enforce: whether policies are enforced.
    """

    def __init__(self, home: Path, *, port: int = 0, enforce: bool = False, keep: bool = False) -> None:
        self.home, self.port = home, port or free_port()
        self._enforce, self._keep = enforce, keep
        self._process: subprocess.Popen[bytes] | None = None
        self._clients: dict[str, Any] = {}

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def keys(self) -> dict[str, str]:
        """What a process with all rights finds in its environment."""
        return {**KEYS, "AWS_REGION": REGION}

    def client(self, service: str) -> Any:
        """A boto3 client, with all rights."""
        import boto3

        if service not in self._clients:
            self._clients[service] = boto3.client(
                service,
                endpoint_url=self.endpoint,
                region_name=REGION,
                **{name.lower(): value for name, value in KEYS.items()},
            )
        return self._clients[service]

    def __enter__(self) -> "Ministack":
        if not 0 < self.port < 65536:
            raise Unusable(f"{self.port} is no port: choose one from 1 to 65535.")
        if _answers(self.port):
            raise Unusable(f"Port {self.port} is taken. Stop what answers there, or choose another port.")
        made = environment()
        self.home.mkdir(parents=True, exist_ok=True)
        given = {
            "PATH": os.defpath,
            "HOME": str(self.home),
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(self.port),
            "IOT_MTLS_ENABLED": "0",
            "STATE_DIR": str(self.home / "state"),
            "S3_DATA_DIR": str(self.home / "objects"),
            **({"AUTH": "true"} if self._enforce else {}),
            **({"PERSIST_STATE": "1", "S3_PERSIST": "1"} if self._keep else {}),
        }
        with (self.home / "ministack.log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(made / "bin" / "ministack")],
                cwd=self.home,
                env=given,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is not for it: what still runs has its last word to tell it
            )
        try:
            self._wait()
        except BaseException:  # Ctrl-C, too, must leave nothing behind
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for client in self._clients.values():
            client.close()
        self._clients.clear()
        if self._process is None:
            return
        self._process.terminate()  # it saves its state then
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            if self._process is not None and self._process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(f"{self.endpoint}/_ministack/health", timeout=2):  # noqa: S310
                    return
            except OSError:
                time.sleep(0.1)
        log = (self.home / "ministack.log").read_text(errors="replace")[-2000:]
        raise Unusable(f"ministack did not start on port {self.port}:\n{log}")


def _answers(port: int) -> bool:
    with closing(socket.socket()) as asking:
        asking.settimeout(1)
        return asking.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    with closing(socket.socket()) as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
