"""Bad input as clumsy clients send it, and the refusal that each must meet."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from PIL import Image

from load.cells import NOT_A_PICTURE, Form, Picture, form

ABSENT = "0" * 16


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is sent, and what must come back. words: what the detail must hold, in any case."""

    what: str
    method: str
    path: str
    status: int
    code: str
    words: Sequence[str] = ()
    body: Form | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def mistakes(good: Picture, *, keyed: bool) -> tuple[Mistake, ...]:
    """Every mistake, made with a good picture. keyed: whether the server asks for keys of ours."""
    half = Picture("half.png", good.data[: len(good.data) // 2], good.size)
    unreadable = (
        ("text named .png", NOT_A_PICTURE),
        ("an empty file", Picture("empty.png", b"", (0, 0))),
        ("half a picture", half),
    )
    made = [_predict(what, 422, "unreadable-image", (), form("file", [one])) for what, one in unreadable]
    made += [
        _predict("a tiny picture", 422, "image-too-small", (), form("file", [_tiny()])),
        _predict("a wrong field", 422, "invalid-request", ("image", "file"), form("image", [good])),
        _predict("no field", 422, "invalid-request", ("file",), form("file", [], threshold="0.5")),
        _predict("threshold 7", 422, "invalid-request", ("threshold",), form("file", [good], threshold="7")),
        _predict("two pictures", 422, "invalid-request", ("once",), form("file", [good, good])),
        _predict(
            "JSON", 415, "unsupported-media-type", ("multipart",), Form(b'{"file": 1}', "application/json")
        ),
        Mistake("no POST", "GET", "/predict", 405, "method-not-allowed", ("POST",)),
        Mistake("no such page", "GET", "/predicts", 404, "not-found", ("/predicts",)),
        Mistake("no such job", "GET", f"/retrain/status/{ABSENT}", 404, "unknown-task", (ABSENT,)),
        Mistake("no such version", "GET", "/models/none-such", 404, "unknown-version", ("none-such",)),
        _batch("an empty batch", form("files", [], threshold="0.5")),
    ]
    if keyed:
        wrong = {"Authorization": "Bearer malaria_" + "x" * 43}
        made.append(
            Mistake("a wrong key", "GET", "/model/info", 401, "unauthorized", ("key",), headers=wrong)
        )
    return tuple(made)


def _predict(what: str, status: int, code: str, words: Sequence[str], body: Form) -> Mistake:
    return Mistake(what, "POST", "/predict", status, code, words, body)


def _batch(what: str, body: Form) -> Mistake:
    return Mistake(what, "POST", "/predict/batch", 422, "invalid-request", ("files",), body)


def _tiny() -> Picture:
    out = io.BytesIO()
    Image.new("RGB", (3, 3), (200, 160, 170)).save(out, "PNG")
    return Picture("tiny.png", out.getvalue(), (3, 3))
