"""The pictures that are sent, and forms to send them: made ones, or real cells where some are at hand."""

import io
import itertools
import random
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from urllib3.filepost import encode_multipart_formdata

from malaria import synthetic

REAL = "MALARIA_REAL_CELLS"
"""Names the variable that holds a folder of ZIPs of real cells, in class folders."""
COUNT = 16
SEED = 13


@dataclass(frozen=True, slots=True)
class Picture:
    """size: width and height in pixels. bad: whether it is no picture, and must come back as an error."""

    name: str
    data: bytes
    size: tuple[int, int]
    bad: bool = False

    @property
    def media_type(self) -> str:
        return "image/webp" if self.name.endswith(".webp") else "image/png"


@dataclass(frozen=True, slots=True)
class Form:
    """The body of a request, and the Content-Type that goes with it."""

    body: bytes
    content_type: str


NOT_A_PICTURE = Picture("notes.png", b"patient 12, slide 3: see the letter", (0, 0), bad=True)


def cells(real: Path | None, count: int = COUNT) -> tuple[Picture, ...]:
    """`count` cells of both classes, the same each time; made ones where `real` is None.

    Raises ValueError where the folder holds no ZIP of cells.
    """
    if real is not None:
        return _real(real, count)
    return tuple(
        Picture(f"{number:03}-{cell.name}", cell.png(), cell.image.size)
        for number, cell in enumerate(synthetic.generate(count, SEED))
    )


def form(field: str, pictures: Sequence[Picture], **values: str) -> Form:
    """Pictures in a field, and values beside them."""
    parts = [(field, (one.name, one.data, one.media_type)) for one in pictures]
    body, content_type = encode_multipart_formdata([*parts, *values.items()])
    return Form(body, content_type)


def _real(folder: Path, count: int) -> tuple[Picture, ...]:
    archives = sorted(folder.glob("*cells*.zip"))
    if not archives:
        raise ValueError(f"{REAL} is {folder}, which holds no ZIP of cells such as nih-cells-part1.zip.")
    with zipfile.ZipFile(archives[0]) as archive:
        names = [name for name in archive.namelist() if not name.endswith(("/", ".csv", ".json"))]
        random.Random(SEED).shuffle(names)  # noqa: S311 - the same cells each time, no secret
        chosen = itertools.islice(_alternating(names), count)
        return tuple(_picture(number, name, archive.read(name)) for number, name in enumerate(chosen))


def _alternating(names: Sequence[str]) -> Iterator[str]:
    """Of each folder in turn, so that both classes are there."""
    folders = sorted({name.partition("/")[0] for name in names})
    by_folder = [[name for name in names if name.startswith(f"{one}/")] for one in folders]
    for row in itertools.zip_longest(*by_folder):
        yield from (name for name in row if name is not None)


def _picture(number: int, name: str, data: bytes) -> Picture:
    """Sent under a number: the file's own name may name a patient."""
    with Image.open(io.BytesIO(data)) as image:
        return Picture(f"cell-{number:03}{Path(name).suffix.lower()}", data, image.size)
