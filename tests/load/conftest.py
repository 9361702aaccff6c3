"""A real server for what asks under load. Locust itself is never imported here: it patches the process."""

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from load.answers import Answer
from load.cells import Form, Picture, cells
from malaria.api.app import create_app
from tests.api.conftest import make
from tests.api.server import client

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
