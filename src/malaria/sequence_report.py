"""What `sequence` found: a table, the sentence that sums it up, and a picture."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from malaria import codec, pictures
from malaria.report import Table
from malaria.sequence import BASE, FIGURES, After

PICTURE = "sequence.png"
COLOURS = ("#1f4e79", "#c55a11", "#548235", "#7f6000")


def told(found: Sequence[After], margin: float) -> dict[str, Any]:
    """For report.json."""
    return {"margin": margin, "falls": falls(found), "steps": [codec.to_json(step) for step in found]}


def falls(found: Sequence[After]) -> dict[str, dict[str, float]]:
    """By role and figure, the most that base patients ever lost against the first release, in points; below 0
    where they never lost."""
    first = found[0].base
    return {
        role: {
            name: max(100 * (first[role][name] - step.base[role][name]) for step in found[1:])
            for name in FIGURES
        }
        for role in BASE
    }


def tables(found: Sequence[After], margin: float) -> list[Table]:
    """One row for each upload."""
    sites, bases = list(found[0].sites), list(found[0].base)
    columns = ["upload", "of", "verdict", *sites, *(f"NIH {role}" for role in bases)]
    rows = [
        [
            step.number,
            step.site,
            step.verdict,
            *(_both(step.sites[site]) for site in sites),
            *(_both(step.base[role]) for role in bases),
        ]
        for step in found
    ]
    worst = "; ".join(
        f"{role} {name} {-points:+.2f}" for role, of in falls(found).items() for name, points in of.items()
    )
    note = (
        "Two numbers are sensitivity and specificity at the operating point. Laboratories: patients that "
        "were never uploaded. They are training patients under another stain, so their figures flatter; "
        "what counts is how they move. NIH: validation and gate patients, as the served version remembers "
        f"them. The largest fall against the first release, in points: {worst}; the gate allows "
        f"{100 * margin:.2f}."
    )
    return [Table("After each upload", columns, rows, note)]


def _both(of: Mapping[str, float]) -> str:
    return ", ".join(f"{of[name]:.3f}" for name in FIGURES)


def draw(folder: Path, found: Sequence[After], margin: float) -> Path:
    """A PNG: laboratories on the left, NIH patients with the margin on the right.

    Raises MissingPart where matplotlib is not installed.
    """
    pictures.need()
    import matplotlib as mpl
    from matplotlib.figure import Figure

    numbers = [step.number for step in found]
    with mpl.rc_context(fname=Path(mpl.get_data_path()) / "matplotlibrc"):
        figure = Figure(figsize=(10.0, 4.0), dpi=100, layout="constrained")
        left, right = figure.subplots(1, 2, sharex=True)
        for colour, site in zip(COLOURS, found[0].sites, strict=False):
            balanced = [sum(step.sites[site].values()) / len(FIGURES) for step in found]
            left.plot(numbers, balanced, color=colour, marker=".", label=site)
        for colour, name in zip(COLOURS, FIGURES, strict=False):
            for role, style in (("gate", "-"), ("validation", "--")):
                values = [step.base[role][name] for step in found]
                right.plot(numbers, values, style, color=colour, marker=".", label=f"{role}, {name}")
            right.axhline(found[0].base["gate"][name] - margin, color=colour, linestyle=":", linewidth=1)
        left.set(title="laboratories", ylabel="balanced accuracy", xlabel="uploads")
        right.set(title="NIH patients; dotted, what gate patients may lose", xlabel="uploads")
        for axes in (left, right):
            axes.legend(fontsize=8)
        figure.savefig(folder / PICTURE, format="png", metadata={"Software": None})
    return folder / PICTURE
