"""What became of poisoned uploads, as tables."""

from collections.abc import Mapping, Sequence
from typing import Any

from malaria import codec
from malaria.comparison import Seen
from malaria.criteria import points
from malaria.domain import Verdict
from malaria.poison_trial import Outcome
from malaria.report import Table


def tables(found: Sequence[Outcome]) -> list[Table]:
    return [_said(found), _costs(found)]


def told(found: Sequence[Outcome]) -> dict[str, Any]:
    """Every upload with the job's report and receipt, for report.json; without the names of cells."""
    return {
        "uploads": [
            {
                "what": one.upload.what,
                "sent": len(one.upload.cells),
                "state": one.job.state.value,
                "verdict": one.job.verdict.value if one.job.verdict else None,
                "reason": one.job.reason,
                "counts": dict(one.job.report.get("counts", {})),
                "warnings": list(one.job.report.get("warnings", ())),
                "criteria": list(one.job.receipt.get("criteria", ())),
                "cost": codec.to_json(one.cost) if one.cost else None,
            }
            for one in found
        ]
    }


def _said(found: Sequence[Outcome]) -> Table:
    rows = []
    for one in found:
        counts, receipt = one.job.report.get("counts", {}), one.job.receipt
        stopped = [c["name"] for c in receipt.get("criteria", ()) if c.get("passed") is not True]
        rows.append(
            (
                one.upload.what,
                len(one.upload.cells),
                _ingested(counts),
                one.job.verdict.value if one.job.verdict else one.job.state.value,
                ", ".join(stopped) or ("" if one.job.verdict else one.job.reason),
            )
        )
    return Table(
        "What ingest finds and the gate says",
        ("upload", "cells sent", "ingest", "verdict", "rules that were not met"),
        rows,
        "Undecidable is not promoted: it waits for more cells, or says that there is nothing to learn.",
    )


def _ingested(counts: Mapping[str, int]) -> str:
    names = {
        "accepted": "kept",
        "near_duplicates": "near copies",
        "duplicates": "copies",
        "quarantined": "set aside",
        "overlap": "kept out",
    }
    return ", ".join(f"{counts[key]:,} {name}" for key, name in names.items() if counts.get(key))


def _costs(found: Sequence[Outcome]) -> Table:
    rows = []
    for one in found:
        name = f"{one.upload.what}"
        served = "yes" if one.job.verdict == Verdict.ACCEPTED else "no"
        if one.cost is None:
            rows.append((name, served, *["-"] * 5))
            continue
        cost = one.cost
        seen = (cost.site_sensitivity, cost.site_specificity, cost.own_sensitivity, cost.own_specificity)
        door = f"{100 * cost.door[0]:.1f}% -> {100 * cost.door[1]:.1f}%"
        rows.append((name, served, *(_bounded(of) for of in seen), door))
    return Table(
        "What each challenger would cost, and which is served",
        (
            "upload",
            "served",
            "sensitivity there",
            "specificity there",
            "sensitivity, own stain",
            "specificity, own stain",
            "patched cells called parasitized",
        ),
        rows,
        "Changes in points on cells of patients who were never uploaded, rightly labelled; in brackets the "
        "one-sided 95% bounds over patients. There: under the laboratory's stain. Where no head was fitted "
        "there is no challenger. Patched: uninfected cells with the square of the back door, champion -> "
        "challenger.",
    )


def _bounded(seen: Seen) -> str:
    return f"{points(seen.value)} ({points(seen.low)} to {points(seen.high)})"
