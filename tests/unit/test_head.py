from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from malaria import graphfile
from malaria import head as heads
from malaria.domain import ModelVersion
from malaria.errors import ModelUnusable
from malaria.head import Head
from malaria.predict import Model


@pytest.fixture
def content(shipped_tflite: bytes) -> bytes:
    return shipped_tflite


def noise(seed: int) -> np.ndarray:  # type: ignore[type-arg]
    return np.random.default_rng(seed).integers(0, 255, (128, 128, 3), dtype=np.uint8)


def test_the_head_in_the_file_is_the_one_that_answers(content: bytes, shipped_info: ModelVersion) -> None:
    model, head = Model(content, shipped_info, interpreters=1), heads.read(content)
    scored = model.score(noise(1))
    assert head.probabilities(scored.embedding[np.newaxis])[0] == pytest.approx(scored.probability, abs=1e-5)
    logit = head.logits(scored.embedding[np.newaxis])[0]
    assert scored.activation.mean() == pytest.approx(logit, abs=1e-4), "the map's mean is the logit"


def test_a_written_head_answers_as_computed_and_leaves_the_embedding(
    content: bytes, shipped_info: ModelVersion
) -> None:
    old = heads.read(content)
    new = Head(old.weights + np.random.default_rng(2).normal(0, 0.1, 128), old.bias - 0.7)
    written = heads.write(content, new)
    before, after = (Model(c, shipped_info, interpreters=1).score(noise(3)) for c in (content, written))
    assert len(written) == len(content)
    assert np.array_equal(before.embedding, after.embedding)
    assert after.probability == pytest.approx(
        float(new.probabilities(after.embedding[np.newaxis])[0]), abs=1e-5
    )
    assert after.probability != before.probability
    kept = heads.read(written)
    assert np.allclose(kept.weights, new.weights, atol=1e-6)


def test_files_of_one_content_differ_in_names_only(content: bytes) -> None:
    def changed(change: Callable[[Any], None]) -> bytes:
        model = graphfile.unpack(content)
        change(model)
        return graphfile.pack(model, len(content))

    def rename(model: Any) -> None:
        model.description = b"another exporter"
        model.subgraphs[0].tensors[3].name = b"functional_7/another"

    def dilate(model: Any) -> None:
        operations = [operation.builtinOptions for operation in model.subgraphs[0].operators]
        next(one for one in operations if hasattr(one, "dilationHFactor")).dilationHFactor = 2

    head = heads.read(content)
    found = heads.content(content)
    assert changed(rename) != content
    assert heads.content(changed(rename)) == found
    assert heads.content(changed(dilate)) != found, "the same numbers, used otherwise"
    assert heads.content(heads.write(content, Head(head.weights, head.bias + 1e-6))) != found


def test_a_file_that_is_no_served_graph_is_refused() -> None:
    import ai_edge_litert.schema_py_generated as schema
    import flatbuffers

    model = schema.ModelT()
    model.subgraphs = [schema.SubGraphT()]
    model.subgraphs[0].outputs = np.array([], np.int32)
    model.subgraphs[0].operators = []
    model.subgraphs[0].tensors = []
    model.buffers = []
    builder = flatbuffers.Builder(64)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    with pytest.raises(ModelUnusable, match="head was not found"):
        heads.read(bytes(builder.Output()))


@given(st.floats(0.3, 4.0), st.integers(0, 1000))
def test_temperature_finds_how_overconfident_logits_are(factor: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    true = rng.normal(0, 2, 4000)
    labels = (rng.random(4000) < heads.sigmoid(true)).astype(np.uint8)
    assert heads.temperature(true * factor, labels) == pytest.approx(factor, rel=0.15)


def test_refitting_on_agreeing_cells_with_a_strong_penalty_keeps_the_head() -> None:
    rng = np.random.default_rng(0)
    start = Head(rng.normal(0, 1, 128), 0.1)
    x = np.abs(rng.normal(0, 1, (500, 128)))
    y = (start.logits(x) > 0).astype(np.float64)
    kept = heads.refit(start, x, y, np.ones(500), penalty=1e4)
    moved = heads.refit(start, x, 1 - y, np.ones(500), penalty=1e-4)
    assert np.allclose(kept.weights, start.weights, atol=0.01)
    right = np.mean((moved.logits(x) > 0) == (1 - y))
    assert right > 0.95, "a weak penalty lets the cells decide"


@pytest.mark.parametrize("width", [1, 192, 256])
def test_a_head_of_any_width_is_refitted(width: int) -> None:
    rng = np.random.default_rng(2)
    x = np.abs(rng.normal(0, 1, (300, width)))
    y = (x[:, 0] > np.median(x[:, 0])).astype(np.float64)
    head = heads.refit(Head(np.zeros(width), 0.0), x, y, np.ones(300), penalty=1e-4)
    assert head.weights.shape == (width,)
    assert np.mean((head.logits(x) > 0) == y) > 0.95


def test_weights_decide_who_is_heard() -> None:
    rng = np.random.default_rng(1)
    x = np.abs(rng.normal(0, 1, (400, 128)))
    y = (np.arange(400) % 2).astype(np.float64)
    x[y == 1, 0] += 3
    loud = np.where(np.arange(400) < 200, 1.0, 1e-6)
    flipped = np.where(np.arange(400) < 200, y, 1 - y)
    head = heads.refit(Head(np.zeros(128), 0.0), x, flipped, loud, penalty=1e-3)
    assert np.mean((head.logits(x) > 0) == y) > 0.95
