"""The canary as a function: it asks a deployment that is really there."""

from collections.abc import Callable
from types import ModuleType

import pytest

from malaria.api.app import create_app
from tests.api.server import running
from tests.functions.conftest import CONTEXT, Deployment, event

Start = Callable[[str], ModuleType]


def test_it_asks_through_the_public_address_with_the_key_of_its_bucket(
    deployment: Deployment,
    started: Start,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("MALARIA_AWS_CANARY", "true")
    monkeypatch.setenv("MALARIA_ACCESS", "keys")
    api = started("api")
    with running(create_app(api.services)) as url:
        monkeypatch.setenv("MALARIA_AWS_CANARY_URL", url)
        assert started("canary").handler(event("scheduled"), CONTEXT) == {"ok": True}
    assert '"CanaryOk": 1.0' in capsys.readouterr().out
    assert started("canary").handler(event("scheduled"), CONTEXT) == {"ok": False}, "nobody listens any more"
    assert '"CanaryOk": 0.0' in capsys.readouterr().out
