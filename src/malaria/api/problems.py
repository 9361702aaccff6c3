"""Every answer that is not a success, as RFC 9457 application/problem+json."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from malaria.api import context
from malaria.api.invalid import explained
from malaria.errors import Damaged, MalariaError, TooManyRequests

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER = "1"
"""Seconds, told with every 503: predictions are short and models are taken up at once."""

_SAID: Mapping[int, tuple[str, str]] = {
    400: ("bad-request", "The request cannot be read"),
    401: ("unauthorized", "A key is needed"),
    404: ("not-found", "Not found"),
    405: ("method-not-allowed", "The address does not answer that method"),
    413: ("upload-too-large", "The upload is too large"),
    415: ("unsupported-media-type", "The body has the wrong type"),
    421: ("unknown-host", "The request is meant for another host"),
    403: ("cross-site", "Not allowed from another site"),
    409: ("conflict", "The present state forbids it"),
    422: ("invalid-request", "The request is wrong"),
    429: ("too-many-requests", "Too many requests"),
    503: ("busy", "Too busy, try again"),
    500: ("internal-error", "Something went wrong"),
}


def _said(status: int) -> tuple[str, str]:
    phrase = HTTPStatus(status).phrase
    return _SAID.get(status, (phrase.lower().replace(" ", "-"), phrase))


class FieldError(BaseModel):
    """One field of the request and what is wrong with it."""

    field: str = Field(
        description="Name of the field, with where it belongs: `form.file`, `query.threshold`."
    )
    message: str = Field(description="What is wrong and how to mend it.")
    code: str = Field(description="Stable name of the kind of error.")


class Problem(BaseModel):
    """An error, as RFC 9457 describes it."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "type": "urn:malaria:problem:unreadable-image",
                "title": "The picture cannot be read",
                "status": 422,
                "detail": "The file is empty. Send the picture of one stained cell.",
                "instance": "/predict",
                "code": "unreadable-image",
                "request_id": "5f0c2d7b9e8a4c61b3f4a1d2e6c7b8a9",
            }
        }
    )

    type: str = Field(description="Stable name of the kind of problem: `urn:malaria:problem:{code}`.")
    title: str = Field(description="The kind of problem in a few words; the same for every occurrence.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="What is wrong here and how to mend it, for a person.")
    instance: str = Field(description="The path that was asked.")
    code: str = Field(description="Stable kebab-case name, for programs.")
    request_id: str = Field(description="Found in the server's log, and in the header X-Request-ID.")
    errors: list[FieldError] | None = Field(None, description="Field by field, where the request is wrong.")


def problem(
    status: int,
    detail: str,
    *,
    path: str,
    code: str | None = None,
    title: str | None = None,
    headers: Mapping[str, str] | None = None,
    errors: list[dict[str, Any]] | None = None,
) -> JSONResponse:
    """A problem response; `code` and `title` follow from the status where they are not given."""
    usual = _said(status)
    named = code or usual[0]
    told: dict[str, Any] = {
        "type": f"urn:malaria:problem:{named}",
        "title": title or usual[1],
        "status": status,
        "detail": detail,
        "instance": path,
        "code": named,
        "request_id": context.request_id.get(),
    }
    if errors:
        told["errors"] = errors
    given = dict(headers or {})
    if status == HTTPStatus.UNAUTHORIZED:
        given.setdefault("WWW-Authenticate", "Bearer")
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        given.setdefault("Retry-After", RETRY_AFTER)
    return JSONResponse(told, status, given, MEDIA_TYPE)


def of_error(error: MalariaError, path: str) -> JSONResponse:
    """One of the house's own errors as a problem; what is the server's fault is logged."""
    if isinstance(error, Damaged):
        log.error("request %s: %s", context.request_id.get(), error, exc_info=error)
    headers = {"Retry-After": str(error.retry_after)} if isinstance(error, TooManyRequests) else None
    return problem(error.status, str(error), path=path, code=error.code, title=error.title, headers=headers)


def internal(path: str) -> JSONResponse:
    """What a client hears of an error that nobody foresaw: the id under which it was logged, no more."""
    return problem(
        500,
        f"The server met an error it did not expect. It is logged under {context.request_id.get()}; "
        "tell that id to whoever runs this server.",
        path=path,
    )


def install(app: FastAPI) -> None:
    """Answer every exception that leaves a route with a problem."""
    app.add_exception_handler(MalariaError, _malaria_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, http_error)


async def _malaria_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, MalariaError)
    return of_error(error, request.url.path)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    told = explained(request, error)
    detail = " ".join(one["message"] for one in told.errors)
    return problem(told.status, detail, path=request.url.path, errors=told.errors)


async def http_error(request: Request, error: Exception) -> Response:
    """What the framework itself refuses: an address, a method, a body."""
    assert isinstance(error, HTTPException)
    path = request.url.path
    detail = error.detail
    if error.status_code == HTTPStatus.NOT_FOUND and detail == "Not Found":
        detail = f"There is nothing at {path}. /docs lists the addresses there are."
    elif error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = (error.headers or {}).get("Allow", "another method")
        detail = f"{path} does not answer {request.method}; it answers {allowed}."
    elif error.status_code == HTTPStatus.BAD_REQUEST and detail == "There was an error parsing the body":
        detail = "The body could not be read to its end, or is not what its Content-Type says."
    return problem(error.status_code, detail, path=path, headers=error.headers)


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What a route's documentation says of the problems it may answer with."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {
            "description": _said(status)[1],
            "content": {MEDIA_TYPE: {"schema": schema, "example": _example(status)}},
        }
        for status in statuses
    }


def _example(status: int) -> dict[str, Any]:
    code, title = _said(status)
    return {
        "type": f"urn:malaria:problem:{code}",
        "title": title,
        "status": status,
        "detail": "What is wrong here and how to mend it.",
        "instance": "/the/path/asked",
        "code": code,
        "request_id": "5f0c2d7b9e8a4c61b3f4a1d2e6c7b8a9",
    }
