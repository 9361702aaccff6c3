"""A measurement on paper: report.json for programs, report.md for people, curves as pictures.

Everything that is needed to repeat it stands in it: the command, the data's SHA-256, the seed, the model.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from malaria import pictures, whole
from malaria.bootstrap import Groups, Labels
from malaria.metrics import SPREAD_CELLS, Metrics

FIGURES = {
    "accuracy": "accuracy",
    "sensitivity": "sensitivity",
    "specificity": "specificity",
    "precision": "precision",
    "f1": "F1",
    "mcc": "MCC",
    "auc": "ROC AUC",
    "pr_auc": "PR AUC",
    "sensitivity_at_specificity_98": "sensitivity at specificity 0.98",
    "specificity_at_sensitivity_90": "specificity at sensitivity 0.90",
    "brier": "Brier score",
    "ece": "calibration error (ECE)",
}
"""Figures of a Metrics, in the order of a table, and how they are called there."""
_CAPTIONS = {
    "confusion": "Confusion matrix",
    "roc": "ROC curve, with the 95% band over patients",
    "reliability": "Reliability: what was said against what was so; dots grow with the number of cells",
}


@dataclass(frozen=True, slots=True)
class Made:
    """How a report came about. data: SHA-256 by the name of each file. model: version; digest: of its file.

    further: anything else that one must know to repeat it.
    """

    command: str
    data: Mapping[str, str]
    seed: int
    date: datetime
    model: str = ""
    digest: str = ""
    further: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Table:
    """What a terminal and a Markdown file show alike. Cells are text or numbers; None is shown as -."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    note: str = ""


@dataclass(frozen=True)
class Answers:
    """n cells as a model answered them, for the pictures.

    labels: (n,) 0 uninfected, 1 parasitized. probabilities: (n,) P(parasitized). groups: (n,) the patient,
    resampled as one. threshold: the operating point.
    """

    labels: Labels
    probabilities: npt.NDArray[np.floating]  # type: ignore[type-arg]
    groups: Groups
    threshold: float


def write(
    folder: Path,
    title: str,
    made: Made,
    figures: Mapping[str, Any],
    tables: Sequence[Table],
    answers: Answers | None,
    drawn: Mapping[Path, str] | None = None,
) -> list[Path]:
    """Write report.json, report.md and the pictures of `answers` into a folder, which is made where missing.

    figures: what JSON can hold; in report.json they stand beside "made". tables: for report.md, in order.
    answers: None where there is nothing to draw. drawn: captions of pictures that lie in the folder already.
    Returns the files. The same arguments give the same bytes
    (pictures: with the same matplotlib).

    Raises:
        MissingPart: matplotlib is not installed; nothing is written then.
    """
    if answers is not None:
        pictures.need()
    folder.mkdir(parents=True, exist_ok=True)
    shown = dict(drawn or {})
    if answers is not None:
        shown |= {path: _CAPTIONS[path.stem] for path in _drawn(folder, answers, made.seed)}
    told = {"title": title, "made": _told(made), **figures}
    as_json, as_text = folder / "report.json", folder / "report.md"
    whole.write_text(as_json, json.dumps(told, indent=1) + "\n")
    whole.write_text(as_text, _markdown(title, made, tables, shown, answers is not None))
    return [as_json, as_text, *shown]


def _drawn(folder: Path, of: Answers, seed: int) -> list[Path]:
    return pictures.write(folder, of.labels, of.probabilities, of.groups, of.threshold, seed=seed)


def figures_table(title: str, sets: Mapping[str, Metrics | None], note: str = "") -> Table:
    """Figures below each other, one column for each set of cells, intervals in brackets."""
    known = {name: found for name, found in sets.items() if found is not None}
    columns = list(known.values())
    rows: list[list[object]] = [
        ["cells", *(f"{m.cells:,}" for m in columns)],
        ["of them parasitized", *(f"{m.parasitized:,}" for m in columns)],
        ["patients (else fields, else cells)", *(f"{m.patients:,}" for m in columns)],
        ["threshold", *(f"{m.threshold:.4f}" for m in columns)],
    ]
    rows += [[shown, *(figure(m, name) for m in columns)] for name, shown in FIGURES.items()]
    for name, shown in (("sensitivity", "sensitivity"), ("false_positive_rate", "false-positive rate")):
        if any(name in m.spread for m in columns):
            rows.append([f"{shown} by patient", *(_spread(m, name) for m in columns)])
    return Table(title, ["figure", *known], rows, note)


def figure(of: Metrics, name: str, digits: int = 4) -> str | None:
    """`0.9630 (0.9310 to 0.9820)`, or None where the cells cannot say."""
    value = getattr(of, name)
    return None if value is None else with_interval(value, of.intervals.get(name), digits)


def with_interval(value: float, between: tuple[float, float] | None, digits: int = 4) -> str:
    """`0.9630 (0.9310 to 0.9820)`."""
    told, *ends = (f"{one:.{digits}f}" for one in (value, *(between or ())))
    return f"{told} ({ends[0]} to {ends[1]})" if ends else told


def _spread(of: Metrics, name: str) -> str | None:
    found = of.spread.get(name)
    if found is None:
        return None
    who = f"{found.patients} with {SPREAD_CELLS}+ cells"
    return f"median {found.median:.4f}, worst {found.worst:.4f} ({who})"


def _told(made: Made) -> dict[str, Any]:
    return {
        "command": made.command,
        "date": made.date.isoformat(),
        "model": made.model,
        "digest": made.digest,
        "data": dict(made.data),
        "seed": made.seed,
        **made.further,
    }


def _markdown(
    title: str, made: Made, tables: Sequence[Table], drawn: Mapping[Path, str], measured: bool
) -> str:
    """measured: whether a model was measured, with intervals over patients."""
    facts = {
        "command": f"`{made.command}`",
        "date": made.date.isoformat(timespec="seconds"),
        "model": made.model,
        "SHA-256 of the model": made.digest,
        **{f"SHA-256 of {name}": digest for name, digest in made.data.items()},
        "seed": made.seed,
        **made.further,
    }
    parts = [f"# {title}", grid(["", ""], [[name, v] for name, v in facts.items() if v not in ("", None)])]
    if measured:
        parts += ["Figures in brackets are 95% intervals, by resampling patients (else fields, else cells)."]
    for table in tables:
        parts += [f"## {table.title}", grid(table.columns, table.rows)]
        parts += [table.note] if table.note else []
    parts += [f"![{caption}]({path.name})\n\n{caption}." for path, caption in drawn.items()]
    return "\n\n".join(parts) + "\n"


def grid(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table in Markdown."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(_cell(value) for value in line) + " |" for line in lines)


def _cell(value: object) -> str:
    text = "-" if value is None else f"{value:.4f}" if isinstance(value, float) else str(value)
    return text.replace("|", "\\|").replace("\n", " ")
