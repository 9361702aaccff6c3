"""`make load` without an address: it starts a server of its own, and leaves nothing but reports."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from tests.load.runs import PATIENT, SECONDS, clean

pytestmark = pytest.mark.slow


@contextmanager
def alone(root: Path, out: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """`make load` without Make, with all that is temporary below `out`; it is ended where a test did not."""
    scratch = out / "scratch"
    scratch.mkdir(parents=True)
    environment = {"TMPDIR": str(scratch), "PYTHONPATH": os.pathsep.join([str(root / "src"), str(root)])}
    with subprocess.Popen(
        [sys.executable, "-m", "load", "--out", str(out / "reports"), *PATIENT, *arguments],
        env=clean() | environment,
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                process.communicate(timeout=SECONDS)


def left_behind(out: Path) -> list[str]:
    """Processes that were started for a run, and what lies where they kept their files."""
    lines = [" ".join(one.info["cmdline"] or ()) for one in psutil.process_iter(["cmdline"])]
    files = [str(path) for path in (out / "scratch").iterdir()]
    return [line for line in lines if str(out) in line] + files


def test_it_starts_a_server_of_its_own_and_leaves_nothing_but_reports(root: Path, tmp_path: Path) -> None:
    with alone(root, tmp_path, "-u", "4", "-r", "4", "-t", "15s") as process:
        said, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, said
    assert left_behind(tmp_path) == []
    names = {path.name for path in (tmp_path / "reports").iterdir()}
    assert {"report.html", "load_stats.csv", "load_stats_history.csv", "verdict.json"} <= names
    assert json.loads((tmp_path / "reports" / "verdict.json").read_text())["shape"] == "steady"


def test_ctrl_c_ends_the_run_with_its_report_and_then_the_server(root: Path, tmp_path: Path) -> None:
    history = tmp_path / "reports" / "load_stats_history.csv"
    with alone(root, tmp_path, "-u", "2", "-r", "2", "-t", "600s") as process:
        deadline = time.monotonic() + SECONDS
        while not (history.exists() and "/predict" in history.read_text()):
            assert process.poll() is None, "it ended by itself"
            assert time.monotonic() < deadline, "the run did not begin"
            time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 130, said
    assert left_behind(tmp_path) == []
    assert json.loads((tmp_path / "reports" / "verdict.json").read_text())["answered"] > 0
    assert (tmp_path / "reports" / "report.html").exists()


def test_a_server_that_does_not_start_is_told(root: Path, tmp_path: Path) -> None:
    env = clean() | {
        "MALARIA_MAX_WAITING": "none",
        "PYTHONPATH": os.pathsep.join([str(root / "src"), str(root)]),
    }
    done = subprocess.run(
        [sys.executable, "-m", "load", "--out", str(tmp_path)],
        env=env,
        cwd=root,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert done.returncode == 2
    assert "MALARIA_MAX_WAITING is wrong" in done.stderr


def test_where_nobody_answers_no_report_is_named_and_that_of_another_run_is_gone(
    root: Path, tmp_path: Path
) -> None:
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "verdict.json").write_text('{"passed": true}')
    with alone(root, tmp_path, "--url", "http://127.0.0.1:9") as process:
        said, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 1, said
    assert "No server answers at http://127.0.0.1:9" in said
    assert "Reports:" not in said
    assert not (tmp_path / "reports" / "verdict.json").exists()
