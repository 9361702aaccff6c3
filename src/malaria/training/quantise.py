"""A served float32 file in int8: weights by channel, activations by tensor.

What follows the last grid stays in float32: the embedding, the activation map and the head. So does what is
made of the picture before the first convolution, for eight bits of a logarithm are too few; and so does the
first separable convolution, some channels of which reach much further than the others (Sheng et al., EMC2
2018: a quantization-friendly separable convolution for MobileNets); quantised too, most of the difference in
MobileNetV2's answers came from it.

TensorFlow's converter calibrates and quantises a float32 file once it has made one. Here that is done to the
file itself, by the same two steps, so the graph that is quantised is the one that is served, whether its
head was trained or adapted, and no Keras network is needed. The integer scheme is that of Jacob et al.
(CVPR 2018).
"""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from malaria import graphfile
from malaria import head as heads
from malaria.errors import Damaged
from malaria.preprocess import Pixels
from malaria.training.dataset import CellArrays
from malaria.training.export import quiet

OF_EACH = 100
"""Cells of each class of each laboratory to calibrate on; three times as many changed the answers no less."""


def int8(tflite: bytes, cells: Iterable[Pixels]) -> bytes:
    """The same graph in int8, its activations' ranges as they are on some cells, (s, s, 3) each.

    The head can be read and written as in the float32 file.

    Raises:
        Damaged: the converter did not leave the head as it was. ModelUnusable: the file has no head.
    """
    from tensorflow.lite.python.convert import mlir_quantize
    from tensorflow.lite.python.optimize.calibrator import Calibrator

    kept = heads.read(tflite)

    def shown() -> Iterator[list[npt.NDArray[np.uint8]]]:
        return ([pixels[np.newaxis]] for pixels in cells)

    with quiet():
        seen = Calibrator(tflite).calibrate(shown)
        made = bytes(mlir_quantize(seen, denylisted_nodes=in_float32(graphfile.unpack(tflite))))
    made = graphfile.pack(graphfile.unpack(made), len(made))  # laid out as whenever a head is written into it
    found = heads.read(made)
    if not np.array_equal(found.weights, kept.weights) or found.bias != kept.bias:
        raise Damaged("The converter changed the head, which must stay as it is in float32.")
    return made


def in_float32(model: Any) -> list[str]:
    """The names of what an unpacked served graph goes on computing in float32: all that follows its grid; all
    from which a first convolution is computed; and, where it has separable ones, the first of these too."""
    from ai_edge_litert.schema_py_generated import BuiltinOperator

    operations = model.subgraphs[0].operators
    forth = [(_places(o.inputs), _places(o.outputs)) for o in operations]
    back = [(outputs, inputs) for inputs, outputs in reversed(forth)]
    grid = {heads.place(model)[0]}
    kept = _reached(grid, forth) - grid
    kinds = [graphfile.kind(model, operation) for operation in operations]
    convolutions = (BuiltinOperator.CONV_2D, BuiltinOperator.DEPTHWISE_CONV_2D)
    convolved = [step for step, kind in zip(forth, kinds, strict=True) if kind in convolutions]
    for inputs, _ in convolved:
        before = _reached(inputs, back)
        if not any(outputs & before for _, outputs in convolved):  # of an ensemble each member has one
            kept |= before
    for kind, (_, outputs) in zip(kinds, forth, strict=True):
        if kind == BuiltinOperator.DEPTHWISE_CONV_2D:
            kept |= _reached(outputs | _next(outputs, forth), back)
            break
    computed = set[int]().union(*(outputs for _, outputs in forth))
    return [model.subgraphs[0].tensors[t].name.decode() for t in sorted(kept & computed)]


_Step = tuple[set[int], set[int]]
"""From any of one lot of tensors to all of another."""


def _places(tensors: Iterable[Any]) -> set[int]:
    return {int(t) for t in tensors}


def _next(tensors: set[int], steps: Iterable[_Step]) -> set[int]:
    """What is reached from some tensors by one step."""
    return set[int]().union(*(those for these, those in steps if these & tensors))


def _reached(tensors: set[int], steps: Iterable[_Step]) -> set[int]:
    """Some tensors, and all that is reached from them by steps, which are taken in their order."""
    found = set(tensors)
    for these, those in steps:
        if these & found:
            found |= those
    return found


def to_calibrate(cells: CellArrays, seed: int) -> npt.NDArray[np.intp]:
    """Which cells to calibrate on: at most OF_EACH of each class of each origin, of as many of its patients
    or fields as there are; row numbers, in order."""
    rng = np.random.default_rng(seed)
    chosen = []
    for origin in np.unique(cells.origins):
        for label in (0, 1):
            rows = rng.permutation(np.flatnonzero((cells.origins == origin) & (cells.labels == label)))
            turn = _turns(cells.groups[rows])
            chosen.append(rows[np.argsort(turn, kind="stable")][:OF_EACH])
    return np.sort(np.concatenate(chosen))


def _turns(groups: npt.NDArray[np.str_]) -> npt.NDArray[np.intp]:
    """How many of its own group stand before each, (n,): all firsts come before all seconds."""
    seen: dict[str, int] = {}
    turns = np.zeros(len(groups), np.intp)
    for i, group in enumerate(groups.tolist()):
        turns[i] = seen.get(group, 0)
        seen[group] = seen.get(group, 0) + 1
    return turns
