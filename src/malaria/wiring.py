"""The one composition root: puts a system together from its settings."""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from malaria import shipped, signing_keys
from malaria.adapters.inbox import Inbox
from malaria.adapters.objects import local as local_objects
from malaria.adapters.own_desk import OwnDesk
from malaria.adapters.sqlite_feedback import SqliteFeedback
from malaria.adapters.sqlite_history import SqliteHistory
from malaria.adapters.sqlite_jobs import SqliteJobs
from malaria.adapters.subprocess_launcher import SubprocessLauncher
from malaria.arrivals import Arrivals
from malaria.canary import Canary
from malaria.keeping import Kept
from malaria.ports import Mailbox
from malaria.predict import Served
from malaria.promote import Registry
from malaria.services import Services
from malaria.settings import Settings
from malaria.settings_aws import PREFIX, AwsSettings
from malaria.shards import Shards
from malaria.trigger import Trigger
from malaria.unfamiliar import Familiarity


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


def local(home: Path | None = None, settings: Settings | None = None) -> Services:
    """The laptop mode: files and SQLite under `home`, a subprocess for training.

    The first call makes the folders and a key that signs ids of predictions, and promotes the shipped
    model, of the network that the settings name.
    """
    settings = settings or Settings()
    home = (home or settings.home).resolve()
    for folder in ("store", "inbox", "logs", "work", "cache"):
        (home / folder).mkdir(parents=True, exist_ok=True)
    clock = SystemClock()
    objects = local_objects(home / "store")
    jobs = SqliteJobs(home / "jobs.sqlite", clock)
    launcher = SubprocessLauncher(home)
    history = SqliteHistory(home / "history.sqlite", clock)
    registry = Registry(objects, clock)
    shipped.install_shipped(registry, shipped_models(settings), settings.network)
    return Services(
        settings=settings,
        home=home,
        clock=clock,
        objects=objects,
        jobs=jobs,
        feedback=SqliteFeedback(home / "feedback.sqlite"),
        launcher=launcher,
        trigger=Trigger(objects, jobs, launcher, clock),
        registry=registry,
        shards=Shards(objects),
        served=Served(registry, home / "cache", settings.interpreters),
        kept=Kept(
            local_objects(home / "kept", synced=False),
            clock,
            days=settings.keep_days,
            pooled=settings.opens_retrainings,
        ),
        desk=OwnDesk(settings.max_upload_bytes),
        meter=history,
        history=history,
        recorder=history,
        familiarity=Familiarity(registry, shipped_models(settings), home / "cache"),
        signing_keys=keys_that_sign(settings, lambda: signing_keys.stored(home)),
    )


def keys_that_sign(settings: Settings, kept: Callable[[], tuple[str, ...]]) -> tuple[str, ...]:
    """Those that the settings tell, else those that are kept."""
    if settings.signing_key is None:
        return kept()
    return signing_keys.parse(settings.signing_key.get_secret_value(), ",")


def aws(
    settings: Settings | None = None,
    aws_settings: AwsSettings | None = None,
    *,
    launching: bool = False,
    answering: bool = False,
    personal: bool = False,
) -> Services:
    """A deployment on AWS: objects in S3, jobs and confirmed labels in DynamoDB.

    launching: this process may start trainings, and runs no model; others have someone else look at the
        queue, and the first of them promotes the shipped model.
    answering: people wait for it, so it does not wait long for the store, and the model that ships answers
        until the promotion log can be read. It alone has the keys that sign ids; the first one makes them.
    personal: a person's credentials count, as they have set them up for the command line of AWS.

    Raises BadOptions where a setting is absent, Busy where the store cannot be reached.
    """
    from malaria import wiring_aws

    return wiring_aws.aws(
        settings or Settings(),
        aws_settings or AwsSettings(),
        launching=launching,
        answering=answering,
        personal=personal,
    )


def deployment(name: str, settings: Settings | None = None) -> Services:
    """A deployment on AWS by its name, for a person with rights in its account.

    Raises NotFound where there is none, Busy where AWS cannot be reached.
    """
    from malaria.adapters.stack_outputs import settings_of

    return aws(settings, settings_of(name, AwsSettings().endpoint), personal=True)


def by_environment() -> Services:
    """The deployment that the environment names, else the laptop mode."""
    return aws() if deployed() else local()


def deployed() -> bool:
    """Whether the environment names a deployment on AWS."""
    return bool(os.environ.get(f"{PREFIX}MODELS_BUCKET"))


def arrivals(services: Services, aws_settings: AwsSettings | None = None) -> Arrivals:
    """The bucket into which people and programs put ZIPs."""
    from malaria import wiring_aws

    return wiring_aws.arrivals(services, aws_settings or AwsSettings())


def canary(aws_settings: AwsSettings | None = None) -> Canary:
    """Who asks a deployment on AWS whether it answers."""
    from malaria import wiring_aws

    return wiring_aws.canary(aws_settings or AwsSettings())


def dead_letters(name: str) -> Mailbox:
    """What a deployment could not deliver, for a person with rights in its account. Raises as
    `deployment`."""
    from malaria import wiring_aws
    from malaria.adapters.stack_outputs import settings_of

    return wiring_aws.dead_letters(settings_of(name, AwsSettings().endpoint))


def inbox(services: Services) -> Inbox:
    """The folder into which people drop ZIPs."""
    return Inbox(services.home / "inbox", services.trigger)


def shipped_models(settings: Settings) -> Path:
    """Where the shipped models lie: by setting, else in the package, else in the checkout."""
    return shipped.folder(settings.shipped)
