"""Locust as people start it: a run to its end, and what is left of it."""

import csv
import json
import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PATIENT = ("--p95", "60000", "--p95-batch", "120000")
"""How long answers take on a busy machine is not asked here."""
SECONDS = 300.0


@dataclass
class Run:
    code: int
    said: str
    out: Path

    @property
    def verdict(self) -> dict[str, Any]:
        return dict(json.loads((self.out / "verdict.json").read_text()))

    def rows(self, name: str) -> list[dict[str, str]]:
        with (self.out / f"load_{name}.csv").open() as file:
            return list(csv.DictReader(file))


Load = Callable[..., Run]


def wait(until: Callable[[], bool], process: subprocess.Popen[Any], said: Path) -> None:
    deadline = time.monotonic() + SECONDS
    while not until():
        assert process.poll() is None, said.read_text()
        assert time.monotonic() < deadline, said.read_text()
        time.sleep(0.1)


def clean() -> dict[str, str]:
    """The environment without settings of load or of the server."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("MALARIA_", "LOCUST_"))}
