"""Validation errors in words that say what was expected, not how the framework names it."""

import re
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError

MULTIPART = "multipart/form-data"
FILES = {"file": "a file", "files": "files"}
JSON_PATHS = re.compile(r"/models/.*|/feedback|/uploads")
"""Whose bodies are JSON; those of all others are forms."""
REPEATED = "repeated_field"


@dataclass(frozen=True, slots=True)
class Explained:
    status: int
    errors: list[dict[str, Any]]


def explained(request: Request, error: RequestValidationError) -> Explained:
    """422 and each field's error; 415 where the body is of another type than the route reads."""
    wrong_type = _wrong_type(request) if any(e["loc"][0] == "body" for e in error.errors()) else None
    if wrong_type:
        return Explained(415, [{"field": "body", "message": wrong_type, "code": "content-type"}])
    return Explained(422, [_one(request, e, error.body) for e in error.errors()])


def reads_multipart(request: Request) -> bool:
    """Whether the body is a multipart form, as its Content-Type says."""
    return _media_type(request) == MULTIPART


def no_multipart(request: Request) -> str:
    return (
        f"The body is {_media_type(request) or 'of no type'}; send {MULTIPART} with the picture or ZIP "
        f"as a file, as `curl -F file=@cell.png {request.url.path}` does."
    )


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").split(";")[0].strip().lower()


def _wrong_type(request: Request) -> str | None:
    if JSON_PATHS.fullmatch(request.url.path.rstrip("/")):
        if _media_type(request) == "application/json":
            return None
        return f"The body is {_media_type(request) or 'of no type'}; send application/json."
    return None if reads_multipart(request) else no_multipart(request)


def _one(request: Request, error: dict[str, Any], body: Any) -> dict[str, Any]:
    place, *names = error["loc"]
    if error["type"] == "json_invalid":
        reason = error.get("ctx", {}).get("error", error["msg"])
        return {"field": "body", "message": f"The body is not JSON: {reason}.", "code": "json_invalid"}
    multipart = place == "body" and reads_multipart(request)
    field = ".".join(str(part) for part in names)
    where = "form" if multipart else str(place)
    if multipart and field in FILES and error["type"] != REPEATED:
        message = missing_file(field, list(body or {}))
    else:
        reason = error["msg"].removeprefix("Value error, ")
        message = f"{field or where}: {reason}."
        if _short(given := error.get("input")) and error["type"] != "missing":
            message = f"{field or where} is {given!r}: {reason}."
    return {"field": f"{where}.{field}".rstrip("."), "message": message, "code": error["type"]}


def missing_file(field: str, got: list[str]) -> str:
    """What to say where a form lacks its file. got: the names of the fields that were sent."""
    sent = f"the form has {', '.join(sorted(set(map(repr, got)))[:5])}" if got else "the form is empty"
    kind = FILES[field]
    return f"The field {field!r} must hold {kind}; {sent}. Send it as `curl -F {field}=@PATH` does."


def _short(given: Any) -> bool:
    return isinstance(given, (str, int, float)) and len(str(given)) <= 80
