"""The words of the house: frozen values that every room may hold. Standard library only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any

CLASSES = ("Uninfected", "Parasitized")
"""Index is the label: 0 uninfected, 1 parasitized. The names are the folder names of an upload."""


class Label(IntEnum):
    UNINFECTED = 0
    PARASITIZED = 1

    @property
    def text(self) -> str:
        return CLASSES[self]

    @classmethod
    def named(cls, text: str) -> "Label":
        """Raises ValueError where it is no class."""
        return cls(CLASSES.index(text))


class Role(StrEnum):
    """What a patient's cells may be used for. One role each, for ever."""

    TRAIN = "train"
    VALIDATION = "validation"
    GATE = "gate"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class Cell:
    """One labelled cell: its file name, label, and its patient where known."""

    name: str
    label: Label
    patient: str | None


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a long piece of work stands; every part but `step` may be unknown.

    percent: 0 to 100 of the whole job; eta: seconds left; losses are mean binary cross-entropies; accuracies
    are shares of the cells, those learnt from as they are changed for training.
    """

    step: str
    percent: float | None = None
    eta: float | None = None
    epoch: int | None = None
    epochs: int | None = None
    loss: float | None = None
    validation_loss: float | None = None
    accuracy: float | None = None
    validation_accuracy: float | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """What was said of one cell, as its prediction id carries it.

    nonce: tells two answers of the same picture apart. version: of the model. probability: P(parasitized),
    and threshold from which a cell was called so, 0 to 1. label: what was said; None where nothing was. at:
    UTC, to the second. fingerprint: of the decoded pixels. needs_review: whether a person was asked to look.
    """

    nonce: str
    version: str
    probability: float
    threshold: float
    label: Label | None
    at: datetime
    fingerprint: int
    needs_review: bool = False


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What a person says that a cell was, of which something had been said before.

    by: who says so. site: the laboratory. patient: a pseudonym. at: when it was told, UTC.
    """

    said: Said
    label: Label
    by: str
    site: str | None
    patient: str | None
    at: datetime

    def repeated(self, rows: Sequence["Confirmation"]) -> "Confirmation | None":
        """Of the rows of the same prediction, oldest first, the one that this one repeats: the same by the
        same person, who has not said otherwise since."""
        for row in reversed([row for row in rows if row.by == self.by]):
            if row.label != self.label:
                return None
            if (row.site, row.patient) == (self.site, self.patient):
                return row
        return None


class Method(StrEnum):
    """How to retrain: refit the head on feature memory, the whole network, or whichever fits."""

    ADAPT = "adapt"
    FULL = "full"
    AUTO = "auto"


class Precision(StrEnum):
    """How an exported file keeps its numbers; what is trained is float32."""

    FLOAT16 = "float16"
    INT8 = "int8"


@dataclass(frozen=True, slots=True)
class RetrainOptions:
    """What a person may choose about a retraining; None means the method's own default."""

    method: Method = Method.AUTO
    epochs: int | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    network: str | None = None
    note: str = ""


class JobState(StrEnum):
    """QUEUED -> RUNNING -> one of the terminal states, which are final."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    """The run came to a verdict, which may be `rejected`."""
    FAILED = "failed"
    CANCELLED = "cancelled"
    DUPLICATE = "duplicate"

    @property
    def terminal(self) -> bool:
        return self not in (JobState.QUEUED, JobState.RUNNING)


class Scope(StrEnum):
    """What a caller asks to do."""

    READ = "read"
    """See models, jobs and figures. Whoever may do anything may read."""
    PREDICT = "predict"
    CONFIRM = "confirm"
    """Say what a cell was. Labels steer what is learnt, so it is more than to predict, and less than to
    operate."""
    OPERATE = "operate"
    """Retrain, cancel, promote, roll back."""


class Verdict(StrEnum):
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    UNDECIDABLE = "undecidable"


@dataclass(frozen=True, slots=True)
class Job:
    """One upload and what became of it.

    identity: what was uploaded (path, size and time; or object version), one job each.
    upload: key of the upload in the object store. leader: the job whose run took this one in.
    handle: the launcher's name of the process. lease: token of the lease that the run holds.
    report: what ingest found. receipt: the gate's verdict, JSON both. version: the challenger made, None
    where nothing was learnt.
    """

    id: str
    identity: str
    name: str
    upload: str
    created: datetime
    options: RetrainOptions = field(default_factory=RetrainOptions)
    state: JobState = JobState.QUEUED
    actor: str = ""
    attempt: int = 0
    leader: str | None = None
    handle: str = ""
    lease: int | None = None
    cancel_requested: bool = False
    started: datetime | None = None
    finished: datetime | None = None
    progress: Progress | None = None
    epochs: tuple[Progress, ...] = ()
    """One entry for each finished epoch: the curve of losses."""
    reason: str = ""
    code: str = ""
    """Of the reason, kebab-case and stable; "" where there is none, as for a verdict."""
    verdict: Verdict | None = None
    dataset: str | None = None
    champion: str | None = None
    version: str | None = None
    report: Mapping[str, Any] = field(default_factory=dict)
    receipt: Mapping[str, Any] = field(default_factory=dict)


def cancelled(job: Job, reason: str) -> Job:
    return replace(job, state=JobState.CANCELLED, reason=reason, code="cancelled")


@dataclass(frozen=True, slots=True)
class Review:
    """Which answers a person should look at: those with low < P(parasitized) < high.

    sent, wrong: on the validation patients on which it was chosen, the share of cells that are sent to a
    person, and the share of wrong answers among the others. screened: the part of `sent` that is sent for
    what the picture shows, or gets no answer for it, wherever the probability lies; None where that was not
    counted.
    """

    low: float
    high: float
    sent: float
    wrong: float
    screened: float | None = None


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a person should look at a cell, or why it gets no answer. code: a stable name; text: a sentence."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Screen:
    """Which pictures are taken for one good cell, by the P(cell) that the subject network in a graph gives.

    refuse: below it a picture gets no answer. review: below it a person should look. network: SHA-256 of the
    subject network. refused, reviewed: of the validation cells of the laboratory that fares worst, the share
    below the one and between the two. hundredth: below it lies one in a hundred of them; only to measure by.
    """

    refuse: float
    review: float
    network: str
    refused: float
    reviewed: float
    hundredth: float


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """A model as it is kept: `digest` is the SHA-256 of its .tflite file, `version` carries its start.

    threshold: the operating point, a calibrated probability. review: which answers a person should look at;
    None for versions from before that was chosen. screen: which pictures are no cell; None where the graph
    does not tell. metrics: one mapping for each set the model was scored on,
    such as "validation" or "gate". lineage: method, parent, job, data, command.
    """

    version: str
    digest: str
    network: str
    input_size: int
    created: datetime
    size_bytes: int
    threshold: float = 0.5
    review: Review | None = None
    screen: Screen | None = None
    labels: tuple[str, ...] = CLASSES
    metrics: Mapping[str, Any] = field(default_factory=dict)
    lineage: Mapping[str, Any] = field(default_factory=dict)


def version_name(created: datetime, digest: str) -> str:
    """`20261123-1a2b3c4d`: the day, and the start of the .tflite file's SHA-256."""
    return f"{created:%Y%m%d}-{digest[:8]}"


@dataclass(frozen=True, slots=True)
class Promotion:
    """One entry of the append-only log; the newest names what is served.

    previous: SHA-256 of the entry before, as stored. nonce: tells the writer its own entry.
    """

    number: int
    version: str
    digest: str
    verdict: str
    actor: str
    reason: str
    at: datetime
    previous: str
    nonce: str


@dataclass(frozen=True, slots=True)
class UploadForm:
    """How a client sends a file: multipart/form-data to `url` with all of `fields` before the field `file`.

    url: one that begins with "/" is the API's own, and takes the caller's key as the rest does; elsewhere the
    fields alone open the door. max_bytes: of the file.
    """

    url: str
    fields: Mapping[str, str]
    max_bytes: int


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    key: str
    size: int
    modified: datetime


@dataclass(frozen=True, slots=True)
class ObjectVersion:
    """One version of an object in a bucket, for ever the same bytes. size: bytes; modified: None where nobody
    has said."""

    bucket: str
    key: str
    version: str
    size: int
    modified: datetime | None = None

    @property
    def identity(self) -> str:
        return f"s3:{self.bucket}/{self.key}@{self.version}"
