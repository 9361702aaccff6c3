"""Cells of simulated laboratories, as two models whose truth is known answer them."""

from dataclasses import replace

import numpy as np

from malaria.gate import Criterion, GateSet, Receipt


def simulate(
    champion: float,
    challenger: float,
    *,
    patients: int = 20,
    per_patient: int = 100,
    spread: float = 0.2,
    seed: int = 0,
    flipped: bool = False,
    biases: tuple[float, float] = (0.0, 0.0),
) -> GateSet:
    """Cells scored by two models, each with its separation in logits; noise of cell and patient is shared."""
    rng = np.random.default_rng(seed)
    n = patients * per_patient
    labels = np.tile([0, 1], n // 2).astype(np.uint8)
    who = np.repeat(np.arange(patients), per_patient)
    noise = rng.normal(0, spread, patients)[who] + rng.logistic(0, 1, n)
    side = 2.0 * labels - 1

    def score(separation: float, bias: float) -> np.ndarray:  # type: ignore[type-arg]
        logits = separation * side + bias + noise + rng.logistic(0, 0.05, n)
        return 1 / (1 + np.exp(-logits))  # type: ignore[no-any-return]

    groups = np.array([f"P{k}" for k in who])
    shown = (1 - labels if flipped else labels).astype(np.uint8)
    return GateSet(shown, groups, score(champion, biases[0]), score(challenger, biases[1]))


def same(cells: GateSet) -> GateSet:
    return replace(cells, challenger=cells.champion)


def rule(receipt: Receipt, name: str) -> Criterion:
    return next(c for c in receipt.criteria if c.name == name)


BASE = same(simulate(3.5, 3.5, per_patient=150))
SITE_CELLS = simulate(1.5, 3.0, patients=6, per_patient=40)
