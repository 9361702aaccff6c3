"""What the steps ask of the world; adapters answer. Each port has one contract suite in tests/contract."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from malaria.domain import Confirmation, Job, JobState, Method, ObjectInfo, Progress, UploadForm
from malaria.history import Course, Span
from malaria.metric_names import Metric


class Clock(Protocol):
    def now(self) -> datetime:
        """The time, in UTC, with its zone."""


Report = Callable[[Progress], None]
"""Told where the work stands; may raise Cancelled to stop it at a safe point."""


class Meter(Protocol):
    """Told figures of what is done, for whoever watches."""

    def tell(self, values: Mapping[Metric, float | Sequence[float]], **properties: str) -> None:
        """Tell values of metrics that belong together, one or many of each. What is not finite is left out.

        properties: what else belongs to them, such as model_version. They stand beside the figures in the
        log, and never name a patient or a file. Raises ValueError where one has the name of a metric.
        """


class History(Protocol):
    """What was told of the system, kept. Every method raises Busy where it cannot be reached for now."""

    def read(self, metrics: Sequence[Metric], span: Span) -> Mapping[Metric, Course]:
        """How each of these went; of those that nobody tells here there is no entry."""
        ...


class Recorder(Meter, History, Protocol):
    """Keeps what it is told itself; what is told is written when it is asked to. Both raise Busy."""

    def flush(self) -> None:
        """Write what was told since."""

    def thin(self) -> None:
        """Keep what is old more coarsely, or no longer."""


class JobStore(Protocol):
    """The ledger of jobs and the one lease under which a run may work."""

    def add(self, job: Job) -> Job:
        """Add a job, unless one of the same identity stands; return the one that stands."""

    def get(self, job_id: str) -> Job:
        """Raises UnknownTask."""

    def list(self, *, state: JobState | None = None, limit: int = 100) -> list[Job]:
        """Newest first."""

    def change(self, job_id: str, change: Callable[[Job], Job]) -> Job:
        """Apply `change` atomically and return what now stands; it may be called again on a conflict.

        What `change` raises passes through and changes nothing. Raises UnknownTask, and JobFinished
        where the job's state is terminal: those rows are final.
        """

    def acquire(self, owner: str, seconds: float) -> int | None:
        """Take the lease: a token greater than every one before, or None while another holds it."""

    def renew(self, token: int, seconds: float) -> bool:
        """Hold on to the lease; False where the token has lost it."""

    def release(self, token: int) -> None:
        """Give the lease back; nothing happens where the token has lost it."""


class FeedbackStore(Protocol):
    """What people said that cells were. Rows are added and never changed."""

    def add(self, row: Confirmation) -> Confirmation:
        """Append a row unless it repeats one (`Confirmation.repeated`); return the one that stands."""

    def list(self) -> list[Confirmation]:
        """Every row, oldest first; those of one prediction in the order in which they were added."""


class TrainingLauncher(Protocol):
    """Starts the training entry point somewhere: a subprocess, an ECS task, a SageMaker job."""

    def launch(self, job_id: str, attempt: int, method: Method = Method.AUTO) -> str:
        """Start a run and return its handle. The same job and attempt start once.

        method: as the job asks; where the methods need machines of different size it says which. Raises Busy,
        with the reason, where nothing can be started now.
        """

    def alive(self, handle: str) -> bool:
        """Whether the run goes on, or is about to begin. Raises Busy where nobody can tell now."""

    def stop(self, handle: str) -> None:
        """Ask the run to stop; nothing happens where it has ended."""

    def log(self, job_id: str) -> str:
        """Where a person reads what the runs of a job printed, such as "logs/9f2c4e1a.log"."""


Wake = Callable[[], None]
"""Has the queue of jobs looked at soon, here or elsewhere. Never raises: who looks round later looks too."""


class UploadDesk(Protocol):
    """Where uploads are handed in that are too large for one request to the API."""

    def form(self, key: str, until: datetime) -> UploadForm:
        """How to send the file of a key ('tickets/9f2c.zip') before `until`."""


@dataclass(frozen=True, slots=True)
class Letter:
    """What could not be delivered. queue: where it lies, "dead" or "undelivered". receipt: by which it is
    removed, for as long as it is held."""

    id: str
    queue: str
    body: str
    sent: datetime
    receipt: str


class Mailbox(Protocol):
    """The queues of dead letters, and the queue of uploads, into which what they stand for goes again. Every
    method raises Busy where a queue fails."""

    def hold(self) -> Iterator[Letter]:
        """Every letter once; nobody else sees it for a minute."""

    def put_back(self, letter: Letter) -> None:
        """Let others see it at once."""

    def send(self, body: str) -> None:
        """Put a message into the queue of uploads."""

    def look(self) -> None:
        """Have the ledger looked at."""

    def remove(self, letter: Letter) -> None: ...


class ObjectStore(Protocol):
    """Whole objects by key ('a/b.json'). Every write is atomic: readers see all of it or none."""

    def get(self, key: str) -> bytes:
        """Raises NotFound."""

    def put(self, key: str, data: bytes | Path) -> None:
        """Write or overwrite; a Path is streamed."""

    def create(self, key: str, data: bytes | Path) -> None:
        """Write unless the key stands. Raises AlreadyExists: of many writers one wins."""

    def fetch(self, key: str, to: Path) -> None:
        """Stream an object into a file, which appears whole or not at all. Raises NotFound."""

    def exists(self, key: str) -> bool: ...

    def list(self, prefix: str, limit: int | None = None) -> list[ObjectInfo]:
        """Objects below a prefix ('a/'), keys ascending."""

    def delete(self, key: str) -> None:
        """Nothing happens where it is absent."""
