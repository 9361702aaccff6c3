"""The model that ships with the project: found, published once, promoted where nothing was before."""

import json
from pathlib import Path

from malaria import codec
from malaria.domain import ModelVersion
from malaria.errors import Conflict, ModelUnusable
from malaria.promote import Registry

FILES = ("model.tflite", "memory.npz", "network.keras")


def read_shipped(folder: Path) -> tuple[ModelVersion, Path]:
    """The shipped version and the folder of its files. Raises ModelUnusable where there is none."""
    try:
        version = json.loads((folder / "shipped.json").read_text())["version"]
        manifest = json.loads((folder / version / "manifest.json").read_text())
        return codec.version_from_json(manifest), folder / version
    except (OSError, ValueError, KeyError) as error:
        raise ModelUnusable(f"No shipped model under {folder}: {error}") from error


def install_shipped(registry: Registry, folder: Path) -> None:
    """Publish the shipped version; promote it only where nothing was ever promoted.

    So an upgrade of the project never replaces a model that a laboratory has adapted: a person promotes it.
    """
    info, files = read_shipped(folder)
    present = {name: files / name for name in FILES if (files / name).exists()}
    registry.publish(info, present)
    if registry.newest() is None:
        try:
            registry.promote(
                info.version, verdict="shipped", actor="malaria", reason="shipped with the project"
            )
        except Conflict:
            if registry.newest() is None:  # else another process won the race, which is as good
                raise
