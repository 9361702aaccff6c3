"""The images as the stack would build them, and the stack on a local AWS, run in them."""

import fcntl
import json
import os
import shutil
import subprocess
import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest

from infra.environment import environment
from infra.local import processes
from infra.local.cloud import Cloud
from infra.local.ministack import KEYS
from malaria import wiring
from malaria.adapters.aws_clients import Clients
from malaria.services import Services
from malaria.settings import Settings
from malaria.settings_aws import AwsSettings
from malaria.tours.demo import FAINT
from tests.cloud.conftest import Deployed, deployed
from tests.flow.sites import Site, make_site
from tests.functions.conftest import make
from tests.images.buildah import Buildah, Image, folder

HERE = Path(__file__).parent
NEEDED = ("buildah", "mmdebstrap", "node")
BUILT = pytest.StashKey[dict[str, Image]]()


@pytest.hookimpl(tryfirst=True)  # before pytest picks by marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of this folder is one tier."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.images)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config
) -> None:
    for key, image in config.stash.get(BUILT, {}).items():
        name = key.rpartition("-")[0]
        terminalreporter.write_line(f"image {name}: {image.size / 1e6:.0f} MB above its base")


@pytest.fixture(scope="session")
def buildah() -> Iterator[Buildah]:
    """A store that is this run's alone, until it ends."""
    lacking = [one for one in NEEDED if shutil.which(one) is None]
    if lacking or os.geteuid() != 0:
        pytest.skip(f"images are built as root, with {', '.join(NEEDED)}; not here: {lacking}")
    folder().mkdir(parents=True, exist_ok=True)
    with (folder() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made = Buildah(folder())
        made.clear()  # what a run that was killed has left
        yield made
        made.clear()


class Images:
    """The images that a synthesis names, each built when it is first asked for, from what the CDK would send
    to the builder.

    out: folder of the synthesis, which need not be there yet.
    """

    def __init__(self, buildah: Buildah, out: Path) -> None:
        self._buildah, self._out = buildah, out
        self.built: dict[str, Image] = {}
        self._stack, self._lock = ExitStack(), threading.Lock()

    def __enter__(self) -> "Images":
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def named(self, name: str) -> Image:
        """name: 'api', 'training-adapt' or 'training-train'."""
        return self._image(next(key for key in self._assets() if key.startswith(f"{name}-")))

    def at(self, address: str, user: str) -> processes.Launch:
        """The image that a template gives this address, run as functions and tasks are."""
        digest = address.rpartition(":")[2]
        image = self._image(next(key for key in self._assets() if key.endswith(digest)))

        def launch(
            command: Sequence[str], environment: Mapping[str, str], log: IO[bytes]
        ) -> "subprocess.Popen[bytes]":
            container = self._stack.enter_context(image.container())
            told = image.command(container, command, environment, user=user)
            return processes.started(told, os.environ, log)

        return launch

    def _assets(self) -> dict[str, dict]:
        (path,) = self._out.glob("*.assets.json")
        return dict(json.loads(path.read_text())["dockerImages"])

    def _image(self, key: str) -> Image:
        with self._lock:
            return self._built(key)

    def _built(self, key: str) -> Image:
        if key not in self.built:
            source = self._assets()[key]["source"]
            name, _, digest = key.rpartition("-")
            self.built[key] = self._buildah.build(
                self._out / source["directory"],
                source["dockerFile"],
                source.get("dockerBuildArgs", {}),
                f"localhost/malaria-{name}:{digest[:12]}",
            )
        return self.built[key]


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("images")


@pytest.fixture(scope="session")
def images(buildah: Buildah, place: Path, pytestconfig: pytest.Config) -> Iterator[Images]:
    with Images(buildah, place / "cdk.out") as found:
        pytestconfig.stash[BUILT] = found.built
        yield found


@pytest.fixture(scope="session")
def stack(images: Images, place: Path) -> Iterator[Deployed]:
    """The stack on a local AWS: its functions and tasks run in the images that its template names."""
    with Cloud(place, images=images.at) as cloud:
        yield from deployed(cloud)


@pytest.fixture(scope="session")
def site(real_cells: Path, models_dir: Path) -> Site:
    """A laboratory whose stain costs the shipped model points."""
    return make_site(real_cells / "nih-cells-part1.zip", models_dir / "roles.json", FAINT)


@pytest.fixture(scope="session")
def api(stack: Deployed, images: Images) -> Image:
    return images.named("api")


@pytest.fixture(scope="session")
def adapt(stack: Deployed, images: Images) -> Image:
    return images.named("training-adapt")


@pytest.fixture(scope="session")
def full(stack: Deployed, images: Images) -> Image:
    return images.named("training-train")


@dataclass(frozen=True)
class Apart:
    """A bucket and tables beside the stack's, so that no function launches what is submitted here.

    services: as an operator has them. told: what a stack would tell a training of them.
    """

    services: Services
    told: Mapping[str, str]

    @property
    def environment(self) -> dict[str, str]:
        """What a training finds: what it is told, and what the platform puts beside that."""
        return {**self.told, **processes.AWS, **KEYS}


@pytest.fixture
def apart(
    stack: Deployed, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, models_dir: Path
) -> Iterator[Apart]:
    endpoint, name = stack.cloud.aws.endpoint, f"apart-{uuid.uuid4().hex[:8]}"
    for key, value in {**processes.AWS, **KEYS, "AWS_ENDPOINT_URL": endpoint}.items():
        monkeypatch.setenv(key, value)
    monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)
    with closing(Clients(endpoint)) as clients:
        made = make(clients, name)
        settings = stack.cloud.settings.model_copy(update={"deployment": name})
        told = environment(settings, models_bucket=made.models, jobs_table=made.jobs, max_runtime=3600)
        deployed_as = AwsSettings(deployment=name, models_bucket=made.models, jobs_table=made.jobs)
        services = wiring.aws(Settings(home=tmp_path / "operator", shipped=models_dir), deployed_as)
        yield Apart(services, told)
        services.jobs.kept._table._clients.close()  # type: ignore[attr-defined]
