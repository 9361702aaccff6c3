"""Microscope fields with labelled cells: whole pictures, and boxes or centres that say where cells are.

Three layouts are read, each a ZIP or a folder: YOLO (`images/`, `labels/*.txt` with `class cx cy w h`,
relative), Pascal VOC (`images/`, `annotations/*.xml`) and centres (`labels/*.txt` with `x y class`, pixels),
which the Chula RBC-12 set uses. What a class means, and whether it is a cell at all, is told by a `Meaning`.
"""

import json
import math
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

from PIL import Image

from malaria import preprocess
from malaria.archive import Archive, Limits, Problem
from malaria.cells import is_picture
from malaria.domain import Label
from malaria.errors import BadInput, BadLayout, BadOptions

POINT_BOX = 48
"""Side, in pixels, of the box about a centre, where a set tells no boxes (Chula RBC-12: cells of some 40)."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What a class of a set is. label: None where it is not a red cell (a platelet, a white cell)."""

    name: str
    label: Label | None


Meaning = Mapping[str, Kind]
"""Kinds by the class as it stands in the files: a number or a name."""

_CLEAN, _ILL = Label.UNINFECTED, Label.PARASITIZED

BBBC041: Meaning = {
    "0": Kind("red blood cell", _CLEAN),
    "1": Kind("trophozoite", _ILL),
    "2": Kind("ring", _ILL),
    "3": Kind("schizont", _ILL),
    "4": Kind("gametocyte", _ILL),
    "5": Kind("leukocyte", None),
}
CHULA_SHAPES = (
    "normal", "macrocyte", "microcyte", "spherocyte", "target cell", "stomatocyte", "ovalocyte", "teardrop",
    "burr cell", "schistocyte", "uncategorised", "hypochromia", "elliptocyte",
)  # fmt: skip
CHULA: Meaning = {str(i): Kind(name, _CLEAN) for i, name in enumerate(CHULA_SHAPES)}
BCCD: Meaning = {
    "RBC": Kind("red blood cell", _CLEAN),
    "WBC": Kind("white blood cell", None),
    "Platelets": Kind("platelet", None),
}
SETS: Mapping[str, Meaning] = {"bbbc041": BBBC041, "chula": CHULA, "bccd": BCCD}


@dataclass(frozen=True, slots=True)
class Box:
    """Where a cell is, in pixels of its field, right and bottom outside; and what it is."""

    left: float
    top: float
    right: float
    bottom: float
    kind: Kind

    def wider(self, share: float) -> "Box":
        """The box grown about its centre by a share of its sides (negative: shrunk)."""
        dx, dy = (self.right - self.left) * share / 2, (self.bottom - self.top) * share / 2
        return Box(self.left - dx, self.top - dy, self.right + dx, self.bottom + dy, self.kind)


@dataclass(frozen=True, slots=True)
class Field:
    """One microscope field. name: its file name without suffix. data: the picture's bytes."""

    name: str
    data: bytes
    boxes: tuple[Box, ...]

    def image(self) -> Image.Image:
        """The field, decoded to RGB. Raises as `preprocess.decode`."""
        return preprocess.decode(self.data)


def crop(image: Image.Image, box: Box) -> Image.Image:
    """The raw crop of a box, cut off where the field ends."""
    left, top = max(0, round(box.left)), max(0, round(box.top))
    right, bottom = min(image.width, round(box.right)), min(image.height, round(box.bottom))
    return image.crop((left, top, max(right, left + 1), max(bottom, top + 1)))


def meaning_of(named: str) -> Meaning:
    """The meaning that a person names: one of SETS, or a JSON file {"class": {"name": ..., "label": ...}}.

    label is "Parasitized", "Uninfected" or null, for what is not a red cell. Raises BadOptions.
    """
    if named in SETS:
        return SETS[named]
    if not Path(named).is_file():
        raise BadOptions(f"{named} is neither a file nor one of {', '.join(SETS)}.")
    try:
        told = json.loads(Path(named).read_text(encoding="utf-8"))
        labels: dict[str | None, Label | None] = {None: None, **{label.text: label for label in Label}}
        return {str(code): Kind(str(kind["name"]), labels[kind["label"]]) for code, kind in told.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadOptions(
            f'{named} does not say what the classes are ({error!r}). Write {{"0": {{"name": "ring", "label": '
            '"Parasitized"}, ...}; label is "Parasitized", "Uninfected" or null.'
        ) from None


def are_fields(source: Path) -> bool:
    """Whether a ZIP or folder holds fields with labels, and not crops in class folders. Raises BadLayout."""
    with _files(source) as files:
        return any(_is_label(name) for name in files.names)


def names(source: Path) -> list[str]:
    """The names of the labelled fields of a ZIP or folder, without looking into them."""
    with _files(source) as files:
        return [PurePosixPath(picture).stem for picture, _ in _pairs(files.names)]


def count(source: Path) -> int:
    """How many labelled fields there are. Raises BadLayout."""
    with _files(source) as files:
        return len(_pairs(files.names))


Problems = Callable[[str, BadInput], None]
"""Told of a field that cannot be used, by the path of its picture, and why."""


def read(source: Path, meaning: Meaning, problems: Problems | None = None) -> Iterator[Field]:
    """Each labelled field of a ZIP or folder, in the order of names.

    problems: told of fields of which a file cannot be read; they are passed over then.

    Raises:
        BadLayout: there are no labelled fields, or two of one name.
        BadOptions: a class stands in the labels that `meaning` does not know.
        BadInput: a picture or a label file cannot be read, and `problems` is None.
    """
    with _files(source) as files:
        pairs = _pairs(files.names)
        for picture, label in pairs:
            try:
                found = _field(files, picture, label, meaning)
            except BadInput as error:
                if problems is None or isinstance(error, BadOptions):  # then all fields' classes are mistaken
                    raise
                problems(picture, error)
                continue
            yield found
    if not pairs:
        raise BadLayout(
            f"{source} holds no fields: pictures in images/, and labels/*.txt or annotations/*.xml."
        )


def _field(files: "_Opened", picture: str, label: str, meaning: Meaning) -> Field:
    data = files.read(picture)
    try:
        size = preprocess.decode(data).size
    except BadInput as error:
        raise type(error)(f"{picture} cannot be read. {error}") from None
    return Field(PurePosixPath(picture).stem, data, _boxes(label, files.read(label), size, meaning))


def _pairs(names: list[str]) -> list[tuple[str, str]]:
    """Each picture that has labels, and the file that holds them: named alike but for folder and suffix."""
    labels = _by_stem(name for name in names if _is_label(name))
    pictures = _by_stem(n for n in names if is_picture(n) and PurePosixPath(n).stem in labels)
    return [(picture, labels[stem]) for stem, picture in pictures.items()]


def _by_stem(names: Iterable[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in names:
        twin = found.setdefault(PurePosixPath(name).stem, name)
        if twin != name:
            raise BadLayout(f"{twin} and {name} are named alike; measure one folder of fields at a time.")
    return found


def _is_label(name: str) -> bool:
    path = PurePosixPath(name)
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in path.parts)
    folder = path.parts[-2].lower() if len(path.parts) > 1 else ""
    return not hidden and (folder, path.suffix.lower()) in (("labels", ".txt"), ("annotations", ".xml"))


def _boxes(name: str, data: bytes, size: tuple[int, int], meaning: Meaning) -> tuple[Box, ...]:
    try:
        rows = _voc(data) if name.lower().endswith(".xml") else _lines(data, size)
        return tuple(_box(edges, size, meaning[code]) for code, edges in rows)
    except KeyError as error:
        raise BadOptions(f"{name} holds the class {error}, which is none of {', '.join(meaning)}.") from None
    except (ValueError, TypeError, ET.ParseError, UnicodeDecodeError) as error:
        raise BadLayout(f"{name} cannot be read: {error}.") from None


_Edges = tuple[float, float, float, float]
_Row = tuple[str, _Edges]


def _box(edges: _Edges, size: tuple[int, int], kind: Kind) -> Box:
    """Raises ValueError where no pixel of the field is inside."""
    left, top, right, bottom = edges
    inside = right > 0 and bottom > 0 and left < size[0] and top < size[1]
    if not (inside and left < right and top < bottom and all(map(math.isfinite, edges))):
        shown = ", ".join(f"{edge:g}" for edge in edges)
        raise ValueError(f"the box {shown} lies outside of the picture, {size[0]} x {size[1]} pixels")
    return Box(*edges, kind)


def _lines(data: bytes, size: tuple[int, int]) -> Iterator[_Row]:
    for number, line in enumerate(data.decode("utf-8-sig").splitlines(), 1):
        parts = line.split()
        if len(parts) == 5:
            cx, cy, w, h = (float(part) for part in parts[1:])
            width, height = size
            left, top = (cx - w / 2) * width, (cy - h / 2) * height
            yield parts[0], (left, top, (cx + w / 2) * width, (cy + h / 2) * height)
        elif len(parts) == 3:
            x, y, half = float(parts[0]), float(parts[1]), POINT_BOX / 2
            yield parts[2], (x - half, y - half, x + half, y + half)
        elif parts:
            raise ValueError(f"line {number} is neither `class cx cy w h` nor `x y class`")


def _voc(data: bytes) -> Iterator[_Row]:
    if b"<!ENTITY" in data or b"<!DOCTYPE" in data:
        raise ValueError("it declares entities, which no annotation needs")
    for thing in ET.fromstring(data).iter("object"):  # noqa: S314  # entities are refused above
        edges = [float(thing.findtext(f"bndbox/{edge}") or "?") for edge in ("xmin", "ymin", "xmax", "ymax")]
        left, top, right, bottom = edges
        if right > left and bottom > top:  # BCCD holds boxes without a width
            yield str(thing.findtext("name")), (left, top, right, bottom)


class _Opened(Protocol):
    names: list[str]

    def read(self, name: str) -> bytes: ...
    def __enter__(self) -> "_Opened": ...
    def __exit__(self, *told: object) -> None: ...


class _Folder:
    def __init__(self, source: Path) -> None:
        self._source = source
        self.names = sorted(p.relative_to(source).as_posix() for p in source.rglob("*") if p.is_file())

    def read(self, name: str) -> bytes:
        return (self._source / name).read_bytes()

    def __enter__(self) -> "_Folder":
        return self

    def __exit__(self, *told: object) -> None:
        return None


class _Zip:
    """Through the safe reader of archives."""

    def __init__(self, source: Path) -> None:
        self._archive = Archive(source, Limits(max_archive_bytes=2**36, max_total_bytes=2**36))

    def read(self, name: str) -> bytes:
        told = self._archive.read(self._entries[name])
        if isinstance(told, Problem):
            raise BadInput(f"{name} cannot be read. {told.reason}")
        return told

    def __enter__(self) -> "_Zip":
        self._archive.__enter__()
        self._entries = {entry.name: entry for entry in self._archive.entries}
        self.names = sorted(self._entries)
        return self

    def __exit__(self, *told: object) -> None:
        self._archive.__exit__(*told)  # type: ignore[arg-type]


def _files(source: Path) -> _Opened:
    if source.is_dir():
        return _Folder(source)
    if source.is_file() and zipfile.is_zipfile(source):
        return _Zip(source)
    raise BadLayout(f"{source} is neither a folder nor a ZIP.")
