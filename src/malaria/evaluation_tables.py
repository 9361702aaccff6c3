"""An evaluation as JSON and as tables, alike in a terminal and in a report."""

from collections.abc import Mapping
from typing import Any

from malaria import codec, report
from malaria.errors import Damaged
from malaria.evaluation import Evaluation, Explained, OfKind, Rate, Reviewed
from malaria.metrics import Metrics
from malaria.paired import Drop
from malaria.report import Table

SETS = {"not_listed": "not listed as suspect", "listed": "listed as suspect"}


def told(found: Evaluation) -> dict[str, Any]:
    """The evaluation as one mapping, the figures of all cells first and flat."""
    values = codec.to_json(found)
    figures = values.pop("metrics")
    groups, confusion = figures.pop("patients"), figures.pop("confusion")
    return {
        "model_version": values.pop("version"),
        **{name: figures.pop(name) for name in report.FIGURES},
        "confusion_matrix": confusion,
        "cells": figures.pop("cells"),
        "patients": values.pop("patients"),
        "groups": groups,
        **figures,
        **values,
    }


def read(values: Mapping[str, Any]) -> Evaluation:
    """The evaluation of which these are the `told` values; what else stands there is passed over.

    Raises Damaged where they are those of no evaluation.
    """
    try:
        figures = {**values, "patients": values["groups"], "confusion": values["confusion_matrix"]}
        named = {**values, "version": values["model_version"], "metrics": figures}
    except KeyError as error:
        raise Damaged(f"It tells no {error.args[0]}, so it is the report of no evaluation.") from None
    return codec.from_json(Evaluation, named)


def tables(found: Evaluation) -> list[Table]:
    """What was found, the most important first."""
    made = [report.figures_table("Figures", _sets(found)), _confusion(found)]
    if found.reviewed:
        made.append(reviewed(found.reviewed))
    if found.kinds:
        made.append(kinds("By kind of cell", found.kinds))
    if found.not_cells:
        note = "These are no red cells; told is the share that is called parasitized all the same."
        made.append(kinds("What is no red cell", found.not_cells, note))
    if found.corruptions:
        made.append(corruptions(found))
    if found.stains:
        made.append(stains(found))
    if found.explained:
        made += [_hidden(found.explained), _pointing(found.explained)]
    if found.by_role:
        rows = [(role, f"{of['cells']:,}", of["patients"]) for role, of in found.by_role.items()]
        made.append(Table("Whose cells these are", ("role", "cells", "patients or fields"), rows))
    return made


def reviewed(of: Reviewed) -> Table:
    """What is sent to a person or gets no answer, and how good the other answers are."""
    rows = [("share sent to a person", _rate(of.sent))]
    if of.refused is not None:
        rows.append(("share that gets no answer", _rate(of.refused)))
    if of.wrong is not None and of.others is not None:
        rows.append(("wrong among the others", _rate(of.wrong)))
        for name in ("sensitivity", "specificity"):
            told = report.figure(of.others, name)
            rows += [(f"{report.FIGURES[name]} of the others", told)] if told else []
    note = f"Cells with a P(parasitized) between {of.low:.3f} and {of.high:.3f} ask for a person's look."
    if of.refused is not None:
        note += " So do those that may be no good cell; what surely is none gets no answer."
    return Table("What a person should look at", ("cells", "figure"), rows, note)


def _sets(found: Evaluation) -> dict[str, Metrics | None]:
    first = {"raw crops": found.metrics, "masked crops": found.masked} if found.fields else {}
    doubted = {SETS[name]: figures for name, figures in found.suspects.items()}
    return {**(first or {"all cells": found.metrics}), **doubted}


def _confusion(found: Evaluation) -> Table:
    rows = []
    for name, of in _sets(found).items():
        if of is not None:
            c = {outcome: f"{cells:,}" for outcome, cells in of.confusion.items()}
            rows += [(name, "parasitized", c["tp"], c["fn"]), (name, "uninfected", c["fp"], c["tn"])]
    return Table("Confusion", ("cells", "label", "called parasitized", "called uninfected"), rows)


def kinds(title: str, those: tuple[OfKind, ...], note: str = "") -> Table:
    """Kinds of cells below each other, each with its rate in either view."""
    columns = ("kind", "label", "cells", "fields", "figure", "raw crops", "masked crops")
    rows = [
        (
            of.kind,
            of.label.lower() or None,
            f"{of.cells:,}",
            of.groups,
            of.figure.replace("_", " "),
            *(report.with_interval(rate.value, rate.interval) for rate in of.rates.values()),
        )
        for of in those
    ]
    return Table(title, columns, rows, note)


def corruptions(found: Evaluation) -> Table:
    """What each disturbance costs, in points."""
    figures = ("accuracy", "sensitivity", "specificity", "auc")
    rows = [
        (one.kind, one.setting, *(_drop(one.drops.get(name)) for name in figures))
        for one in found.corruptions
    ]
    note = "In points (hundredths) below the same cells as they are; what is negative is a gain."
    columns = ("disturbance", "how much", *(report.FIGURES[name] for name in figures))
    return Table("Drop under disturbances", columns, rows, note)


def stains(found: Evaluation) -> Table:
    """The same cells under other stains."""
    figures = ("accuracy", "sensitivity", "specificity", "auc")
    rows = [
        (
            of.stain,
            *(report.figure(of.metrics, name) for name in figures),
            *(_drop(of.drops.get(name)) for name in ("sensitivity", "specificity")),
        )
        for of in found.stains
    ]
    lost = ("sensitivity falls by", "specificity falls by")
    note = (
        "Simulated: what light, camera and stain may do to the colours, the same for every cell. Falls are "
        "in points (hundredths) below the same cells in their own stain."
    )
    return Table(
        "Under other stains", ("stain", *(report.FIGURES[name] for name in figures), *lost), rows, note
    )


def _drop(drop: Drop | None) -> str | None:
    if drop is None:
        return None
    points, low, high = (round(value, 2) + 0.0 for value in (drop.points, *drop.interval))  # + 0.0: no -0.00
    return f"{points:.2f} ({low:.2f} to {high:.2f})"


def _hidden(found: Explained) -> Table:
    rows = [
        (
            of.cells,
            f"{of.count:,}",
            of.groups,
            of.tenth,
            *(_rate(rate) for rate in (of.probability, of.logit, of.flipped)),
        )
        for of in found.hidden
    ]
    note = (
        "A tenth of each cell is hidden, where its activation map is hottest or anywhere, and the cell is "
        "scored anew. Told are the mean drop of P(parasitized) and of its logit, and the share of cells that "
        "are no longer called parasitized."
    )
    columns = ("cells", "how many", "patients", "hidden", "drop of P", "drop of logit", "flipped")
    return Table("What a hidden tenth does", columns, rows, note)


def _pointing(found: Explained) -> Table:
    rows = [
        (
            of.form,
            f"{of.cells:,}",
            f"{of.called:,}",
            *(_rate(rate) for rate in (of.hits, of.chance, of.right, of.down)),
        )
        for of in found.pointing
    ]
    note = (
        "Synthetic cells, whose parasites are known. Of those called parasitized, the share whose hottest "
        "place lies on a parasite or up to half a grid cell beside it; the share expected of a random place "
        "in the cell; and how far the hottest place lies from the nearest parasite in the mean, in grid "
        "cells."
    )
    columns = ("parasites", "cells", "called parasitized", "hottest place on it", "random place on it")
    return Table("Pointing at parasites", (*columns, "off to the right", "off downwards"), rows, note)


def _rate(rate: Rate | None) -> str | None:
    return None if rate is None else report.with_interval(rate.value, rate.interval)
