"""GET /metrics/summary: how the system fares, for whoever watches."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from malaria.api.access import authorize
from malaria.api.problems import responses
from malaria.api.state import House
from malaria.api.watched import WINDOW, SummaryAnswer, summary_answer
from malaria.domain import Scope
from malaria.summary import summary

router = APIRouter(tags=["health"])


@router.get(
    "/metrics/summary",
    summary="How the system fared",
    dependencies=[Depends(authorize(Scope.READ))],
    responses=responses(403, 422, 500, 503),
)
def metrics_summary(
    services: House,
    window: Annotated[WINDOW, Query(description="How far it looks back.")] = "24h",
) -> SummaryAnswer:
    """Requests and errors, how long they took, what pictures were called and how surely, how far they are
    from what was learnt, memory and processor, jobs and versions: of the whole window, and in even steps.

    A laptop's server keeps these itself, in its home folder; on AWS CloudWatch is asked, which tells some of
    them minutes late. Live accuracy is told by `/metrics/quality`.
    """
    told = summary(window, services.clock, services.history, services.jobs, services.registry)
    return summary_answer(window, told)
