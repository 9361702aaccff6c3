"""The parts of a running system, put together by `wiring` and handed to the API, the CLI and the trainer."""

from dataclasses import dataclass, field
from pathlib import Path

from malaria.keeping import Kept
from malaria.ports import Clock, FeedbackStore, JobStore, ObjectStore, TrainingLauncher
from malaria.predict import Served
from malaria.promote import Registry
from malaria.settings import Settings
from malaria.shards import Shards
from malaria.trigger import Trigger


@dataclass(frozen=True)
class Services:
    settings: Settings
    home: Path
    clock: Clock
    objects: ObjectStore
    jobs: JobStore
    feedback: FeedbackStore
    launcher: TrainingLauncher
    trigger: Trigger
    registry: Registry
    shards: Shards
    served: Served
    kept: Kept
    signing_keys: tuple[str, ...] = field(repr=False)
    """The newest first: it signs, all are accepted."""
