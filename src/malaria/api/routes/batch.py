"""POST /predict/batch: many cells, as files or in one ZIP."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import Field, TypeAdapter, ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException

from malaria import preprocess
from malaria.api import upload
from malaria.api.access import authorize
from malaria.api.cell_schemas import BatchAnswer, BatchEntry, EntryError, ImageSize
from malaria.api.invalid import missing_file, no_multipart, reads_multipart
from malaria.api.limited import Allowance, allowance
from malaria.api.problems import responses
from malaria.api.routes.predict import THRESHOLD, QueryThreshold, fingerprint, one, said, told
from malaria.api.state import Shared, State
from malaria.api.tables import CSV, to_csv, wants_csv
from malaria.archive import Limits, Problem, open_archive, printable
from malaria.domain import CLASSES, Scope
from malaria.errors import BadArchive, BadInput, BadOptions, ImageTooLarge, UploadTooLarge
from malaria.predict import Model, interpret
from malaria.preprocess import Pixels
from malaria.settings import Settings

router = APIRouter(tags=["predict"], dependencies=[Depends(authorize(Scope.PREDICT))])

FIELDS = ("files", "file", "threshold")
UNPACKED = 10
"""A ZIP of pictures may unpack to so many times the largest body."""
_threshold = TypeAdapter(Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)])
Files = Iterator[tuple[str, bytes | Problem]]
_PICTURES = {"type": "string", "format": "binary"}
_BODY: dict[str, Any] = {
    "type": "object",
    "properties": {
        "files": {
            "type": "array",
            "items": _PICTURES,
            "description": "Pictures of one cell each, or one ZIP.",
        },
        "threshold": {"type": "number", "minimum": 0, "maximum": 1, "description": THRESHOLD},
    },
    "required": ["files"],
}
_CSV_ANSWER = {"schema": {"type": "string"}, "example": "index,filename,prediction,...\r\n"}


@router.post(
    "/predict/batch",
    summary="Classify many cells",
    response_model=BatchAnswer,
    responses={
        200: {"description": "One entry for each file, in order.", "content": {CSV: _CSV_ANSWER}},
        **responses(400, 403, 413, 415, 422, 500, 503),
    },
    openapi_extra={"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": _BODY}}}},
)
async def predict_batch(
    request: Request,
    state: Shared,
    allowed: Annotated[Allowance, Depends(allowance)],
    threshold: QueryThreshold = None,
    place: Annotated[
        bool, Query(description="Whether to say where each cell lies on /models/{version}/map.")
    ] = False,
) -> Response:
    """Many pictures in the field `files`, or one ZIP of them; folders within the ZIP do not matter.

    A file that cannot be read gets an entry with `error`, and the others are answered. `Accept: text/csv`
    brings a table. A batch is not explained: send the cells that matter to `/predict` one by one.
    """
    if "explain" in request.query_params:  # in the form it is refused as any field that is not known
        raise BadOptions("A batch is not explained. Send the cell to /predict?explain=true.")
    if not reads_multipart(request):
        raise HTTPException(415, no_multipart(request))
    most = state.services.settings.max_batch_images
    try:
        async with request.form(max_files=most, max_fields=100) as form:
            files = _files(form)
            at = one("threshold", _in_form(form), threshold)
            as_csv = wants_csv(request.headers.get("accept", ""))
            if not _is_one_zip(files):
                allowed.take_pictures(len(files))
            asked = Asked(at, place)
            return await state.batches.run(lambda: _respond(state, allowed, files, asked, as_csv))
    except HTTPException as error:
        if error.detail.startswith("Too many files"):  # Starlette's own words
            raise UploadTooLarge(
                f"More than {most:,} files were sent. Send them in parts, or as a ZIP."
            ) from None
        raise


def _files(form: FormData) -> list[UploadFile]:
    upload.refuse_others(form, FIELDS)
    given = [value for name, value in form.multi_items() if name in FIELDS[:2]]
    files = [one for one in given if isinstance(one, UploadFile) and (one.filename or one.size)]
    if not files or len(files) < len(given):
        told_so = upload.field_error("files", missing_file("files", list(form)), code="missing")
        raise RequestValidationError([told_so], body=form)
    return files


def _in_form(form: FormData) -> float | None:
    given = form.get("threshold")
    if given is None or given == "":
        return None
    try:
        return _threshold.validate_python(given)
    except ValidationError as error:
        wrong = [{**one, "loc": ("body", "threshold")} for one in error.errors(include_url=False)]
        raise RequestValidationError(wrong, body=form) from None


def _is_one_zip(files: list[UploadFile]) -> bool:
    return len(files) == 1 and upload.is_zip(files[0])


@dataclass(frozen=True, slots=True)
class Asked:
    """threshold: None for the model's own. place: whether to say where cells lie on the map."""

    threshold: float | None
    place: bool


def _respond(
    state: State, allowed: Allowance, files: list[UploadFile], asked: Asked, as_csv: bool
) -> Response:
    """Score, and write the answer here too: ten thousand entries would hold up the event loop."""
    answer = _answer(state, allowed, files, asked)
    state.tally.add(Counter(answer.counts) + Counter(refused=answer.refused, failed=answer.failed))
    if as_csv:
        held = {"Content-Disposition": 'attachment; filename="predictions.csv"'}
        return Response(to_csv(answer), media_type=f"{CSV}; charset=utf-8; header=present", headers=held)
    return Response(answer.model_dump_json(exclude_unset=True), media_type="application/json")


def _answer(state: State, allowed: Allowance, files: list[UploadFile], asked: Asked) -> BatchAnswer:
    model = state.services.served.model  # once: all of a batch is answered by one model
    began = time.perf_counter()
    with ExitStack() as open_files:
        if _is_one_zip(files):
            path = open_files.enter_context(upload.on_disk(files[0]))
            limits = _limits(state.services.settings)
            source: Files = open_archive(path, limits, counted=allowed.take_pictures)
        else:
            source = _each(files, state.services.settings.max_image_bytes)
        entries = _score(state, model, source, asked)
    if not entries:
        raise BadArchive("The ZIP holds no files. Pack the pictures of the cells.")
    failed = sum(one.error is not None for one in entries)
    said = Counter(one.prediction for one in entries if one.prediction)
    return BatchAnswer(
        results=entries,
        total=len(entries),
        succeeded=len(entries) - failed,
        failed=failed,
        counts={name: said[name] for name in reversed(CLASSES)},  # type: ignore[index]
        to_review=sum(one.needs_review or False for one in entries),
        refused=len(entries) - failed - sum(said.values()),
        threshold=model.info.threshold if asked.threshold is None else asked.threshold,
        processing_time=round(time.perf_counter() - began, 6),
        model_version=model.info.version,
        timestamp=state.services.clock.now(),
    )


def _limits(settings: Settings) -> Limits:
    return Limits(
        max_archive_bytes=settings.max_batch_bytes,
        max_entries=settings.max_batch_images,
        max_entry_bytes=settings.max_image_bytes,
        max_total_bytes=UNPACKED * settings.max_batch_bytes,
    )


def _each(files: list[UploadFile], most: int) -> Files:
    for file in files:
        name = printable(file.filename or "")
        if (file.size or 0) > most:
            yield name, Problem("image-too-large", f"It has {file.size:,} bytes; at most {most:,} are read.")
        else:
            yield name, file.file.read()


def _score(state: State, model: Model, source: Files, asked: Asked) -> list[BatchEntry]:
    """An entry for each file, in order. Decodes here while the model's threads score what came before."""
    entries: list[BatchEntry] = []
    reading = state.reading(model)
    chart = state.maps.of(model.info) if asked.place else None
    readable: list[tuple[BatchEntry, int]] = []

    def pictures() -> Iterator[Pixels]:
        for index, (name, data) in enumerate(source):
            one = BatchEntry(index=index, filename=name)
            entries.append(one)
            if isinstance(data, Problem):
                one.error = _of_problem(data)
                continue
            try:
                picture = preprocess.decode(data)
            except BadInput as error:
                one.error = EntryError(
                    code=error.code, status=error.status, title=error.title, detail=str(error)
                )
                continue
            one.image = ImageSize(width=picture.width, height=picture.height)
            square = preprocess.to_square(picture, model.info.input_size)
            cell = fingerprint(picture, square)
            readable.append((one, cell))
            state.services.kept.keep(cell, data)
            reading.seen(square)
            yield square

    for number, scored in enumerate(model.score_many(pictures())):
        (one, cell), answer = readable[number], interpret(scored, model.info, asked.threshold)
        reading.answered(scored, answer)
        for name, value in told(answer).items():
            setattr(one, name, value)
        if chart is not None:
            one.place = list(chart.place(scored.embedding))
        one.prediction_id = state.tokens.sign(said(answer, model.info, cell, state.services.clock.now()))
    reading.tell(state.services.meter)
    return entries


def _of_problem(problem: Problem) -> EntryError:
    status = ImageTooLarge.status if problem.code.endswith("too-large") else BadArchive.status
    return EntryError(
        code=problem.code, status=status, title="The file cannot be used", detail=problem.reason
    )
