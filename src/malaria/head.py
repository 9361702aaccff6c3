"""The linear head of a served graph: read it, refit it, calibrate it, write it back into the .tflite.

The head stands in the file once, as the 1x1 convolution that makes the activation map, so refitting a
model needs no TensorFlow: its two constants are replaced and everything before them stays bit for bit.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from malaria import graphfile
from malaria.errors import ModelUnusable

Floats = npt.NDArray[np.float64]
Reals = npt.NDArray[np.floating[Any]]
Integers = npt.NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Head:
    """logit = embedding @ weights + bias; weights: (width,)."""

    weights: Floats
    bias: float

    def logits(self, embeddings: Reals) -> Floats:
        """(..., width) embeddings to (...,) calibrated logits."""
        return np.asarray(embeddings @ self.weights + self.bias, dtype=np.float64)

    def probabilities(self, embeddings: Reals) -> Floats:
        """(..., width) embeddings to (...,) calibrated P(parasitized)."""
        return sigmoid(self.logits(embeddings))

    def cooled(self, temperature: float) -> "Head":
        """The head whose logits are divided by `temperature`: answers at 0.5 stay, confidence changes."""
        return Head(self.weights / temperature, self.bias / temperature)


def sigmoid(logits: Floats) -> Floats:
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * logits)), dtype=np.float64)  # never overflows


def read(tflite: bytes) -> Head:
    """The head of a served graph. Raises ModelUnusable where there is none."""
    weights, bias = _constants(graphfile.unpack(tflite))
    return Head(
        np.asarray(weights.data, np.uint8).view("<f4").astype(np.float64),
        float(np.asarray(bias.data, np.uint8).view("<f4")[0]),
    )


def write(tflite: bytes, head: Head) -> bytes:
    """The same graph with another head; the file keeps its size. Raises ModelUnusable."""
    model = graphfile.unpack(tflite)
    weights, bias = _constants(model)
    weights.data = np.frombuffer(head.weights.astype("<f4").tobytes(), np.uint8)
    bias.data = np.frombuffer(np.array([head.bias], "<f4").tobytes(), np.uint8)
    return graphfile.pack(model, len(tflite))


def content(tflite: bytes) -> str:
    """SHA-256 of a graph without the names of its tensors and without what its exporter noted about itself.

    Two files of one content answer alike, bit for bit.
    """
    model = graphfile.unpack(tflite)
    for noted in model.metadata or []:
        model.buffers[noted.buffer].data = None
    model.description = model.metadata = model.metadataBuffer = None
    for graph in model.subgraphs:
        graph.name = None
        for tensor in graph.tensors:
            tensor.name = None
    return hashlib.sha256(graphfile.pack(model, len(tflite))).hexdigest()


def halved(tflite: bytes) -> bytes:
    """The same graph in float16, half the size, but for the head. Raises ModelUnusable."""
    _, weights, bias = place(graphfile.unpack(tflite))
    return graphfile.halved(tflite, frozenset({weights, bias}))


def place(model: Any) -> tuple[int, int, int]:
    """Which tensors of an unpacked served graph are the grid, the head's weights and its bias.

    Raises ModelUnusable where there is no head.
    """
    graph = model.subgraphs[0]
    outputs = {int(t) for t in graph.outputs if len(graph.tensors[t].shape) == 4}
    users = [tensor.buffer for tensor in graph.tensors]
    for operation in graph.operators:
        if len(operation.inputs) == 3 and outputs & {int(t) for t in operation.outputs}:
            grid, weights, bias = map(int, operation.inputs)
            if all(users.count(graph.tensors[t].buffer) == 1 for t in (weights, bias)):
                return grid, weights, bias
    raise ModelUnusable("The model's head was not found: this .tflite was not exported by this project.")


def _constants(model: Any) -> tuple[Any, Any]:
    """The buffers of weights and bias of the one operation that writes the activation map."""
    _, weights, bias = place(model)
    tensors = model.subgraphs[0].tensors
    return model.buffers[tensors[weights].buffer], model.buffers[tensors[bias].buffer]


def temperature(logits: Floats, labels: Integers) -> float:
    """The divisor of logits that minimises cross-entropy (Guo et al., ICML 2017), within 1/20 to 20."""
    from scipy.optimize import minimize_scalar

    found = minimize_scalar(
        lambda log_t: cross_entropy(logits / np.exp(log_t), labels), bounds=(-3.0, 3.0), method="bounded"
    )
    return float(np.exp(found.x))


def cross_entropy(
    logits: Floats,
    labels: Integers,
    weights: Floats | None = None,
) -> float:
    """Mean binary cross-entropy in nats, weighted by cell where weights (n,) are given."""
    return float(np.average(losses(logits, labels), weights=weights))


def losses(logits: Floats, targets: Reals | Integers) -> Floats:
    """Binary cross-entropy of each logit, in nats; targets: 0 to 1, of a shape that goes with the logits."""
    return np.asarray(np.logaddexp(0.0, logits) - targets * logits, np.float64)


def refit(start: Head, embeddings: Reals, targets: Floats, weights: Floats, penalty: float) -> Head:
    """Fit the head by weighted logistic regression, penalising the CHANGE from `start`.

    embeddings: (n, width). targets: (n,) probabilities to be answered, 0 and 1 for labels. weights: (n,).

    Minimises sum(w * cross-entropy) / sum(w) + penalty / 2 * |change|^2, in units of the channels' common
    (root mean square) deviation, so that channels which hardly vary are not free to take huge weights; the
    bias is free. The loss is convex and a few hundred numbers wide, so a Newton method with the exact
    Hessian finds the minimum in some ten steps.
    """
    from scipy.optimize import minimize

    scale = max(float(np.sqrt(np.mean(np.var(embeddings, axis=0, dtype=np.float64)))), 1e-6)
    x = np.column_stack([np.asarray(embeddings, np.float64) / scale, np.ones(len(targets))])
    share, first = weights / weights.sum(), np.append(start.weights * scale, start.bias)
    stiff = np.append(np.full(x.shape[1] - 1, penalty), 0.0)

    def loss(params: Floats) -> tuple[float, Floats]:
        logits, change = x @ params, stiff * (params - first)
        value = share @ losses(logits, targets) + change @ (params - first) / 2
        return float(value), x.T @ (share * (sigmoid(logits) - targets)) + change

    def curvature(params: Floats) -> Floats:
        p = sigmoid(x @ params)
        return np.asarray(x.T @ (x * (share * p * (1 - p))[:, np.newaxis]) + np.diag(stiff), np.float64)

    found = minimize(loss, first, jac=True, hess=curvature, method="trust-exact", options={"gtol": 1e-7})
    return Head(found.x[:-1] / scale, float(found.x[-1]))
