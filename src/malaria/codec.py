"""The words of the house to JSON and back: times as ISO 8601, enums by value.

Unknown keys are ignored and missing ones get their defaults, so rows outlive the code that wrote them.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from malaria.domain import Job, ModelVersion, Promotion
from malaria.errors import BadOptions, Damaged

T = TypeVar("T")


@lru_cache(maxsize=64)
def _adapter(kind: type) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def to_json(value: Any) -> dict[str, Any]:
    """A dataclass as what json.dumps takes."""
    told: dict[str, Any] = _adapter(type(value)).dump_python(value, mode="json")  # type: ignore[arg-type]
    return told


def from_json(kind: type[T], told: Any) -> T:
    """Raises Damaged, naming what is wrong, where `told` is not a `kind`."""
    try:
        value: T = _adapter(kind).validate_python(told)  # type: ignore[arg-type]
        return value
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise Damaged(f"A stored {kind.__name__} cannot be read: {where}: {first['msg']}.") from error


def checked(kind: type[T], told: Mapping[str, Any], of: str) -> T:
    """Settings that a person wrote; `of` says whose they are. Raises BadOptions, naming the one that is
    unknown, of the wrong kind or out of its range."""
    try:
        value: T = _adapter(kind).validate_python(told)  # type: ignore[arg-type]
        return value
    except ValidationError as error:
        first = error.errors()[0]
        where, why = ".".join(map(str, first["loc"])), first["msg"].removeprefix("Value error, ")
        raise BadOptions(f"{of} {where} is wrong: {why}.") from None


def job_from_json(told: Any) -> Job:
    return from_json(Job, told)


def version_from_json(told: Any) -> ModelVersion:
    return from_json(ModelVersion, told)


def promotion_from_json(told: Any) -> Promotion:
    return from_json(Promotion, told)
