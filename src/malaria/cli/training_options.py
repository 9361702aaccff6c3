"""Options that the commands which fit networks share."""

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from malaria.errors import MissingPart, how_to_add

DataOption = Annotated[
    list[Path], typer.Option(help="ZIP or folder to learn and tune from; may be repeated.")
]
RunOption = Annotated[
    Path | None, typer.Option(help="Folder of checkpoints; a stopped run goes on. Default: runs/OUT.")
]
CacheOption = Annotated[Path | None, typer.Option(help="Folder of decoded pixels. Default: runs/cache.")]
BackboneOption = Annotated[
    Path | None, typer.Option(help="Pretrained MobileNetV2 (.weights.h5, no top). Default: from nothing.")
]
RecipeOption = Annotated[
    Path | None,
    typer.Option(help="TOML of what differs from the network's own recipe; options here go first."),
]
LaboratoryOption = Annotated[
    list[str] | None,
    typer.Option(help="SET=PATH: fields of another laboratory to learn from, such as chula=fields.zip."),
]
WithoutOption = Annotated[
    list[Path] | None,
    typer.Option(help="CSV of cells not to train on (original_label,cell,patient); may be repeated."),
]
WithoutLabelOption = Annotated[
    str | None,
    typer.Option(help="Of those listed, leave out only the Parasitized, or only the Uninfected."),
]
StageOption = Annotated[
    list[str] | None, typer.Option(help="SIZE:EPOCHS, may be repeated. Default: the recipe's.")
]
BatchSizeOption = Annotated[int | None, typer.Option(min=1, max=512)]
LearningRateOption = Annotated[float | None, typer.Option(min=1e-6, max=1.0)]
StartOption = Annotated[
    Path | None, typer.Option(help="A network.keras to go on from, instead of a backbone.", exists=True)
]


def need_tensorflow(command: str) -> None:
    """Raises MissingPart where TensorFlow is not installed, before any work."""
    if find_spec("tensorflow") is None:
        raise MissingPart(f"`{command}` needs TensorFlow: {how_to_add('train')}.")


def need_keras(command: str) -> None:
    """Raises MissingPart where Keras is not installed, before any work.

    KERAS_BACKEND chooses what it runs on: TensorFlow, which the extra `train` brings, or JAX, by the extra
    `jax`.
    """
    if find_spec("keras") is None:
        raise MissingPart(
            f"`{command}` needs Keras and TensorFlow: {how_to_add('train')}. Or JAX in its place, by the "
            "extra `jax` and with KERAS_BACKEND=jax."
        )
