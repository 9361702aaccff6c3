"""Uploads that are too large for one request: ask for a form first, send the ZIP where it says, then look."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, BackgroundTasks, Depends, File, Response, UploadFile
from pydantic import BaseModel, ConfigDict, Field

from malaria.api import upload
from malaria.api.access import Caller, authorize
from malaria.api.problems import responses
from malaria.api.state import House, Shared, State
from malaria.api.tasks import EXAMPLE, Accepted, TaskBrief, accepted, brief
from malaria.domain import Job, Method, Scope
from malaria.errors import Conflict
from malaria.options import NETWORKS
from malaria.services import Services
from malaria.tickets import Ticket

router = APIRouter(prefix="/uploads", tags=["retrain"])
Operator = Annotated[Caller, Depends(authorize(Scope.OPERATE))]
_ID = "0f6b2d8e9a4c4f0bb1d3c5e7a9f1b3d5"


class UploadRequest(BaseModel):
    """What is about to be uploaded. Options that are left out are those of the ZIP's own retrain.json."""

    model_config = ConfigDict(
        extra="forbid",
        str_strip_whitespace=True,
        json_schema_extra={"example": {"name": "site.zip", "method": "adapt"}},
    )

    name: str = Field("upload.zip", max_length=255, description="Name of the ZIP, for people.")
    method: Method | None = Field(None, description="`auto` takes what suits the data.")
    epochs: int | None = Field(None, ge=1, le=200)
    batch_size: int | None = Field(None, ge=1, le=512)
    learning_rate: float | None = Field(None, ge=1e-6, le=1)
    network: str | None = Field(None, description=f"One of {', '.join(NETWORKS)}; `full` only.")
    note: str | None = Field(None, max_length=1000, description="Kept with the job.")


class UploadTicket(BaseModel):
    """Where and how to send the ZIP."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "upload_id": _ID,
                "url": f"/uploads/{_ID}",
                "fields": {},
                "max_bytes": 1073741824,
                "until": "2026-01-02T04:04:05Z",
                "links": {"self": f"/uploads/{_ID}"},
            }
        }
    )

    upload_id: str
    url: str = Field(
        description="POST multipart/form-data there: all of `fields`, then the ZIP as `file`. A url that "
        "begins with `/` is this server's and takes your key; to another send no key."
    )
    fields: dict[str, str]
    max_bytes: int = Field(description="Of the ZIP.")
    until: datetime = Field(description="The form ends then.")
    links: dict[str, str]


class UploadState(BaseModel):
    """What came of an upload."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "upload_id": _ID,
                "name": "site.zip",
                "state": "received",
                "until": "2026-01-02T04:04:05Z",
                "task": EXAMPLE,
            }
        }
    )

    upload_id: str
    name: str
    state: Literal["waiting", "received", "expired"] = Field(
        description="`waiting`: nothing has come, or it is being looked at; `received`: `task` is its job."
    )
    until: datetime
    task: TaskBrief | None


@router.post(
    "",
    status_code=201,
    summary="Ask where to send a large ZIP",
    responses=responses(415, 422, 500, 503),
)
def open_upload(services: House, caller: Operator, asked: UploadRequest, answer: Response) -> UploadTicket:
    """A form that takes one ZIP within the hour. Once it has come, a job begins by itself: look at `self`."""
    chosen = asked.model_dump(exclude={"name"}, exclude_none=True, mode="json")
    ticket = services.tickets.issue(upload.name(asked.name), chosen, caller.name)
    form, here = services.desk.form(ticket.key, ticket.until), f"/uploads/{ticket.id}"
    answer.headers["Location"] = here
    return UploadTicket(
        upload_id=ticket.id,
        url=form.url,
        fields=dict(form.fields),
        max_bytes=form.max_bytes,
        until=ticket.until,
        links={"self": here},
    )


@router.get(
    "/{upload_id}",
    summary="What came of an upload",
    dependencies=[Depends(authorize(Scope.READ))],
    responses=responses(404, 500, 503),
)
def upload_state(services: House, upload_id: str) -> UploadState:
    ticket = services.tickets.get(upload_id)
    job = services.tickets.job(ticket)
    return UploadState(
        upload_id=ticket.id,
        name=ticket.name,
        state=_state(services, ticket, job),
        until=ticket.until,
        task=brief(job) if job else None,
    )


@router.post(
    "/{upload_id}",
    status_code=202,
    summary="Send a large ZIP here, where its form says so",
    dependencies=[Depends(authorize(Scope.OPERATE)), Depends(upload.only("file"))],
    responses=responses(404, 409, 413, 415, 422, 500, 503),
)
async def hand_in(
    state: Shared,
    upload_id: str,
    after: BackgroundTasks,
    file: Annotated[UploadFile, File(description="The ZIP.")],
) -> Accepted:
    """409 where the form that POST /uploads gave leads elsewhere, or has ended."""
    job = await state.uploads.run(lambda: _redeem(state, upload_id, file))
    after.add_task(state.services.wake)
    return accepted(job)


def _redeem(state: State, upload_id: str, file: UploadFile) -> Job:
    services = state.services
    ticket = services.tickets.get(upload_id)
    if services.desk.form(ticket.key, ticket.until).url != f"/uploads/{ticket.id}":
        raise Conflict("This ZIP is to be sent to the url that POST /uploads told, not here.")
    if services.tickets.job(ticket) is None and ticket.until <= services.clock.now():
        raise Conflict(f"The form ended at {ticket.until:%Y-%m-%d %H:%M} UTC. Ask for another one.")
    with upload.on_disk(file) as path:
        return services.tickets.redeem(ticket, path)


def _state(services: Services, ticket: Ticket, job: Job | None) -> Literal["waiting", "received", "expired"]:
    if job is not None:
        return "received"
    return "expired" if ticket.until <= services.clock.now() else "waiting"
