"""What a model says of labelled cells: class folders of crops, or microscope fields with boxes.

Each cell may be shown in several views (as it is, masked, disturbed); it is decoded once for all of them.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PIL import Image

from malaria import cells, fields, preprocess
from malaria.archive import Problem
from malaria.domain import Cell, Label, Progress
from malaria.errors import BadInput
from malaria.patients import field_of
from malaria.ports import Report
from malaria.subject import Subject

if TYPE_CHECKING:
    from malaria.predict import Model

Source = Path | Sequence[Path]
"""A ZIP or folder, or several that are parts of one set."""
View = Callable[[Image.Image], Image.Image]
Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.generic]


def as_it_is(image: Image.Image) -> Image.Image:
    """The view that changes nothing."""
    return image


RAW: Mapping[str, View] = {"raw": as_it_is}


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A picture that could not be scored. code: the error's kebab-case name."""

    name: str
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Seen:
    """One cell that was scored. label: None where it is no red cell.

    patient: None where it is not known. group: what stays together, the patient, else the field, else the
    cell. owner: whose role counts, a patient or "set/field"; None where nobody is known. kind: of a field's
    set, such as "ring"; else "".
    """

    name: str
    label: Label | None
    patient: str | None
    group: str
    owner: str | None
    kind: str = ""


@dataclass(frozen=True)
class Scores:
    """n cells and the P(parasitized) that each view of them was given: (n,) by the name of the view.

    logits: the same, but of what is rounded to 1.0 as a probability. good: P(it is one good cell), 1 where
    the model cannot tell. colourless: whether it has no colour. fields: how many microscope fields were
    looked at, where they came as fields.
    """

    cells: tuple[Seen, ...]
    views: Mapping[str, Floats]
    unreadable: tuple[Unreadable, ...] = ()
    fields: int = 0
    seconds: float = 0.0
    logits: Mapping[str, Floats] = field(default_factory=dict)
    good: Mapping[str, Floats] = field(default_factory=dict)
    colourless: Mapping[str, npt.NDArray[np.bool_]] = field(default_factory=dict)

    def where(self, rows: npt.NDArray[np.bool_]) -> "Scores":
        """Some of the cells: a mask (n,)."""
        chosen = tuple(cell for cell, kept in zip(self.cells, rows, strict=True) if kept)
        told = (self.views, self.logits, self.good)
        views, logits, good = ({n: v[rows] for n, v in of.items()} for of in told)
        grey = {name: of[rows] for name, of in self.colourless.items()}
        return Scores(chosen, views, self.unreadable, self.fields, logits=logits, good=good, colourless=grey)

    @property
    def labels(self) -> npt.NDArray[np.int8]:
        """(n,) 0 uninfected, 1 parasitized, -1 what is no red cell."""
        return np.array([-1 if c.label is None else int(c.label) for c in self.cells], np.int8)

    @property
    def groups(self) -> npt.NDArray[np.str_]:
        return np.array([c.group for c in self.cells], np.str_)

    @property
    def red(self) -> "Scores":
        """The red cells among them."""
        return self.where(self.labels >= 0)


@dataclass(frozen=True)
class Fields:
    """How to read microscope fields. named: the set, as roles know it. margin: by what share boxes grow."""

    meaning: fields.Meaning
    named: str = "field"
    margin: float = 0.0


Keep = Callable[[str | None], bool]
"""Whether cells of an owner are wanted."""


def score(
    model: "Model",
    source: Source,
    views: Mapping[str, View] = RAW,
    *,
    how: Fields | None = None,
    keep: Keep | None = None,
    report: Report | None = None,
) -> Scores:
    """Score the labelled cells of a source; what cannot be read is listed, not fatal.

    how: None: class folders; else microscope fields. keep: None: all owners.

    Raises:
        BadLayout: a part holds no labelled pictures. BadInput: none can be read, or none is wanted.
        Whatever `report` raises to stop the work.
    """
    began = time.monotonic()
    reader = _Folders(parts(source)) if how is None else _Fields(parts(source), how)
    shown = _Shown(reader, views, model.info.input_size, keep)
    tell = _Teller(reader, shown, report)
    answers = []
    for answer in model.score_many(shown.pixels()):
        good = 1.0 if answer.subject is None else answer.subject[Subject.CELL]
        logit = answer.activation.mean(dtype=np.float64)
        answers.append((answer.probability, logit, good, answer.colourless))
        tell()
    tell()
    if not shown.cells:
        raise BadInput(_nothing(shown, len(shown.unreadable)))
    table = np.array(answers, np.float64).reshape(len(shown.cells), len(views), 4)
    told = ({name: t[:, i] for i, name in enumerate(views)} for t in np.moveaxis(table, 2, 0))
    said, logits, one, grey = told
    unreadable, took = tuple(shown.unreadable), time.monotonic() - began
    colourless = {name: of.astype(np.bool_) for name, of in grey.items()}
    return Scores(tuple(shown.cells), said, unreadable, reader.fields, took, logits, one, colourless)


def parts(source: Source) -> Sequence[Path]:
    return [source] if isinstance(source, Path) else source


def _nothing(shown: "_Shown", unreadable: int) -> str:
    if unreadable:
        return f"None of the {unreadable} pictures can be read; {shown.unreadable[0].reason}"
    if shown.reader.fields:
        return "The fields have no boxes, so there is no cell to score."
    return "None of the cells is of a patient whose role was asked for."


@dataclass
class _Reader:
    """Reads sources. done: of `total` pictures (or fields), how many were passed. fields: how many of these
    were wanted and could be read."""

    sources: Sequence[Path]
    total: int = 0
    done: int = 0
    fields: int = 0
    noun: str = "cells"

    def read(self, keep: Keep | None) -> Iterator[tuple[Seen, Image.Image] | Unreadable]:
        raise NotImplementedError


class _Folders(_Reader):
    """Crops in Parasitized/ and Uninfected/."""

    def __init__(self, sources: Sequence[Path]) -> None:
        super().__init__(sources, sum(map(cells.count, sources)))

    def read(self, keep: Keep | None) -> Iterator[tuple[Seen, Image.Image] | Unreadable]:
        problems: list[Unreadable] = []

        def note(cell: Cell, problem: Problem) -> None:
            self.done += 1
            if keep is None or keep(cell.patient):
                problems.append(Unreadable(_path(cell), problem.code, problem.reason))

        found = chain.from_iterable(cells.read(source, note) for source in self.sources)
        for number, (cell, data) in enumerate(found):
            yield from problems
            problems.clear()
            self.done += 1
            if keep is not None and not keep(cell.patient):
                continue
            try:
                image = preprocess.decode(data)
            except BadInput as error:
                yield Unreadable(_path(cell), error.code, str(error))
                continue
            yield Seen(cell.name, cell.label, cell.patient, _group(number, cell), cell.patient), image
        yield from problems


class _Fields(_Reader):
    """Crops cut from fields by their boxes."""

    def __init__(self, sources: Sequence[Path], how: Fields) -> None:
        super().__init__(sources, sum(map(fields.count, sources)), noun="fields")
        self._how = how

    def read(self, keep: Keep | None) -> Iterator[tuple[Seen, Image.Image] | Unreadable]:
        problems: list[Unreadable] = []

        def note(picture: str, error: BadInput) -> None:
            self.done += 1
            if keep is None or keep(self._owner(PurePosixPath(picture).stem)):
                problems.append(Unreadable(picture, error.code, str(error)))

        for one in chain.from_iterable(fields.read(s, self._how.meaning, note) for s in self.sources):
            yield from problems
            problems.clear()
            owner = self._owner(one.name)
            if keep is None or keep(owner):
                self.fields += 1
                image = one.image()
                for number, box in enumerate(one.boxes):
                    name = f"{one.name}_cell_{number}"
                    seen = Seen(name, box.kind.label, None, f"field:{owner}", owner, box.kind.name)
                    yield seen, fields.crop(image, box.wider(self._how.margin))
            self.done += 1
        yield from problems

    def _owner(self, field: str) -> str:
        return f"{self._how.named}/{field}"


def _path(cell: Cell) -> str:
    return f"{cell.label.text}/{cell.name}"


def _group(number: int, cell: Cell) -> str:
    """What stays together: the patient, else the microscope field, else the cell alone."""
    if cell.patient:
        return f"patient:{cell.patient}"
    place = field_of(cell.name)
    return f"field:{place}" if place else f"cell:{number}"


@dataclass
class _Shown:
    """Turns cells into what the network takes, and keeps what it has shown."""

    reader: _Reader
    views: Mapping[str, View]
    size: int
    keep: Keep | None
    cells: list[Seen] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)

    def pixels(self) -> Iterator[preprocess.Pixels]:
        """Every view of one cell after the other."""
        for found in self.reader.read(self.keep):
            if isinstance(found, Unreadable):
                self.unreadable.append(found)
                continue
            seen, image = found
            self.cells.append(seen)
            for view in self.views.values():
                yield preprocess.to_square(view(image), self.size)


class _Teller:
    """Reports progress at most a few times a second, and the end."""

    def __init__(self, reader: _Reader, shown: _Shown, report: Report | None) -> None:
        self._reader, self._shown, self._report = reader, shown, report
        self._began = self._told = time.monotonic()
        self._last = -1

    def __call__(self) -> None:
        now, done, total = time.monotonic(), self._reader.done, self._reader.total
        if self._report is None or self._last == done or (now - self._told < 0.3 and done < total):
            return
        self._told, self._last = now, done
        eta = (now - self._began) / max(done, 1) * max(total - done, 0)
        percent = min(100.0, 100.0 * done / max(total, 1))
        message = f"{done} of {total} {self._reader.noun}"
        self._report(Progress("evaluate", percent=percent, eta=eta, message=message))
