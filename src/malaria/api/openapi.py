"""The description at /openapi.json: OpenAPI 3.0.3, which the bundled docs page and most generators read.

FastAPI writes 3.1; what differs in the parts that are used here is turned into its 3.0 form.
"""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from malaria.api.problems import MEDIA_TYPE, Problem, responses

VERSION = "3.0.3"
TAGS = [
    {"name": "predict", "description": "Classify pictures of stained red blood cells."},
    {"name": "models", "description": "What is served, what could be, and going back."},
    {
        "name": "retrain",
        "description": "Bring labelled cells; the gate decides whether the new model is served.",
    },
    {"name": "feedback", "description": "What cells turned out to be, and how often the model was right."},
    {"name": "health", "description": "How the system is."},
]
DESCRIPTION = """
Detects malaria parasites in pictures of single red blood cells from Giemsa-stained thin smears.
For research and teaching; it is not a medical device.

Every error is `application/problem+json` (RFC 9457) with a stable `code`, and carries the request's id, which
is in the header `X-Request-ID` of every answer. Send that header to choose the id yourself.
"""


def install(app: FastAPI) -> None:
    """Make `app.openapi()` answer with the whole description, built once."""

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = describe(app)
        return app.openapi_schema

    app.openapi = described  # type: ignore[method-assign]


def describe(app: FastAPI) -> dict[str, Any]:
    """The description of an app's routes, with the shape of problems."""
    told = get_openapi(
        title=app.title,
        version=app.version,
        openapi_version=VERSION,
        description=DESCRIPTION,
        license_info={"name": "MIT", "url": "https://opensource.org/license/mit"},
        tags=TAGS,
        routes=app.routes,
    )
    schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas = told.setdefault("components", {}).setdefault("schemas", {})
    schemas.update(schema.pop("$defs", {}))
    schemas["Problem"] = schema
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    _tell_of_keys(told)
    _correct_problems(told)
    found: dict[str, Any] = to_3_0(told)
    return found


def _tell_of_keys(told: dict[str, Any]) -> None:
    """What asks for a key may answer that none was sent, one that may not do this, or one that asked too
    much."""
    for path in told["paths"].values():
        for operation in path.values():
            if operation.get("security"):
                for status, response in responses(401, 403, 429).items():
                    operation["responses"].setdefault(str(status), response)


def _correct_problems(told: dict[str, Any]) -> None:
    """Every error is a problem, those that the framework itself documents too."""
    for path in told["paths"].values():
        for operation in path.values():
            for status, response in operation["responses"].items():
                if int(status) >= 400 and MEDIA_TYPE not in response.get("content", {}):
                    response["content"] = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}


def to_3_0(node: Any) -> Any:
    """A piece of an OpenAPI 3.1 document in its 3.0 form."""
    if isinstance(node, list):
        return [to_3_0(item) for item in node]
    if not isinstance(node, dict):
        return node
    made = {key: to_3_0(value) for key, value in node.items()}
    _nullable(made)
    if isinstance(made.get("examples"), list):
        made["example"] = made.pop("examples")[0]
    if "const" in made:
        made["enum"] = [made.pop("const")]
    if made.get("type") == "string" and made.pop("contentMediaType", None) == "application/octet-stream":
        made["format"] = "binary"
    made.pop("propertyNames", None)
    return made


def _nullable(made: dict[str, Any]) -> None:
    options = made.get("anyOf")
    if not isinstance(options, list) or {"type": "null"} not in options:
        return
    rest = [option for option in options if option != {"type": "null"}]
    del made["anyOf"]
    made["nullable"] = True
    if len(rest) > 1:
        made["anyOf"] = rest
    elif "$ref" in rest[0]:
        made["allOf"] = rest
    else:
        made.update({key: value for key, value in rest[0].items() if key not in made})
