"""Confusion matrix, ROC curve and reliability curve of a model, as PNG files.

Drawn by matplotlib without a window and with its own defaults, so the same answers give the same bytes where
the same matplotlib is installed. Bands are 95%, by resampling patients.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from malaria import ranking
from malaria.bootstrap import Floats, Groups, Labels, drawn_rankings, drawn_sums
from malaria.domain import CLASSES
from malaria.errors import MissingPart, how_to_add

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BINS = 10
DRAWS = 200
GRID = np.linspace(0, 1, 201)
INK, BAND = "#1f4e79", "#9dbbd8"


def write(
    folder: Path,
    labels: Labels,
    probabilities: npt.NDArray[np.floating],  # type: ignore[type-arg]
    groups: Groups,
    threshold: float,
    *,
    seed: int = 0,
) -> list[Path]:
    """Write confusion.png, roc.png (where both classes are there) and reliability.png of n cells.

    labels: (n,) 0 uninfected, 1 parasitized. probabilities: (n,) P(parasitized). groups: (n,) the patient,
    resampled as one. threshold: the operating point, marked on the curve. The folder must be there.

    Raises:
        MissingPart: matplotlib is not installed.
    """
    p = np.asarray(probabilities, np.float64)
    written = [save(folder / "confusion.png", lambda axes: _confusion(axes, labels, p >= threshold))]
    if 0 < int((labels == 1).sum()) < len(labels):
        written.append(save(folder / "roc.png", lambda axes: _roc(axes, labels, p, groups, threshold, seed)))
    written.append(save(folder / "reliability.png", lambda axes: _reliability(axes, labels, p, groups, seed)))
    return written


def need() -> None:
    """Raises MissingPart where matplotlib is not installed."""
    try:
        import matplotlib as mpl  # noqa: F401
    except ImportError:
        raise MissingPart(f"Drawing curves needs matplotlib: {how_to_add('train')}.") from None


def save(path: Path, draw: Callable[["Axes"], None]) -> Path:
    """Write one picture; `draw` is given its axes. Raises MissingPart as `need` does."""
    need()
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(fname=Path(mpl.get_data_path()) / "matplotlibrc"):
        figure = Figure(figsize=(4.8, 4.8), dpi=120, layout="constrained")
        draw(figure.add_subplot())
        figure.savefig(path, format="png", metadata={"Software": None})
    return path


def _confusion(axes: "Axes", labels: Labels, called: npt.NDArray[np.bool_]) -> None:
    """Rows are labels, columns what the model calls them; shades are shares of the row."""
    counts = np.array([[((labels == y) & (called == c)).sum() for c in (1, 0)] for y in (1, 0)])
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    names = [CLASSES[1].lower(), CLASSES[0].lower()]
    axes.set_xticks([0, 1], names)
    axes.set_yticks([0, 1], names, rotation=90, va="center")
    axes.set(xlabel="called", ylabel="label")
    for (row, column), count in np.ndenumerate(counts):
        colour = "white" if shares[row, column] > 0.5 else "black"
        text = f"{count:,}\n{shares[row, column]:.1%}"
        axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=13)


def _roc(axes: "Axes", labels: Labels, p: Floats, groups: Groups, threshold: float, seed: int) -> None:
    steps = ranking.order(labels, p).steps(np.ones(len(p)))
    sensitivity, specificity = ranking.rates(steps)
    drawn = drawn_rankings(labels, groups, p, _heights, DRAWS, seed)
    low, high = np.quantile(drawn, (0.025, 0.975), axis=0)
    axes.fill_between(GRID, low, high, color=BAND, linewidth=0, label="95%, over patients")
    axes.plot(1 - specificity, sensitivity, color=INK, label=f"AUC {ranking.area(steps):.4f}")
    called, ill = p >= threshold, labels == 1
    axes.plot(called[~ill].mean(), called[ill].mean(), "o", color=INK, label=f"threshold {threshold:.3f}")
    axes.plot((0, 1), (0, 1), ":", color="grey", linewidth=1)
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="1 - specificity", ylabel="sensitivity", aspect="equal")
    axes.legend(loc="lower right")


def _heights(steps: ranking.Steps) -> Floats:
    """The curve's height at each share of false alarms of GRID."""
    sensitivity, specificity = ranking.rates(steps)
    return sensitivity[np.searchsorted(specificity, 1 - GRID - 1e-12)]


def _reliability(axes: "Axes", labels: Labels, p: Floats, groups: Groups, seed: int) -> None:
    """In bins of equal width: how often cells of such a probability are parasitized; dots grow with cells."""
    place = np.minimum((p * BINS).astype(np.intp), BINS - 1)
    inside = place[:, np.newaxis] == np.arange(BINS)
    columns = np.concatenate([inside, inside & (labels == 1)[:, np.newaxis]], axis=1).astype(np.float64)
    cells, ill = np.split(columns.sum(axis=0), 2)
    drawn = drawn_sums(labels, groups, columns, 5 * DRAWS, seed)
    axes.plot((0, 1), (0, 1), ":", color="grey", linewidth=1)
    for i in np.flatnonzero(cells):
        known = drawn[drawn[:, i] > 0]
        low, high = np.quantile(known[:, BINS + i] / known[:, i], (0.025, 0.975))
        said = p[inside[:, i]].mean()
        axes.plot((said, said), (low, high), color=BAND, linewidth=4, solid_capstyle="butt")
        size = 3 + 9 * np.sqrt(cells[i] / cells.max())
        axes.plot(said, ill[i] / cells[i], "o", color=INK, markersize=size)
    axes.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), aspect="equal")
    axes.set(xlabel="probability of a parasite, as said", ylabel="share that is parasitized")
