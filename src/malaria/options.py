"""What a person may choose about a retraining, checked: from `retrain.json`, a form or the command line."""

import json
import math
from collections.abc import Mapping
from typing import Any

from malaria.domain import Method, RetrainOptions
from malaria.errors import BadOptions

MOBILENET, COMPACT, ENSEMBLE = "mobilenet_v2", "compact_cnn", "ensemble"
NETWORKS = (MOBILENET, COMPACT, ENSEMBLE)
MAX_NOTE = 1000
MAX_BYTES = 64 * 1024
FIELDS = ("method", "epochs", "batch_size", "learning_rate", "network", "note")


def validate_options(told: Mapping[str, Any]) -> RetrainOptions:
    """Options from plain values; what is absent or None keeps its default.

    epochs: 1 to 200; batch_size: 1 to 512; learning_rate: 1e-6 to 1; note: at most 1,000 characters.
    Raises BadOptions, naming the field and what it takes.
    """
    for name in told:
        if name not in FIELDS:
            raise BadOptions(f"Unknown field {str(name)[:50]!r}. Known are {', '.join(FIELDS)}.")
    given = {name: value for name, value in told.items() if value is not None}
    return RetrainOptions(
        method=Method(_one_of(given, "method", tuple(Method)) or Method.AUTO),
        epochs=_whole(given, "epochs", 1, 200),
        batch_size=_whole(given, "batch_size", 1, 512),
        learning_rate=_number(given, "learning_rate", 1e-6, 1.0),
        network=_one_of(given, "network", NETWORKS),
        note=_note(given),
    )


def parse_options(data: bytes) -> RetrainOptions:
    """Options from the bytes of a `retrain.json`. Raises BadOptions."""
    if len(data) > MAX_BYTES:
        raise BadOptions(f"retrain.json has {len(data):,} bytes; at most {MAX_BYTES:,} are read.")
    try:
        told = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise BadOptions("retrain.json is not UTF-8. Save it as UTF-8.") from None
    except json.JSONDecodeError as error:
        raise BadOptions(f"retrain.json is not JSON: {error.msg}, line {error.lineno}.") from None
    except (ValueError, RecursionError):
        raise BadOptions("retrain.json cannot be read: it is too deep, or a number too long.") from None
    if not isinstance(told, dict):
        raise BadOptions('retrain.json must hold an object, such as {"method": "adapt"}.')
    try:
        return validate_options(told)
    except BadOptions as error:
        raise BadOptions(f"retrain.json: {error}") from None


def _one_of(given: Mapping[str, Any], name: str, known: tuple[str, ...]) -> str | None:
    value = given.get(name)
    if value is not None and (not isinstance(value, str) or value not in known):
        raise BadOptions(f"{name} must be one of {', '.join(known)}; it is {_shown(value)}.")
    return value


def _whole(given: Mapping[str, Any], name: str, low: int, high: int) -> int | None:
    value = given.get(name)
    if value is None:
        return None
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    if isinstance(value, bool) or not whole or not low <= value <= high:
        raise BadOptions(f"{name} must be a whole number from {low} to {high}; it is {_shown(value)}.")
    return int(value)


def _number(given: Mapping[str, Any], name: str, low: float, high: float) -> float | None:
    value = given.get(name)
    if value is None:
        return None
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or not low <= value <= high:
        raise BadOptions(f"{name} must be a number from {low:g} to {high:g}; it is {_shown(value)}.")
    return float(value)


def _note(given: Mapping[str, Any]) -> str:
    note = given.get("note", "")
    if not isinstance(note, str) or len(note) > MAX_NOTE:
        raise BadOptions(f"note must be a text of at most {MAX_NOTE:,} characters.")
    return note


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 50 else f"{text[:47]}..."
