"""Looks at the gate patients are counted, and none is lost or given the number of another."""

import json
import math
import threading
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from malaria import memory, shipped
from malaria.domain import Role
from malaria.gate_looks import FOLDER, GateLook, GateLooks, looks_borne, set_of
from malaria.memory import BASE, Memory
from malaria.ports import ObjectStore
from tests.unit.registries import objects

__all__ = ["objects"]

LOOK = GateLook(0, datetime(2026, 1, 2, tzinfo=UTC), "a" * 64, "b" * 64, "job", "rejected", 2918, 20, "one")
OTHER = replace(LOOK, of="another")


def test_each_look_gets_the_next_number_and_is_kept(objects: ObjectStore) -> None:
    looks = GateLooks(objects)
    assert looks.count(LOOK.of) == 0 and looks.read() == []
    assert [looks.add(LOOK) for _ in range(3)] == [1, 2, 3]
    objects.put(f"{FOLDER}notes.txt", b"of no concern")
    assert GateLooks(objects).count(LOOK.of) == 3
    assert [look.number for look in looks.read()] == [1, 2, 3]
    assert looks.read()[0].at == LOOK.at and looks.read()[2].cells == 2918


def test_each_set_is_counted_apart_and_numbers_go_on_over_all(objects: ObjectStore) -> None:
    looks = GateLooks(objects)
    assert [looks.add(look) for look in (LOOK, LOOK, OTHER, LOOK)] == [1, 2, 1, 3]
    assert (looks.count(LOOK.of), looks.count(OTHER.of), looks.count("fresh")) == (3, 1, 0)
    assert [look.number for look in looks.read()] == [1, 2, 3, 4]
    assert [look.number for look in looks.at(OTHER.of)] == [3]


def test_a_look_that_names_no_set_counts_for_each(objects: ObjectStore) -> None:
    """So they were kept before; of whom nobody knows."""
    told = {**asdict(LOOK), "number": 1, "at": LOOK.at.isoformat()}
    del told["of"]
    objects.put(f"{FOLDER}00000001.json", json.dumps(told).encode())
    looks = GateLooks(objects)
    assert (looks.count(LOOK.of), looks.count(OTHER.of)) == (1, 1)
    assert looks.add(OTHER) == 2
    assert (looks.count(LOOK.of), looks.count(OTHER.of)) == (1, 2)


def remembered(fingerprints: list[int], *, origin: str = BASE, role: Role = Role.GATE) -> Memory:
    n = len(fingerprints)
    owners, of = np.array([f"p{i}" for i in range(n)]), np.full(n, origin)
    labels, cells = np.zeros(n, np.uint8), np.array(fingerprints, np.uint64)
    return memory.remember(np.ones((n, 2)), labels, owners, np.full(n, role.value), of, cells)


def test_a_set_is_its_base_gate_cells_in_any_order_and_nothing_else() -> None:
    base = remembered([3, 2**63 + 1, 7])
    beside = remembered([8], role=Role.VALIDATION).with_cells(remembered([9], origin="c" * 64))
    assert set_of(base) == set_of(remembered([7, 3, 2**63 + 1])) == set_of(beside.with_cells(base))
    assert set_of(base) != set_of(remembered([3, 7]))
    assert set_of(base) != set_of(remembered([3, 2**63 + 1, 6]))
    assert len(set_of(base)) == 16


def test_models_that_ship_are_compared_on_one_set(models_dir: Path) -> None:
    ships = shipped.versions(models_dir)
    assert len({set_of(memory.load(models_dir / info.version / "memory.npz")) for info in ships}) == 1


def test_looks_at_the_same_moment_get_numbers_of_their_own(objects: ObjectStore) -> None:
    numbers: list[int] = []
    threads = [
        threading.Thread(target=lambda: numbers.extend(GateLooks(objects).add(LOOK) for _ in range(5)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(numbers) == list(range(1, 21)) == [look.number for look in GateLooks(objects).read()]


def test_so_many_equal_ones_bring_the_best_to_the_margin_and_no_more() -> None:
    spread, margin = 0.004, 0.012
    most = looks_borne(spread, margin)
    assert spread * math.sqrt(2 * math.log(most)) <= margin < spread * math.sqrt(2 * math.log(most + 1))
    drawn = np.random.default_rng(0).normal(0, spread, (4000, most)).max(axis=1)
    assert drawn.mean() < margin, "the bound holds for what is seen at random"
    assert looks_borne(0.012, 0.012) == 1


@pytest.mark.parametrize("spread", [0.0, 1e-9])
def test_without_spread_nobody_looks_often_enough(spread: float) -> None:
    assert looks_borne(spread, 0.012) > 1_000_000
