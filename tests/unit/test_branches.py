"""Two graphs in one file: each answers as it did alone, and what was joined can be taken out again."""

from typing import Any

import numpy as np
import pytest

from malaria import branches, grafting, graphfile, shipped
from malaria import head as heads
from malaria.domain import ModelVersion
from malaria.errors import ModelUnusable
from malaria.grafting import Branch
from malaria.predict import interpreter
from malaria.subject import OUTPUT

OURS = {"probability", "activation", "embedding"}


def ask(tflite: bytes, picture: Any) -> dict[str, Any]:
    return dict(interpreter(tflite).get_signature_runner("serve")(image=picture[np.newaxis]))


def noise(seed: int, side: int = 128) -> Any:
    return np.random.default_rng(seed).integers(0, 256, (side, side, 3), np.uint8)


@pytest.fixture(scope="session")
def bare(shipped_tflite: bytes) -> bytes:
    """The shipped classifier without a subject network."""
    return branches.without(shipped_tflite, OUTPUT)


def test_each_half_of_a_joined_file_answers_as_it_does_alone(bare: bytes, branch: Branch) -> None:
    joined = branches.joined(bare, branch.content)
    assert set(ask(bare, noise(0))) == OURS
    for seed in range(4):
        picture = noise(seed)
        both, ours, theirs = (ask(file, picture) for file in (joined, bare, branch.content))
        assert set(both) == {*OURS, OUTPUT}
        for name, told in {**ours, **theirs}.items():
            assert np.array_equal(both[name], told), f"{name} is not the same, bit for bit"
        assert both[OUTPUT].sum() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("network", ["mobilenet_v2", "compact_cnn", "ensemble"])
def test_what_was_joined_can_be_taken_out(models_dir: Any, network: str, branch: Branch) -> None:
    tflite = (shipped.read_shipped(models_dir, network)[1] / "model.tflite").read_bytes()
    bare = branches.without(tflite, OUTPUT)
    again = branches.without(branches.joined(bare, branch.content), OUTPUT)
    assert len(again) <= len(bare)
    assert branches.without(again, OUTPUT) == again, "there is nothing to take out"
    before, after = (ask(file, noise(5)) for file in (bare, again))
    assert set(after) == OURS
    assert all(np.array_equal(before[name], after[name]) for name in OURS)


def test_each_half_can_be_taken_alone(bare: bytes, branch: Branch) -> None:
    alone = branches.only(branches.joined(bare, branch.content), {OUTPUT})
    assert len(alone) <= len(branch.content) + 1000, "nothing of the other half is left"
    told = ask(alone, noise(8))
    assert set(told) == {OUTPUT}
    assert np.array_equal(told[OUTPUT], ask(branch.content, noise(8))[OUTPUT])


def test_what_changes_the_one_half_leaves_the_other(bare: bytes, branch: Branch) -> None:
    joined = branches.joined(bare, branch.content)
    small = branches.beside(joined, OUTPUT, heads.halved)
    assert len(small) < 0.6 * len(joined)
    before, after = ask(joined, noise(9)), ask(small, noise(9))
    assert np.array_equal(before[OUTPUT], after[OUTPUT])
    assert after["probability"] == pytest.approx(before["probability"], abs=0.02)
    assert not np.array_equal(before["embedding"], after["embedding"])
    assert branches.beside(bare, OUTPUT, heads.halved) == heads.halved(bare), "there is no other half"


def test_a_joined_file_is_adapted_as_any_other(bare: bytes, branch: Branch) -> None:
    joined = branches.joined(bare, branch.content)
    head = heads.read(joined)
    assert np.array_equal(head.weights, heads.read(bare).weights)
    written = heads.write(joined, heads.Head(head.weights, head.bias + 1.0))
    before, after = ask(joined, noise(6)), ask(written, noise(6))
    assert np.array_equal(before[OUTPUT], after[OUTPUT])
    assert after["activation"].mean() - before["activation"].mean() == pytest.approx(1.0, abs=1e-4)


def test_the_branch_takes_pictures_of_another_size(branch: Branch) -> None:
    """A picture of twice the branch's own size is halved by it, so both say the same of it."""
    small = graphfile.unpack(branch.content)
    small.subgraphs[0].tensors[int(small.subgraphs[0].inputs[0])].shape = np.array([1, 64, 64, 3], np.int32)
    picture = noise(7, 64)
    told = ask(graphfile.pack(small, len(branch.content)), picture)[OUTPUT]
    large = ask(branch.content, picture.repeat(2, axis=0).repeat(2, axis=1))[OUTPUT]
    assert told == pytest.approx(large, abs=1e-5)


def test_graphs_that_do_not_go_together_are_refused(bare: bytes, branch: Branch) -> None:
    joined = branches.joined(bare, branch.content)
    with pytest.raises(ModelUnusable, match="an output of the same name"):
        branches.joined(joined, branch.content)
    foreign = graphfile.unpack(bare)
    foreign.signatureDefs[0].signatureKey = b"another"
    with pytest.raises(ModelUnusable, match="no signature `serve`"):
        branches.joined(graphfile.pack(foreign, len(bare)), branch.content)
    floats = graphfile.unpack(bare)
    floats.subgraphs[0].tensors[int(floats.subgraphs[0].inputs[0])].type = 0
    with pytest.raises(ModelUnusable, match="pictures of different types"):
        branches.joined(graphfile.pack(floats, len(bare)), branch.content)


def test_a_graft_is_put_to_the_test(bare: bytes, branch: Branch, shipped_info: ModelVersion) -> None:
    joined = grafting.grafted(bare, branch)
    grafting.check(bare, joined, shipped_info)
    assert grafting.grafted(joined, branch) == joined, "again is the same"
