"""What `malaria predict` knows of each picture."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from malaria.errors import MalariaError

if TYPE_CHECKING:
    from malaria.predict import Answer


@dataclass(frozen=True)
class Row:
    """What is known of one picture: an answer or an error; the file that shows where the model looked; and
    the version that answered, where it need not be that of all."""

    name: str
    answer: "Answer | None" = None
    error: MalariaError | None = None
    explanation: Path | None = None
    version: str | None = None
