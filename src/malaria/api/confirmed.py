"""Confirmed labels and the figures they give, as they are told over HTTP."""

from datetime import datetime
from typing import Annotated, Any
from unicodedata import normalize

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from malaria.api import examples
from malaria.api.cell_schemas import Prediction
from malaria.api.examples import shown
from malaria.domain import Confirmation
from malaria.patients_csv import MAX_ID
from malaria.quality import Bin, Figures, Quality
from malaria.tokens import LONGEST


def _line(text: str) -> str:
    if not text.isprintable():
        raise ValueError("it must be one line of printable characters")
    return normalize("NFC", text)


LINE = AfterValidator(_line)
"""Letters with accents are composed, so that a name is one name from whichever keyboard. It comes after the
lengths: what it gives back counts as a list, whose messages speak of items."""
By = Annotated[str, Field(min_length=1, max_length=200), LINE]
Site = Annotated[str, Field(min_length=1, max_length=100), LINE]
AskedSite = Annotated[str, Field(max_length=100), LINE]
Patient = Annotated[str, Field(min_length=1, max_length=MAX_ID), LINE]


class Feedback(BaseModel):
    """What a cell was, as a person found."""

    model_config = ConfigDict(
        extra="forbid", str_strip_whitespace=True, json_schema_extra=shown(examples.FEEDBACK)
    )

    prediction_id: str = Field(min_length=1, max_length=LONGEST, description="As the answer gave it.")
    label: Prediction = Field(description="What the cell is.")
    by: By = Field(description="Who says so.")
    site: Site | None = Field(None, description="The laboratory.")
    patient: Patient | None = Field(None, description="A pseudonym of the patient, never a name.")


class SaidBefore(BaseModel):
    """What had been said of the cell, as its prediction id tells."""

    prediction: Prediction | None = Field(description="Null: nothing was said of it.")
    probability: float = Field(description="P(Parasitized).")
    threshold: float
    model_version: str
    timestamp: datetime


class Recorded(BaseModel):
    """The label that is recorded."""

    model_config = ConfigDict(json_schema_extra=shown(examples.RECORDED))

    label: Prediction
    by: str
    site: str | None
    patient: str | None
    at: datetime = Field(description="When it was recorded: now, or earlier where it had been said before.")
    said: SaidBefore
    model_was_right: bool | None = Field(description="Null where it had said nothing.")


class QualityAnswer(BaseModel):
    """How the models did on the cells that people confirmed."""

    model_config = ConfigDict(json_schema_extra=shown(examples.QUALITY))

    overall: Figures
    by_version: list[Figures]
    by_site: list[Figures] = Field(description="Answers of which no site was told come last, without a name.")
    by_week: list[Figures] = Field(description="By the ISO week of the answer, UTC.")
    by_probability: list[Bin] = Field(description="What was told against what was so.")
    disputed: int = Field(description="Pictures that people disagree about; they are in no figure.")
    note: str = Field(description="How far these figures may be trusted.")


def recorded(row: Confirmation) -> Recorded:
    said = row.said
    return Recorded(
        label=_name(row.label.text),
        by=row.by,
        site=row.site,
        patient=row.patient,
        at=row.at,
        said=SaidBefore(
            prediction=None if said.label is None else _name(said.label.text),
            probability=said.probability,
            threshold=said.threshold,
            model_version=said.version,
            timestamp=said.at,
        ),
        model_was_right=None if said.label is None else said.label == row.label,
    )


def _name(label: str) -> Any:
    return label


def quality_answer(found: Quality) -> QualityAnswer:
    return QualityAnswer.model_validate(found, from_attributes=True)
