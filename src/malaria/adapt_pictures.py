"""What `adapt_curve` found, as one picture for each laboratory: figures by the number of cells labelled."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from malaria import pictures
from malaria.adapt_curve import Change, Drawn
from malaria.adapt_tables import Curves, of_base

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FIGURES = ("sensitivity", "specificity")
COLOURS = ("#1f4e79", "#c55a11")


def write(folder: Path, found: Curves) -> list[Path]:
    """One PNG for each laboratory that an upload changed anything at; rows are variants, the left column is
    the laboratory's other fields, the right one NIH patients. Bands: from the worst to the best change.

    Raises MissingPart where matplotlib is not installed.
    """
    pictures.need()
    sites = list(next(iter(found.values())))
    changed = [site for site in sites if any(one.changed for of in found.values() for one in of[site])]
    return [_picture(folder, site, {name: of[site] for name, of in found.items()}) for site in changed]


def _picture(folder: Path, site: str, found: Mapping[str, Sequence[Drawn]]) -> Path:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    path = folder / f"{re.sub('[^a-z0-9]+', '-', site.lower())}.png"
    with mpl.rc_context(fname=Path(mpl.get_data_path()) / "matplotlibrc"):
        figure = Figure(figsize=(9.0, 0.4 + 2.2 * len(found)), dpi=100, layout="constrained")
        grid = figure.subplots(len(found), 2, sharex=True, squeeze=False)
        for row, (name, drawn) in zip(grid, found.items(), strict=True):
            for axes, of, where in ((row[0], "site", site), (row[1], "base", "NIH patients")):
                for colour, figure_name in zip(COLOURS, FIGURES, strict=True):
                    told = [
                        (
                            one.cells,
                            getattr(one, of)[figure_name],
                            of_base(one, figure_name) if of == "base" else 1,
                        )
                        for one in drawn
                    ]
                    _band(axes, told, colour, figure_name)
                axes.set(title=f"{where}: {name}", xscale="log")
                axes.title.set_fontsize(9)
        sizes = sorted({one.cells for drawn in found.values() for one in drawn})
        for axes in grid[-1]:
            axes.set_xticks(sizes, [str(size) for size in sizes])
            axes.minorticks_off()
            axes.set_xlabel("cells labelled")
        grid[0][0].legend(loc="lower right", fontsize=8)
        figure.savefig(path, format="png", metadata={"Software": None})
    return path


def _band(axes: "Axes", told: Sequence[tuple[int, Change, int]], colour: str, name: str) -> None:
    """What uploads of each size change, mean, worst and best, laid onto the mean of what it was before, which
    is dotted: uploads are judged by unlike patients, and how these differ is not what is shown.

    told: cells labelled, the figure, and how many cells tell it.
    """
    pairs = [(cells, was, now, n) for cells, (was, now), n in told if was is not None and now is not None]
    sizes = sorted({cells for cells, _, _ in told})
    gains = [[(now - was, n) for cells, was, now, n in pairs if cells == size] for size in sizes]
    if not pairs or not all(gains):
        return
    before = float(np.average([was for _, was, _, _ in pairs], weights=[n for *_, n in pairs]))
    axes.axhline(before, color=colour, linestyle=":", linewidth=1)
    low, high = ([before + end(some)[0] for some in gains] for end in (min, max))
    axes.fill_between(sizes, low, high, color=colour, alpha=0.2, linewidth=0)
    means = [before + float(np.average([g for g, _ in some], weights=[n for _, n in some])) for some in gains]
    axes.plot(sizes, means, color=colour, marker=".", label=name)
