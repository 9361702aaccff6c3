"""Write a fitted network as ONE self-contained .tflite file, and prove it answers as the network does.

The served graph: uint8 RGB (1, s, s, 3) in; `probability` (1, 1), `activation` (1, s/16, s/16, 1) and
`embedding` (1, width) out. The head stands once, as a 1x1 convolution on the grid: its output is the
activation map, whose mean is the logit. So a new head is a change of two constants (see `malaria.head`).
"""

import contextlib
import os
import tempfile
from pathlib import Path

import keras
from keras import layers

from malaria import whole


def served_graph(network: keras.Model, size: int, temperature: float) -> keras.Model:
    """The network as it is served; `temperature` is folded into the head, so probabilities are calibrated."""
    image = keras.Input((size, size, 3), batch_size=1, dtype="uint8", name="image")
    # Keras would number the name by what the process built before, and names stand in the file: the same
    # weights would make another file after a training that was resumed.
    trunk = keras.Model(network.input, network.get_layer("features").output, name="functional")
    grid = trunk(keras.ops.cast(image, "float32"))
    embedding = layers.GlobalAveragePooling2D(name="embedding")(grid)
    head = layers.Conv2D(1, 1, name="served_head")
    activation = head(grid)
    weights, bias = network.get_layer("head").get_weights()
    head.set_weights([weights.reshape(1, 1, -1, 1) / temperature, bias / temperature])
    logit = layers.GlobalAveragePooling2D(name="logit")(activation)
    probability = keras.ops.sigmoid(logit)
    return keras.Model(image, {"probability": probability, "activation": activation, "embedding": embedding})


def to_tflite(network: keras.Model, size: int, temperature: float, path: Path) -> None:
    """Export float32 TFLite; the file appears whole or not at all."""
    convert(served_graph(network, size, temperature), size, path)


def convert(graph: keras.Model, size: int, path: Path) -> None:
    """Write a graph, which takes uint8 RGB (1, size, size, 3) and names its outputs, as float32 TFLite."""
    import tensorflow as tf  # the converter is TensorFlow's own

    with tempfile.TemporaryDirectory() as folder, quiet():
        spec = [tf.TensorSpec((1, size, size, 3), tf.uint8, name="image")]
        archive = keras.export.ExportArchive()
        archive.track(graph)
        archive.add_endpoint("serve", graph.call, input_signature=spec)
        archive.write_out(folder, verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=["serve"])
        converted = converter.convert()
    with whole.file(path) as partial:
        partial.write_bytes(converted)


@contextlib.contextmanager
def quiet():  # type: ignore[no-untyped-def]
    """The converter's C++ side writes pages to stderr whatever the log level; a person needs none."""
    saved = os.dup(2)
    with Path(os.devnull).open("wb") as sink:
        os.dup2(sink.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(saved, 2)
            os.close(saved)
