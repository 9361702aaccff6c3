"""A served file in float16, and its head, which stays as it is."""

import numpy as np
import pytest

from malaria import graphfile, synthetic
from malaria import head as heads
from malaria.domain import ModelVersion
from malaria.head import Head
from malaria.predict import Model
from malaria.preprocess import to_square


@pytest.fixture(scope="module")
def half(shipped_tflite: bytes) -> bytes:
    return heads.halved(shipped_tflite)


def test_half_the_size_and_nearly_the_same_answers(
    half: bytes, shipped_tflite: bytes, shipped_info: ModelVersion
) -> None:
    assert len(half) < 0.55 * len(shipped_tflite)
    before, after = (Model(content, shipped_info, interpreters=1) for content in (shipped_tflite, half))
    size = shipped_info.input_size
    for cell in synthetic.generate(12, 4):
        square = to_square(cell.image, size)
        left, right = before.score(square), after.score(square)
        assert right.probability == pytest.approx(left.probability, abs=0.01)
        assert right.activation.shape == left.activation.shape
        assert np.allclose(left.embedding, right.embedding, atol=0.02 * left.embedding.max())
        assert not np.array_equal(left.embedding, right.embedding), "it was made of smaller numbers"


def test_its_head_is_read_and_written_as_ever(
    half: bytes, shipped_tflite: bytes, shipped_info: ModelVersion
) -> None:
    old, found = heads.read(shipped_tflite), heads.read(half)
    assert np.array_equal(old.weights, found.weights)
    assert old.bias == found.bias
    new = Head(old.weights * 0.5 + 0.01, old.bias - 0.7)
    model = Model(heads.write(half, new), shipped_info, interpreters=1)
    size = shipped_info.input_size
    scored = model.score(np.full((size, size, 3), 120, np.uint8))
    assert scored.probability == pytest.approx(
        float(new.probabilities(scored.embedding[np.newaxis])[0]), abs=1e-5
    )


def test_what_float16_cannot_hold_stays_as_it_is(shipped_tflite: bytes, shipped_info: ModelVersion) -> None:
    model = graphfile.unpack(shipped_tflite)
    tensors = model.subgraphs[0].tensors
    _, weights, bias = heads.place(model)
    large = next(
        i
        for i, tensor in enumerate(tensors)
        if i not in (weights, bias)
        and len(tensor.shape) == 4
        and model.buffers[tensor.buffer].data is not None
    )
    buffer = model.buffers[tensors[large].buffer]
    values = np.asarray(buffer.data, np.uint8).view("<f4").copy()
    values[0] = 1e5
    buffer.data = values.view(np.uint8)
    changed = graphfile.pack(model, len(shipped_tflite))
    after = graphfile.unpack(heads.halved(changed))
    kept = after.subgraphs[0].tensors[large]
    assert np.array_equal(np.asarray(after.buffers[kept.buffer].data, np.uint8).view("<f4"), values)
