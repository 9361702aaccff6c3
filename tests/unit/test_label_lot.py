"""How many cells the guided path of the page asks for: as many as the gate's defaults can decide on."""

import math
import random
import re
from collections import defaultdict
from pathlib import Path

import pytest

from malaria.criteria import DEFAULTS
from malaria.domain import Label, Role
from malaria.roles import SITE_GATE_SHARE, share_out

DRAWS = 200
JUST_ENOUGH = math.ceil(DEFAULTS.min_site_cells / SITE_GATE_SHARE)


@pytest.fixture(scope="module")
def lot(root: Path) -> int:
    """What the page asks for where the server does not say what it wants."""
    told = re.search(r"USUAL = (\d+);", (root / "ui/src/parts/enough.ts").read_text(encoding="utf-8"))
    assert told
    return int(told[1])


def test_the_page_asks_for_what_the_defaults_come_to(lot: int, root: Path) -> None:
    margin = re.search(r"MARGIN = (\d+);", (root / "ui/src/parts/enough.ts").read_text(encoding="utf-8"))
    assert margin and lot == int(margin[1]) * JUST_ENOUGH


@pytest.mark.parametrize("patients", [None, 20, 10, 4])
@pytest.mark.parametrize("parasitized", [0.25, 0.5])
def test_a_lot_is_nearly_always_enough_to_decide_on(
    lot: int, patients: int | None, parasitized: float
) -> None:
    assert _decidable(lot, parasitized, patients) >= 0.95


def test_half_of_it_is_enough_by_chance_and_a_quarter_is_not() -> None:
    assert 0.3 < _decidable(JUST_ENOUGH, 0.5, None) < 0.7
    assert _decidable(JUST_ENOUGH // 2, 0.5, None) == 0


def test_of_fewer_patients_than_the_page_asks_for_it_is_seldom_enough(lot: int) -> None:
    assert _decidable(lot, 0.5, 3) < 0.5


@pytest.mark.parametrize(("ill", "least", "most"), [(1, 0, 0), (2, 0.95, 1), (5, 0.95, 1)])
def test_of_one_infected_patient_among_healthy_ones_it_never_is(
    lot: int, ill: int, least: float, most: float
) -> None:
    assert least <= _decidable(lot, 0.5, 10, ill) <= most


def test_of_one_field_it_never_is(lot: int) -> None:
    assert _decidable(lot, 0.5, 1) == 0


def _decidable(cells: int, parasitized: float, patients: int | None, ill: int | None = None) -> float:
    """Of uploads of so many cells, the share of which the gate would be kept enough.

    ill: so many patients hold all parasitized cells, and no others; None: each holds both kinds.
    """
    return sum(_enough(cells, parasitized, patients, ill, seed) for seed in range(DRAWS)) / DRAWS


def _enough(cells: int, parasitized: float, patients: int | None, ill: int | None, seed: int) -> bool:
    infected = round(cells * parasitized)
    labels = [Label.PARASITIZED] * infected + [Label.UNINFECTED] * (cells - infected)
    random.Random(seed).shuffle(labels)
    held = defaultdict[str, list[Label]](list)
    for number, label in enumerate(labels):
        held[f"{seed}-{_owner(number, label, patients or cells, ill)}"].append(label)
    shared = share_out({group: set(own) for group, own in held.items()}, {})
    kept = [held[group] for group, role in shared.items() if role == Role.GATE]
    judged = [label for own in kept for label in own]
    return (
        len(judged) >= DEFAULTS.min_site_cells
        and min(judged.count(label) for label in Label) >= DEFAULTS.min_site_per_class
        and len(kept) >= DEFAULTS.min_site_groups
    )


def _owner(number: int, label: Label, patients: int, ill: int | None) -> int:
    if ill is None:
        return number % patients  # where there are as many as cells, each is drawn by itself
    return number % ill if label == Label.PARASITIZED else ill + number % (patients - ill)
