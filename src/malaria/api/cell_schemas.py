"""The shapes of answers about cells. Each field says what it is, since /docs is built from here."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from malaria import explain
from malaria.api import examples
from malaria.predict import COLOURLESS
from malaria.subject import WHY

Prediction = Literal["Parasitized", "Uninfected"]
PREDICTION = "null where the picture is surely not one good cell; `review` says what it is."
NEEDS_REVIEW = "Whether a person should look at this cell."


class Probabilities(BaseModel):
    """Calibrated, and adding up to 1."""

    Parasitized: float = Field(ge=0, le=1)
    Uninfected: float = Field(ge=0, le=1)


class ReviewReason(BaseModel):
    """Why a person should look at a cell, or why it got no prediction."""

    code: str = Field(
        description="`uncertain`: the probability is too near to the threshold. "
        f"`{COLOURLESS.code}`: the picture has no colour. Or what the picture shows in "
        f"place of one good cell: {', '.join(f'`{code}`' for code, _, _ in WHY.values())}."
    )
    text: str = Field(description="A sentence for a person.")


class ImageSize(BaseModel):
    """The picture as it was decoded, upright."""

    width: int = Field(description="Pixels.")
    height: int = Field(description="Pixels.")


class Spot(BaseModel):
    """A pixel of the picture, from the left and from the top."""

    x: int
    y: int
    logit: float = Field(description="What the map says there; above 0 it speaks for a parasite.")


class Scale(BaseModel):
    """How logits are painted; the same for every picture, so that two compare."""

    clear: float = Field(description="Logits up to which nothing is painted.")
    full: float = Field(description="Logits from which colour and opacity are full.")
    opacity: float = Field(description="Opacity there; in between it grows evenly.")
    colours: list[str] = Field(description="From `clear` to `full`, evenly spaced.")


class Box(BaseModel):
    """What the picture covers of the grid, in grid cells; the rest is the padding that makes it a square."""

    left: float
    top: float
    right: float
    bottom: float


class Explanation(BaseModel):
    """Where the model looked. It shows what decided, not that this is a parasite."""

    grid: list[list[float]] = Field(
        description="Logits, row by row from the top; their mean is the logit of P(Parasitized)."
    )
    box: Box
    at: Spot = Field(description="The hottest place, known to half a grid cell or so.")
    overlay: str = Field(
        description="Transparent PNG as a data URI, to be stretched over the upright picture: evidence for a "
        f"parasite. As large as the picture, but at most {explain.LONGEST} pixels on its longer side."
    )
    scale: Scale


class Predicted(BaseModel):
    """What the model says of one cell. Research use: not a diagnosis."""

    model_config = {
        "json_schema_extra": {
            "example": {
                "prediction": "Parasitized",
                "confidence": 0.983,
                "probabilities": {"Parasitized": 0.983, "Uninfected": 0.017},
                "threshold": 0.5,
                "needs_review": False,
                "image": {"width": 142, "height": 139},
                "processing_time": 0.004,
                "model_version": "20260101-5b2c3256",
                "timestamp": "2026-01-02T03:04:05.678901Z",
                "prediction_id": examples.PREDICTION_ID,
                "explanation": examples.EXPLANATION,
            }
        }
    }

    prediction: Prediction | None = Field(description=PREDICTION)
    confidence: float | None = Field(
        ge=0, le=1, description="Calibrated probability of the class that is named."
    )
    probabilities: Probabilities | None
    threshold: float = Field(description="P(Parasitized) from which a cell is called Parasitized.")
    needs_review: bool = Field(description=NEEDS_REVIEW)
    review: ReviewReason | None = Field(None, description="Why, where it needs one.")
    image: ImageSize
    processing_time: float = Field(description="Seconds from decoding to answer, without waiting.")
    model_version: str
    timestamp: datetime = Field(description="UTC, ISO 8601.")
    prediction_id: str = Field(description="Names this answer, signed; POST /feedback takes it.")
    explanation: Explanation | None = Field(
        None, description="Only where `explain` asks for it, of a cell that is answered."
    )


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
    prediction: Prediction | None = Field(None, description=PREDICTION)
    confidence: float | None = None
    probabilities: Probabilities | None = None
    needs_review: bool | None = Field(None, description=NEEDS_REVIEW)
    review: ReviewReason | None = Field(None, description="Why, where it needs one.")
    image: ImageSize | None = None
    prediction_id: str | None = None
    place: list[float] | None = Field(
        None,
        min_length=2,
        max_length=2,
        description="Where it lies on the map of the version; only where `place` asks for it.",
    )
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
                        "needs_review": False,
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
                "to_review": 0,
                "refused": 0,
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
    counts: dict[str, int] = Field(description="Cells of each class, among those with a prediction.")
    to_review: int = Field(description="Pictures, among those read, that a person should look at.")
    refused: int = Field(description="Those of them that are surely not one good cell: no prediction.")
    threshold: float
    processing_time: float = Field(description="Seconds for the whole batch.")
    model_version: str
    timestamp: datetime
