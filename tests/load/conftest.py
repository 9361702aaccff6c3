"""A real server for what asks under load. Locust itself is never imported here: it patches the process."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp

from load.answers import Answer
from load.cells import Form, Picture, cells
from malaria.api.app import create_app
from tests.api.conftest import make
from tests.api.server import client, running
from tests.load.runs import PATIENT, SECONDS, Load, Run, clean, wait
from tests.load.servers import Serve, Served, Watched

Ask = Callable[..., Answer]


@pytest.fixture(scope="package")
def http(tmp_path_factory: pytest.TempPathFactory, models_dir: Path) -> Iterator[httpx.Client]:
    services, _ = make(tmp_path_factory.mktemp("load"), models_dir)
    with client(create_app(services)) as found:
        yield found


@pytest.fixture(scope="package")
def ask(http: httpx.Client) -> Ask:
    """Ask the server as the users do."""

    def asked(method: str, path: str, body: Form | None = None, **headers: str) -> Answer:
        if body is not None:
            headers["Content-Type"] = body.content_type
        came = http.request(method, path, content=body.body if body else None, headers=headers)
        return Answer(
            came.status_code, {name.lower(): text for name, text in came.headers.items()}, came.content
        )

    return asked


@pytest.fixture(scope="package")
def pictures() -> tuple[Picture, ...]:
    return cells(None, 6)


@pytest.fixture
def load(tmp_path: Path, root: Path) -> Load:
    """Run Locust on a server to its end, or `until` enough was seen: on a busy machine no time is enough."""

    def loaded(url: str, *arguments: str, until: Callable[[], bool] | None = None, **environment: str) -> Run:
        out = tmp_path / "out"
        command = [
            sys.executable,
            "-m",
            "locust",
            "-f",
            str(root / "locustfile.py"),
            "--headless",
            "--host",
            url,
        ]
        command += ["--csv", str(out / "load"), "--html", str(out / "report.html")]
        command += ["--verdict", str(out / "verdict.json"), "--only-summary", *PATIENT, *arguments]
        with (tmp_path / "said").open("w") as said:
            process = subprocess.Popen(
                command,
                env=clean() | environment,
                cwd=tmp_path,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
            )
        try:
            if until is not None:
                wait(until, process, tmp_path / "said")
                process.send_signal(signal.SIGINT)
            process.wait(SECONDS)
        finally:
            process.kill()
            process.wait()
        return Run(process.returncode, (tmp_path / "said").read_text(), out)

    return loaded


@pytest.fixture
def serve(tmp_path: Path, models_dir: Path) -> Iterator[Serve]:
    """Start a server, its app within `around`."""
    with ExitStack() as stack:

        def started(around: Callable[[Any], ASGIApp] = lambda app: app, **settings: Any) -> Served:
            services, _ = make(tmp_path / "home", models_dir, **settings)
            watched: Any = Watched(around(create_app(services)))
            return Served(stack.enter_context(running(watched)), services, watched)

        yield started
