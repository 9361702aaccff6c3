"""Exported files beside their original, as tables, alike in a terminal and in a report."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from malaria.evaluation import Rate
from malaria.paired import Drop
from malaria.parity import AUC_LOSS, CHANGED, PATIENTS, Parity
from malaria.report import Table, figure, with_interval

if TYPE_CHECKING:
    from malaria.tours.latency import Latency

FIGURES = ("sensitivity", "specificity", "auc")
RULE = (
    f"Served only where at most {CHANGED:.0%} of the labels of each set change and the AUC falls by at most "
    f"{AUC_LOSS}; on the {PATIENTS} set, of NIH patients, the upper ends of the intervals must hold that too."
)


def tables(
    files: Mapping[str, "Latency"], refused: Mapping[str, str], found: Mapping[str, Mapping[str, Parity]]
) -> list[Table]:
    """files: the original's and each exported one, in order, by precision. refused: why an exported one must
    not be served, "" where it may. found: parity by precision and by set of validation cells."""
    return [_files(files, refused), _answers(found), _figures(found)]


def _files(files: Mapping[str, "Latency"], refused: Mapping[str, str]) -> Table:
    first = next(iter(files.values()))
    rows = [
        (
            name,
            f"{one.file_bytes:,}",
            f"{one.file_bytes / first.file_bytes:.2f}",
            f"{one.ratio:.2f}",
            refused[name] or "yes" if name in refused else None,
        )
        for name, one in files.items()
    ]
    note = "Time: of one cell in one thread, as a multiple of the first's, in turns on one machine. " + RULE
    return Table("Files", ("numbers", "bytes", "of the first's", "time", "may be served"), rows, note)


def _answers(found: Mapping[str, Mapping[str, Parity]]) -> Table:
    rows = [
        (
            precision,
            name,
            f"{seen.before.cells:,} of {seen.before.patients:,}",
            f"{seen.largest:.4f}",
            f"{seen.mean:.5f}",
            _share(seen.changed),
            f"{100 * seen.embedding:.2f}%",
        )
        for precision, sets in found.items()
        for name, seen in sets.items()
    ]
    columns = (
        *("numbers", "set", "cells, patients or fields", "largest difference in P", "mean"),
        *("labels changed", "embedding differs by"),
    )
    return Table("Answers beside those of the original", columns, rows)


def _share(of: Rate) -> str:
    return with_interval(of.value, of.interval)


def _figures(found: Mapping[str, Mapping[str, Parity]]) -> Table:
    rows: list[Sequence[object]] = []
    for precision, sets in found.items():
        for name, seen in sets.items():
            for rate in FIGURES:
                if getattr(seen.before, rate) is not None:
                    told = (figure(seen.before, rate), figure(seen.after, rate), _drop(seen.drops[rate]))
                    rows.append((precision, name, rate, *told))
    columns = ("numbers", "set", "figure", "original", "exported", "falls by, points")
    return Table("Figures", columns, rows, "Both on the same draws of patients, else of fields.")


def _drop(of: Drop | None) -> str | None:
    return f"{of.points:+.3f} ({of.interval[0]:+.3f} to {of.interval[1]:+.3f})" if of else None
