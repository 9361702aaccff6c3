"""What became of poisoned uploads, as tables."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from malaria import codec
from malaria.comparison import Seen
from malaria.criteria import points
from malaria.domain import Method, Verdict
from malaria.poison_trial import Outcome
from malaria.report import Table

FULL = (
    "The whole network was fine-tuned on the upload and on pictures of the NIH patients who do not play the "
    "laboratory, test patients left out, and judged by its own answers to the pictures, at its own operating "
    "point. Pictures of the other base laboratories (Chula, BCCD) were not stored: a network so trained sees "
    "none of them again, nor was it asked about them."
)
"""Of `full`, for a person."""


def tables(found: Sequence[Outcome], method: Method = Method.ADAPT) -> list[Table]:
    """A row for each kind of upload, of all its draws together. method: by which challengers were made."""
    kinds: dict[str, list[Outcome]] = {}
    for one in found:
        kinds.setdefault(one.upload.what, []).append(one)
    waited = [_after(kinds)] if any(one.after for one in found) else []
    said = _said(kinds)
    if method == Method.FULL:
        said = replace(said, note=f"{said.note} {FULL}")
    return [said, _costs(kinds), *waited]


def told(found: Sequence[Outcome]) -> dict[str, Any]:
    """Every upload with the job's report and receipt, for report.json; without the names of cells."""
    return {"uploads": [_told(one) for one in found]}


def _told(one: Outcome) -> dict[str, Any]:
    return {
        "what": one.upload.what,
        "cast": one.cast,
        "sent": len(one.upload.cells),
        "state": one.job.state.value,
        "verdict": one.job.verdict.value if one.job.verdict else None,
        "reason": one.job.reason,
        "counts": dict(one.job.report.get("counts", {})),
        "warnings": list(one.job.report.get("warnings", ())),
        "criteria": list(one.job.receipt.get("criteria", ())),
        "cost": codec.to_json(one.cost) if one.cost else None,
        "judged_with_it": bool(one.job.receipt.get("pooled")),
        "after": _told(one.after) if one.after else None,
    }


def _said(kinds: Mapping[str, Sequence[Outcome]]) -> Table:
    rows = []
    for what, draws in kinds.items():
        counts: Counter[str] = sum((Counter(one.job.report.get("counts", {})) for one in draws), Counter())
        verdicts = Counter(_verdict(one) for one in draws)
        stopped = Counter(name for one in draws for name in _stopped(one))
        rows.append(
            (
                what,
                sum(len(one.upload.cells) for one in draws),
                _ingested(counts),
                _numbered(verdicts, len(draws)),
                _numbered(stopped, len(draws)),
            )
        )
    return Table(
        "What ingest finds and the gate says",
        ("upload", "cells sent", "ingest", "verdict", "rules that were not met"),
        rows,
        "Cells of all draws together; in brackets in how many draws, where not in all. Undecidable is not "
        "promoted: it waits for more cells, or says that there is nothing to learn.",
    )


def _verdict(one: Outcome) -> str:
    return one.job.verdict.value if one.job.verdict else f"{one.job.state.value}: {one.job.reason}"


def _stopped(one: Outcome) -> list[str]:
    return [c["name"] for c in one.job.receipt.get("criteria", ()) if c.get("passed") is not True]


def _numbered(counts: Mapping[str, int], draws: int) -> str:
    return ", ".join(name if count == draws else f"{name} ({count})" for name, count in counts.items())


def _ingested(counts: Mapping[str, int]) -> str:
    names = {
        "accepted": "kept",
        "near_duplicates": "near copies",
        "duplicates": "copies",
        "quarantined": "set aside",
        "overlap": "kept out",
    }
    return ", ".join(f"{counts[key]:,} {name}" for key, name in names.items() if counts.get(key))


def _costs(kinds: Mapping[str, Sequence[Outcome]]) -> Table:
    rows = []
    for what, draws in kinds.items():
        served = f"{sum(one.job.verdict == Verdict.ACCEPTED for one in draws)} of {len(draws)}"
        costs = [one.cost for one in draws if one.cost]
        if not costs:
            rows.append((what, served, *["-"] * 5))
            continue
        names = ("site_sensitivity", "site_specificity", "own_sensitivity", "own_specificity")
        figures = (_bounded([getattr(cost, name) for cost in costs]) for name in names)
        before, after = (100 * sum(cost.door[i] for cost in costs) / len(costs) for i in (0, 1))
        rows.append((what, served, *figures, f"{before:.1f}% -> {after:.1f}%"))
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
        "Changes in points on cells of patients who were never uploaded, rightly labelled: the mean of the "
        "draws with a challenger, and in brackets the lowest and the highest of their one-sided 95% bounds "
        "over patients. There: under the laboratory's stain. Where no head was fitted there is no "
        "challenger. Patched: uninfected cells with the square of the back door, champion -> challenger.",
    )


def _after(kinds: Mapping[str, Sequence[Outcome]]) -> Table:
    rows = []
    for what, draws in kinds.items():
        nexts = [one.after for one in draws if one.after]
        if not nexts:
            continue
        served = sum(one.job.verdict == Verdict.ACCEPTED for one in nexts)
        both = sum(bool(one.job.receipt.get("pooled")) for one in nexts)
        costs = [one.cost for one in nexts if one.cost]
        rows.append(
            (
                what,
                f"{len(nexts)} of {len(draws)}",
                f"{both} of {len(nexts)}",
                f"{served} of {len(nexts)}",
                *(
                    _bounded([getattr(cost, name) for cost in costs]) if costs else "-"
                    for name in ("site_sensitivity", "site_specificity")
                ),
            )
        )
    return Table(
        "What waits, and what the next upload makes of it",
        (
            "upload",
            "waited",
            "the next was judged with it",
            "the next was served",
            "sensitivity there",
            "specificity there",
        ),
        rows,
        "An upload that is too small alone waits, and counts together with the next: here one of other "
        "patients of the same laboratory, rightly labelled. Where both together do not stand, the next is "
        "judged alone. Changes as above, of the challenger that was judged last.",
    )


def _bounded(seen: Sequence[Seen]) -> str:
    mean = sum(one.value for one in seen) / len(seen)
    low, high = min(one.low for one in seen), max(one.high for one in seen)
    return f"{points(mean)} ({points(low)} to {points(high)})"
