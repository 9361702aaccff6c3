"""The gate's receipt as a page that a person reads: the verdict, why, each rule, and what it rests on."""

from collections.abc import Mapping, Sequence
from typing import Any

from malaria.domain import Job, Verdict
from malaria.errors import NotFound
from malaria.report import FIGURES, grid, with_interval

MEANS = {
    Verdict.ACCEPTED: "The new model meets every rule; it is served.",
    Verdict.REJECTED: "The new model is worse; the served model stays.",
    Verdict.UNDECIDABLE: "It cannot be told which model is better; the served model stays.",
}
OUTCOME = {True: "passed", False: "broken", None: "cannot be decided"}
COUNTS = ("site size", "file size", "learning")
"""Rules whose figures are whole numbers: cells and bytes."""
SHOWN = ("sensitivity", "specificity", "auc", "brier", "ece")
REVIEWED = {"sent": "sent to a person", "wrong": "wrong among the others"}
BOTH = ("champion", "challenger")


def needed(job: Job) -> Mapping[str, Any]:
    """The job's receipt. Raises NotFound where it has none."""
    if job.verdict is None or not job.receipt:
        raise NotFound(f"Job {job.id} has no receipt: it is {job.state.value}. {job.reason}".strip())
    return job.receipt


def markdown(job: Job) -> str:
    """The receipt of a job. Raises NotFound where it has none."""
    told = needed(job)
    verdict = Verdict(told.get("verdict", job.verdict))
    parts = [f"# {verdict.value.capitalize()}", MEANS[verdict], grid(("", ""), _facts(job, told))]
    parts += ["## Why", str(told.get("reason", ""))]
    parts += ["## What would help", str(told["advice"])] if told.get("advice") else []
    parts += ["## Each rule", *_rules(told.get("criteria", ()))]
    parts += ["## Both models on the same patients", *_figures(told)]
    parts += ["## Cells that changed hands", *_moved(told)]
    parts += ["## Labels to look at", *_doubted(told["doubted"])] if told.get("doubted") else []
    return "\n\n".join(parts) + "\n"


def _facts(job: Job, told: Mapping[str, Any]) -> list[tuple[str, object]]:
    look = told.get("look") or None
    pairs = [
        ("job", job.id),
        ("upload", job.name),
        ("by", job.actor or None),
        ("finished", f"{job.finished:%Y-%m-%d %H:%M} UTC" if job.finished else None),
        ("served model, the champion", job.champion),
        ("new model, the challenger", job.version or "none: nothing was learnt"),
        ("first release, from which the champion descends", told.get("first") or None),
        ("look at the base gate patients", f"number {look}" if look else None),
        ("SHA-256 of the cells", job.dataset),
        ("note", job.options.note or None),
    ]
    return [(name, value) for name, value in pairs if value is not None]


def rules(criteria: Sequence[Mapping[str, Any]]) -> list[tuple[str, str | None, str | None, str, str]]:
    """Of each rule: its name, what was seen, within which bounds, what it was held against, the outcome."""
    return [
        (
            c["name"],
            _number(c, c.get("value")),
            _between(c),
            _number(c, c["bound"]) or "",
            OUTCOME[c.get("passed")],
        )
        for c in criteria
    ]


def _number(rule: Mapping[str, Any], value: float | None) -> str | None:
    if value is None:
        return None
    return f"{value:,.0f}" if rule["name"] in COUNTS else f"{value:.4f}"


def _between(rule: Mapping[str, Any]) -> str | None:
    low, high = rule.get("low"), rule.get("high")
    return None if low is None or high is None else f"{low:.4f} to {high:.4f}"


def _rules(criteria: Sequence[Mapping[str, Any]]) -> list[str]:
    """The table of the rules; then each as a sentence."""
    broken = OUTCOME[False]
    rows = [(*row, f"**{broken}**" if end == broken else end) for *row, end in rules(criteria)]
    table = grid(("rule", "seen", "bounds", "held against", "outcome"), rows)
    note = (
        "Bounds are one-sided, 95%. Differences are challenger minus champion, or minus the first release "
        "where the rule says so; higher is better."
    )
    return [table, note, "\n".join(f"- {c['text']}" for c in criteria)]


def _figures(told: Mapping[str, Any]) -> list[str]:
    sets = {place: told[place] for place in ("base", "site") if told.get(place)}
    rows = [
        (
            place,
            _size(both),
            FIGURES[name],
            *(_figure(both[who], name) for who in BOTH),
        )
        for place, both in sets.items()
        for name in SHOWN
    ]
    rows += [
        (place, _size(sets[place]), text, *(_share(told["review"][place], who, name) for who in BOTH))
        for place in sets
        if place in told.get("review", {})
        for name, text in REVIEWED.items()
    ]
    if not rows:
        return ["There was nothing to compare on."]
    return [grid(("gate", "cells of patients", "figure", "champion", "challenger"), rows)]


def _size(both: Mapping[str, Any]) -> str:
    return f"{both['champion']['cells']:,} of {both['champion']['patients']:,}"


def _share(both: Mapping[str, Any], who: str, name: str) -> str | None:
    value = both.get(who, {}).get(name)
    return None if value is None else f"{value:.3f}"


def _figure(of: Mapping[str, Any], name: str) -> str | None:
    value, interval = of.get(name), of.get("intervals", {}).get(name)
    return None if value is None else with_interval(value, tuple(interval) if interval else None)


def _doubted(those: Sequence[Mapping[str, Any]]) -> list[str]:
    """Cells of the upload, as far as they are told."""
    rows = [(cell["name"], cell["patient"], cell["label"], f"{cell['champion']:.3f}") for cell in those]
    note = (
        "The served model is sure that these are of the other class. Either labels are wrong, or the model "
        "does not know such cells."
    )
    return [note, grid(("cell", "patient or field", "label", "P(parasitized)"), rows)]


def _moved(told: Mapping[str, Any]) -> list[str]:
    """How many changed hands, and the cells, as far as they are told."""
    counts = [
        f"Of {of['cells']:,} {place} cells {of['gained']:,} are answered rightly by the challenger alone and "
        f"{of['lost']:,} by the champion alone."
        for place, of in (told.get("changed") or {}).items()
    ]
    rows = [
        (
            place,
            cell["name"],
            cell["patient"],
            cell["label"],
            f"{cell['champion']:.3f} -> {cell['challenger']:.3f}",
            "gained" if cell["gained"] else "lost",
        )
        for place, those in (told.get("moved") or {}).items()
        for cell in those
    ]
    if not rows:
        return [*counts, "No cell changed hands." if counts else "There was nothing to compare on."]
    return [*counts, grid(("gate", "cell", "patient or field", "label", "P(parasitized)", ""), rows)]
