"""Looks at the gate patients are counted, and none is lost or given the number of another."""

import math
import threading
from datetime import UTC, datetime

import numpy as np
import pytest

from malaria.gate_looks import FOLDER, GateLook, GateLooks, looks_borne
from malaria.ports import ObjectStore
from tests.unit.registries import objects

__all__ = ["objects"]

LOOK = GateLook(0, datetime(2026, 1, 2, tzinfo=UTC), "a" * 64, "b" * 64, "job", "rejected", 2918, 20)


def test_each_look_gets_the_next_number_and_is_kept(objects: ObjectStore) -> None:
    looks = GateLooks(objects)
    assert looks.count() == 0 and looks.read() == []
    assert [looks.add(LOOK) for _ in range(3)] == [1, 2, 3]
    objects.put(f"{FOLDER}notes.txt", b"of no concern")
    assert GateLooks(objects).count() == 3
    assert [look.number for look in looks.read()] == [1, 2, 3]
    assert looks.read()[0].at == LOOK.at and looks.read()[2].cells == 2918


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
