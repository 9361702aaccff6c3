"""How functions and trainings are started: as processes of this Python, or by whoever has their images."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

Launch = Callable[[Sequence[str], Mapping[str, str], IO[bytes]], "subprocess.Popen[bytes]"]
"""Starts a process that leads a group of its own, from what follows its entry point, its environment, and
where it writes."""
Images = Callable[[str, str], Launch]
"""Whoever has images: an image by the address that the template gives it, run as this user; "": its own."""

AWS = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_REGION": "us-east-1"}
"""What every process finds beside its own environment."""


def here(entry_point: Sequence[str], root: Path, folder: Path) -> Launch:
    """As processes of this Python, which find the code below `root`, work in `folder`, and get nothing of
    this one's environment."""

    def launch(
        command: Sequence[str], environment: Mapping[str, str], log: IO[bytes]
    ) -> "subprocess.Popen[bytes]":
        plain = {
            "PATH": os.defpath,
            "LANG": "C.UTF-8",
            "PYTHONPATH": os.pathsep.join([str(root), str(root / "src")]),
        }
        return started([sys.executable, *entry_point, *command], {**plain, **environment}, log, folder)

    return launch


def started(
    command: Sequence[str], environment: Mapping[str, str], log: IO[bytes], folder: Path | None = None
) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        command,
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,  # so that it can be ended with what it has started
    )


def tell(process: "subprocess.Popen[bytes]", number: signal.Signals) -> None:
    """Send a signal to a process and what it has started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)
