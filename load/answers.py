"""An answer as it came, and what it is: an answer to be checked, or a refusal that says when to come back."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PROBLEM = "application/problem+json"
LATER = {
    503: frozenset({"busy", "interrupted"}),
    429: frozenset({"too-many-requests", "too-many-pictures"}),
}
"""Codes with which the server says that it has enough for now. A 503 because no model can be served is a
failure like any other."""
_SHOWN = 60


class Wrong(Exception):
    """An answer is not what it should be. Its text says how, and is the same for all of that kind."""

    def __repr__(self) -> str:
        """The text alone: reports of failures show what this returns."""
        return str(self)


@dataclass(frozen=True, slots=True)
class Answer:
    """status: 0 where none came. headers: names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def media_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def told(self) -> Any:
        """The JSON of the body. Raises Wrong where it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            raise Wrong(f"the body is no JSON, though the status is {self.status}") from None


def good(answer: Answer, media_type: str = "application/json") -> None:
    """Raises Wrong for any status but 200, and for a body of another type."""
    if answer.status != 200:
        raise Wrong(f"{answer.status} instead of 200{_code(answer)}")
    must(answer.media_type == media_type, f"answered as {answer.media_type}, not as {media_type}")


def retry_after(answer: Answer) -> int | None:
    """Seconds after which to come back, where the server refuses because it has enough for now; else None.

    Raises Wrong where it refuses so without saying when, or not as a problem.
    """
    codes = LATER.get(answer.status)
    if codes is None:
        return None
    must(answer.media_type == PROBLEM, f"{answer.status} as {answer.media_type or 'nothing'}, not {PROBLEM}")
    told = answer.told()
    if not isinstance(told, dict) or told.get("code") not in codes:
        return None
    given = answer.headers.get("retry-after", "")
    must(given.isdecimal(), f"{answer.status} does not say when to come back (Retry-After)")
    must(told.get("detail"), f"{answer.status} without a detail")
    return int(given)


def must(condition: object, otherwise: str) -> None:
    """Raises Wrong, with these words, where the condition does not hold."""
    if not condition:
        raise Wrong(otherwise)


def shown(value: object) -> str:
    """A value as a report may hold it: short, so that odd answers do not fill it."""
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _code(answer: Answer) -> str:
    if answer.media_type != PROBLEM:
        return ""
    try:
        return f" ({shown(answer.told().get('code'))})"
    except (Wrong, AttributeError):
        return ""
