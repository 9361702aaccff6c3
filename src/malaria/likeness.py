"""How far a training that was repeated is off from the first: figures, probabilities, files, packages."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from malaria import codec
from malaria.domain import ModelVersion
from malaria.lineage import Step, steps
from malaria.report import FIGURES, Table

POINT = ("threshold", "review from", "review to")
COMPARED = ("accuracy", "sensitivity", "specificity", "auc", "brier", "ece")

Floats = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class Pair:
    """A figure of one set, then and now. points: hundredths, now less then. interval: the first's 95% one.
    within: whether the figure now lies in it; None where there is none."""

    of: str
    figure: str
    then: float
    now: float
    points: float
    interval: tuple[float, float] | None
    within: bool | None


@dataclass(frozen=True, slots=True)
class Apart:
    """Probabilities of the same cells by both files. largest, mean: absolute differences. changed: cells that
    are called otherwise at each version's own operating point."""

    cells: int
    largest: float
    mean: float
    changed: int


@dataclass(frozen=True, slots=True)
class Repeated:
    """One step: the version that it made then and that it made now."""

    then: str
    then_digest: str
    now: str
    now_digest: str

    @property
    def equal(self) -> bool:
        return self.then_digest == self.now_digest


@dataclass(frozen=True)
class Likeness:
    """repeated: every step, the last one last. apart: by the origin of validation cells. cells: how many were
    remembered then and now, and how many of these are the same pixels. same_content: whether both files
    compute alike, whatever their parts are called. operating: threshold, and the review band with what it
    sends and leaves wrong, as (then, now), by name. packages, project: what differs in packages and code, as
    (then, now), by name; None where one does not tell."""

    repeated: tuple[Repeated, ...]
    pairs: tuple[Pair, ...]
    apart: Mapping[str, Apart]
    cells: tuple[int, int, int]
    same_content: bool
    operating: Mapping[str, tuple[float | None, float | None]] = field(default_factory=dict)
    packages: Mapping[str, tuple[str | None, str | None]] = field(default_factory=dict)
    project: Mapping[str, tuple[str | None, str | None]] = field(default_factory=dict)

    @property
    def equal(self) -> bool:
        """Whether the last step made the very same file."""
        return self.repeated[-1].equal


def pairs(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Pair]:
    """Figures of the sets that two manifests tell, side by side."""
    for of in sorted(then.keys() & now.keys()):
        for figure in COMPARED:
            before, after = then[of].get(figure), now[of].get(figure)
            if before is None or after is None:
                continue
            between = (then[of].get("intervals") or {}).get(figure)
            interval = (float(between[0]), float(between[1])) if between else None
            within = interval[0] <= after <= interval[1] if interval else None
            yield Pair(of, figure, before, after, 100 * (after - before), interval, within)


def apart(then: Floats, now: Floats, at: tuple[float, float]) -> Apart:
    """then, now: (n,) probabilities of the same cells; at: the operating points."""
    gaps = np.abs(now - then)
    changed = int(np.count_nonzero((then >= at[0]) != (now >= at[1])))
    return Apart(len(gaps), float(gaps.max(initial=0.0)), float(gaps.mean()) if len(gaps) else 0.0, changed)


def differing(then: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, tuple[str | None, str | None]]:
    """What two mappings tell otherwise, as text; what only the newer one tells is passed over, since older
    manifests tell less."""
    told = {name: (_text(then[name]), _text(now.get(name))) for name in then}
    return {name: pair for name, pair in sorted(told.items()) if pair[0] != pair[1]}


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def of_manifests(then: ModelVersion, now: ModelVersion) -> dict[str, Any]:
    """Operating points, and what differs in packages and code: the fields of a Likeness."""
    before, after = _last(then), _last(now)
    point, other = _operating(then), _operating(now)
    return {
        "operating": {name: (point.get(name), other.get(name)) for name in point | other},
        "packages": differing(before.packages, after.packages),
        "project": differing(before.project or {"commit": None}, after.project),
    }


def _operating(info: ModelVersion) -> dict[str, float]:
    """Older manifests tell no review band."""
    band = info.review
    told = (
        {"review from": band.low, "review to": band.high, "sent": band.sent, "wrong": band.wrong}
        if band
        else {}
    )
    return {"threshold": info.threshold, **told}


def _last(info: ModelVersion) -> Step:
    return steps(info)[-1]


def sentence(of: Likeness) -> str:
    """How far it is off, in a sentence or a few."""
    if of.equal:
        return f"The very same file, bit for bit.{_moved(of)}"
    if of.same_content:
        return f"The same weights; only names within the file differ.{_moved(of)}"
    known = [pair for pair in of.pairs if pair.within is not None]
    inside = sum(bool(pair.within) for pair in known)
    cells, changed = (sum(getattr(one, name) for one in of.apart.values()) for name in ("cells", "changed"))
    largest = max((one.largest for one in of.apart.values()), default=0.0)
    mean = sum(one.mean * one.cells for one in of.apart.values()) / max(cells, 1)
    return (
        f"Not the same file. {inside} of {len(known)} figures lie within the intervals of the first. On "
        f"{cells:,} validation cells probabilities differ by {mean:.2g} in the mean and by {largest:.2g} at "
        f"most; {changed:,} are called otherwise.{_moved(of)}"
    )


def _moved(of: Likeness) -> str:
    """How the operating point moved; the same file may be given another by other code."""
    told = [
        f"{name} {_number(then)} then, {_number(now)} now"
        for name, (then, now) in of.operating.items()
        if name in POINT and then is not None and _number(then) != _number(now)
    ]
    return f" The operating point moved: {'; '.join(told)}." if told else ""


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.4f}"


def told(of: Likeness) -> dict[str, Any]:
    """For programs."""
    return {"equal": of.equal, "sentence": sentence(of), **codec.to_json(of)}


def tables(of: Likeness) -> list[Table]:
    """What was found, the most important first."""
    found = [_figures(of), _apart(of)]
    if of.operating:
        found.append(_points(of))
    found.append(_files(of))
    differs = [(name, *pair) for name, pair in {**of.packages, **of.project}.items()]
    if differs:
        found.append(Table("What else differs", ("of", "then", "now"), differs))
    return found


def _figures(of: Likeness) -> Table:
    rows = [
        (
            one.of,
            FIGURES[one.figure],
            f"{one.then:.4f}",
            f"{one.now:.4f}",
            f"{one.points + 0.0:+.2f}",
            f"{one.interval[0]:.4f} to {one.interval[1]:.4f}" if one.interval else None,
            {True: "yes", False: "no", None: None}[one.within],
        )
        for one in of.pairs
    ]
    columns = ("cells", "figure", "then", "now", "points", "interval then", "within")
    return Table("Figures", columns, rows, sentence(of))


def _apart(of: Likeness) -> Table:
    rows = [
        (name, f"{one.cells:,}", f"{one.mean:.2e}", f"{one.largest:.2e}", f"{one.changed:,}")
        for name, one in of.apart.items()
    ]
    before, after, same = of.cells
    note = f"Cells remembered: {before:,} then, {after:,} now, {same:,} of them with the same pixels."
    return Table(
        "Probabilities of validation cells",
        ("cells of", "cells", "mean difference", "largest", "called otherwise"),
        rows,
        note,
    )


def _points(of: Likeness) -> Table:
    rows = [
        (name, *(None if one is None else _number(one) for one in pair))
        for name, pair in of.operating.items()
    ]
    note = (
        "From the threshold on a cell is called parasitized; between the review bounds it is sent to a "
        "person. Shares of validation cells: sent, and wrong among the others."
    )
    return Table("Operating point", ("of", "then", "now"), rows, note)


def _files(of: Likeness) -> Table:
    rows = [
        (
            one.then,
            one.now,
            f"{one.then_digest[:12]}...",
            f"{one.now_digest[:12]}...",
            "yes" if one.equal else "no",
        )
        for one in of.repeated
    ]
    return Table("Files", ("version then", "now", "SHA-256 then", "now", "equal"), rows)
