"""The kept versions, which of them is served, and changing that."""

import logging
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from malaria.api import examples
from malaria.api.access import Caller, authorize
from malaria.api.map_schemas import MapAnswer, map_answer
from malaria.api.problems import responses
from malaria.api.schemas import (
    Changed,
    ChangeRequest,
    ModelCard,
    ModelList,
    ModelSummary,
    PromotionEntry,
    RollbackRequest,
    ServedModel,
    SetCurves,
    VersionCurves,
)
from malaria.api.state import House, Shared
from malaria.api.tables import MARKDOWN, page
from malaria.domain import ModelVersion, Promotion, Scope
from malaria.errors import MalariaError
from malaria.services import Services

log = logging.getLogger(__name__)
router = APIRouter(tags=["models"], dependencies=[Depends(authorize(Scope.READ))])
Operator = Annotated[Caller, Depends(authorize(Scope.OPERATE))]
_CARD_ANSWER = {"schema": {"type": "string"}, "example": examples.CARD_TEXT}
Version = Annotated[str, Path(max_length=100, description="A version, as GET /models lists them.")]


def entry(promotion: Promotion) -> PromotionEntry:
    """An entry of the log, without the fields that serve only to check it."""
    return PromotionEntry(
        number=promotion.number,
        version=promotion.version,
        digest=promotion.digest,
        verdict=promotion.verdict,
        actor=promotion.actor,
        reason=promotion.reason,
        at=promotion.at,
    )


@router.get("/model/info", summary="The model that answers now", responses=responses(500, 503))
def model_info(services: House) -> ServedModel:
    """Version, digest, network, input size, metrics with their data, when it was made and promoted."""
    promotion, model = services.served.standing()
    info = model.info
    at = [past.at for past in services.registry.history() if past.version == info.version]
    return ServedModel(**_told(info, served=True, promoted=at), promotion=entry(promotion))


@router.get("/models", summary="Every kept version and the log of promotions", responses=responses(422, 500))
def models(
    services: House,
    limit: Annotated[
        int, Query(ge=1, le=1000, description="Most versions, and most entries of the log.")
    ] = 100,
) -> ModelList:
    """Versions and promotions, newest first, with each version's metrics."""
    history = services.registry.history()
    now = _served_version(services)
    times = _times(history)
    return ModelList(
        served=now,
        models=[
            ModelSummary(**_told(info, served=info.version == now, promoted=times[info.version]))
            for info in services.registry.versions()[:limit]
        ],
        promotions=[entry(past) for past in history[:limit]],
    )


@router.get("/models/{version}", summary="One kept version", responses=responses(404, 422, 500))
def model(services: House, version: Version) -> ModelSummary:
    info = services.registry.version(version)
    times = _times(services.registry.history())[version]
    return ModelSummary(**_told(info, served=version == _served_version(services), promoted=times))


@router.get(
    "/models/{version}/card",
    summary="A version's model card",
    response_model=ModelCard,
    responses={
        200: {"description": "Markdown; JSON where Accept prefers it.", "content": {MARKDOWN: _CARD_ANSWER}},
        **responses(404, 422, 500),
    },
)
def card(request: Request, services: House, version: Version) -> Response:
    """Use, limits, figures with intervals, other laboratories, data, training and provenance of a version
    that is kept, or that ships. What was not measured is said to be missing.

    Markdown unless `Accept: application/json` asks for the sections with their numbers.
    """
    from malaria import card as cards
    from malaria import card_evidence

    made = cards.card(card_evidence.gather(services.at_hand, version, {}, services.looks))
    return page(request.headers.get("accept", ""), cards.as_json(made), cards.markdown(made))


@router.get(
    "/models/{version}/map",
    summary="What a version learnt from, as a map",
    responses=responses(404, 422, 500, 503),
)
def feature_map(state: Shared, version: Version) -> MapAnswer:
    """Remembered train cells in the two directions in which their features differ most, and how many cells
    of how many patients were learnt, by laboratory.

    `/predict/batch?place=true` says where cells lie on the map of the version that answers.
    """
    info = state.services.at_hand.version(version)
    return map_answer(info.version, state.maps.of(info))


@router.get(
    "/models/{version}/curves",
    summary="ROC, reliability and patients of a version",
    responses=responses(404, 422, 500, 503),
)
def version_curves(services: House, version: Version) -> VersionCurves:
    """What lies behind the figures of a version that is kept, or that ships: for each set of cells its ROC
    curve, how reliable its probabilities are, and how each patient fares. Made from its feature memory."""
    from malaria import curves

    found = curves.of_version(services.at_hand, version)
    return VersionCurves(
        version=services.at_hand.version(version).version,
        sets={name: SetCurves.model_validate(told) for name, told in found.items()},
    )


@router.post(
    "/models/{version}/promote",
    summary="Serve a kept version from now on",
    responses=responses(403, 404, 409, 415, 422, 500),
)
def promote(services: House, caller: Operator, version: Version, change: ChangeRequest) -> Changed:
    """Appends an entry to the log; this server takes it up at once, others within seconds.

    409 where it is served already, or another promotion came first.
    """
    by = caller.on_behalf(change.actor)
    done = services.registry.promote(version, verdict="manual", actor=by, reason=change.reason)
    return _taken_up(services, done)


@router.post(
    "/models/rollback",
    summary="Serve again what was served before",
    responses=responses(403, 404, 409, 415, 422, 500),
)
def rollback(services: House, caller: Operator, change: RollbackRequest) -> Changed:
    """Without `to`: the version served before the present one, so a second rollback undoes the first."""
    by = caller.on_behalf(change.actor)
    return _taken_up(services, services.registry.rollback(actor=by, reason=change.reason, to=change.to))


def _taken_up(services: Services, promotion: Promotion) -> Changed:
    try:
        services.served.refresh()
    except MalariaError:  # the entry stands all the same; the answer's `served` and /health say the rest
        log.exception("promotion %d cannot be served", promotion.number)
    return Changed(promotion=entry(promotion), served=_served_version(services))


def _served_version(services: Services) -> str | None:
    try:
        return services.served.model.info.version
    except MalariaError:  # /health says why; a list of versions is what mends it
        return None


def _times(history: Sequence[Promotion]) -> dict[str, list[datetime]]:
    times: dict[str, list[datetime]] = defaultdict(list)
    for past in history:
        times[past.version].append(past.at)
    return times


def _told(info: ModelVersion, *, served: bool, promoted: list[datetime]) -> dict[str, Any]:
    return {
        "version": info.version,
        "digest": info.digest,
        "network": info.network,
        "input_size": info.input_size,
        "created": info.created,
        "size_bytes": info.size_bytes,
        "threshold": info.threshold,
        "review": info.review,
        "screen": info.screen,
        "labels": list(info.labels),
        "metrics": dict(info.metrics),
        "lineage": dict(info.lineage),
        "served": served,
        "promoted": promoted,
    }
