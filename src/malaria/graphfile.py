"""A .tflite file as objects that can be changed and put together again, with no TensorFlow."""

from typing import Any

import numpy as np

HALF_MOST = float(np.finfo(np.float16).max)
_HALF_SINCE = 3
"""The version of DEQUANTIZE that reads float16."""


def unpack(tflite: bytes) -> Any:
    """The file as objects of the TFLite schema."""
    from ai_edge_litert import schema_py_generated as schema

    return schema.ModelT.InitFromPackedBuf(bytearray(tflite), 0)


def pack(model: Any, size: int) -> bytes:
    """A file of these objects; size: about how many bytes it will have."""
    import flatbuffers

    builder = flatbuffers.Builder(size)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def kind(model: Any, operation: Any) -> int:
    """What an operation does: a BuiltinOperator of the schema. Old files keep it in a narrower field."""
    code = model.operatorCodes[operation.opcodeIndex]
    return int(max(code.builtinCode, code.deprecatedBuiltinCode))


def in_float32(tflite: bytes) -> bool:
    """Whether no number of a file is kept in float16 or int8."""
    from ai_edge_litert.schema_py_generated import TensorType

    tensors = unpack(tflite).subgraphs[0].tensors
    return not any(tensor.type in (TensorType.FLOAT16, TensorType.INT8) for tensor in tensors)


def halved(tflite: bytes, kept: frozenset[int]) -> bytes:
    """The same graph with its kernels in float16: half the size, still computed in float32.

    kept: tensors that stay as they are. So do biases, of which there are few, and what float16 cannot hold.
    This is what TensorFlow's converter writes for float16, but for those: a DEQUANTIZE before each use.
    """
    from ai_edge_litert import schema_py_generated as schema

    model = unpack(tflite)
    graph = model.subgraphs[0]
    small, code = set[int](), len(model.operatorCodes)
    operations = []
    for place in _kernels(model, kept):
        tensor = graph.tensors[place]
        if tensor.buffer not in small:
            small.add(tensor.buffer)
            values = _floats(model, tensor)
            model.buffers[tensor.buffer].data = values.astype("<f2").view(np.uint8)
        half = schema.TensorT()
        half.shape, half.buffer, half.name = tensor.shape, tensor.buffer, tensor.name + b"/float16"
        half.type, tensor.buffer = schema.TensorType.FLOAT16, 0  # buffer 0 is the empty one
        operation = schema.OperatorT()
        operation.opcodeIndex = code
        operation.inputs = np.array([len(graph.tensors)], np.int32)
        operation.outputs = np.array([place], np.int32)
        operations.append(operation)
        graph.tensors.append(half)
    model.operatorCodes.append(_dequantize(schema))
    graph.operators = [*operations, *graph.operators]
    return pack(model, len(tflite))


def _kernels(model: Any, kept: frozenset[int]) -> list[int]:
    """The float32 constants of two axes or more that float16 can hold, by their place among the tensors."""
    from ai_edge_litert.schema_py_generated import TensorType

    tensors = model.subgraphs[0].tensors
    fit = [
        place
        for place, tensor in enumerate(tensors)
        if place not in kept and tensor.type == TensorType.FLOAT32 and len(tensor.shape) > 1
        if len(values := _floats(model, tensor)) and np.abs(values).max() <= HALF_MOST
    ]
    users = [tensor.buffer for tensor in tensors]
    own = [tensors[place].buffer for place in fit]
    return [place for place, buffer in zip(fit, own, strict=True) if users.count(buffer) == own.count(buffer)]


def _floats(model: Any, tensor: Any) -> Any:
    """A constant's values, flat; none where the tensor is computed."""
    data = model.buffers[tensor.buffer].data
    return np.asarray([] if data is None else data, np.uint8).view("<f4")


def _dequantize(schema: Any) -> Any:
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.DEQUANTIZE
    code.version = _HALF_SINCE
    return code
