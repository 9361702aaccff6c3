"""The AWS half of the composition root. Nothing here loads boto3: clients are made when first asked for."""

import contextlib
import logging
import os
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from malaria import canary_key, shipped, signing_keys, wiring
from malaria.adapters import objects as stores
from malaria.adapters.aws_clients import Clients, region, session_of_person
from malaria.adapters.cloudwatch_history import CloudWatchHistory
from malaria.adapters.dynamo_feedback import DynamoFeedback
from malaria.adapters.dynamo_jobs import DynamoJobs
from malaria.adapters.ecs_launcher import EcsLauncher
from malaria.adapters.meters import EmfMeter, NullMeter
from malaria.adapters.no_launcher import NoLauncher
from malaria.adapters.s3_desk import S3Desk
from malaria.adapters.s3_uploads import S3Uploads
from malaria.adapters.sagemaker_launcher import LOG_GROUP, SageMakerLauncher
from malaria.adapters.sqs_letters import SqsLetters
from malaria.adapters.sqs_wake import SqsWake
from malaria.arrivals import Arrivals
from malaria.canary import Canary
from malaria.domain import ModelVersion
from malaria.errors import Busy
from malaria.keeping import Kept
from malaria.keys import Keys
from malaria.metered_jobs import MeteredJobs
from malaria.ports import Clock, Mailbox, Meter, TrainingLauncher
from malaria.predict import Served
from malaria.promote import MODEL, Registry
from malaria.services import Services
from malaria.settings import Settings
from malaria.settings_aws import INCOMING, AwsSettings
from malaria.shards import Shards
from malaria.trigger import Trigger
from malaria.unfamiliar import Familiarity

log = logging.getLogger(__name__)

PATIENCE, BRIEF = 60.0, 3.0
"""Seconds for which a request to the object store is tried again; the second where somebody waits."""
_NOT_PASSED_ON = frozenset({"MALARIA_HOME", "MALARIA_SIGNING_KEY"})


def aws(
    settings: Settings, deployed: AwsSettings, *, launching: bool, answering: bool, personal: bool
) -> Services:
    """As `wiring.aws`."""
    home = settings.home.resolve()
    for folder in ("work", "cache"):
        (home / folder).mkdir(parents=True, exist_ok=True)
    clock, clients = wiring.SystemClock(), Clients(deployed.endpoint)
    patience = BRIEF if answering else PATIENCE
    session = session_of_person() if personal else None
    objects = _objects(deployed, "", patience, session)
    meter = _meter(deployed, clock)
    jobs = MeteredJobs(DynamoJobs(clients, lambda: deployed.need("jobs_table"), clock), meter)
    launcher = _launcher(clients, deployed, launching)
    registry = Registry(objects, clock, meter)
    bundled = None if launching else _ship(registry, settings, home / "cache", answering)
    if answering and deployed.canary:
        canary_key.provide(objects, Keys(objects, clock))
    return Services(
        settings=settings,
        home=home,
        clock=clock,
        objects=objects,
        jobs=jobs,
        feedback=DynamoFeedback(clients, lambda: deployed.need("feedback_table")),
        launcher=launcher,
        trigger=Trigger(objects, jobs, launcher, clock),
        registry=registry,
        shards=Shards(objects),
        served=Served(registry, home / "cache", settings.interpreters, bundled if answering else None),
        kept=Kept(
            _objects(deployed, "kept", patience, session),
            clock,
            days=settings.keep_days,
            pooled=settings.opens_retrainings,
        ),
        desk=S3Desk(
            lambda: clients.of("s3"),
            lambda: deployed.need("uploads_bucket"),
            INCOMING,
            settings.max_upload_bytes,
        ),
        signing_keys=wiring.keys_that_sign(settings, lambda: signing_keys.shared(objects))
        if answering
        else (),
        meter=meter,
        history=CloudWatchHistory(
            clients, deployed.deployment, lambda: deployed.need("api_id"), canary=deployed.canary
        ),
        fleeting=True,
        elsewhere=None if launching else SqsWake(clients, lambda: deployed.need("queue_url")),
        familiarity=Familiarity(registry, wiring.shipped_models(settings), home / "cache")
        if answering and deployed.metered
        else None,
    )


def arrivals(services: Services, deployed: AwsSettings) -> Arrivals:
    """As `wiring.arrivals`."""
    clients = Clients(deployed.endpoint)
    uploads = S3Uploads(clients, lambda: deployed.need("uploads_bucket"))
    return Arrivals(services, uploads, timedelta(minutes=deployed.lost_minutes))


def dead_letters(deployed: AwsSettings) -> Mailbox:
    """As `wiring.dead_letters`."""
    queues = {"dead": "dead_letters", "undelivered": "undelivered"}
    urls = {name: partial(deployed.need, setting) for name, setting in queues.items()}
    return SqsLetters(Clients(deployed.endpoint), partial(deployed.need, "queue_url"), urls)


def canary(deployed: AwsSettings) -> Canary:
    """As `wiring.canary`."""
    objects, meter = _objects(deployed, "", BRIEF), _meter(deployed, wiring.SystemClock())
    return Canary(deployed.need("canary_url"), objects, meter)


def _meter(deployed: AwsSettings, clock: Clock) -> Meter:
    return EmfMeter(deployed.deployment, clock) if deployed.metered else NullMeter()


def _objects(deployed: AwsSettings, prefix: str, patience: float, session: Any = None) -> stores.Objects:
    bucket = deployed.need("models_bucket")
    return stores.s3(bucket, prefix, region(), deployed.endpoint, patience=patience, session=session)


def _launcher(clients: Clients, deployed: AwsSettings, launching: bool) -> TrainingLauncher:
    ecs = deployed.trainer == "ecs"
    if not launching:
        return NoLauncher(f"the CloudWatch log group {deployed.log_group if ecs else LOG_GROUP}")
    if ecs:
        return EcsLauncher(clients, deployed)
    return SageMakerLauncher(clients, deployed, _for_container(os.environ))


def _for_container(environment: Mapping[str, str]) -> dict[str, str]:
    """What a container is told of this function's own environment: settings, but no secret and no folder."""
    passed = {k: v for k, v in environment.items() if k.startswith("MALARIA_") and k not in _NOT_PASSED_ON}
    endpoint = environment.get("AWS_ENDPOINT_URL")
    return passed | ({"AWS_ENDPOINT_URL": endpoint} if endpoint else {})


def _ship(registry: Registry, settings: Settings, cache: Path, answering: bool) -> tuple[ModelVersion, Path]:
    """Keep the shipped model, and promote it where nothing was; who answers does so without, for now. Return
    the version that a newcomer is served, and its file."""
    models = wiring.shipped_models(settings)
    _lay_out(models, cache)
    try:
        shipped.install_shipped(registry, models, settings.network)
    except Busy:
        if not answering:
            raise
        log.warning("the shipped model could not be kept this time", exc_info=True)
    info, files = shipped.read_shipped(models, settings.network)
    return info, files / MODEL


def _lay_out(models: Path, cache: Path) -> None:
    """Put the shipped models where those of the store are laid, so that none that is here is brought from
    there."""
    for info in shipped.versions(models):
        laid = cache / info.version / MODEL
        laid.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            laid.symlink_to((models / info.version / MODEL).resolve())
