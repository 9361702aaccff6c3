"""GET /health and /status."""

import time
from datetime import UTC
from importlib.metadata import version as installed

from fastapi import APIRouter, Request

from malaria.api.access import CALLER, Caller
from malaria.api.routes.models import entry
from malaria.api.schemas import (
    AccessNow,
    ConfirmedNow,
    Health,
    PromotionEntry,
    Status,
    TrainingNow,
    UploadNeeds,
)
from malaria.api.state import Shared, State
from malaria.domain import CLASSES, JobState, Scope
from malaria.errors import MalariaError
from malaria.settings import Settings

router = APIRouter(tags=["health"])


@router.get("/health", summary="Can predictions be answered?")
def health(state: Shared) -> Health:
    """Answers 200 as long as the process answers at all; `status` says whether there is a model."""
    return _health(state)


@router.get("/status", summary="Health, promotion and training in one look")
def status(request: Request, state: Shared) -> Status:
    """Needs no key; with one, `access` says what that may do."""
    now = _health(state)
    jobs = state.services.jobs
    return Status(
        **now.model_dump(),
        software_version=installed("malaria"),
        time=state.services.clock.now().astimezone(UTC),
        predictions=state.tally.read(),
        promotion=_promotion(state) if now.model_loaded else None,
        training=TrainingNow(
            running=[job.id for job in jobs.list(state=JobState.RUNNING)],
            queued=len(jobs.list(state=JobState.QUEUED, limit=10_000)),
        ),
        confirmed=ConfirmedNow(
            keep_days=state.services.kept.days,
            pool=len(state.services.kept.pool()),
            retrain_at=state.services.settings.retrain_confirmed,
            retrain_drift=state.services.settings.retrain_drift,
        ),
        needs=_needs(state.services.settings),
        access=AccessNow(mode=state.services.settings.access, scopes=_scopes(request.scope[CALLER])),
    )


def _needs(settings: Settings) -> UploadNeeds:
    from malaria.criteria import DEFAULTS  # what judges is loaded where it is asked for
    from malaria.refitting import AdaptSettings
    from malaria.roles import SITE_GATE_SHARE

    return UploadNeeds(
        learnt_each=AdaptSettings().fewest,
        judged_cells=settings.min_site_cells,
        judged_each=settings.min_site_per_class,
        judged_groups=DEFAULTS.min_site_groups,
        judged_share=SITE_GATE_SHARE,
    )


def _scopes(caller: Caller | None) -> list[Scope]:
    return [scope for scope in Scope if caller is not None and caller.may(scope)]


def _health(state: State) -> Health:
    reason = model = None
    try:
        model = state.services.served.model.info.version
    except MalariaError as error:
        reason = str(error)
    answers = state.tally.read()
    return Health(
        status="degraded" if model is None else "ok",
        model_loaded=model is not None,
        model_version=model,
        uptime_seconds=round(time.monotonic() - state.began, 3),
        total_predictions=sum(answers.get(name, 0) for name in CLASSES),
        reason=reason,
    )


def _promotion(state: State) -> PromotionEntry:
    return entry(state.services.served.promotion)
