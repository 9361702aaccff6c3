"""A retraining for a person: outcome first, then why, then what was in the upload."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from malaria.cli import output
from malaria.domain import Job

LISTED = 20
"""Quarantined entries that are printed one by one."""


def print_job(job: Job) -> None:
    """Print a job with its verdict, the rules behind it, and what ingest found."""
    seconds = (job.finished - job.started).total_seconds() if job.finished and job.started else None
    output.facts(
        [
            ("job", job.id),
            ("upload", Path(job.name).name),
            (
                "state",
                job.state.value + (" (asked to stop)" if job.cancel_requested and not job.finished else ""),
            ),
            ("verdict", job.verdict.value if job.verdict else None),
            ("reason", job.reason),
            ("advice", job.receipt.get("advice")),
            ("step", output.describe(job.progress) if job.progress and not job.state.terminal else None),
            ("version", job.version),
            ("compared with", job.champion),
            ("taken in by", job.leader),
            ("created", job.created),
            ("by", job.actor),
            ("took", output.span(seconds) if seconds is not None else None),
            ("note", job.options.note),
            *_found(job.report),
        ]
    )
    _print_rules(job.receipt)
    _print_comparison(job.receipt)


def _found(report: Mapping[str, Any]) -> list[tuple[str, object]]:
    """What ingest found in the upload."""
    if not report:
        return []
    accepted = ", ".join(f"{count:,} {name.lower()}" for name, count in report.get("accepted", {}).items())
    pairs: list[tuple[str, object]] = [("cells", accepted), ("patients", report.get("patients") or None)]
    counts = report.get("counts", {})
    for name in ("duplicates", "near_duplicates", "overlap", "quarantined"):
        count = counts.get(name, len(report.get(name) or ()))
        pairs.append((name.replace("_", " "), f"{count:,}" if count else None))
    refused = report.get("quarantined") or ()
    pairs += [("", f"{entry.get('name')}: {entry.get('reason')}") for entry in refused[:LISTED]]
    if len(refused) > LISTED:
        pairs.append(("", f"... and {len(refused) - LISTED:,} more; --json lists them"))
    return pairs + [("warning", text) for text in report.get("warnings", ())]


def _print_rules(receipt: Mapping[str, Any]) -> None:
    """The gate's rules: what was seen, within which bounds, and what it was held against."""
    from malaria.receipt import rules

    rows = rules(receipt.get("criteria", ()))
    if rows:
        output.table(
            ("rule", "seen", "bounds", "held against", ""), rows, right=("seen", "bounds", "held against")
        )


def _print_comparison(receipt: Mapping[str, Any]) -> None:
    """Champion and challenger side by side, on base and on the site's own gate patients."""
    rows = []
    for place in ("base", "site"):
        both = receipt.get(place) or {}
        before, after = both.get("champion"), both.get("challenger")
        if before and after:
            names = ("accuracy", "sensitivity", "specificity", "auc")
            rows += [(place, name, before.get(name), after.get(name), before.get("cells")) for name in names]
    if rows:
        columns = ("gate patients", "figure", "champion", "challenger", "cells")
        output.table(columns, rows, right=("champion", "challenger", "cells"))
