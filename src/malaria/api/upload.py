"""What arrives in a form: its fields checked, its files put where a path is needed."""

import contextlib
import shutil
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from starlette.datastructures import UploadFile

from malaria.api.invalid import REPEATED
from malaria.archive import printable

ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06")


def only(*known: str) -> Callable[[Request], Awaitable[None]]:
    """A dependency that refuses form fields of other names, or sent twice: of two, which was meant?"""

    async def check(request: Request) -> None:
        form = await request.form()
        refuse_others(form, known)
        twice = [name for name, times in Counter(name for name, _ in form.multi_items()).items() if times > 1]
        if twice:
            wrong = "sent more than once; send it once, and many pictures to /predict/batch"
            raise RequestValidationError([field_error(name, wrong, code=REPEATED) for name in twice])

    return check


def refuse_others(got: Iterable[str], known: Sequence[str]) -> None:
    """Raises RequestValidationError, naming what the form takes."""
    others = sorted(set(got) - set(known))
    if others:
        takes = ", ".join(map(repr, known))
        wrong = [
            field_error(name[:80], f"no field of this name; the form takes {takes}") for name in others[:5]
        ]
        raise RequestValidationError(wrong)


def field_error(field: str, message: str, given: Any = None, code: str = "unknown_field") -> dict[str, Any]:
    """An error as the framework's own look, so that all are told alike."""
    return {"type": code, "loc": ("body", field), "msg": message, "input": given}


def is_zip(file: UploadFile) -> bool:
    """Whether a file is a ZIP by its first bytes, or claims to be one by its name."""
    start = file.file.read(4)
    file.file.seek(0)
    return start in ZIP_STARTS or (file.filename or "").lower().endswith(".zip")


def name(sent: str) -> str:
    """The file's own name without the folders that some clients send with it."""
    return printable(PurePosixPath(sent.replace("\\", "/")).name) or "upload.zip"


@contextlib.contextmanager
def on_disk(file: UploadFile) -> Iterator[Path]:
    """The upload as a file, for as long as the block runs."""
    with TemporaryDirectory(prefix="malaria-upload-") as folder:
        path = Path(folder) / "upload"
        with path.open("wb") as out:
            shutil.copyfileobj(file.file, out, 2**20)
        yield path
