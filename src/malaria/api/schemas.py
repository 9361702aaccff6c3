"""The shapes of answers. Each field says what it is, since /docs is built from here."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from malaria.api import examples
from malaria.api.examples import shown

Prediction = Literal["Parasitized", "Uninfected"]


class Probabilities(BaseModel):
    """Calibrated, and adding up to 1."""

    Parasitized: float = Field(ge=0, le=1)
    Uninfected: float = Field(ge=0, le=1)


class ImageSize(BaseModel):
    """The picture as it was decoded, upright."""

    width: int = Field(description="Pixels.")
    height: int = Field(description="Pixels.")


class Predicted(BaseModel):
    """What the model says of one cell. Research use: not a diagnosis."""

    model_config = {
        "json_schema_extra": {
            "example": {
                "prediction": "Parasitized",
                "confidence": 0.983,
                "probabilities": {"Parasitized": 0.983, "Uninfected": 0.017},
                "threshold": 0.5,
                "image": {"width": 142, "height": 139},
                "processing_time": 0.004,
                "model_version": "20260101-5b2c3256",
                "timestamp": "2026-01-02T03:04:05.678901Z",
                "prediction_id": examples.PREDICTION_ID,
            }
        }
    }

    prediction: Prediction
    confidence: float = Field(ge=0, le=1, description="Calibrated probability of the class that is named.")
    probabilities: Probabilities
    threshold: float = Field(description="P(Parasitized) from which the cell was called Parasitized.")
    image: ImageSize
    processing_time: float = Field(description="Seconds from decoding to answer, without waiting.")
    model_version: str
    timestamp: datetime = Field(description="UTC, ISO 8601.")
    prediction_id: str = Field(description="Names this answer, signed; POST /feedback takes it.")


class EntryError(BaseModel):
    """Why one file of a batch has no answer; the codes are those of problems."""

    code: str
    status: int
    title: str
    detail: str


class BatchEntry(BaseModel):
    """One file of a batch: an answer, or `error`."""

    index: int = Field(description="Place in the request, from 0.")
    filename: str = Field(description="As it was sent; within a ZIP, its path.")
    prediction: Prediction | None = None
    confidence: float | None = None
    probabilities: Probabilities | None = None
    image: ImageSize | None = None
    prediction_id: str | None = None
    error: EntryError | None = None


class BatchAnswer(BaseModel):
    """One entry for each file, in order; one bad file does not spoil the others."""

    model_config = {
        "json_schema_extra": {
            "example": {
                "results": [
                    {
                        "index": 0,
                        "filename": "cell_1.png",
                        "prediction": "Uninfected",
                        "confidence": 0.991,
                        "probabilities": {"Parasitized": 0.009, "Uninfected": 0.991},
                        "image": {"width": 118, "height": 121},
                        "prediction_id": examples.OTHER_PREDICTION_ID,
                    },
                    {
                        "index": 1,
                        "filename": "notes.txt",
                        "error": {
                            "code": "unreadable-image",
                            "status": 422,
                            "title": "The picture cannot be read",
                            "detail": "This is not a picture that can be read.",
                        },
                    },
                ],
                "total": 2,
                "succeeded": 1,
                "failed": 1,
                "counts": {"Parasitized": 0, "Uninfected": 1},
                "threshold": 0.5,
                "processing_time": 0.012,
                "model_version": "20260101-5b2c3256",
                "timestamp": "2026-01-02T03:04:05.678901Z",
            }
        }
    }

    results: list[BatchEntry]
    total: int
    succeeded: int
    failed: int
    counts: dict[str, int] = Field(description="Cells of each class, among those answered.")
    threshold: float
    processing_time: float = Field(description="Seconds for the whole batch.")
    model_version: str
    timestamp: datetime


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


class Status(Health):
    """Health and more, for people who look after the system."""

    model_config = ConfigDict(json_schema_extra=shown(examples.STATUS))

    software_version: str
    time: datetime
    predictions: dict[str, int] = Field(
        description="Cells by what was said of them; `failed`: unreadable ones."
    )
    promotion: "PromotionEntry | None"
    training: TrainingNow
    confirmed: ConfirmedNow


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
