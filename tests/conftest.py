"""What every test may ask for: the shipped model, a system of its own, real cells."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

from malaria.domain import ModelVersion

if TYPE_CHECKING:
    from malaria.adapters.aws_clients import Clients
    from malaria.grafting import Branch
    from malaria.services import Services

# No deadline: timings on a busy machine say nothing about the code. Derandomised: a red run can be repeated.
hypothesis.settings.register_profile("house", deadline=None, derandomize=True)
hypothesis.settings.load_profile("house")

ROOT = Path(__file__).parents[1]
REAL_CELLS = "MALARIA_REAL_CELLS"
HOW_TO_GET = (
    f"set {REAL_CELLS} to a folder with nih-cells-part1.zip to -part4.zip: the NIH cells "
    "(`malaria data fetch`), zipped as Parasitized/ and Uninfected/, one ZIP for each 40 patients"
)


def in_ci() -> bool:
    return os.environ.get("CI", "").lower() in ("1", "true")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Where one tier is asked for (`-m ui`), files that hold none of it are not loaded: all of them take half
    a minute. A tier is a folder of its name, or marks in the text of a file."""
    tier = str(config.option.markexpr)
    if not tier.isidentifier() or not collection_path.name.startswith("test_"):
        return None
    here = collection_path.relative_to(ROOT).parts
    return None if tier in here or f"mark.{tier}" in collection_path.read_text() else True


@contextmanager
def made_once(factory: pytest.TempPathFactory, name: str) -> Iterator[tuple[Path, bool]]:
    """A folder of that name which the processes that share out a run have in common, and whether it is still
    to be filled. One of them fills it, while the others wait."""
    own = factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    folder, made = shared / name, shared / f"{name}.made"
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        folder.mkdir(exist_ok=True)
        yield folder, not made.exists()
        made.touch()


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Settings of the person at the keyboard reach no test; one that forgets its home gets a fresh one."""
    for name in list(os.environ):
        if name.startswith("MALARIA_") and name != REAL_CELLS:
            monkeypatch.delenv(name)
    monkeypatch.setenv("MALARIA_HOME", str(tmp_path / "malaria-home"))


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def models_dir() -> Path:
    """The folder of the shipped model: shipped.json, roles.json and one folder for the version."""
    return ROOT / "models"


@pytest.fixture(scope="session")
def shipped_info(models_dir: Path) -> ModelVersion:
    from malaria import shipped

    return shipped.read_shipped(models_dir)[0]


@pytest.fixture(scope="session")
def shipped_tflite(models_dir: Path) -> bytes:
    from malaria import shipped

    return (shipped.read_shipped(models_dir)[1] / "model.tflite").read_bytes()


@pytest.fixture(scope="session")
def branch(models_dir: Path) -> "Branch":
    """The subject network that ships."""
    from malaria import grafting

    found = grafting.kept(models_dir)
    assert found is not None
    return found


@pytest.fixture
def two_networks(models_dir: Path, shipped_info: ModelVersion, tmp_path: Path) -> tuple[Path, ModelVersion]:
    """A folder of shipped models where a second network ships, and its version: the default's weights under
    another name."""
    from malaria import codec, shipped
    from malaria.options import NETWORKS

    network = next(name for name in NETWORKS if name != shipped_info.network)
    other = replace(shipped_info, version="20990101-other", network=network)
    for info in (shipped_info, other):
        files = tmp_path / "ships" / info.version
        files.mkdir(parents=True)
        for file in shipped.FILES:
            (files / file).symlink_to(models_dir / shipped_info.version / file)
        (files / "manifest.json").write_text(json.dumps(codec.to_json(info)))
        shipped.record(files.parent, info)
    return tmp_path / "ships", other


@pytest.fixture(scope="session")
def aws_endpoint() -> Iterator[str]:
    """A server of this process that speaks for AWS."""
    from tests import stand_in

    with stand_in.served(stand_in.moto()) as address:
        yield address


@pytest.fixture
def aws_environment(aws_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """As a function or task on AWS finds its environment, with the stand-in for AWS; its address."""
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws_endpoint)
    return aws_endpoint


@pytest.fixture
def clients(aws_environment: str) -> Iterator["Clients"]:
    """boto3's clients of the stand-in."""
    from malaria.adapters.aws_clients import Clients

    made = Clients(aws_environment)
    yield made
    made.close()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty folder for a laptop system."""
    return tmp_path / "home"


@pytest.fixture
def services(home: Path, models_dir: Path) -> "Services":
    """A laptop system of its own, serving the shipped model. No supervisor runs."""
    from malaria import wiring  # here, so that a test of one part needs only that part
    from malaria.settings import Settings

    return wiring.local(home, Settings(home=home, shipped=models_dir))


@pytest.fixture(scope="session")
def real_cells() -> Path:
    """The folder of the real cells; without it a test skips, in CI it fails."""
    named = os.environ.get(REAL_CELLS)
    if named and (Path(named) / "nih-cells-part1.zip").exists():
        return Path(named)
    text = f"{named} holds no nih-cells-part1.zip; {HOW_TO_GET}" if named else HOW_TO_GET
    if in_ci():
        pytest.fail(f"real cells are missing: {text}", pytrace=False)
    pytest.skip(text)


@pytest.hookimpl(wrapper=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Iterator[None]:
    yield
    if in_ci() and terminalreporter.stats.get("skipped"):
        terminalreporter.write_line("CI: a test was skipped; here every test must run.", red=True)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if in_ci() and reporter is not None and reporter.stats.get("skipped") and session.exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
