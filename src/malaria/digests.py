"""SHA-256 of data, so that a figure names the very cells it was measured on."""

import hashlib
from pathlib import Path


def sha256(source: Path) -> str:
    """Of a file its bytes; of a folder the lines `sha256  path` of its files, in the order of their paths."""
    if not source.is_dir():
        with source.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    paths = sorted(
        (path.relative_to(source).as_posix(), path) for path in source.rglob("*") if path.is_file()
    )
    lines = [f"{sha256(path)}  {name}\n" for name, path in paths]
    return hashlib.sha256("".join(lines).encode()).hexdigest()
