"""What is surely not one good cell gets no prediction, and is told why, alone and among others."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest

from malaria import codec, no_cells
from malaria.api.app import create_app
from malaria.grafting import Branch
from malaria.synthetic import SyntheticCell
from tests.api.asking import good, predict
from tests.api.conftest import make
from tests.api.server import client


@pytest.fixture(scope="module")
def knowing(tmp_path_factory: pytest.TempPathFactory, grafted_models: Path) -> Iterator[httpx.Client]:
    """A system whose model knows what is no cell."""
    services, _ = make(tmp_path_factory.mktemp("knowing"), grafted_models)
    with client(create_app(services)) as http:
        yield http


@pytest.fixture(scope="module")
def writing() -> bytes:
    out = io.BytesIO()
    no_cells.writing(np.random.default_rng(1)).save(out, "PNG")
    return out.getvalue()


def test_writing_gets_no_prediction_and_is_told_why(knowing: httpx.Client, writing: bytes) -> None:
    before = knowing.get("/status").json()["predictions"].get("refused", 0)
    told = good(predict(knowing, writing, data={"explain": "true"}))
    assert told["prediction"] is None
    assert (told["confidence"], told["probabilities"]) == (None, None)
    assert told["needs_review"]
    assert told["review"]["code"] == "no-cell"
    assert "nothing is said of it" in told["review"]["text"]
    assert "explanation" not in told, "there is no decision to explain"
    assert told["prediction_id"]
    assert knowing.get("/status").json()["predictions"]["refused"] == before + 1


def test_the_model_says_what_it_takes_for_a_cell(knowing: httpx.Client, branch: Branch) -> None:
    told = knowing.get("/model/info").json()["screen"]
    assert told == codec.to_json(branch.screen)


def test_cells_are_answered_as_ever(knowing: httpx.Client, cells: list[SyntheticCell]) -> None:
    for cell in cells:
        told = good(predict(knowing, cell.png()))
        assert told["prediction"] in ("Parasitized", "Uninfected")
        assert told["probabilities"]["Parasitized"] >= 0


def test_a_batch_tells_of_each(knowing: httpx.Client, cells: list[SyntheticCell], writing: bytes) -> None:
    files = [("files", ("cell.png", cells[0].png())), ("files", ("page.png", writing)), ("files", ("x", b""))]
    told = knowing.post("/predict/batch", files=files).json()
    cell, page, unread = told["results"]
    assert cell["prediction"]
    assert (page["prediction"], page["probabilities"], page["review"]["code"]) == (None, None, "no-cell")
    assert page["image"]["width"] > 0
    assert "prediction" not in unread
    assert unread["error"]
    assert (told["succeeded"], told["failed"], told["refused"]) == (2, 1, 1)
    assert told["to_review"] == sum(one.get("needs_review", False) for one in told["results"])
    assert sum(told["counts"].values()) == 1
    answer = knowing.post("/predict/batch", files=files, headers={"accept": "text/csv"})
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["review_code"] == "no-cell" for row in rows] == [False, True, False]
    assert (rows[1]["prediction"], rows[1]["probability_parasitized"], rows[1]["needs_review"]) == (
        "",
        "",
        "true",
    )
