"""Two graphs made one .tflite file, and one of them taken out again. Needs no TensorFlow."""

from collections.abc import Callable, Collection
from typing import Any

import numpy as np

from malaria.errors import ModelUnusable
from malaria.graphfile import pack, unpack

SIGNATURE = b"serve"


def joined(host: bytes, branch: bytes) -> bytes:
    """One file that answers as both do: the branch's operations after the host's, on the same input.

    Both take one picture; the branch's outputs come after the host's, under their own names. Not one
    operation or constant of the host changes, so its answers stay bit for bit. The branch must not care how
    large the picture is.

    Raises ModelUnusable where the graphs do not go together.
    """
    model, other = unpack(host), unpack(branch)
    graph, grafted = model.subgraphs[0], other.subgraphs[0]
    ours, theirs = signature(model), signature(other)
    if {o.name for o in ours.outputs} & {o.name for o in theirs.outputs}:
        raise ModelUnusable("Both graphs have an output of the same name; they cannot be joined.")
    (entry,), (picture,) = grafted.inputs, graph.inputs
    if graph.tensors[picture].type != grafted.tensors[entry].type:
        raise ModelUnusable("The graphs take pictures of different types; they cannot be joined.")
    tensors = _appended_tensors(model, other, int(entry), int(picture))
    codes = [_code(model, code) for code in other.operatorCodes]
    for operation in grafted.operators:
        operation.opcodeIndex = codes[operation.opcodeIndex]
        for name in ("inputs", "outputs", "intermediates"):
            told = getattr(operation, name)
            if told is not None:
                setattr(operation, name, np.array([tensors[t] if t >= 0 else t for t in told], np.int32))
        graph.operators.append(operation)
    graph.outputs = np.array([*graph.outputs, *(tensors[t] for t in grafted.outputs)], np.int32)
    for output in theirs.outputs:
        output.tensorIndex = tensors[output.tensorIndex]
        ours.outputs.append(output)
    return pack(model, len(host) + len(branch))


def without(tflite: bytes, output: str) -> bytes:
    """The file without the output of this name, and without what served nothing else; the other outputs stay
    bit for bit. The same file where it has no such output."""
    names = {o.name.decode() for o in signature(unpack(tflite)).outputs}
    return only(tflite, names - {output}) if output in names else tflite


def only(tflite: bytes, outputs: Collection[str]) -> bytes:
    """The file with these of its outputs, which stay bit for bit, and with what serves them."""
    model = unpack(tflite)
    graph, told = model.subgraphs[0], signature(model)
    told.outputs = [o for o in told.outputs if o.name.decode() in outputs]
    left = {o.tensorIndex for o in told.outputs}
    graph.outputs = np.array([t for t in graph.outputs if t in left], np.int32)
    wanted, kept = {int(t) for t in graph.outputs}, []
    for operation in reversed(graph.operators):
        if wanted & {int(t) for t in operation.outputs}:
            wanted |= {int(t) for t in operation.inputs}
            kept.append(operation)
    graph.operators = kept[::-1]
    _drop_idle(model, wanted | {int(t) for t in graph.inputs})
    return pack(model, len(tflite))


def beside(tflite: bytes, output: str, change: Callable[[bytes], bytes]) -> bytes:
    """The file with its other outputs changed so, while this one, if there is one, stays bit for bit."""
    rest = without(tflite, output)
    return change(rest) if rest == tflite else joined(change(rest), only(tflite, {output}))


def signature(model: Any) -> Any:
    """The one signature by which a graph of this project is called. Raises ModelUnusable."""
    for told in model.signatureDefs or []:
        if told.signatureKey == SIGNATURE and told.subgraphIndex == 0:
            return told
    raise ModelUnusable("This .tflite has no signature `serve`: it was not exported by this project.")


def _appended_tensors(model: Any, other: Any, entry: int, picture: int) -> dict[int, int]:
    """Append the other model's tensors and constants; the number of each in the joined graph, by its own."""
    graph, numbers = model.subgraphs[0], {entry: picture}
    for number, tensor in enumerate(other.subgraphs[0].tensors):
        if number == entry:
            continue
        content = other.buffers[tensor.buffer]
        tensor.buffer = 0  # the empty one, of tensors that are computed
        if content.data is not None:
            tensor.buffer = len(model.buffers)
            model.buffers.append(content)
        numbers[number] = len(graph.tensors)
        graph.tensors.append(tensor)
    return numbers


def _code(model: Any, wanted: Any) -> int:
    """The number of an operator code, added where the model has none of its kind and version."""
    for number, code in enumerate(model.operatorCodes):
        if (code.builtinCode, code.version, code.customCode) == (
            wanted.builtinCode,
            wanted.version,
            wanted.customCode,
        ):
            return number
    model.operatorCodes.append(wanted)
    return len(model.operatorCodes) - 1


def _drop_idle(model: Any, wanted: set[int]) -> None:
    """Leave out tensors that nothing uses, and the buffers and operator codes of what was left out."""
    graph = model.subgraphs[0]
    wanted -= {-1}
    places = {old: new for new, old in enumerate(sorted(wanted))}
    graph.tensors = [graph.tensors[old] for old in sorted(wanted)]
    for of in (graph, *graph.operators):
        for name in ("inputs", "outputs"):
            setattr(of, name, np.array([places.get(int(t), -1) for t in getattr(of, name)], np.int32))
    for told in (*signature(model).inputs, *signature(model).outputs):
        told.tensorIndex = places[told.tensorIndex]
    used = {0, *(t.buffer for t in graph.tensors), *(m.buffer for m in model.metadata or [])}
    homes = {old: new for new, old in enumerate(sorted(used))}
    model.buffers = [model.buffers[old] for old in sorted(used)]
    for holder in (*graph.tensors, *(model.metadata or [])):
        holder.buffer = homes[holder.buffer]
    codes = sorted({operation.opcodeIndex for operation in graph.operators})
    model.operatorCodes = [model.operatorCodes[old] for old in codes]
    for operation in graph.operators:
        operation.opcodeIndex = codes.index(operation.opcodeIndex)
