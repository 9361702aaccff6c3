"""The parts of a running system, put together by `wiring` and handed to the API, the CLI and the trainer."""

from dataclasses import dataclass, field
from pathlib import Path

from malaria import looks, memory, shipped
from malaria.at_hand import AtHand
from malaria.errors import NotFound
from malaria.gate_looks import GateLooks, set_of
from malaria.keeping import Kept
from malaria.ports import (
    Clock,
    FeedbackStore,
    History,
    JobStore,
    Meter,
    ObjectStore,
    Recorder,
    TrainingLauncher,
    UploadDesk,
    Wake,
)
from malaria.predict import Served
from malaria.promote import Registry
from malaria.settings import Settings
from malaria.shards import Shards
from malaria.tickets import Tickets
from malaria.trigger import Trigger
from malaria.unfamiliar import Familiarity


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
    desk: UploadDesk
    meter: Meter
    history: History
    """What was told of the system, for people who watch."""
    signing_keys: tuple[str, ...] = field(repr=False)
    """The newest first: it signs, all are accepted."""
    elsewhere: Wake | None = None
    """Who looks at the queue of jobs where this process may not start trainings itself."""
    fleeting: bool = False
    """Whether this machine's disk goes with the run, so that what a later attempt needs is kept elsewhere."""
    recorder: Recorder | None = None
    """Who keeps figures here, requests among them; None where AWS tells of requests and keeps all."""
    familiarity: Familiarity | None = None
    """What the served version learnt looks like; None where nobody watches pictures for being unlike it."""

    def wake(self) -> None:
        """Have a job that was just queued looked at."""
        (self.elsewhere or self.trigger.wake)()

    def tend(self) -> None:
        """Do for the jobs what a server would: bury what died, launch what waits; nothing where others do."""
        if self.elsewhere is None:
            self.trigger.reconcile()
            self.trigger.dispatch()

    @property
    def tickets(self) -> Tickets:
        """Those of uploads that are too large for one request."""
        return Tickets(self.objects, self.trigger, self.clock)

    @property
    def at_hand(self) -> AtHand:
        """Every version that is kept here or ships."""
        return AtHand(self.registry, shipped.folder(self.settings.shipped), self.home / "cache")

    @property
    def gate_looks(self) -> GateLooks:
        """The record of looks at the base gate patients."""
        return GateLooks(self.objects)

    def looked_at_gate(self) -> int:
        """How many looks there were at the base gate patients whom the served version remembers.

        Raises NotFound where nothing is served or it remembers nothing, and Damaged.
        """
        newest = self.registry.newest()
        if newest is None:
            raise NotFound("Nothing is served yet.")
        info = self.at_hand.version(newest.version)
        return self.gate_looks.count(set_of(memory.load(self.at_hand.read(info, "memory.npz"))))

    @property
    def looks(self) -> tuple[Path, Path]:
        """The records of looks at what is kept for the test: the project's own, and this home's."""
        return shipped.folder(self.settings.shipped) / looks.FILE, self.home / looks.FILE
