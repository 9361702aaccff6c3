"""The deployed stack on a local AWS, and a client of its API."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.local.cloud import Cloud
from infra.local.ministack import REGION, Ministack
from infra.settings import Settings
from malaria.tours.demo import FAINT
from tests.flow.sites import Site, make_site

JOB_SECONDS = 900.0


def client_of(cloud: Cloud, role: str, service: str) -> Any:
    """A client with the rights of a function or a training, by its name."""
    import boto3

    told = cloud.credentials(cloud.role_of(role))
    return boto3.client(
        service,
        endpoint_url=cloud.aws.endpoint,
        region_name=REGION,
        **{name.lower(): value for name, value in told.items()},
    )


@dataclass
class Deployed:
    """A deployment, and its API as an operator asks it."""

    cloud: Cloud
    http: httpx.Client

    def put(self, path: Path, key: str) -> str:
        """Drop an upload into the bucket, as people do; the version of the object."""
        with path.open("rb") as body:
            told = self.cloud.aws.client("s3").put_object(
                Bucket=self.cloud.outputs["UploadsBucket"], Key=f"incoming/{key}", Body=body
            )
        return str(told["VersionId"])

    def ended(self, named: str, seconds: float = JOB_SECONDS) -> dict[str, Any]:
        """The job of an upload, once it has ended."""

        def look() -> dict[str, Any] | None:
            tasks = self.http.get("/retrain/tasks").raise_for_status().json()["tasks"]
            found = [t for t in tasks if t["name"] == named and t["finished"]]
            return dict(found[0]) if found else None

        return dict(soon(look, f"the job of {named} has not ended; see {self.cloud.logs}", seconds))

    def call(self, function: str, event: Any) -> str:
        """Call a function by its name here, past AWS, which waits for no slow one; the answer."""
        return self.cloud.function(function)[0].call(json.dumps(event).encode()).answer.decode()

    @contextmanager
    def losing_events(self) -> Iterator[None]:
        """While it lasts nobody is told of an upload."""
        events = self.cloud.aws.client("events")
        (rule,) = [one["Name"] for one in events.list_rules()["Rules"] if "Uploaded" in one["Name"]]
        events.disable_rule(Name=rule)
        try:
            yield
        finally:
            events.enable_rule(Name=rule)

    def predict(self, picture: bytes) -> dict[str, Any]:
        answer = self.http.post("/predict", files={"file": ("cell.png", picture, "image/png")})
        return dict(answer.raise_for_status().json())


def soon(look: Callable[[], Any], otherwise: str, seconds: float = 30.0) -> Any:
    """What `look` finds, as soon as it finds something."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.3)
    return found


def deployed(cloud: Cloud) -> Iterator[Deployed]:
    key = cloud.key_for("tests")
    headers = {"Host": cloud.host, "Authorization": f"Bearer {key}"}
    with httpx.Client(base_url=cloud.aws.endpoint, headers=headers, timeout=60) as http:
        yield Deployed(cloud, http)


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """A deployment that enforces policies, as AWS does, and retrains on what people confirm."""
    home = tmp_path_factory.mktemp("cloud")
    settings = Settings(environment={"KEEP_DAYS": "7", "RETRAIN_CONFIRMED": "20"}, lost_minutes=0)
    with Cloud(home, settings, aws=Ministack(home / "aws", enforce=True)) as cloud:
        yield from deployed(cloud)


@pytest.fixture(scope="package")
def site(real_cells: Path, models_dir: Path) -> Site:
    """A laboratory whose stain costs the shipped model points."""
    return make_site(real_cells / "nih-cells-part1.zip", models_dir / "roles.json", FAINT)
