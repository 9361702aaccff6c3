"""Where data and weights come from, told by their SHA-256: a file of the same name may hold something else.

`models/credits.json` lists what the shipped models were made from and measured on; what it does not list has
no source that is known here, and none is made up.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from malaria import codec
from malaria.errors import Damaged

FILE = "credits.json"


@dataclass(frozen=True)
class Credit:
    """One source. what: the data in a few words, Markdown. source: whom to credit, and the licence. files:
    the SHA-256 of each by its name. species: the parasite of its infected cells, if any. use: how this
    project used it, where no manifest tells."""

    name: str
    what: str
    source: str
    files: dict[str, str]
    species: str = ""
    use: str = ""


@dataclass(frozen=True)
class Credits:
    """What is known of where files come from."""

    known: tuple[Credit, ...] = ()

    @classmethod
    def load(cls, models: Path) -> "Credits":
        """The list in a folder of shipped models; empty where there is none. Raises Damaged."""
        path = models / FILE
        if not path.is_file():
            return cls()
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
            return cls(tuple(codec.from_json(Credit, one) for one in told))
        except (ValueError, TypeError) as error:
            raise Damaged(f"{path} cannot be read: {error}") from error

    def of(self, sha256: str) -> Credit | None:
        """The source of the file or folder with this SHA-256."""
        return next((credit for credit in self.known if sha256 in credit.files.values()), None)

    def file(self, sha256: str) -> str | None:
        """The name under which the file with this SHA-256 is known."""
        credit = self.of(sha256)
        return (
            next((name for name, known in credit.files.items() if known == sha256), None) if credit else None
        )

    def of_all(self, hashes: Iterable[str]) -> list[Credit]:
        """The sources of several files, each once, in their order; what is not known is passed over."""
        found: list[Credit] = []
        for credit in map(self.of, hashes):
            if credit is not None and credit not in found:
                found.append(credit)
        return found
