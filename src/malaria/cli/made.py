"""How the report of a command came about: what was asked, of which files, when."""

import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from malaria.cli.train import as_asked

if TYPE_CHECKING:
    from malaria.report import Made


def as_made(files: Iterable[Path], seed: int, model: str = "", digest: str = "", **further: object) -> "Made":
    """As this process was asked, now. model: a version; digest: of its file. further: as in `Made`."""
    from malaria.digests import sha256
    from malaria.report import Made

    now = datetime.now(UTC).replace(microsecond=0)
    data = {path.name: sha256(path) for path in files}
    return Made(as_asked(sys.argv[1:]), data, seed, now, model, digest, further)
