"""A label audit as JSON and as tables, alike in a terminal and in a report."""

from typing import Any

from malaria import codec
from malaria.audit import Overlap, Summary
from malaria.report import Table

PATIENTS = 15
"""Patients in the table; the JSON holds all."""


def told(found: Summary) -> dict[str, Any]:
    return codec.to_json(found)


def tables(found: Summary) -> list[Table]:
    """How many labels are doubted, of whom, and how that agrees with a list."""
    rows: list[list[object]] = [["cells audited", f"{found.cells:,}"], ["labels doubted", f"{found.found:,}"]]
    rows += [[f"of them {name.lower()}", f"{count:,}"] for name, count in found.by_class.items()]
    rows += [
        ["cells of patients without parasites", f"{found.clean_cells:,}"],
        ["doubted among these, wrongly", f"{found.without_parasites:,}"],
    ]
    note = "Nothing is relabelled. Patients without parasites have no infected cell, so there the audit errs."
    made = [Table("Doubted labels", ("", ""), rows, note)]
    if found.overlap:
        made.append(_overlaps(found))
    most = list(found.by_patient.items())[:PATIENTS]
    if most:
        made.append(Table("Patients with most doubted labels", ("patient", "doubted labels"), most))
    return made


def _overlaps(found: Summary) -> Table:
    columns = (
        "label",
        "both",
        "audit only",
        "list only",
        "of the list found",
        "of the finds listed",
        "Jaccard",
    )
    rows = [(name.lower(), *_row(overlap)) for name, overlap in found.overlap.items()]
    return Table("Against the list", columns, rows, "Of the list, only cells that were audited count.")


def _row(of: Overlap) -> tuple[object, ...]:
    return of.both, of.found_only, of.listed_only, of.found_share, of.listed_share, of.jaccard
