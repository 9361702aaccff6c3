"""POST /predict: one cell."""

import time
from collections import Counter
from datetime import datetime
from typing import Annotated, NotRequired, TypedDict, TypeVar, cast

import numpy as np
from fastapi import APIRouter, Depends, File, Form, Query, UploadFile
from PIL.Image import Image

from malaria import canary_key, explain, preprocess, tokens
from malaria.api import upload
from malaria.api.access import Caller, authorize
from malaria.api.cell_schemas import (
    Box,
    Explanation,
    ImageSize,
    Predicted,
    Prediction,
    Probabilities,
    ReviewReason,
    Scale,
    Spot,
)
from malaria.api.limited import Allowance, allowance
from malaria.api.problems import responses
from malaria.api.state import Shared, State
from malaria.domain import Label, ModelVersion, Said, Scope
from malaria.errors import BadInput, BadOptions, UploadTooLarge
from malaria.predict import Answer, Scored, interpret
from malaria.preprocess import Pixels

may_predict = authorize(Scope.PREDICT)
router = APIRouter(tags=["predict"], dependencies=[Depends(may_predict)])

THRESHOLD = "Probability from which a cell is called Parasitized. Left out: the model's own."
FormThreshold = Annotated[
    float | None,
    Form(alias="threshold", ge=0, le=1, allow_inf_nan=False, description=THRESHOLD, examples=[0.5]),
]
QueryThreshold = Annotated[
    float | None, Query(alias="threshold", ge=0, le=1, allow_inf_nan=False, description=THRESHOLD)
]
EXPLAIN = "Whether to tell where the model looked. Left out: it is not told."
FormExplain = Annotated[bool | None, Form(alias="explain", description=EXPLAIN)]
QueryExplain = Annotated[bool | None, Query(alias="explain", description=EXPLAIN)]
T = TypeVar("T", float, bool)


@router.post(
    "/predict",
    summary="Classify the picture of one cell",
    dependencies=[Depends(upload.only("file", "threshold", "explain"))],
    response_model_exclude_unset=True,
    responses=responses(400, 403, 413, 415, 422, 500, 503),
)
async def predict(
    state: Shared,
    caller: Annotated[Caller, Depends(may_predict)],
    allowed: Annotated[Allowance, Depends(allowance)],
    file: Annotated[
        UploadFile, File(description="The picture of one cell: PNG, JPEG, WebP, TIFF, BMP or GIF.")
    ],
    in_form: FormThreshold = None,
    in_query: QueryThreshold = None,
    explain_in_form: FormExplain = None,
    explain_in_query: QueryExplain = None,
) -> Predicted:
    """One stained red blood cell, cut out of a thin smear, is called Parasitized or Uninfected.

    Send it as `multipart/form-data` in the field `file`. Pictures are turned upright, transparency is laid on
    black, and of an animation the first frame is read. `explain=true` adds the map of what decided. A picture
    that is surely not one good cell gets `prediction: null`.
    """
    threshold = one("threshold", in_form, in_query)
    explained = one("explain", explain_in_form, explain_in_query) or False
    most = state.services.settings.max_image_bytes
    if (file.size or 0) > most:
        raise UploadTooLarge(f"The picture has {file.size:,} bytes; at most {most:,} are read.")
    allowed.take_pictures(1)
    metered = caller.name != f"key:{canary_key.NAME}"  # its cells are nobody's, and would look like drift
    return await state.singles.run(lambda: _answered(state, file, threshold, explained, metered))


def one(name: str, in_form: T | None, in_query: T | None) -> T | None:
    """A field, wherever it was sent. Raises BadOptions where two differ."""
    if in_form is not None and in_query is not None and in_form != in_query:
        raise BadOptions(f"{name} is {in_form} in the form and {in_query} in the query. Send one.")
    return in_query if in_form is None else in_form


def _answered(
    state: State, file: UploadFile, threshold: float | None, explained: bool, metered: bool
) -> Predicted:
    model = state.services.served.model  # once: a promotion meanwhile must not mix two models in one answer
    began = time.perf_counter()
    data = file.file.read()
    try:
        picture = preprocess.decode(data)
    except BadInput:
        state.tally.add(Counter(failed=1))
        raise
    square = preprocess.to_square(picture, model.info.input_size)
    scored = model.score(square)
    answer = interpret(scored, model.info, threshold)
    state.tally.add(Counter({answer.prediction or "refused": 1}))
    if metered:
        reading = state.reading(model)
        reading.seen(square)
        reading.answered(scored, answer)
        reading.tell(state.services.meter)
    mapped = explained and answer.prediction is not None
    cell, now = fingerprint(picture, square), state.services.clock.now()
    state.services.kept.keep(cell, data)
    return Predicted(
        **told(answer),
        threshold=answer.threshold,
        image=ImageSize(width=picture.width, height=picture.height),
        **({"explanation": _explanation(scored, picture.size)} if mapped else {}),
        processing_time=round(time.perf_counter() - began, 6),
        model_version=model.info.version,
        timestamp=now,
        prediction_id=state.tokens.sign(said(answer, model.info, cell, now)),
    )


def fingerprint(picture: Image, square: Pixels) -> int:
    """Of a decoded picture; where `square`, as the model takes it, has the fingerprint's size, it is not
    made anew."""
    if len(square) == preprocess.FINGERPRINT_SIZE:
        return preprocess.fingerprint(square)
    return preprocess.fingerprint_of(picture)


def said(answer: Answer, info: ModelVersion, cell: int, at: datetime) -> Said:
    """What the id of an answer carries. cell: its fingerprint."""
    return Said(
        nonce=tokens.nonce(),
        version=info.version,
        probability=answer.probabilities[Label.PARASITIZED.text],
        threshold=answer.threshold,
        label=Label.named(answer.prediction) if answer.prediction else None,
        at=at,
        fingerprint=cell,
        needs_review=answer.review is not None,
    )


def _explanation(scored: Scored, size: explain.Size) -> Explanation:
    left, top, right, bottom = explain.box(size, len(scored.activation))
    place = explain.hottest(scored.activation, size)
    return Explanation(
        grid=np.round(scored.activation.astype(np.float64), 3).tolist(),
        box=Box(left=left, top=top, right=right, bottom=bottom),
        at=Spot(x=place.x, y=place.y, logit=round(place.logit, 3)),
        overlay=explain.data_uri(explain.overlay(scored.activation, size)),
        scale=Scale(clear=0.0, full=explain.FULL, opacity=explain.OPAQUE, colours=list(explain.COLOURS)),
    )


class Told(TypedDict):
    """The fields that single answers and those of a batch share."""

    prediction: Prediction | None
    confidence: float | None
    probabilities: Probabilities | None
    needs_review: bool
    review: NotRequired[ReviewReason]


def told(answer: Answer) -> Told:
    """What is shown of an answer; no probabilities where there is no prediction, lest somebody read one."""
    named, why = cast("Prediction | None", answer.prediction), answer.review
    likely = Probabilities(**answer.probabilities) if named else None
    fields = Told(
        prediction=named, confidence=answer.confidence, probabilities=likely, needs_review=why is not None
    )
    if why:
        fields["review"] = ReviewReason(code=why.code, text=why.text)
    return fields
