"""The one composition root: puts a system together from its settings."""

from datetime import UTC, datetime
from pathlib import Path

from malaria import shipped
from malaria.adapters.inbox import Inbox
from malaria.adapters.objects import local as local_objects
from malaria.adapters.sqlite_jobs import SqliteJobs
from malaria.adapters.subprocess_launcher import SubprocessLauncher
from malaria.predict import Served
from malaria.promote import Registry
from malaria.services import Services
from malaria.settings import Settings
from malaria.shards import Shards
from malaria.trigger import Trigger


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


def local(home: Path | None = None, settings: Settings | None = None) -> Services:
    """The laptop mode: files and SQLite under `home`, a subprocess for training.

    The first call makes the folders and promotes the shipped model, of the network that the settings name.
    """
    settings = settings or Settings()
    home = (home or settings.home).resolve()
    for folder in ("store", "inbox", "logs", "work", "cache"):
        (home / folder).mkdir(parents=True, exist_ok=True)
    clock = SystemClock()
    objects = local_objects(home / "store")
    jobs = SqliteJobs(home / "jobs.sqlite", clock)
    launcher = SubprocessLauncher(home)
    registry = Registry(objects, clock)
    shipped.install_shipped(registry, shipped_models(settings), settings.network)
    return Services(
        settings=settings,
        home=home,
        clock=clock,
        objects=objects,
        jobs=jobs,
        launcher=launcher,
        trigger=Trigger(objects, jobs, launcher, clock),
        registry=registry,
        shards=Shards(objects),
        served=Served(registry, home / "cache", settings.interpreters),
    )


def inbox(services: Services) -> Inbox:
    """The folder into which people drop ZIPs."""
    return Inbox(services.home / "inbox", services.trigger)


def shipped_models(settings: Settings) -> Path:
    """Where the shipped models lie: by setting, else in the package, else in the checkout."""
    return shipped.folder(settings.shipped)
