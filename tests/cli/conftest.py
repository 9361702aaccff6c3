import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from malaria.cli import app

Run = Callable[..., Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, home: Path) -> Run:
    """Run `malaria ARGS...` in this process, on a home of the test's own."""
    monkeypatch.setenv("MALARIA_HOME", str(home))

    def invoke(*arguments: object) -> Result:
        result = CliRunner().invoke(app, [str(a) for a in arguments])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return invoke


@pytest.fixture
def start(home: Path) -> Callable[..., subprocess.Popen[str]]:
    """Start a real `malaria ARGS...` in a process of its own, its output in pipes."""

    def process(*arguments: object, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "malaria.cli", *map(str, arguments)],
            env={**os.environ, "MALARIA_HOME": str(home), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return process
