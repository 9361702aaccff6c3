"""Each variant of the stack is synthesised once; the first takes longest, since the CDK is started for it."""

import functools
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra.context import of_file
from infra.settings import read
from tests.conftest import made_once
from tests.infra.templates import Variant

HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)  # before pytest picks by marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of this folder is one tier."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.infra)


REPORT = "validation-report.json"
"""The last file that a synthesis writes."""

VARIANTS: dict[str, dict[str, Any]] = {
    "ecs": {"web": "off"},
    "ecs-web-arm64": {
        "web": "on",
        "architecture": "arm64",
        "spot": "true",
        "network": "private",
        "release": "canary",
        "reserved_concurrency": "50",
        "provisioned_concurrency": "2",
        "origins": "https://laboratory.example",
        "environment": '{"KEEP_DAYS": "30", "RETRAIN_CONFIRMED": "200", "MAX_UPLOAD_BYTES": "4294967296"}',
        "deployment": "hospital",
    },
    "sagemaker-web": {"trainer": "sagemaker", "web": "on", "alarm_email": "ana@laboratory.example"},
    "sagemaker-arm64": {
        "trainer": "sagemaker",
        "web": "off",
        "architecture": "arm64",
        "network": "private",
        "xray": "true",
    },
    "tokens": {
        "web": "off",
        "jwt_issuer": "https://id.example",
        "jwt_audience": "malaria",
        "origins": "https://laboratory.example",
    },
    "local": {
        "web": "off",
        "require_tls": "false",
        "endpoint": "http://127.0.0.1:4566",
        "monthly_budget": "0",
        "keep_data": "false",
    },
}

Synthesise = Callable[[str], Variant]


@pytest.fixture(scope="session")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A web page that was built."""
    folder = tmp_path_factory.mktemp("page")
    policy = '<meta http-equiv="Content-Security-Policy" content="connect-src \'self\'">'
    (folder / "index.html").write_text(f"<!doctype html>{policy}<title>Malaria</title>")
    (folder / "assets").mkdir()
    (folder / "assets" / "index-1a2b.js").write_text("export {};")
    (folder / "icon.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    return folder


@pytest.fixture(scope="session")
def cdk() -> None:
    if shutil.which("node") is None:
        pytest.skip("the CDK needs Node.js on PATH")


@pytest.fixture(scope="session")
def synthesised(cdk: None, page: Path, tmp_path_factory: pytest.TempPathFactory) -> Synthesise:
    """Variants by name. Where several processes share out the tests, they share the templates, too."""

    @functools.cache
    def synthesise(name: str) -> Variant:
        with made_once(tmp_path_factory, f"stack-{name}") as (out, to_make):
            if to_make:
                _synthesise(VARIANTS[name], page, out)
        return _read(VARIANTS[name], out)

    return synthesise


@pytest.fixture(scope="session", params=VARIANTS)
def variant(request: pytest.FixtureRequest, synthesised: Synthesise) -> Variant:
    """Every variant in turn."""
    return synthesised(request.param)


@pytest.fixture(scope="session")
def ecs(synthesised: Synthesise) -> Variant:
    return synthesised("ecs")


@pytest.fixture(scope="session")
def busy(synthesised: Synthesise) -> Variant:
    """ecs-web-arm64, which has nearly everything that can be asked for."""
    return synthesised("ecs-web-arm64")


@pytest.fixture(scope="session")
def sagemaker(synthesised: Synthesise) -> Variant:
    return synthesised("sagemaker-web")


@pytest.fixture(scope="session")
def tokens(synthesised: Synthesise) -> Variant:
    return synthesised("tokens")


@pytest.fixture(scope="session")
def local(synthesised: Synthesise) -> Variant:
    return synthesised("local")


def _synthesise(asked: dict[str, Any], page: Path, out: Path) -> None:
    """Write a variant's templates, and what AwsSolutions says of them."""
    from aws_cdk import App

    from infra.app import build

    app = App(outdir=str(out), context={**of_file(), **asked, "aws:cdk:disable-asset-staging": True})
    build(app, read(app.node.get_all_context()), page=page)
    try:
        app.synth()
    except RuntimeError as error:
        if "ValidationFailed" not in str(error):
            raise


def _read(asked: dict[str, Any], out: Path) -> Variant:
    settings = read({**of_file(), **asked})
    findings = [
        f"{found['ruleName']} at {where['constructPath']}"
        for plugin in json.loads((out / REPORT).read_text())["pluginReports"]
        for found in plugin["violations"]
        for where in found["violatingConstructs"]
    ]
    path = out / f"{settings.deployment}.template.json"
    return Variant(settings, json.loads(path.read_text()), path, findings)
