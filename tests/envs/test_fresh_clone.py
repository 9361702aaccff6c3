"""The first minute of a newcomer: a fresh copy, a machine with Python and pip, the README's own commands."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.envs.environments import ROOT, outside

pytestmark = pytest.mark.envs


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkout as it would be committed now, without what git ignores."""
    target = tmp_path_factory.mktemp("clone") / "malaria"
    target.mkdir()
    listed = subprocess.run(
        ["git", "ls-files", "-z", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True
    ).stdout
    names = b"\0".join(n for n in listed.split(b"\0") if n and (ROOT / n.decode()).is_file())
    pack = subprocess.run(
        ["tar", "-c", "--null", "-T", "-"], cwd=ROOT, input=names, capture_output=True, check=True
    )
    subprocess.run(["tar", "-x"], cwd=target, input=pack.stdout, check=True)
    return target


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Variables of a machine that has a Python with pip, and what a system has anyway; no uv."""
    bin_folder = tmp_path_factory.mktemp("bin")
    name = f"python3.{sys.version_info.minor}"
    (bin_folder / name).symlink_to(Path(sys.base_prefix) / "bin" / name)
    variables = {k: v for k, v in outside().items() if not k.startswith("MALARIA_")}
    return {**variables, "PATH": f"{bin_folder}:/usr/bin:/bin"}


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def served(clone: Path, bare: dict[str, str], port: int) -> Iterator[dict[str, Any]]:
    """`make serve`, until the block ends; gives what /health answered."""
    with (clone / "serve.log").open("wb") as log:
        process = subprocess.Popen(
            ["make", "serve", f"PORT={port}"],
            cwd=clone,
            env=bare,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield wait(process, f"http://127.0.0.1:{port}/health", clone / "serve.log")
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.wait(timeout=30)


def wait(process: subprocess.Popen[bytes], url: str, log: Path) -> dict[str, Any]:
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return dict(json.load(answer))
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise AssertionError(log.read_text())


def shell(clone: Path, bare: dict[str, str], command: str) -> str:
    done = subprocess.run(
        command, shell=True, cwd=clone, env=bare, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_serve_then_the_readme_from_top_to_bottom(clone: Path, bare: dict[str, str]) -> None:
    port = free_port()
    with served(clone, bare, port) as health:
        assert health["status"] == "ok"
        assert health["model_loaded"] is True
        readme = (clone / "README.md").read_text().replace("127.0.0.1:8000", f"127.0.0.1:{port}")
        blocks = re.findall(r"^```sh\n(.*?)^```", readme, re.M | re.S)
        [asking] = [block for block in blocks if "curl" in block]
        *before, curl = asking.strip().splitlines()
        for line in before:
            shell(clone, bare, line)
        assert json.loads(shell(clone, bare, curl))["prediction"] == "Parasitized"
        told = shell(clone, bare, f"make smoke URL=http://127.0.0.1:{port}")
        assert "FAIL" not in told
    installed = {path.name for path in (clone / ".venv").glob("lib/*/site-packages/*")}
    assert not installed & {"tensorflow", "keras", "pytest", "boto3"}


def test_the_second_start_installs_and_builds_nothing(clone: Path, bare: dict[str, str]) -> None:
    def made() -> dict[str, int]:
        kept = ("ui/dist/index.html", ".venv/.serve", ".venv/pyvenv.cfg")
        return {name: (clone / name).stat().st_mtime_ns for name in kept if (clone / name).exists()}

    before = made()
    assert ".venv/.serve" in before
    with served(clone, bare, free_port()) as health:
        assert health["model_loaded"] is True
    assert made() == before
