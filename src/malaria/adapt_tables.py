"""What `adapt_curve` found, as tables: what a laboratory gains by so many cells beside what it costs."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from malaria import codec
from malaria.adapt_curve import Change, Drawn
from malaria.report import Table

SHOWN = {
    "sensitivity": "sensitivity",
    "specificity": "specificity",
    "auc": "AUC",
    "specificity_at_sensitivity_90": "specificity at sensitivity 0.90",
}
COST = ("accuracy", "sensitivity", "specificity")
NOTE = (
    "Each figure before -> after, the mean of the uploads drawn; in brackets the least and the most that one "
    "upload changed it, in points. Uploads are drawn from the same cells, so that is no interval. The "
    "laboratory: fields that the upload was not drawn from. NIH: validation patients that the refit did not "
    "look at, another fifth of them from upload to upload; the fifths are of unlike size, so their cells "
    "count alike, and of one upload few cells tell. Patients that play a simulated laboratory are ones that "
    "the network has learnt from."
)

Curves = Mapping[str, Mapping[str, Sequence[Drawn]]]
"""Uploads by the name of the settings and by laboratory."""


def told(found: Curves) -> dict[str, Any]:
    """Every upload, for report.json."""
    return {
        "uploads": {
            name: {site: [codec.to_json(one) for one in drawn] for site, drawn in sites.items()}
            for name, sites in found.items()
        }
    }


def tables(found: Curves) -> list[Table]:
    """A table for each laboratory."""
    sites = list(next(iter(found.values())))
    return [_table(site, {name: of[site] for name, of in found.items()}) for site in sites]


def _table(site: str, found: Mapping[str, Sequence[Drawn]]) -> Table:
    columns = (
        "settings",
        "cells",
        "parasitized",
        "uploads",
        "changed",
        *SHOWN.values(),
        *(f"NIH {name}" for name in COST),
    )
    rows = []
    for name, drawn in found.items():
        for cells in sorted({one.cells for one in drawn}):
            some = [one for one in drawn if one.cells == cells]
            rows.append(
                (
                    name,
                    cells,
                    f"{np.mean([one.parasitized for one in some]):.1f}",
                    len(some),
                    sum(one.changed for one in some),
                    *(_change([one.site[figure] for one in some]) for figure in SHOWN),
                    *(
                        _change([one.base[figure] for one in some], [of_base(one, figure) for one in some])
                        for figure in COST
                    ),
                )
            )
    return Table(site, columns, rows, NOTE)


def of_base(one: Drawn, figure: str) -> int:
    """How many cells of base patients tell a figure of an upload."""
    uninfected, parasitized = one.judged
    return {"sensitivity": parasitized, "specificity": uninfected}.get(figure, uninfected + parasitized)


def _change(of: Sequence[Change], cells: Sequence[int] | None = None) -> str | None:
    """cells: how many tell each; None: all count alike."""
    weights = cells or [1] * len(of)
    known = np.array([(*one, n) for one, n in zip(of, weights, strict=True) if None not in one], np.float64)
    if not len(known):
        return None
    gains = 100 * (known[:, 1] - known[:, 0])
    before, after = np.average(known[:, :2], axis=0, weights=known[:, 2])
    return f"{before:.3f} -> {after:.3f} ({gains.min():+.1f} to {gains.max():+.1f})"
