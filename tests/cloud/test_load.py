"""Load on the deployed stack, as a person runs it: by its address and a key, through gateway and function."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cloud.conftest import Deployed

pytestmark = pytest.mark.cloud


def test_every_kind_of_user_is_answered_as_it_should_be(stack: Deployed, root: Path, tmp_path: Path) -> None:
    verdict = tmp_path / "verdict.json"
    command = [sys.executable, "-m", "locust", "-f", str(root / "locustfile.py"), "--headless"]
    command += ["--host", stack.cloud.url, "-u", "6", "-r", "6", "-t", "20s", "--verdict", str(verdict)]
    command += ["--p95", "60000", "--p95-batch", "120000"]  # how long it takes is not asked here
    key = stack.cloud.key_for("load")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MALARIA_")}
    done = subprocess.run(
        command,
        env=environment | {"MALARIA_KEY": key},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(verdict.read_text())
    assert told["answered"] > 10 and told["failed"] == told["refused"] == 0
    assert key not in done.stdout + done.stderr
