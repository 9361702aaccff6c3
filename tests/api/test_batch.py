"""POST /predict/batch: files or a ZIP, errors beside answers, JSON or CSV."""

import csv
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from malaria.api.app import create_app
from malaria.api.tables import wants_csv
from malaria.synthetic import SyntheticCell
from tests.api.asking import good, predict, problem
from tests.api.conftest import make
from tests.api.server import client

Sent = list[tuple[str, tuple[str, bytes, str]]]


def files(*named: tuple[str, bytes], field: str = "files") -> Sent:
    return [(field, (name, data, "image/png")) for name, data in named]


def zipped(*named: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in named:
            archive.writestr(name, data)
    return out.getvalue()


def batch(http: httpx.Client, sent: Sent, **more: object) -> httpx.Response:
    return http.post("/predict/batch", files=sent, **more)  # type: ignore[arg-type]


def test_entries_stand_in_order_and_equal_single_answers(
    http: httpx.Client, cells: list[SyntheticCell]
) -> None:
    alone = [good(predict(http, cell.png())) for cell in cells]
    sent = files(*((cell.name, cell.png()) for cell in cells))
    sent.insert(3, ("files", ("notes.txt", b"nothing to see", "text/plain")))
    told = good(batch(http, sent))
    entries = told["results"]
    assert [one["index"] for one in entries] == list(range(len(cells) + 1))
    bad = entries.pop(3)
    assert bad["error"]["code"] == "unreadable-image"
    assert bad["error"]["status"] == 422
    assert "prediction" not in bad
    for cell, one, single in zip(cells, entries, alone, strict=True):
        assert one["filename"] == cell.name
        for key in ("prediction", "confidence", "probabilities", "image"):
            assert one[key] == single[key]
    assert (told["total"], told["succeeded"], told["failed"]) == (len(cells) + 1, len(cells), 1)
    said = [one["prediction"] for one in alone]
    assert told["counts"] == {name: said.count(name) for name in ("Parasitized", "Uninfected")}
    assert told["model_version"] == alone[0]["model_version"]
    assert len({one["prediction_id"] for one in entries}) == len(cells)


def test_a_zip_is_answered_entry_by_entry(http: httpx.Client, png: bytes) -> None:
    alone = good(predict(http, png))
    link = zipfile.ZipInfo("link.png")
    link.external_attr = 0o120777 << 16
    data = zipped(
        ("Parasitized/ä.png", png),
        ("__MACOSX/._a.png", b"junk"),
        ("../../evil.png", png),
        ("inner.zip", zipped(("a.png", png))),
        (link, b"/etc/passwd"),
        ("cut.png", png[:100]),
        ("deep/er/b.png", png),
    )
    entries = good(batch(http, files(("cells.zip", data), field="file")))["results"]
    told = {one["filename"]: one.get("error", {}).get("code") or one["probabilities"] for one in entries}
    assert told == {
        "Parasitized/ä.png": alone["probabilities"],
        "../../evil.png": "unsafe-name",
        "inner.zip": "nested-archive",
        "link.png": "symlink",
        "cut.png": "unreadable-image",
        "deep/er/b.png": alone["probabilities"],
    }


def test_the_upload_of_a_retraining_can_be_asked_about_as_it_is(http: httpx.Client, upload: bytes) -> None:
    told = good(batch(http, files(("cells.zip", upload))))
    assert told["succeeded"] == 6
    assert {one["filename"] for one in told["results"] if "error" in one} == {"patients.csv"}


BAD_ZIPS: dict[str, tuple[Callable[[bytes], bytes], int, str]] = {
    "not a ZIP": (lambda _: b"not a ZIP at all", 422, "bad-archive"),
    "cut short": (lambda png: zipped(("a.png", png))[:-30], 422, "bad-archive"),
    "no images": (lambda _: zipped(("empty/", b"")), 422, "bad-archive"),
    "too many entries": (lambda _: zipped(*((f"{i}", b"") for i in range(20_000))), 413, "upload-too-large"),
}


@pytest.mark.parametrize("name", BAD_ZIPS)
def test_bad_zips_are_refused_by_name(http: httpx.Client, png: bytes, name: str) -> None:
    make_zip, status, code = BAD_ZIPS[name]
    problem(batch(http, files(("cells.zip", make_zip(png)))), status, code)


def test_more_than_a_thousand_files_are_taken(http: httpx.Client, png: bytes) -> None:
    sent = files(*((f"{i}.png", b"no") for i in range(1500)), ("last.png", png))
    told = good(batch(http, sent))
    assert (told["failed"], told["succeeded"]) == (1500, 1)
    assert told["results"][-1]["filename"] == "last.png"


def test_more_files_than_allowed_are_refused(home: Path, models_dir: Path, png: bytes) -> None:
    services, _ = make(home, models_dir, max_batch_images=2, max_image_bytes=len(png), max_batch_bytes=10**6)
    with client(create_app(services)) as http:
        assert good(batch(http, files(("a", png), ("b", png))))["succeeded"] == 2
        problem(batch(http, files(("a", png), ("b", png), ("c", png))), 413, "upload-too-large")
        assert "2" in problem(batch(http, files(*[("a", b"")] * 3)), 413, "upload-too-large")["detail"]
        larger = good(batch(http, files(("a", png + b"\0"), ("b", png))))["results"]
        assert larger[0]["error"]["code"] == "image-too-large"
        assert larger[1]["prediction"]
        problem(batch(http, files(("a", bytes(1_200_000)))), 413, "upload-too-large")


def test_a_threshold_holds_for_all(http: httpx.Client, png: bytes) -> None:
    told = good(batch(http, files(("a.png", png)), data={"threshold": "1"}))
    assert told["threshold"] == 1
    assert told["results"][0]["prediction"] == "Uninfected"
    wrong = problem(batch(http, files(("a.png", png)), data={"threshold": "7"}), 422, "invalid-request")
    assert wrong["errors"][0]["field"] == "form.threshold"


def test_a_batch_is_not_explained_and_says_so(http: httpx.Client, png: bytes) -> None:
    asked = batch(http, files(("a.png", png)), params={"explain": "true"})
    assert "/predict?explain=true" in problem(asked, 422, "bad-options")["detail"]
    wrong = problem(batch(http, files(("a.png", png)), data={"explain": "true"}), 422, "invalid-request")
    assert wrong["errors"][0]["field"] == "form.explain"


@pytest.mark.parametrize("sent", [[("image", ("a.png", b"x"))], [("files", (None, "text"))], []])
def test_a_form_without_files_is_refused(http: httpx.Client, sent: list) -> None:
    answer = http.post("/predict/batch", files=sent or {"threshold": (None, "0.5")})
    assert "'files'" in problem(answer, 422, "invalid-request")["detail"]


def test_another_body_is_refused(http: httpx.Client) -> None:
    problem(http.post("/predict/batch", json=[]), 415, "unsupported-media-type")


def test_csv_holds_what_json_holds(http: httpx.Client, png: bytes) -> None:
    names = ["a.png", '=HYPERLINK("x")', "+1.png", "-1.png", "@x.png", 'with "quote", comma.png']
    sent = files(*((name, png) for name in names[:-1]), (names[-1], b""))
    answer = batch(http, sent, headers={"accept": "text/csv"})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.text.count("\r\n") == len(names) + 1
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    json_entries = good(batch(http, sent))["results"]
    for row, one in zip(rows, json_entries, strict=True):
        assert int(row["index"]) == one["index"]
        assert row["filename"].removeprefix("'") == one["filename"]
        assert not row["filename"].startswith(("=", "+", "-", "@"))
        if "error" in one:
            assert row["error_code"] == one["error"]["code"]
            assert row["prediction"] == ""
        else:
            assert row["prediction"] == one["prediction"]
            assert float(row["probability_parasitized"]) == one["probabilities"]["Parasitized"]


@pytest.mark.parametrize(
    ("accept", "csv_wanted"),
    [
        ("", False),
        ("*/*", False),
        ("application/json", False),
        ("text/csv", True),
        ("TEXT/CSV; charset=utf-8", True),
        ("application/json, text/csv;q=0.5", False),
        ("application/json;q=0.5, text/csv", True),
        ("text/csv;q=0", False),
        ("text/csv;q=much", False),
        ("text/html, text/*;q=0.3", True),
    ],
)
def test_accept_decides(accept: str, csv_wanted: bool) -> None:
    assert wants_csv(accept) is csv_wanted
