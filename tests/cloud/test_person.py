"""`make cloud` as a person has it: what cannot be is refused at once, and Ctrl-C ends it at any time."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.local.__main__ import main
from infra.local.ministack import free_port
from tests.cloud.conftest import soon

pytestmark = pytest.mark.cloud


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["-c", "trainer=sagemaker"], "no sagemaker"),
        (["-c", "web=on"], "web: not to be chosen"),
        (["-c", "endpoint=http://127.0.0.1:1"], "endpoint: not to be chosen"),
        (["-c", "traner=ecs"], "did you mean trainer"),
        (["--instances", "0"], "one or more"),
        (["--port", "99999"], "from 1 to 65535"),
    ],
)
def test_what_cannot_be_is_refused(
    arguments: list[str],
    says: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    handlers: None,
) -> None:
    try:
        code = main(["--home", str(tmp_path), *arguments])
    except SystemExit as ended:
        code = int(str(ended.code))
    assert code in (1, 2)
    told = capsys.readouterr().err
    assert says in told
    assert "Traceback" not in told


@pytest.fixture
def handlers() -> Iterator[None]:
    """What the program does with signals is undone."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


Begin = Callable[[], "subprocess.Popen[bytes]"]


@pytest.fixture
def begin(root: Path, tmp_path: Path) -> Iterator[Begin]:
    """Starts it as a shell does, in a group of processes of its own, which hears Ctrl-C as one."""
    made: list[subprocess.Popen[bytes]] = []
    port = str(free_port())

    def start() -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "infra.local", "--home", str(tmp_path / "home"), "--port", port]
        with (tmp_path / "told.log").open("ab") as log:
            made.append(
                subprocess.Popen(command, cwd=root, stdout=log, stderr=log, process_group=0, env=os.environ)
            )
        return made[-1]

    yield start
    for process in made:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def ctrl_c(process: "subprocess.Popen[Any]") -> int:
    os.killpg(process.pid, signal.SIGINT)
    return process.wait(timeout=60)


def kept(home: Path) -> bool:
    return (home / "aws" / "state" / "dynamodb.json").exists()


def test_ctrl_c_ends_it_while_it_starts_and_when_it_is_up(begin: Begin, tmp_path: Path) -> None:
    log, ministack = tmp_path / "told.log", tmp_path / "home" / "aws" / "ministack.log"
    early = begin()
    soon(lambda: ministack.exists() and b"Running on" in ministack.read_bytes(), "it does not start", 60)
    assert ctrl_c(early) == 0
    assert b"Traceback" not in log.read_bytes(), log.read_text()

    up = begin()
    soon(lambda: b"Ctrl-C ends it" in log.read_bytes(), "it is not up", 120)
    assert ctrl_c(up) == 0
    assert kept(tmp_path / "home"), "what it holds is kept"
    assert b"Traceback" not in log.read_bytes(), log.read_text()
