"""Figures of a model on the cells that its feature memory holds, without their images."""

from typing import Any

from malaria import codec
from malaria import head as heads
from malaria.domain import Role
from malaria.memory import BASE, Memory, is_base
from malaria.metrics import metrics


def sets(memory: Memory) -> dict[str, Memory]:
    """The validation and gate cells that a memory holds, by the name of the set: of NIH, of the other base
    laboratories, by their names, and of the site. None is empty."""
    found = {
        "validation": memory.of(Role.VALIDATION, origin=BASE),
        "gate": memory.of(Role.GATE, origin=BASE),
        "site_gate": memory.of(Role.GATE, base=False),
    }
    for origin in sorted(set(memory.origins[is_base(memory.origins)].tolist()) - {BASE}):
        for role in (Role.VALIDATION, Role.GATE):
            found[role.value + origin.removeprefix(BASE)] = memory.of(role, origin=origin)
    return {name: cells for name, cells in found.items() if len(cells)}


def scored(memory: Memory, head: heads.Head, threshold: float) -> dict[str, Any]:
    """Metrics of a head over each of the sets that a memory holds."""
    figures = {}
    for name, cells in sets(memory).items():
        probabilities = head.probabilities(cells.embeddings)
        figures[name] = codec.to_json(metrics(cells.labels, probabilities, cells.patients, threshold))
    return figures
