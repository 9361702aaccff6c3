"""What is surely not one good cell gets no prediction, and is told why, alone and among others."""

import csv
import io

import httpx
import numpy as np
import pytest

from malaria import codec, no_cells
from malaria.grafting import Branch
from malaria.synthetic import SyntheticCell
from tests.api.asking import good, predict


@pytest.fixture(scope="module")
def writing() -> bytes:
    out = io.BytesIO()
    no_cells.writing(np.random.default_rng(1)).save(out, "PNG")
    return out.getvalue()


def test_writing_gets_no_prediction_and_is_told_why(http: httpx.Client, writing: bytes) -> None:
    before = http.get("/status").json()["predictions"].get("refused", 0)
    told = good(predict(http, writing, data={"explain": "true"}))
    assert told["prediction"] is None
    assert (told["confidence"], told["probabilities"]) == (None, None)
    assert told["needs_review"]
    assert told["review"]["code"] == "no-cell"
    assert "nothing is said of it" in told["review"]["text"]
    assert "explanation" not in told, "there is no decision to explain"
    assert told["prediction_id"]
    assert http.get("/status").json()["predictions"]["refused"] == before + 1


def test_the_model_says_what_it_takes_for_a_cell(http: httpx.Client, branch: Branch) -> None:
    told = http.get("/model/info").json()["screen"]
    assert told == codec.to_json(branch.screen)


def test_cells_are_answered_as_ever(http: httpx.Client, cells: list[SyntheticCell]) -> None:
    for cell in cells:
        told = good(predict(http, cell.png()))
        assert told["prediction"] in ("Parasitized", "Uninfected")
        assert told["probabilities"]["Parasitized"] >= 0


def test_a_cell_without_colour_is_for_a_person(http: httpx.Client, cells: list[SyntheticCell]) -> None:
    for cell in cells:
        out = io.BytesIO()
        cell.image.convert("L").save(out, "PNG")
        told = good(predict(http, out.getvalue()))
        assert told["needs_review"]
        assert told["prediction"] is None or told["review"]["code"] != "uncertain"


def test_a_batch_tells_of_each(http: httpx.Client, cells: list[SyntheticCell], writing: bytes) -> None:
    files = [("files", ("cell.png", cells[0].png())), ("files", ("page.png", writing)), ("files", ("x", b""))]
    told = http.post("/predict/batch", files=files).json()
    cell, page, unread = told["results"]
    assert cell["prediction"]
    assert (page["prediction"], page["probabilities"], page["review"]["code"]) == (None, None, "no-cell")
    assert page["image"]["width"] > 0
    assert "prediction" not in unread
    assert unread["error"]
    assert (told["succeeded"], told["failed"], told["refused"]) == (2, 1, 1)
    assert told["to_review"] == sum(one.get("needs_review", False) for one in told["results"])
    assert sum(told["counts"].values()) == 1
    answer = http.post("/predict/batch", files=files, headers={"accept": "text/csv"})
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["review_code"] == "no-cell" for row in rows] == [False, True, False]
    assert (rows[1]["prediction"], rows[1]["probability_parasitized"], rows[1]["needs_review"]) == (
        "",
        "",
        "true",
    )
