"""Score the exported model, the very file that is served, on labelled cells."""

import time
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from malaria import cells, preprocess
from malaria.archive import Problem
from malaria.domain import Cell, Progress, Role
from malaria.errors import BadInput, BadOptions
from malaria.metrics import Metrics, metrics
from malaria.patients import field_of
from malaria.ports import Report

if TYPE_CHECKING:
    from malaria.predict import Model

__all__ = ["Evaluation", "Metrics", "Unreadable", "evaluate", "metrics"]

LEARNT = (Role.TRAIN, Role.VALIDATION)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A picture that could not be scored. code: the error's kebab-case name."""

    name: str
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A model's figures on a labelled ZIP or folder.

    patients: known ones; unknown_patients: cells whose patient is not known. by_role: cells and patients
    by the role their patient has ("none" where it has none). warning: why the figures may flatter, or "".
    seconds: wall time of it all.
    """

    version: str
    digest: str
    source: str
    metrics: Metrics
    patients: int
    unknown_patients: int
    unreadable: tuple[Unreadable, ...] = ()
    by_role: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    warning: str = ""
    seconds: float = 0.0


def evaluate(
    model: "Model",
    source: Path,
    *,
    threshold: float | None = None,
    roles: Mapping[str, Role] | None = None,
    bootstrap: int = 1000,
    report: Report | None = None,
) -> Evaluation:
    """Score every labelled cell of a ZIP or folder; pictures that cannot be read are listed, not fatal.

    threshold: None: the model's own operating point. roles: of patients, to warn where the model has
    learnt from them.

    Raises:
        BadLayout: the source holds no labelled pictures. BadInput: none of them can be read.
        BadOptions: the threshold is not between 0 and 1. Whatever `report` raises to stop the work.
    """
    at = model.info.threshold if threshold is None else threshold
    if not 0.0 <= at <= 1.0:
        raise BadOptions(f"threshold is {at}; it must be a probability from 0 to 1.")
    began = time.monotonic()
    scored: list[Cell] = []
    unreadable: list[Unreadable] = []
    pictures = _pictures(source, model.info.input_size, scored, unreadable)
    tell = _Teller(_count(source), unreadable, report)
    probabilities = []
    for answer in model.score_many(pictures):
        probabilities.append(answer.probability)
        tell(len(probabilities))
    if not scored:
        raise BadInput(f"None of the {len(unreadable)} pictures can be read; {unreadable[0].reason}")
    figures = metrics(
        np.array([c.label for c in scored], dtype=np.uint8),
        np.array(probabilities),
        np.array([_group(i, c) for i, c in enumerate(scored)]),
        at,
        bootstrap=bootstrap,
    )
    by_role = _by_role(scored, roles) if roles is not None else {}
    return Evaluation(
        version=model.info.version,
        digest=model.info.digest,
        source=source.name,
        metrics=figures,
        patients=len({c.patient for c in scored if c.patient}),
        unknown_patients=sum(c.patient is None for c in scored),
        unreadable=tuple(unreadable),
        by_role=by_role,
        warning=_warning(by_role, len(scored)),
        seconds=time.monotonic() - began,
    )


def _pictures(
    source: Path, size: int, scored: list[Cell], unreadable: list[Unreadable]
) -> Iterator[preprocess.Pixels]:
    """Pixels of each readable cell; notes the cell in `scored`, or why not in `unreadable`."""

    def note(cell: Cell, problem: Problem) -> None:
        unreadable.append(Unreadable(f"{cell.label.text}/{cell.name}", problem.code, problem.reason))

    for cell, data in cells.read(source, note):
        try:
            pixels = preprocess.pixels(data, size)
        except BadInput as error:
            unreadable.append(Unreadable(f"{cell.label.text}/{cell.name}", error.code, str(error)))
            continue
        scored.append(cell)
        yield pixels


def _group(number: int, cell: Cell) -> str:
    """What stays together: the patient, else the microscope field, else the cell alone."""
    if cell.patient:
        return f"patient:{cell.patient}"
    place = field_of(cell.name)
    return f"field:{place}" if place else f"cell:{number}"


def _count(source: Path) -> int:
    if source.is_dir():
        names = [p.relative_to(source).as_posix() for p in source.rglob("*")]
    elif zipfile.is_zipfile(source):
        with zipfile.ZipFile(source) as archive:
            names = archive.namelist()
    else:
        names = []  # `cells.read` says what is wrong
    return sum(cells.label_of(name) is not None and cells.is_picture(name) for name in names)


class _Teller:
    """Reports progress at most a few times a second."""

    def __init__(self, total: int, unreadable: list[Unreadable], report: Report | None) -> None:
        self._total, self._unreadable, self._report = total, unreadable, report
        self._began = self._told = time.monotonic()

    def __call__(self, scored: int) -> None:
        now, done = time.monotonic(), scored + len(self._unreadable)
        if self._report is None or (now - self._told < 0.3 and done < self._total):
            return
        self._told = now
        eta = (now - self._began) / done * max(self._total - done, 0)
        percent = min(100.0, 100.0 * done / max(self._total, 1))
        self._report(Progress("evaluate", percent=percent, eta=eta, message=f"{done} of {self._total} cells"))


def _by_role(scored: list[Cell], roles: Mapping[str, Role]) -> dict[str, dict[str, int]]:
    found: dict[str, tuple[list[Cell], set[str]]] = {}
    for cell in scored:
        role = roles.get(cell.patient) if cell.patient else None
        of_role, patients = found.setdefault(role.value if role else "none", ([], set()))
        of_role.append(cell)
        if cell.patient:
            patients.add(cell.patient)
    return {role: {"cells": len(of), "patients": len(who)} for role, (of, who) in sorted(found.items())}


def _warning(by_role: Mapping[str, Mapping[str, int]], total: int) -> str:
    learnt = sum(by_role.get(role.value, {}).get("cells", 0) for role in LEARNT)
    if not learnt:
        return ""
    return (
        f"{learnt:,} of {total:,} cells are of patients the model was trained or tuned on, so these figures "
        "flatter. Judge it on patients it has not seen."
    )
