"""`malaria evaluate`: how good a model is on labelled cells."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from malaria.cli import output
from malaria.cli.common import JsonOption, ModelOption, ThresholdOption, base_roles, load_model, state

if TYPE_CHECKING:
    from malaria.evaluate import Evaluation

FIGURES = ("accuracy", "sensitivity", "specificity", "precision", "f1", "auc", "mcc", "brier", "ece")


def evaluate(
    ctx: typer.Context,
    data: Annotated[Path, typer.Option(help="ZIP or folder with Parasitized/ and Uninfected/.")],
    model: ModelOption = None,
    threshold: ThresholdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure a model on labelled cells, with 95% intervals over patients.

    Examples:

        malaria evaluate --data cells.zip

        malaria evaluate --data cells/ --model 20260102-1a2b3c4d --json
    """
    from malaria import evaluate as steps

    roles = base_roles(state(ctx).settings())
    loaded = load_model(ctx, model)
    with output.progress(lines=not as_json) as report:
        found = steps.evaluate(loaded, data, threshold=threshold, roles=roles, report=report)
    if as_json:
        output.print_json(told(found))
    else:
        _print(found)


def told(found: "Evaluation") -> dict[str, Any]:
    """The evaluation as one flat mapping, figures first."""
    from malaria import codec

    values = codec.to_json(found)
    figures = values.pop("metrics")
    groups, confusion = figures.pop("patients"), figures.pop("confusion")
    return {
        "model_version": values.pop("version"),
        **{name: figures.pop(name) for name in FIGURES},
        "confusion_matrix": confusion,
        "cells": figures.pop("cells"),
        "patients": values.pop("patients"),
        "groups": groups,
        **figures,
        **values,
    }


def _print(found: "Evaluation") -> None:
    figures = found.metrics
    output.facts(
        [
            ("model", found.version),
            ("data", found.source),
            (
                "cells",
                f"{figures.cells:,}: {figures.parasitized:,} parasitized, {figures.uninfected:,} uninfected",
            ),
            ("patients", f"{found.patients:,}" + _unknown(found)),
            ("threshold", f"{figures.threshold:.4f}"),
        ]
    )
    rows = []
    for name in FIGURES:
        value, between = getattr(figures, name), figures.intervals.get(name)
        rows.append((name, value, f"{between[0]:.4f} to {between[1]:.4f}" if between else ""))
    output.table(("figure", "value", "95% interval"), rows, right=("value",))
    c = figures.confusion
    output.table(
        ("label", "called parasitized", "called uninfected"),
        [("parasitized", c["tp"], c["fn"]), ("uninfected", c["fp"], c["tn"])],
        right=("called parasitized", "called uninfected"),
    )
    for bad in found.unreadable[:10]:
        output.note(f"not read: {output.printable(bad.name)}: {bad.reason}")
    if len(found.unreadable) > 10:
        output.note(f"... and {len(found.unreadable) - 10:,} more that could not be read.")
    if found.warning:
        output.note(f"warning: {found.warning}")


def _unknown(found: "Evaluation") -> str:
    return f", and {found.unknown_patients:,} cells of unknown patients" if found.unknown_patients else ""
