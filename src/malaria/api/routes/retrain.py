"""Retraining: hand in labelled cells, watch the job, cancel it."""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

from fastapi import (
    APIRouter,
    BackgroundTasks,
    Depends,
    File,
    Form,
    Header,
    Query,
    Request,
    Response,
    UploadFile,
)

from malaria.api import upload
from malaria.api.access import Caller, authorize
from malaria.api.problems import responses
from malaria.api.state import House, Shared, State
from malaria.api.tables import MARKDOWN, page
from malaria.api.tasks import Accepted, Receipt, Task, TaskBrief, TaskList, accepted, brief, task
from malaria.archive import Limits
from malaria.domain import Job, JobState, Method, RetrainOptions, Scope
from malaria.options import NETWORKS
from malaria.trigger import options_of

router = APIRouter(prefix="/retrain", tags=["retrain"], dependencies=[Depends(authorize(Scope.READ))])

_PAGE = {
    "schema": {"type": "string"},
    "example": "# Rejected\n\nThe new model is worse; the served model stays.\n",
}
OPTIONS = ("method", "epochs", "batch_size", "learning_rate", "network", "note")
Operator = Annotated[Caller, Depends(authorize(Scope.OPERATE))]


def _range(low: float, high: float) -> dict[str, Any]:
    return {"minimum": low, "maximum": high}


def _options(
    method: Annotated[Method | None, Form(description="`auto` takes what suits the data.")] = None,
    epochs: Annotated[int | None, Form(json_schema_extra=_range(1, 200))] = None,
    batch_size: Annotated[int | None, Form(json_schema_extra=_range(1, 512))] = None,
    learning_rate: Annotated[float | None, Form(json_schema_extra=_range(1e-6, 1))] = None,
    network: Annotated[str | None, Form(description=f"One of {', '.join(NETWORKS)}; `full` only.")] = None,
    note: Annotated[str | None, Form(description="Kept with the job.")] = None,
) -> dict[str, Any]:
    """The form's own options; ranges are checked by `validate_options`, as those of retrain.json are."""
    values = (method, epochs, batch_size, learning_rate, network, note)
    return {name: value for name, value in zip(OPTIONS, values, strict=True) if value is not None}


@router.post(
    "",
    status_code=202,
    summary="Hand in labelled cells for retraining",
    dependencies=[Depends(upload.only("file", *OPTIONS))],
    responses={
        202: {
            "headers": {
                "Location": {"description": "Where the job tells of itself.", "schema": {"type": "string"}}
            }
        },
        **responses(403, 413, 415, 422, 500, 503),
    },
)
async def retrain(
    state: Shared,
    caller: Operator,
    answer: Response,
    after: BackgroundTasks,
    options: Annotated[dict[str, Any], Depends(_options)],
    file: Annotated[UploadFile, File(description="A ZIP with the folders Parasitized and Uninfected.")],
    idempotency_key: Annotated[
        str | None, Header(max_length=200, description="The same key, ZIP and options again: the same job.")
    ] = None,
) -> Accepted:
    """Keeps the ZIP and queues a job; follow it at the address in `Location`.

    Options of the form come before those of a `retrain.json` in the ZIP. A model is served only if the gate
    finds it better. What is wrong with single pictures is told by the job, not here.
    """
    job = await state.uploads.run(lambda: _submit(state, caller, file, options, idempotency_key))
    after.add_task(state.services.wake)
    answer.headers["Location"] = f"/retrain/status/{job.id}"
    return accepted(job)


@router.get("/status/{task_id}", summary="Where a job stands", responses=responses(404, 500, 503))
def status(services: House, task_id: str) -> Task:
    """State, step, percent, losses, time left; when it has ended the verdict, the reasons and the figures."""
    return task(services.jobs.get(task_id))


@router.get(
    "/status/{task_id}/receipt",
    summary="What the gate said of a job, and why",
    response_model=Receipt,
    responses={
        200: {"description": "Markdown; JSON where Accept prefers it.", "content": {MARKDOWN: _PAGE}},
        **responses(404, 500, 503),
    },
)
def receipt(request: Request, services: House, task_id: str) -> Response:
    """Each rule with its bound, what was seen and the outcome, both models' figures, the cells that changed
    hands, and what would help. 404 where the job has come to no verdict.

    Markdown, a page to read, unless `Accept: application/json` asks for the values.
    """
    from malaria import receipt as pages

    job = services.jobs.get(task_id)
    return page(request.headers.get("accept", ""), dict(pages.needed(job)), pages.markdown(job))


@router.get("/tasks", summary="The jobs", responses=responses(422, 500, 503))
def tasks(
    services: House,
    state: Annotated[JobState | None, Query(description="Only those in this state.")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> TaskList:
    """Newest first."""
    return TaskList(tasks=[brief(job) for job in services.jobs.list(state=state, limit=limit)])


@router.delete(
    "/tasks/{task_id}",
    summary="Cancel a job",
    dependencies=[Depends(authorize(Scope.OPERATE))],
    responses={
        200: {"description": "It had not begun, and is cancelled."},
        202: {"description": "It runs, and will stop at its next safe point.", "model": TaskBrief},
        **responses(403, 404, 409, 500, 503),
    },
)
def cancel(services: House, task_id: str, answer: Response) -> TaskBrief:
    """A job that has ended cannot be cancelled (409)."""
    job = services.trigger.cancel(task_id)
    answer.status_code = 200 if job.state.terminal else 202
    return brief(job)


def _submit(state: State, caller: Caller, file: UploadFile, form: dict[str, Any], key: str | None) -> Job:
    services = state.services
    with upload.on_disk(file) as path:
        limits = Limits(max_archive_bytes=services.settings.max_upload_bytes)
        options = options_of(path, form, limits)
        return services.trigger.submit(
            path,
            name=upload.name(file.filename or ""),
            identity=_identity(key, path, options) if key else None,
            options=options,
            actor=caller.name,
        )


def _identity(key: str, path: Path, options: RetrainOptions) -> str:
    """A repeated request is the same key with the same content; the key alone would lose another upload."""
    with path.open("rb") as file:
        content = hashlib.file_digest(file, "sha256").hexdigest()
    return f"http:{key}:{content}:{json.dumps(asdict(options), sort_keys=True)}"
