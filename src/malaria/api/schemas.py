"""The shapes of answers about the system. Each field says what it is, since /docs is built from here."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from malaria.api import examples
from malaria.api.examples import shown
from malaria.domain import Scope


class Health(BaseModel):
    """Whether predictions can be answered."""

    model_config = ConfigDict(json_schema_extra=shown(examples.HEALTH))

    status: Literal["ok", "degraded"] = Field(description="`degraded`: no model can be served now.")
    model_loaded: bool
    model_version: str | None
    uptime_seconds: float
    total_predictions: int = Field(description="Cells answered; see counts_since.")
    counts_since: Literal["process"] = Field(
        "process", description="Counts are of this process, since it began."
    )
    reason: str | None = Field(None, description="Why it is degraded.")


class TrainingNow(BaseModel):
    """What the ledger of jobs holds."""

    running: list[str] = Field(description="Ids of the jobs in the run that is under way.")
    queued: int = Field(description="Jobs that wait.")


class ConfirmedNow(BaseModel):
    """Whether pictures are kept, and how many that were confirmed wait for a retraining."""

    keep_days: int = Field(description="For so long answered pictures are kept; 0: none is.")
    pool: int = Field(description="Pictures that were confirmed and not yet learnt from.")
    retrain_at: int = Field(description="So many of them open a retraining; 0: never.")
    retrain_drift: float = Field(
        description="Fewer do, where errors exceed those expected by so many standard deviations; 0: never."
    )


class UploadNeeds(BaseModel):
    """What an upload must bring so that `adapt` learns from it and the gate can decide."""

    learnt_each: int = Field(description="Fewest cells of each class to learn from.")
    judged_cells: int = Field(description="Fewest cells kept apart to judge on.")
    judged_each: int = Field(description="Fewest of each class among them.")
    judged_groups: int = Field(description="Fewest patients, else fields or cells, among them.")
    judged_share: float = Field(description="Share of an upload's patients that is kept apart.")


class AccessNow(BaseModel):
    """How callers are known here, and what the one who asks may do."""

    mode: Literal["open", "keys", "jwt"] = Field(
        description="`open`: whoever reaches the server; `keys`: who sends one; `jwt`: who was let in before."
    )
    scopes: list[Scope] = Field(description="Of the caller; empty where none was named.")


class Status(Health):
    """Health and more, for people who look after the system."""

    model_config = ConfigDict(json_schema_extra=shown(examples.STATUS))

    software_version: str
    time: datetime
    predictions: dict[str, int] = Field(
        description="Cells by what was said of them; `refused`: no cells; `failed`: unreadable ones."
    )
    promotion: "PromotionEntry | None"
    training: TrainingNow
    confirmed: ConfirmedNow
    needs: UploadNeeds
    access: AccessNow


class PromotionEntry(BaseModel):
    """One entry of the append-only log of what was served."""

    model_config = ConfigDict(json_schema_extra=shown(examples.PROMOTION))

    number: int
    version: str
    digest: str = Field(description="SHA-256 of the model file.")
    verdict: str
    actor: str
    reason: str
    at: datetime


class ReviewBand(BaseModel):
    """Cells with low < P(Parasitized) < high ask for a person's look."""

    model_config = ConfigDict(from_attributes=True)

    low: float
    high: float
    sent: float = Field(description="Share of validation patients' cells that are sent to a person.")
    wrong: float = Field(description="Share of wrong answers among their other cells.")
    screened: float | None = Field(
        None, description="Share of them that is sent for what the picture shows alone; null: not counted."
    )


class ScreenBounds(BaseModel):
    """P(cell) below which a picture gets no prediction, and below which it asks for a person's look."""

    model_config = ConfigDict(from_attributes=True)

    refuse: float
    review: float
    network: str = Field(description="SHA-256 of the subject network in the served graph.")
    refused: float = Field(description="Share of validation cells below the first, in the worst laboratory.")
    reviewed: float = Field(description="Share of them between the two, in the worst laboratory.")
    hundredth: float = Field(description="P(cell) below which one in a hundred of those lies.")


class ModelSummary(BaseModel):
    """One kept version."""

    model_config = ConfigDict(json_schema_extra=shown(examples.MODEL))

    version: str
    digest: str = Field(description="SHA-256 of the .tflite file.")
    network: str
    input_size: int = Field(description="Pixels: cells are padded to a square and resized to this side.")
    created: datetime
    size_bytes: int
    threshold: float
    review: ReviewBand | None = Field(description="Answers that ask for a person's look; null: not chosen.")
    screen: ScreenBounds | None = Field(
        description="What is taken for one good cell; null: the model does not tell."
    )
    labels: list[str]
    metrics: dict[str, Any] = Field(description="For each set of cells the version was scored on.")
    lineage: dict[str, Any] = Field(description="Method, parent, job, data.")
    served: bool
    promoted: list[datetime] = Field(description="When it was promoted, newest first; empty: never.")


class ServedModel(ModelSummary):
    """The model that answers now, and the entry that made it so."""

    model_config = ConfigDict(json_schema_extra=shown(examples.SERVED))

    promotion: PromotionEntry


class ModelList(BaseModel):
    model_config = ConfigDict(json_schema_extra=shown(examples.MODELS))

    served: str | None = Field(description="The version that answers now.")
    models: list[ModelSummary] = Field(description="Newest first.")
    promotions: list[PromotionEntry] = Field(description="The log, newest first.")


class CardSection(BaseModel):
    """One section of a model card."""

    name: str = Field(description="Stable, for programs: what, use, limits, figures, laboratories ...")
    title: str
    measured: bool = Field(description="Whether its numbers are there; else the text says that they are not.")
    text: str = Field(description="Markdown.")
    values: dict[str, Any] = Field(description="The numbers that the text tells, and more of them.")


class ModelCard(BaseModel):
    """What a model is, what it is for, how it was made, how good it is, and where its limits are."""

    model_config = ConfigDict(json_schema_extra=shown(examples.CARD))

    version: str
    digest: str = Field(description="SHA-256 of the .tflite file.")
    network: str
    title: str
    sections: list[CardSection]


class RocPoint(BaseModel):
    """What an operating point would give."""

    model_config = ConfigDict(from_attributes=True)

    threshold: float | None = Field(
        None, description="P(Parasitized) from which a cell is called so; null: none is."
    )
    sensitivity: float
    false_positive_rate: float


class ReliabilityBin(BaseModel):
    """Cells whose P(Parasitized) is from low to below high."""

    model_config = ConfigDict(from_attributes=True)

    low: float
    high: float
    cells: int
    said: float = Field(description="Mean P(Parasitized).")
    seen: float = Field(description="Share that is parasitized.")


class PatientCounts(BaseModel):
    """One patient, else field, whom nobody names."""

    model_config = ConfigDict(from_attributes=True)

    parasitized: int
    found: int = Field(description="Of them called parasitized.")
    uninfected: int
    called: int = Field(description="Of them called parasitized.")


class SetCurves(BaseModel):
    """What lies behind the figures of a version on one set of cells."""

    model_config = ConfigDict(from_attributes=True)

    cells: int
    threshold: float
    roc: list[RocPoint] = Field(description="From no cell called to all; empty where a class is missing.")
    reliability: list[ReliabilityBin] = Field(description="Bins that hold cells.")
    patients: list[PatientCounts] = Field(
        description="Those with at least 10 cells of a class, the most cells first."
    )


class VersionCurves(BaseModel):
    """The curves of a version, for each set of cells that its feature memory holds."""

    model_config = ConfigDict(json_schema_extra=shown(examples.CURVES))

    version: str
    sets: dict[str, SetCurves] = Field(description="By name, as in the version's metrics.")


class ChangeRequest(BaseModel):
    """Who changes what is served, and why; both stay in the log for ever."""

    model_config = {"extra": "forbid", "str_strip_whitespace": True}

    actor: str = Field(min_length=1, max_length=200, examples=["ada"])
    reason: str = Field(min_length=1, max_length=1000, examples=["better on our stain"])


class RollbackRequest(ChangeRequest):
    to: str | None = Field(
        None, max_length=100, description="A version served before; left out: the one before the present one."
    )


class Changed(BaseModel):
    """The entry that was appended, and what this process serves as it answers."""

    model_config = ConfigDict(json_schema_extra=shown(examples.CHANGED))

    promotion: PromotionEntry
    served: str | None = Field(description="Differs from the entry only where its model could not be loaded.")
