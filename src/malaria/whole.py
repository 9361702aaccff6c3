"""Files and folders that appear whole or not at all, whoever else makes the same ones at the time."""

import contextlib
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def file(target: Path) -> Iterator[Path]:
    """A path to write to, beside the target and with its suffix; at the end it takes the target's place.

    Its folder must exist. Where the block raises, the target stays as it was.
    """
    partial = _beside(target)
    try:
        yield partial
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


@contextlib.contextmanager
def new_file(target: Path) -> Iterator[Path]:
    """As `file`, for a target that is made once: where it stands already, or another is first, that one
    stays."""
    partial = _beside(target)
    try:
        yield partial
        with contextlib.suppress(FileExistsError):
            os.link(partial, target)
    finally:
        partial.unlink(missing_ok=True)


@contextlib.contextmanager
def folder(target: Path) -> Iterator[Path]:
    """A new folder to fill, beside the target; at the end it becomes the target.

    Where another process was first, what it made stays: both are to make the same. Where the block raises,
    nothing is left.
    """
    partial = _beside(target)
    partial.mkdir(parents=True)
    try:
        yield partial
        with contextlib.suppress(OSError):  # another was first, which is as good
            partial.rename(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    if not target.is_dir():
        raise NotADirectoryError(f"{target} could not be made.")


def write_text(target: Path, text: str) -> None:
    """Write a text as UTF-8, over what stood there."""
    with file(target) as partial:
        partial.write_text(text, encoding="utf-8")


def _beside(target: Path) -> Path:
    """A name that nobody else writes to; `partial-` tells a person what a killed process left."""
    return target.with_name(f"partial-{uuid.uuid4().hex[:12]}-{target.name}")
