"""Stored JSON: how manifests and log entries become bytes, and how bytes that are none of these are told."""

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from malaria.errors import Damaged

T = TypeVar("T")


def encoded(value: Mapping[str, Any]) -> bytes:
    """JSON that a person can read, in one spelling whatever the order of the keys."""
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False).encode()


def decoded(key: str, content: bytes, parse: Callable[[dict[str, Any]], T]) -> T:
    """Parse the bytes of an object. Raises Damaged, naming the object, where they cannot be parsed."""
    try:
        value = json.loads(content)
        if not isinstance(value, dict):
            raise TypeError("it is not a JSON object")
        return parse(value)
    except (ValueError, KeyError, TypeError, Damaged) as error:
        raise Damaged(f"{key} cannot be read ({error}). Restore it from a backup.") from error
