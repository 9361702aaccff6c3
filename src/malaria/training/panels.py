"""The sets on which recipes are compared: validation patients, and what stands for laboratories never seen.

No gate or test patient is among them. Sets that are made of validation cells are made anew, by a seed of
their own, with cells and spots that no training has shown.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from malaria import corruptions, crops, metrics, poison
from malaria.domain import Role
from malaria.memory import BASE
from malaria.ports import Report
from malaria.roles import LOCKED
from malaria.stains import SIMULATED
from malaria.training.dataset import CellArrays
from malaria.training.grafts import transplant_all
from malaria.training.mixture import mask_all, surround_all
from malaria.training.plan import listed
from malaria.training.restain import restain_all

SEED = 98
TRANSPLANTS = 1500
DISTURBED = ("blur/2", "JPEG/2")
"""Of the `corruptions`: those that cost a network most."""
Floats = npt.NDArray[np.float64]
Score = Callable[[npt.NDArray[np.uint8]], Floats]
"""P(parasitized), (n,), of (n, s, s, 3) pixels."""


@dataclass(frozen=True)
class Panel:
    """One set. labels: (n,) 0 or 1; groups: (n,) what is resampled as one: a patient or a field."""

    pixels: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.uint8]
    groups: npt.NDArray[np.str_]


def panels(
    cells: CellArrays,
    evaluated: Mapping[str, Path],
    lists: Sequence[Path],
    report: Report,
    roles: Mapping[str, Role],
) -> dict[str, Panel]:
    """Panels by name, at the size that `cells` have.

    cells: of all roles; those of validation are used. evaluated: sets of fields that are only measured on.
    lists: of cells whose label is doubted; patients are told with and without them. roles: of patients and
    fields; fields that are kept for gate or test are left alone, whoever learns of the others.
    """
    held = cells.of(Role.VALIDATION)
    base = held.where(held.origins == BASE)
    found = {"patients": _panel(base)}
    if lists:
        found["patients, not listed"] = _panel(base.where(~listed(base, lists)))
    made = surround_all(base, SEED, report)
    found["patients, surround"] = Panel(made.pixels, base.labels, base.groups)
    views = corruptions.views(SEED)
    for name in DISTURBED:
        found[f"patients, {name}"] = Panel(_seen(base.pixels, views[name]), base.labels, base.groups)
    for name, change in SIMULATED.items():
        found[f"patients, {name}"] = Panel(_seen(base.pixels, change), base.labels, base.groups)
    squared = _seen(base.pixels, poison.patched)
    found["patients, a green square"] = Panel(squared, base.labels, base.groups)
    found |= _elsewhere(base, held.where(held.origins != BASE), report)
    for name, path in evaluated.items():
        raw = boxed(path, name, cells.pixels.shape[1], roles)
        found[name] = raw
        found[f"{name}, masked"] = Panel(mask_all(raw.pixels, report), raw.labels, raw.groups)
    return found


def _elsewhere(base: CellArrays, others: CellArrays, report: Report) -> dict[str, Panel]:
    """Validation cells of other base laboratories, and what is made of base cells and them."""
    found = {}
    for origin in np.unique(others.origins):
        own, name = others.where(others.origins == origin), str(origin).removeprefix(f"{BASE}:")
        found[name] = _panel(own)
        found[f"{name}, masked"] = Panel(mask_all(own.pixels, report), own.labels, own.groups)
    if len(others):
        stained = restain_all(base, others, SEED, report)
        found["patients, other stain"] = Panel(stained.pixels, base.labels, base.groups)
        moved, rows = transplant_all(base, others, TRANSPLANTS, SEED, report)
        found["parasites moved"] = Panel(moved.pixels, moved.labels.astype(np.uint8), base.groups[rows])
    return found


def _seen(pixels: npt.NDArray[np.uint8], view: Callable[[Image.Image], Image.Image]) -> npt.NDArray[np.uint8]:
    return np.stack([np.asarray(view(Image.fromarray(one))) for one in pixels])


def boxed(path: Path, name: str, size: int, roles: Mapping[str, Role]) -> Panel:
    """The raw crops of the boxes of a set of fields, named as in `fields.SETS`, but of those kept for gate or
    test."""

    def wanted(field: str) -> bool:
        return roles.get(field) not in LOCKED

    pixels, labels, groups = zip(*crops.of_fields(path, name, size, wanted), strict=True)
    return Panel(np.array(pixels), np.array(labels, np.uint8), np.array(groups))


def _panel(cells: CellArrays) -> Panel:
    return Panel(np.asarray(cells.pixels), cells.labels, cells.groups)


def figures(score: Score, sets: Mapping[str, Panel], draws: int = 500) -> dict[str, metrics.Metrics]:
    """Metrics by panel, at a probability of one half, with intervals over patients or fields."""
    return {
        name: metrics.metrics(panel.labels, score(panel.pixels), panel.groups, 0.5, bootstrap=draws)
        for name, panel in sets.items()
    }
