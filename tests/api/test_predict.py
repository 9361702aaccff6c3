"""POST /predict: what it answers, what it makes of every kind of picture, and how it refuses the rest."""

import base64
import io
import socket
import struct
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from PIL import Image

from malaria import explain
from malaria.predict import interpret
from malaria.preprocess import pixels
from malaria.synthetic import SyntheticCell
from tests.api.asking import good, predict, problem
from tests.api.conftest import System


def saved(image: Image.Image, kind: str, **how: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **how)  # type: ignore[arg-type]
    return out.getvalue()


def test_cells_are_named_rightly_and_the_answer_is_whole(shared: System, cells: list[SyntheticCell]) -> None:
    info = shared.services.served.model.info
    right = 0
    for cell in cells:
        told = good(predict(shared.http, cell.png()))
        assert set(told) == {
            "prediction",
            "confidence",
            "probabilities",
            "threshold",
            "image",
            "processing_time",
            "model_version",
            "timestamp",
            "prediction_id",
            "needs_review",
        }, "no explanation, since nobody asked; no reason, since none of these is doubtful"
        scored = shared.services.served.model.score(pixels(cell.png(), info.input_size))
        answer = interpret(scored, info)
        assert told["prediction"] == answer.prediction
        assert told["probabilities"] == answer.probabilities
        assert told["confidence"] == told["probabilities"][told["prediction"]]
        assert sum(told["probabilities"].values()) == pytest.approx(1)
        assert told["image"] == {"width": cell.image.width, "height": cell.image.height}
        assert 0 < told["processing_time"] < 10
        assert told["model_version"] == info.version
        assert told["threshold"] == info.threshold
        right += told["prediction"] == cell.label.text
    assert right >= len(cells) - 1


def test_time_is_utc_and_each_answer_has_its_own_id(http: httpx.Client, png: bytes) -> None:
    first, second = good(predict(http, png)), good(predict(http, png))
    at = datetime.fromisoformat(first["timestamp"])
    assert at.utcoffset() == timedelta(0)
    assert abs(datetime.now(UTC) - at) < timedelta(minutes=1)
    assert first["prediction_id"] != second["prediction_id"]
    assert first["probabilities"] == second["probabilities"]


def test_a_doubtful_cell_asks_for_a_look(shared: System, png: bytes) -> None:
    """Doubt is nearness to the threshold, so a threshold at a cell's own probability makes it doubtful."""
    usual = good(predict(shared.http, png))
    assert (usual["needs_review"], "review" in usual) == (False, False)
    at = usual["probabilities"]["Parasitized"]
    told = good(predict(shared.http, png, data={"threshold": str(at)}))
    assert told["needs_review"]
    assert told["review"]["code"] == "uncertain"
    assert f"{at:.3f}" in told["review"]["text"]


@pytest.mark.parametrize(
    "send",
    [{"data": {"threshold": "0.001"}}, {"params": {"threshold": "0.001"}}],
    ids=["form", "query"],
)
def test_a_threshold_moves_the_line(http: httpx.Client, cells: list[SyntheticCell], send: dict) -> None:
    clean = cells[0] if cells[0].label.text == "Uninfected" else cells[1]
    usual = good(predict(http, clean.png()))
    assert usual["prediction"] == "Uninfected"
    low = good(predict(http, clean.png(), **send))
    assert low["threshold"] == 0.001
    assert low["probabilities"] == usual["probabilities"]
    expected = "Parasitized" if usual["probabilities"]["Parasitized"] >= 0.001 else "Uninfected"
    assert low["prediction"] == expected


def test_a_threshold_of_zero_calls_every_cell_parasitized(
    http: httpx.Client, cells: list[SyntheticCell]
) -> None:
    for cell in cells[:4]:
        told = good(predict(http, cell.png(), data={"threshold": "0"}))
        assert told["prediction"] == "Parasitized"
        assert told["confidence"] == told["probabilities"]["Parasitized"]


@pytest.mark.parametrize("given", ["-0.1", "1.5", "nan", "inf", "half"])
@pytest.mark.parametrize("place", ["data", "params"])
def test_a_threshold_out_of_range_is_refused(http: httpx.Client, png: bytes, given: str, place: str) -> None:
    sent: dict[str, Any] = {"files": {"file": ("a.png", png)}, place: {"threshold": given}}
    told = problem(http.post("/predict", **sent), 422, "invalid-request")
    assert "threshold" in told["detail"]
    assert told["errors"][0]["field"].endswith(".threshold")


def test_two_thresholds_that_differ_are_refused(http: httpx.Client, png: bytes) -> None:
    answer = predict(http, png, data={"threshold": "0.2"}, params={"threshold": "0.3"})
    assert "0.2" in problem(answer, 422, "bad-options")["detail"]
    assert good(predict(http, png, data={"threshold": "0.3"}, params={"threshold": "0.3"}))


BOX = ("left", "top", "right", "bottom")
ASKED = [{"data": {"explain": "true"}}, {"params": {"explain": "true"}}]


@pytest.mark.parametrize("send", ASKED, ids=["form", "query"])
def test_an_explanation_is_told_where_it_is_asked_for(
    shared: System, cells: list[SyntheticCell], send: dict
) -> None:
    model = shared.services.served.model
    for cell in cells[:4]:
        image = cell.image.crop((0, 9, cell.image.width, cell.image.height - 9))
        told = good(predict(shared.http, saved(image, "PNG"), **send))
        found, size = told["explanation"], image.size
        scored = model.score(pixels(saved(image, "PNG"), model.info.input_size))
        assert found["grid"] == [[pytest.approx(v, abs=5e-4) for v in row] for row in scored.activation]
        place = explain.hottest(scored.activation, size)
        assert found["at"] == {"x": place.x, "y": place.y, "logit": round(place.logit, 3)}
        assert tuple(found["box"][side] for side in ("left", "top", "right", "bottom")) == explain.box(
            size, 8
        )
        overlay = drawn(found)
        assert overlay.tobytes() == explain.overlay(scored.activation, size).tobytes()
        assert (overlay.mode, overlay.size) == ("RGBA", size)
        assert (found["scale"]["clear"], found["scale"]["full"]) == (0, explain.FULL)
        assert told["probabilities"] == good(predict(shared.http, saved(image, "PNG")))["probabilities"]


def drawn(explanation: dict) -> Image.Image:
    kind, _, data = explanation["overlay"].partition(",")
    assert kind == "data:image/png;base64"
    return Image.open(io.BytesIO(base64.b64decode(data)))


def test_an_explanation_is_of_the_picture_turned_upright_and_small_however_large_it_is(
    http: httpx.Client, cells: list[SyntheticCell]
) -> None:
    image = cells[0].image.crop((0, 0, cells[0].image.width - 20, cells[0].image.height))
    upright = good(predict(http, saved(image, "PNG"), data={"explain": "1"}))["explanation"]
    tagged = saved(image.transpose(Image.Transpose.ROTATE_90), "PNG", exif=turned())
    assert good(predict(http, tagged, data={"explain": "1"}))["explanation"] == upright
    large = saved(image.resize((2400, 1600)), "JPEG")
    answer = predict(http, large, data={"explain": "1"})
    assert drawn(good(answer)["explanation"]).size == (512, 341)
    assert len(answer.content) < 500_000
    at = good(answer)["explanation"]["at"]
    assert 512 < max(at["x"], at["y"]) < 2400, "but places are told in the picture's own pixels"


def test_explain_is_taken_once_and_only_as_yes_or_no(http: httpx.Client, png: bytes) -> None:
    differ = predict(http, png, data={"explain": "true"}, params={"explain": "false"})
    assert "explain is True in the form" in problem(differ, 422, "bad-options")["detail"]
    same = predict(http, png, data={"explain": "true"}, params={"explain": "true"})
    assert good(same)["explanation"]
    assert "explanation" not in good(predict(http, png, params={"explain": "no"}))
    told = problem(predict(http, png, params={"explain": "perhaps"}), 422, "invalid-request")
    assert told["errors"][0]["field"].endswith(".explain")


SAME_PIXELS: dict[str, Callable[[Image.Image], bytes]] = {
    "RGBA": lambda i: saved(i.convert("RGBA"), "PNG"),
    "lossless WebP": lambda i: saved(i, "WEBP", lossless=True),
    "TIFF": lambda i: saved(i, "TIFF"),
    "BMP": lambda i: saved(i, "BMP"),
    "EXIF-rotated": lambda i: saved(i.transpose(Image.Transpose.ROTATE_90), "PNG", exif=turned()),
    "animated": lambda i: saved(i, "WEBP", lossless=True, save_all=True, append_images=[i.rotate(180)]),
}
OTHER_PIXELS: dict[str, Callable[[Image.Image], bytes]] = {
    "grey": lambda i: saved(i.convert("L"), "PNG"),
    "16-bit": lambda i: saved(i.convert("L").convert("I;16"), "PNG"),
    "palette": lambda i: saved(i.quantize(64), "PNG"),
    "CMYK": lambda i: saved(i.convert("CMYK"), "JPEG", quality=95),
    "animated GIF": lambda i: saved(i, "GIF", save_all=True, append_images=[i.rotate(90)]),
}


def turned() -> Image.Exif:
    """A tag that says: turn this by 90 degrees clockwise to see it upright."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


@pytest.mark.parametrize("kind", SAME_PIXELS)
def test_the_same_pixels_get_the_same_answer(
    http: httpx.Client, cells: list[SyntheticCell], kind: str
) -> None:
    image = cells[0].image.crop((0, 0, cells[0].image.width - 6, cells[0].image.height))
    upright = good(predict(http, saved(image, "PNG")))
    told = good(predict(http, SAME_PIXELS[kind](image)))
    assert told["probabilities"] == upright["probabilities"]
    assert told["image"] == upright["image"]


@pytest.mark.parametrize("kind", OTHER_PIXELS)
def test_other_kinds_of_pictures_are_answered(
    http: httpx.Client, cells: list[SyntheticCell], kind: str
) -> None:
    assert good(predict(http, OTHER_PIXELS[kind](cells[0].image)))["prediction"]


def bomb(side: int) -> bytes:
    """A PNG whose header speaks of side x side pixels, and little more."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(bytes(200_000), 9)), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


BAD: dict[str, tuple[Callable[[bytes], bytes], int, str]] = {
    "empty": (lambda _: b"", 422, "unreadable-image"),
    "text named .png": (lambda _: b"I am not a picture\n" * 40, 422, "unreadable-image"),
    "truncated PNG": (lambda png: png[: len(png) // 2], 422, "unreadable-image"),
    "1x1 pixel": (lambda _: saved(Image.new("RGB", (1, 1)), "PNG"), 422, "image-too-small"),
    "decompression bomb": (lambda _: bomb(40_000), 413, "image-too-large"),
    "ZIP": (lambda _: b"PK\x05\x06" + bytes(18), 422, "unreadable-image"),
    "SVG": (lambda _: b"<svg xmlns='http://www.w3.org/2000/svg'/>", 422, "unreadable-image"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_pictures_are_refused_by_name(http: httpx.Client, png: bytes, name: str) -> None:
    spoil, status, code = BAD[name]
    problem(predict(http, spoil(png)), status, code)
    assert good(predict(http, png)), "the server goes on answering"


def test_a_wrong_field_name_is_told_with_the_right_one(http: httpx.Client, png: bytes) -> None:
    told = problem(http.post("/predict", files={"image": ("a.png", png)}), 422, "invalid-request")
    assert "'file'" in told["detail"]
    assert "image" in told["detail"]
    assert told["errors"][0]["field"] == "form.image"


def test_a_misspelt_threshold_is_not_passed_over(http: httpx.Client, png: bytes) -> None:
    told = problem(predict(http, png, data={"treshold": "0.9"}), 422, "invalid-request")
    assert "'threshold'" in told["detail"]


def test_a_form_without_a_file(http: httpx.Client) -> None:
    form = {"threshold": (None, "0.5")}
    told = problem(http.post("/predict", files=form), 422, "invalid-request")
    assert "'file'" in told["detail"]
    sent_as_text = problem(http.post("/predict", files={"file": (None, "hello")}), 422, "invalid-request")
    assert sent_as_text["errors"][0]["field"] == "form.file"


@pytest.mark.parametrize(
    "body",
    [
        {"json": {"file": "x"}},
        {"content": b"raw", "headers": {"content-type": "image/png"}},
        {"data": {"file": "x"}},
        {},
    ],
    ids=["JSON", "raw picture", "urlencoded", "nothing"],
)
def test_a_body_of_another_type(http: httpx.Client, body: dict) -> None:
    told = problem(http.post("/predict", **body), 415, "unsupported-media-type")
    assert "multipart/form-data" in told["detail"]


@pytest.mark.parametrize(
    "body", [b"garbage", b"", b'--b\r\nContent-Disposition: form-data; name="file"; file']
)
def test_a_form_that_is_none(http: httpx.Client, body: bytes) -> None:
    headers = {"content-type": "multipart/form-data; boundary=b"}
    answer = http.post("/predict", content=body, headers=headers)
    assert answer.status_code in (400, 422)
    problem(answer, answer.status_code, answer.json()["code"])


def test_a_picture_of_50_megabytes_is_refused(http: httpx.Client) -> None:
    told = problem(predict(http, bytes(50_000_000)), 413, "upload-too-large")
    assert "10.0 MiB" in told["detail"]


def raw(http: httpx.Client, head: str) -> socket.socket:
    connection = socket.create_connection((http.base_url.host, http.base_url.port or 80), timeout=20)
    connection.sendall(
        f"POST /predict HTTP/1.1\r\nHost: {http.base_url.host}\r\n"
        f"Content-Type: multipart/form-data; boundary=b\r\n{head}\r\n".encode()
    )
    return connection


def test_its_length_alone_is_enough_to_refuse_it(http: httpx.Client) -> None:
    with raw(http, "Content-Length: 50000000\r\nExpect: 100-continue\r\n") as connection:
        assert connection.recv(4096).startswith(b"HTTP/1.1 413 ")  # not a byte of the body was sent


def test_without_a_length_it_is_refused_at_the_first_byte_too_many(http: httpx.Client) -> None:
    start = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'

    def pieces() -> Iterator[bytes]:
        yield start
        for _ in range(41):  # 10.25 MiB: past the limit, and the body goes on
            yield bytes(256 * 1024)

    with raw(http, "Transfer-Encoding: chunked\r\n") as connection:
        for piece in pieces():
            connection.sendall(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 413 ")  # the end of the body never came


def test_names_of_files_stay_out_of_answers_and_logs(
    http: httpx.Client, png: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("DEBUG"):
        good(predict(http, png, name="C33P1_Jane_Doe.png"))
        told = problem(predict(http, b"", name="C33P1_Jane_Doe.png"), 422, "unreadable-image")
    assert "Jane" not in str(told)
    mine = [r for r in caplog.records if not r.name.startswith(("python_multipart", "httpx", "httpcore"))]
    assert any(record.name == "malaria.api.access" for record in mine)
    assert not any("Jane" in record.getMessage() for record in mine)


def test_a_field_sent_twice_is_refused_and_not_the_last_one_answered(
    shared: System, cells: list[SyntheticCell]
) -> None:
    files = [("file", (f"{i}.png", cell.png(), "image/png")) for i, cell in enumerate(cells[:2])]
    told = problem(shared.http.post("/predict", files=files), 422, "invalid-request")
    assert "more than once" in str(told["errors"])
