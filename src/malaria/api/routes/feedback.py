"""What cells turned out to be: POST /feedback, and GET /metrics/quality for what that says of the models."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from malaria.api.access import authorize
from malaria.api.confirmed import AskedSite, Feedback, QualityAnswer, Recorded, quality_answer, recorded
from malaria.api.problems import responses
from malaria.api.state import House, Shared
from malaria.domain import Confirmation, Label, Scope
from malaria.quality import Asked, quality

router = APIRouter(tags=["feedback"])


@router.post(
    "/feedback",
    status_code=201,
    summary="Say what a cell was",
    dependencies=[Depends(authorize(Scope.CONFIRM))],
    responses=responses(400, 403, 413, 415, 422, 500, 503),
)
def feedback(state: Shared, told: Feedback) -> Recorded:
    """Records the label that a person gives to a cell, beside what the model had said of it.

    `prediction_id` is the one of the answer; it tells the rest, since no predictions are stored. People
    correct themselves by sending another label: both are kept, the newest counts. Where several people
    disagree about a picture, it counts nowhere until they agree. The same once more changes nothing.
    """
    row = Confirmation(
        said=state.tokens.read(told.prediction_id),
        label=Label.named(told.label),
        by=told.by,
        site=told.site,
        patient=told.patient,
        at=state.services.clock.now(),
    )
    stands = state.services.feedback.add(row)
    state.services.kept.confirm(row.said.fingerprint)
    return recorded(stands)


@router.get(
    "/metrics/quality",
    summary="How often the model was right, on confirmed cells",
    dependencies=[Depends(authorize(Scope.READ))],
    responses=responses(403, 422, 500, 503),
)
def metrics_quality(
    services: House,
    since: Annotated[
        datetime | None,
        Query(description="Answers given from then on; a date, or a time (UTC unless it says)."),
    ] = None,
    until: Annotated[datetime | None, Query(description="Answers given before then.")] = None,
    version: Annotated[
        str | None, Query(max_length=100, description="Answers of this model version.")
    ] = None,
    site: Annotated[AskedSite | None, Query(description="Cells of this site.")] = None,
) -> QualityAnswer:
    """Sensitivity, specificity, accuracy and calibration with 95% intervals, in all and by version, site
    and week.

    A figure's value is null where too few cells of a class are confirmed; `too_few` says so. Mind the `note`:
    confirmed cells are seldom a random sample.
    """
    asked = Asked(_utc(since), _utc(until), version, site)
    return quality_answer(quality(services.feedback.list(), asked))


def _utc(time: datetime | None) -> datetime | None:
    return time.replace(tzinfo=UTC) if time is not None and time.tzinfo is None else time
