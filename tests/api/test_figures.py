"""Every figure that the dashboard draws is told by code that runs here, and each thing once."""

import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from malaria import canary_key, metric_names, retrain, rounds, synthetic, wiring
from malaria import metric_names as names
from malaria.adapters.memory_launcher import MemoryLauncher
from malaria.adapters.meters import MemoryMeter
from malaria.api.app import create_app
from malaria.arrivals import Arrivals
from malaria.canary import Canary, golden
from malaria.cold_starts import ColdStarts
from malaria.domain import Job, JobState, Label, Method, ModelVersion, ObjectVersion, RetrainOptions, Scope
from malaria.errors import NotFound
from malaria.keys import Keys
from malaria.metered_jobs import MeteredJobs
from malaria.promote import Registry
from malaria.services import Services
from malaria.settings import Settings
from malaria.trigger import Trigger
from malaria.unfamiliar import Familiarity
from tests.api.asking import good, predict
from tests.api.server import running

LATE = timedelta(minutes=10)


class Bucket:
    """The bucket of uploads at its port, with what a test puts in."""

    def __init__(self) -> None:
        self.files: dict[ObjectVersion, bytes] = {}

    def list(self) -> list[ObjectVersion]:
        return list(self.files)

    def newest(self, upload: ObjectVersion) -> ObjectVersion:
        return upload

    def fetch(self, upload: ObjectVersion, to: Path) -> None:
        if upload not in self.files:
            raise NotFound(upload.key)
        to.write_bytes(self.files[upload])


@dataclass
class Watched:
    """A system whose figures are kept, with the parts that tell them on AWS."""

    services: Services
    meter: MemoryMeter
    launcher: MemoryLauncher

    def submit(self, folder: Path, name: str) -> Job:
        upload = synthetic.write(folder / name, 24, seed=1)
        options = RetrainOptions(method=Method.ADAPT)
        return self.services.trigger.submit(upload, name=name, identity=None, options=options, actor="test")


@pytest.fixture
def watched(home: Path, models_dir: Path) -> Watched:
    settings = Settings(home=home, shipped=models_dir, access="keys", accept_equal=True)
    first, meter, launcher = wiring.local(home, settings), MemoryMeter(), MemoryLauncher()
    jobs = MeteredJobs(first.jobs, meter)
    registry = Registry(first.objects, first.clock, meter)
    trigger = Trigger(first.objects, jobs, launcher, first.clock)
    watching = Familiarity(registry, models_dir, home / "cache")
    parts = {"jobs": jobs, "registry": registry, "trigger": trigger, "launcher": launcher}
    return Watched(replace(first, **parts, meter=meter, familiarity=watching), meter, launcher)  # type: ignore[arg-type]


@pytest.fixture
def asking(watched: Watched) -> Iterator[httpx.Client]:
    """A client of a laboratory with a key, and the canary's key beside it."""
    keys = Keys(watched.services.objects, watched.services.clock)
    canary_key.provide(watched.services.objects, keys)
    text = keys.add("laboratory", [Scope.PREDICT])
    headers = {"Authorization": f"Bearer {text}"}
    with (
        running(create_app(watched.services)) as url,
        httpx.Client(base_url=url, timeout=60, headers=headers) as http,
    ):
        yield http


def canary(watched: Watched, http: httpx.Client) -> Canary:
    return Canary(str(http.base_url), watched.services.objects, watched.meter)


def test_every_metric_is_told_by_the_code_that_stands_for_it(
    watched: Watched, asking: httpx.Client, tmp_path: Path
) -> None:
    services, meter = watched.services, watched.meter
    ColdStarts(meter).tell()
    good(predict(asking, golden()[0].png()))
    canary(watched, asking).look()
    late = ObjectVersion("b", "incoming/x.zip", "1", 6, services.clock.now() - timedelta(hours=1))
    bucket = Bucket()
    bucket.files[late] = b"no zip"
    rounds.go(services, Arrivals(services, bucket, LATE))
    job = watched.submit(tmp_path, "cells.zip")
    assert retrain.run(services, job.id, 1, threading.Event())
    services.registry.publish(other := _another(services), _files(services))
    services.registry.promote(other.version, verdict="manual", actor="test", reason="a test")
    told = {metric for values, _ in meter.told for metric in values}
    assert told == set(metric_names.ALL)


def test_a_picture_is_told_with_its_class_confidence_and_version(
    watched: Watched, asking: httpx.Client
) -> None:
    answer = good(predict(asking, golden()[1].png()))
    [(values, properties)] = watched.meter.told
    assert properties == {"model_version": answer["model_version"]}
    assert values[names.PICTURES] == [1.0]
    assert (values[names.PARASITIZED], values[names.UNINFECTED]) == ([1.0], [0.0])
    assert values[names.CONFIDENCE] == [answer["confidence"]]
    assert 0 < values[names.PREDICT_TIME][0] < 60_000
    assert values[names.FEATURE_DISTANCE][0] > 0
    assert values[names.IMAGE_DEVIATION][0] > 0


def test_a_batch_is_told_once_and_adds_up(watched: Watched, asking: httpx.Client) -> None:
    noise = os.urandom(64 * 64 * 3)
    Image.frombytes("RGB", (64, 64), noise).save(watched.services.home / "noise.png")
    pictures = [cell.png() for cell in synthetic.generate(9, seed=5)]
    pictures += [(watched.services.home / "noise.png").read_bytes(), b"no picture"]
    files = [("files", (f"patient-{i}.png", data, "image/png")) for i, data in enumerate(pictures)]
    answer = good(asking.post("/predict/batch", files=files))
    [(values, properties)] = watched.meter.told
    one = {metric: value[0] for metric, value in values.items()}
    assert one[names.PICTURES] == 10, "what cannot be read is no picture"
    assert one[names.PARASITIZED] == answer["counts"]["Parasitized"]
    assert one[names.UNINFECTED] == answer["counts"]["Uninfected"]
    assert one[names.NOT_A_CELL] == answer["refused"]
    assert one[names.REVIEW] == answer["to_review"]
    codes = [r["review"]["code"] for r in answer["results"] if r.get("needs_review")]
    assert one[names.LOW_CONFIDENCE] == codes.count("uncertain")
    assert len(values[names.FEATURE_DISTANCE]) == len(values[names.IMAGE_DEVIATION]) == 10
    assert "patient" not in str((values, properties))


def test_a_request_that_failed_is_told_by_nobody_here(watched: Watched, asking: httpx.Client) -> None:
    assert predict(asking, b"no picture").status_code == 422
    assert predict(asking, golden()[0].png(), headers={"Authorization": ""}).status_code == 401
    assert watched.meter.told == []


def test_pictures_are_answered_where_nothing_is_known_of_what_was_learnt(
    watched: Watched, tmp_path: Path
) -> None:
    nothing = Familiarity(Registry(watched.services.objects, watched.services.clock), tmp_path, tmp_path)
    unknown = nothing.of(replace(watched.services.served.model.info, version="20990101-gone"))
    assert np.isnan(unknown.distance(np.zeros(128, np.float32)))
    assert np.isnan(unknown.deviation(np.zeros((128, 128, 3), np.uint8)))
    open_to_all = replace(
        watched.services,
        familiarity=nothing,
        settings=watched.services.settings.model_copy(update={"access": "open"}),
    )
    nothing._known = open_to_all.served.model.info.version, unknown
    with running(create_app(open_to_all)) as url, httpx.Client(base_url=url, timeout=60) as http:
        good(predict(http, golden()[0].png()))
    [(values, _)] = watched.meter.told
    assert names.FEATURE_DISTANCE not in values
    assert names.IMAGE_DEVIATION not in values
    assert values[names.PICTURES] == [1.0]


def test_the_canary_is_answered_and_is_no_part_of_the_figures(watched: Watched, asking: httpx.Client) -> None:
    assert canary(watched, asking).look()
    [(values, properties)] = watched.meter.told
    assert values[names.CANARY_OK] == [1.0]
    assert len(values[names.CANARY_TIME]) == len(Label)
    assert properties == {"model_version": watched.services.served.model.info.version}


def test_a_canary_that_is_shut_out_tells_so(watched: Watched, asking: httpx.Client) -> None:
    Keys(watched.services.objects, watched.services.clock).remove(canary_key.NAME)
    assert not canary(watched, asking).look()
    assert watched.meter.of(names.CANARY_OK) == [0.0]


def test_a_job_that_a_look_round_buries_is_told_of_once(watched: Watched, tmp_path: Path) -> None:
    services = watched.services
    job = watched.submit(tmp_path, "cells.zip")
    for attempt in (1, 2):
        rounds.look(services)
        services.jobs.change(job.id, lambda j: replace(j, state=JobState.RUNNING))
        watched.launcher.end(f"memory:{job.id}:{attempt}")
    for _ in range(3):
        rounds.look(services)
    assert services.jobs.get(job.id).state == JobState.FAILED
    assert watched.meter.of(names.JOBS_FAILED) == [1.0]
    assert watched.meter.of(names.JOBS_RUNNING) == [0.0] * 5
    assert watched.meter.of(names.JOBS_QUEUED) == [1.0, 1.0, 0.0, 0.0, 0.0]


def test_a_look_round_tells_of_uploads_without_a_job_and_refuses_them_once(watched: Watched) -> None:
    services, bucket = watched.services, Bucket()
    late = ObjectVersion("b", "incoming/x.zip", "1", 6, services.clock.now() - timedelta(hours=1))
    bucket.files[late] = b"no zip"
    for _ in range(2):
        rounds.go(services, Arrivals(services, bucket, LATE))
    assert watched.meter.of(names.UNACCOUNTED_UPLOADS) == [1.0, 0.0]
    assert watched.meter.of(names.JOBS_FAILED) == [1.0]


def test_only_the_first_call_of_an_instance_is_a_cold_start() -> None:
    meter = MemoryMeter()
    cold = ColdStarts(meter)
    for _ in range(3):
        cold.tell()
    assert meter.of(names.COLD_STARTS) == [1.0, 0.0, 0.0]


def _another(services: Services) -> ModelVersion:
    return replace(services.served.model.info, version="20990101-other")


def _files(services: Services) -> dict[str, Path]:
    info = services.served.model.info
    to = services.home / "copy.tflite"
    return {"model.tflite": services.registry.fetch(info.version, "model.tflite", to)}
