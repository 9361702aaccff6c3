"""Pictures of where a model looked, one file for each cell: what `malaria predict --explain` writes."""

import re
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from malaria import whole
from malaria.errors import BadOptions

if TYPE_CHECKING:
    from PIL import Image

    from malaria.explain import Activation

LONGEST = 100
"""Characters of a file's name, without its suffix and its number."""


class Drawing:
    """Draws pictures into a folder, in the order in which they were held.

    names: of all pictures that may come; each has its file, named alike. The folder is made where it is
    missing.

    Raises:
        BadOptions: the folder is none or cannot be made, or holds a file of such a name: none is overwritten.
    """

    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        self.folder, self.drawn = folder, 0
        self._files = [folder / name for name in file_names(names)]
        self._held: deque[tuple[Path, Image.Image]] = deque()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BadOptions(f"--explain {folder} cannot be made a folder: {error.strerror}.") from None
        there = [file.name for file in self._files if file.exists()]
        if there:
            more = f" and {len(there) - 1:,} more of these files" if len(there) > 1 else ""
            raise BadOptions(
                f"--explain {folder} holds {there[0]}{more} already, and nothing is overwritten. "
                "Name another folder."
            )

    def hold(self, number: int, picture: "Image.Image") -> None:
        """Keep a picture, that of so many among the names (from 0), until its map is there: at most 1 MB."""
        from malaria import explain

        self._held.append((self._files[number], explain.shrunk(picture)))

    def draw(self, activation: "Activation | None") -> Path | None:
        """Write the picture held longest, with its map laid over it, and return its file; where there is no
        map, only let the picture go."""
        from malaria import explain

        file, picture = self._held.popleft()
        if activation is None:
            return None
        with whole.file(file) as partial:
            explain.explained(picture, activation).save(partial, "PNG")
        self.drawn += 1
        return file


def file_names(names: Iterable[str]) -> list[str]:
    """A PNG's name for each name or path, such as any file system takes: no two are alike in any case."""
    found: list[str] = []
    taken: set[str] = set()
    times: Counter[str] = Counter()
    for name in names:
        plain = re.sub(r"[^\w.-]+", "_", PurePosixPath(name).stem, flags=re.ASCII).lstrip(".-")
        stem = one = plain[:LONGEST] or "picture"
        while one.lower() in taken:
            times[stem.lower()] += 1
            one = f"{stem}-{times[stem.lower()] + 1}"
        taken.add(one.lower())
        found.append(f"{one}.png")
    return found
