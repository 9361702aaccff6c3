"""Who may do what. The laptop mode knows no keys: whoever reaches the loopback address may do everything."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Scope(StrEnum):
    """What a caller asks to do."""

    READ = "read"
    PREDICT = "predict"
    CONFIRM = "confirm"
    """Say what a cell was. Labels steer what is learnt, so it is more than to predict, and less than to
    operate."""
    OPERATE = "operate"
    """Retrain, cancel, promote, roll back."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. name: what the record of a job says where nobody was named."""

    name: str


def authorize(scope: Scope) -> Callable[[], Caller]:
    """A dependency that names the caller, and will refuse those without `scope` once there are keys."""

    def check() -> Caller:
        return Caller(f"http:{scope.value}" if scope is Scope.OPERATE else "http")

    return check
