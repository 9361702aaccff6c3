from pathlib import Path

import numpy as np
import pytest

from malaria import memory as memories
from malaria.domain import Role
from malaria.errors import Damaged
from malaria.memory import BASE, Memory


def make(n: int, *, role: Role = Role.TRAIN, origin: str = BASE, reach: float = 1.0, seed: int = 0) -> Memory:
    rng = np.random.default_rng(seed)
    return memories.remember(
        (rng.random((n, 128)) * reach).astype(np.float32),
        (np.arange(n) % 2).astype(np.uint8),
        np.array([f"p{i % 3}" for i in range(n)]),
        np.array([role.value] * n),
        np.array([origin] * n),
        rng.integers(0, 2**63, n).astype(np.uint64),
    )


def test_a_byte_a_channel_keeps_embeddings_to_half_a_step() -> None:
    rng = np.random.default_rng(3)
    embeddings = (rng.random((50, 128)) * rng.random(128) * 9).astype(np.float32)
    columns = (np.zeros(50, np.uint8), *(np.array(["x"] * 50) for _ in range(3)), np.zeros(50, np.uint64))
    kept = memories.remember(embeddings, *columns)
    step = embeddings.max(axis=0) / 255
    assert np.all(np.abs(kept.embeddings - embeddings) <= step / 2 + 1e-6)


def test_cells_of_other_base_laboratories_are_base_cells() -> None:
    both = (
        make(6).with_cells(make(4, origin="base:chula_rbc12", seed=1)).with_cells(make(2, origin="ab" * 32))
    )
    assert len(both.of(Role.TRAIN, base=True)) == 10
    assert len(both.of(Role.TRAIN, base=False)) == 2
    assert len(both.of(Role.TRAIN, origin=BASE)) == 6
    assert len(both.without_uploaded(both.fingerprints)) == 10, "no base cell is ever left out"
    assert not memories.is_base(np.array([], np.str_)).any()
    told = memories.is_base(np.array(["base", "base:bccd", "baseline", "ba", "0" * 64]))
    assert told.tolist() == [True, True, False, False, False]


@pytest.mark.parametrize("width", [1, 192, 256])
def test_a_memory_is_as_wide_as_the_embedding(width: int, tmp_path: Path) -> None:
    wide = np.random.default_rng(4).random((12, width)).astype(np.float32)
    columns = (np.zeros(12, np.uint8), *(np.array(["x"] * 12) for _ in range(3)), np.zeros(12, np.uint64))
    memories.remember(wide, *columns).save(tmp_path / "memory.npz")
    kept = memories.load(tmp_path / "memory.npz")
    both = kept.with_cells(kept.where(np.zeros(12, np.bool_)))
    assert both.embeddings.shape == (12, width)
    assert np.allclose(both.embeddings, wide, atol=1 / 255)


def test_saved_and_loaded_it_is_the_same(tmp_path: Path) -> None:
    kept = make(20)
    kept.save(tmp_path / "memory.npz")
    back = memories.load(tmp_path / "memory.npz")
    for name in memories.FIELDS:
        assert np.array_equal(getattr(kept, name), getattr(back, name))
    assert list(tmp_path.iterdir()) == [tmp_path / "memory.npz"]


def test_joined_memories_keep_both_and_their_origins() -> None:
    base, site = make(30), make(10, origin="abc", reach=5.0, seed=1)
    both = base.with_cells(site)
    assert len(both) == 40
    assert np.allclose(both.embeddings[30:], site.embeddings, atol=1e-6)
    assert np.allclose(both.embeddings[:30], base.embeddings, atol=5.0 / 255)
    assert len(both.of(Role.TRAIN, base=False)) == 10
    assert len(both.of(Role.TRAIN, base=True)) == 30
    assert len(both.of(Role.GATE)) == 0


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not really", b"\x93NUMPY"])
def test_damage_is_told(content: bytes) -> None:
    with pytest.raises(Damaged, match="feature memory"):
        memories.load(content)
