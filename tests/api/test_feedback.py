"""What a cell was, told to a real server: tokens, records, figures; and what is refused."""

import csv
import io
import json
import logging
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from malaria import preprocess, signing_keys, synthetic, wiring
from malaria.api.app import create_app
from malaria.domain import Confirmation, Label, Said
from malaria.errors import Busy
from malaria.supervisor import Supervisor
from malaria.synthetic import SyntheticCell
from malaria.tokens import Tokens
from tests.api.asking import good, predict, problem
from tests.api.conftest import System, make
from tests.api.server import client


def answered(http: httpx.Client, picture: bytes) -> dict[str, str]:
    told: dict[str, str] = good(predict(http, picture))
    return told


def confirm(
    http: httpx.Client, prediction_id: str, label: str = "Parasitized", **more: object
) -> httpx.Response:
    return http.post("/feedback", json={"prediction_id": prediction_id, "label": label, "by": "ada", **more})


def test_an_id_carries_what_was_said(shared: System, cells: list[SyntheticCell]) -> None:
    tokens = Tokens(shared.services.signing_keys)
    for cell in cells[:4]:
        told = good(predict(shared.http, cell.png(), data={"threshold": "0.3"}))
        said = tokens.read(told["prediction_id"])
        assert said.version == told["model_version"]
        assert said.probability == told["probabilities"]["Parasitized"]
        assert said.threshold == 0.3
        assert said.label is not None and said.label.text == told["prediction"]
        assert said.needs_review == told["needs_review"]
        assert said.at == datetime.fromisoformat(told["timestamp"]).replace(microsecond=0)
        assert said.fingerprint == preprocess.fingerprint_of(preprocess.decode(cell.png()))


def test_a_label_is_recorded_beside_what_was_said(own: System, cells: list[SyntheticCell]) -> None:
    told = answered(own.http, cells[0].png())
    wrong = next(label.text for label in Label if label.text != told["prediction"])
    first = good(
        confirm(own.http, told["prediction_id"], told["prediction"], site="Kisumu", patient="k-1"), 201
    )
    assert first["model_was_right"] is True
    assert (first["label"], first["by"], first["site"], first["patient"]) == (
        told["prediction"],
        "ada",
        "Kisumu",
        "k-1",
    )
    assert first["said"]["model_version"] == told["model_version"]
    assert first["said"]["prediction"] == told["prediction"]
    second = good(confirm(own.http, told["prediction_id"], wrong), 201)
    assert second["model_was_right"] is False
    again = good(confirm(own.http, told["prediction_id"], wrong), 201)
    assert again == second
    rows = own.services.feedback.list()
    assert [row.label.text for row in rows] == [told["prediction"], wrong]
    assert rows[0].patient == "k-1"


def test_a_prediction_confirmed_again_and_again_counts_once(own: System, png: bytes) -> None:
    first, second = (answered(own.http, png)["prediction_id"] for _ in range(2))
    for token in (first, second, first, second):
        good(confirm(own.http, token), 201)
    whole = good(own.http.get("/metrics/quality"))["overall"]
    assert (whole["parasitized"], whole["uninfected"]) == (1, 0)
    assert len(own.services.feedback.list()) == 2
    good(confirm(own.http, first, "Uninfected"), 201)
    whole = good(own.http.get("/metrics/quality"))["overall"]
    assert (whole["parasitized"], whole["uninfected"]) == (0, 1)
    good(confirm(own.http, first, by="ben"), 201)
    told = good(own.http.get("/metrics/quality"))
    assert (told["overall"]["cells"], told["disputed"]) == (0, 1)


def test_every_entry_of_a_batch_can_be_confirmed(own: System, cells: list[SyntheticCell]) -> None:
    files = [("files", (f"{i}.png", cell.png())) for i, cell in enumerate(cells[:3])]
    files.append(("files", ("notes.txt", b"no picture")))
    as_json = good(own.http.post("/predict/batch", files=files))["results"]
    table = own.http.post("/predict/batch", files=files, headers={"Accept": "text/csv"})
    as_csv = list(csv.DictReader(io.StringIO(table.text)))
    assert as_csv[3]["prediction_id"] == "" and "prediction_id" not in as_json[3]
    ids = [one["prediction_id"] for one in (*as_json[:3], *as_csv[:3])]
    assert len(set(ids)) == 6
    for prediction_id, cell in zip(ids, [*cells[:3], *cells[:3]], strict=True):
        good(confirm(own.http, prediction_id, cell.label.text), 201)
    rows = own.services.feedback.list()
    expected = [preprocess.fingerprint_of(cell.image) for cell in cells[:3]]
    assert [row.said.fingerprint for row in rows] == expected * 2


def test_an_id_that_was_changed_or_signed_elsewhere_is_refused(http: httpx.Client, png: bytes) -> None:
    token = answered(http, png)["prediction_id"]
    head, signature = token.rsplit(".", 1)
    changed = f"{head[:-2]}{'AA' if head[-2:] != 'AA' else 'BB'}.{signature}"
    elsewhere = Said("n", "v1", 0.5, 0.5, None, datetime(2026, 1, 1, tzinfo=UTC), 1)
    foreign = Tokens(["another server's key, long enough to be one"]).sign(elsewhere)
    for wrong in (changed, token[:-5], foreign, "c8c6ff4b-b78e-475f-99b5-b9210a675a03"):
        told = problem(confirm(http, wrong), 422, "bad-prediction-id")
        assert "was not signed by this server" in told["detail"]
        assert wrong not in told["detail"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"label": "Malaria"}, "body.label"),
        ({"label": None}, "body.label"),
        ({"by": " "}, "body.by"),
        ({"by": "x" * 201}, "body.by"),
        ({"patient": ""}, "body.patient"),
        ({"patient": "k" * 101}, "body.patient"),
        ({"site": " "}, "body.site"),
        ({"patient": "k-1\nk-2"}, "body.patient"),
        ({"site": "a\u0000b"}, "body.site"),
        ({"note": "?"}, "body.note"),
        ({"prediction_id": "x" * 1001}, "body.prediction_id"),
        ({"prediction_id": 7}, "body.prediction_id"),
    ],
)
def test_a_body_that_says_something_else_is_refused(
    http: httpx.Client, png: bytes, change: dict, field: str
) -> None:
    token = answered(http, png)["prediction_id"]
    body = {"prediction_id": token, "label": "Parasitized", "by": "ada", **change}
    told = problem(http.post("/feedback", json=body), 422, "invalid-request")
    assert [error["field"] for error in told["errors"]] == [field]
    assert "Value error" not in told["detail"]
    assert "item" not in told["detail"]  # a text has characters


@pytest.mark.parametrize(
    "by",
    ["a\u202eb", "a\u200bb", "\ud800", "\x1b[31m", 7, None, ["ada"], {"name": "ada"}, "\t", "x\ny"],
)
def test_a_name_that_could_mislead_or_is_none_is_refused(http: httpx.Client, png: bytes, by: object) -> None:
    body = {"prediction_id": answered(http, png)["prediction_id"], "label": "Parasitized", "by": by}
    sent = http.post("/feedback", content=json.dumps(body), headers={"content-type": "application/json"})
    told = problem(sent, 422, "invalid-request")
    assert [error["field"] for error in told["errors"]] == ["body.by"]


def test_a_name_is_one_name_however_its_accents_are_written(own: System, png: bytes) -> None:
    token = answered(own.http, png)["prediction_id"]
    for name in ("Jose\u0301 =1+1 [red]", " Jos\u00e9 =1+1 [red] "):
        good(confirm(own.http, token, by=name), 201)
    assert [row.by for row in own.services.feedback.list()] == ["Jos\u00e9 =1+1 [red]"]


def test_a_huge_or_endless_body_is_refused(http: httpx.Client) -> None:
    json_of = {"content-type": "application/json"}
    huge = http.post("/feedback", content=b'{"by": "' + b"x" * 2**21 + b'"}', headers=json_of)
    problem(huge, 413, "upload-too-large")
    deep = http.post("/feedback", content=b"[" * 200_000, headers=json_of)
    assert deep.status_code in (400, 422), deep.text


def test_a_body_that_is_no_json_is_refused(http: httpx.Client) -> None:
    told = problem(http.post("/feedback", data={"label": "Parasitized"}), 415, "unsupported-media-type")
    assert "application/json" in told["detail"]
    broken = http.post("/feedback", content=b"{", headers={"content-type": "application/json"})
    problem(broken, 422, "invalid-request")


def test_an_id_of_the_key_before_can_be_confirmed_after_a_new_one(
    own: System, models_dir: Path, png: bytes
) -> None:
    token = answered(own.http, png)["prediction_id"]
    signing_keys.renew(own.services.home)
    services, _ = make(own.services.home, models_dir)
    with client(create_app(services)) as http:
        good(confirm(http, token), 201)
        newer = answered(http, png)["prediction_id"]
    problem(
        confirm(own.http, newer), 422, "bad-prediction-id"
    )  # the older process does not know the newer key


def test_neither_patient_nor_id_is_logged(own: System, png: bytes, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    token = answered(own.http, png)["prediction_id"]
    good(confirm(own.http, token, patient="k-secret-17"), 201)
    confirm(own.http, token, patient="k-secret-17", label="?")
    confirm(own.http, token[:-3], patient="k-secret-17")
    assert "/feedback" in caplog.text
    assert "k-secret-17" not in caplog.text
    assert token[:40] not in caplog.text


@pytest.fixture
def confirmed(own: System) -> System:
    """A system with 30 confirmed cells of each class, over two weeks.

    One in ten was answered wrongly, one in twenty with the advice to look.
    """
    start = datetime(2026, 1, 5, tzinfo=UTC)
    for i in range(60):
        label = Label(i % 2)
        said = Label(1 - label) if i % 20 < 2 else label
        at = start + timedelta(days=7 * (i >= 45))
        told = Said(f"n{i}", "v1", 0.9 if said else 0.1, 0.5, said, at, i, needs_review=i % 20 == 0)
        own.services.feedback.add(
            Confirmation(told, label, "ada", "a" if i < 50 else None, f"k-{i // 5}", at)
        )
    return own


def test_the_quality_is_told_in_all_and_by_version_site_and_week(confirmed: System) -> None:
    told = good(confirmed.http.get("/metrics/quality"))
    whole = told["overall"]
    assert (whole["cells"], whole["patients"], whole["parasitized"]) == (60, 12, 30)
    assert whole["sensitivity"]["value"] == whole["specificity"]["value"] == pytest.approx(0.9)
    assert whole["sensitivity"]["low"] < 0.9 < whole["sensitivity"]["high"]
    assert whole["brier"]["value"] == pytest.approx(0.9 * 0.01 + 0.1 * 0.81)
    assert whole["ece"]["value"] == pytest.approx(0.0, abs=1e-9)
    assert whole["too_few"] is None
    assert whole["sent_to_review"]["value"] == pytest.approx(3 / 60)
    assert (whole["not_sent"]["cells"], whole["not_sent"]["parasitized"]) == (57, 30)
    assert whole["not_sent"]["specificity"]["value"] == 1.0
    assert [(one["name"], one["cells"]) for one in told["by_version"]] == [("v1", 60)]
    assert [(one["name"], one["cells"]) for one in told["by_site"]] == [("a", 50), (None, 10)]
    weeks = [(one["name"], one["cells"], one["sensitivity"]["value"]) for one in told["by_week"]]
    assert weeks[1] == ("2026-W03", 15, None)
    assert "Too few" in told["by_week"][1]["too_few"]
    assert sum(one["cells"] for one in told["by_probability"]) == 60
    assert "seldom a random sample" in told["note"]


@pytest.mark.parametrize(
    ("query", "cells"),
    [
        ({"since": "2026-01-12"}, 15),
        ({"until": "2026-01-12T00:00:00Z"}, 45),
        ({"since": "2026-01-05T02:00:00+03:00", "until": "2026-01-12T02:59:59+03:00"}, 45),
        ({"site": "a"}, 50),
        ({"version": "v1"}, 60),
        ({"version": "v2"}, 0),
    ],
)
def test_the_quality_may_be_narrowed(confirmed: System, query: dict[str, str], cells: int) -> None:
    assert good(confirmed.http.get("/metrics/quality", params=query))["overall"]["cells"] == cells


def test_a_question_about_the_quality_that_makes_no_sense_is_refused(http: httpx.Client) -> None:
    turned = {"since": "2026-02-01", "until": "2026-01-01"}
    assert (
        "before until" in problem(http.get("/metrics/quality", params=turned), 422, "bad-options")["detail"]
    )
    problem(http.get("/metrics/quality", params={"since": "last week"}), 422, "invalid-request")


def test_the_quality_needs_no_scikit_learn(confirmed: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn", None)
    monkeypatch.setitem(sys.modules, "sklearn.metrics", None)
    assert good(confirmed.http.get("/metrics/quality"))["overall"]["sensitivity"]["value"] is not None


def test_the_answer_is_strict_json(http: httpx.Client) -> None:
    def refuse(word: str) -> None:
        raise AssertionError(word)

    json.loads(http.get("/metrics/quality").text, parse_constant=refuse)


WANTED = 20


@pytest.fixture
def keeping(home: Path, models_dir: Path) -> Iterator[System]:
    """A system whose operator keeps pictures and wants a retraining at 20 confirmed cells."""
    services, launcher = make(home, models_dir, keep_days=7, retrain_confirmed=WANTED)
    with client(create_app(services)) as http:
        yield System(services, http, launcher)


def test_pictures_are_kept_only_where_the_operator_asked(own: System, keeping: System, png: bytes) -> None:
    for system in (own, keeping):
        answered(system.http, png)
        good(system.http.post("/predict/batch", files=[("files", ("a.png", png)), ("files", ("b", b""))]))
    kept = keeping.services.kept.objects
    (one,) = kept.list("")
    assert one.key == f"waiting/{preprocess.fingerprint_of(preprocess.decode(png)):016x}"
    assert kept.get(one.key) == png


def test_enough_confirmed_cells_open_a_retraining_by_themselves(keeping: System) -> None:
    pictures, token = list(synthetic.generate(WANTED, seed=31)), ""
    for i, cell in enumerate(pictures):
        assert good(keeping.http.get("/retrain/tasks"))["tasks"] == []
        assert good(keeping.http.get("/status"))["confirmed"] == {
            "keep_days": 7,
            "pool": i,
            "retrain_at": WANTED,
            "retrain_drift": 0.0,
        }
        token = answered(keeping.http, cell.png())["prediction_id"]
        good(confirm(keeping.http, token, cell.label.text, patient=f"k-{i // 4}"), 201)
    Supervisor(keeping.services, wiring.inbox(keeping.services)).look()
    (task,) = good(keeping.http.get("/retrain/tasks"))["tasks"]
    assert (task["actor"], task["name"]) == ("policy", "confirmed-1.zip")
    good(confirm(keeping.http, token, pictures[-1].label.text), 201)
    Supervisor(keeping.services, wiring.inbox(keeping.services)).look()
    assert len(good(keeping.http.get("/retrain/tasks"))["tasks"]) == 1


def test_a_picture_that_cannot_be_put_aside_costs_no_label(
    keeping: System, png: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise Busy("the disk is full")

    token = answered(keeping.http, png)["prediction_id"]
    with monkeypatch.context() as patched:
        patched.setattr(keeping.services.kept.objects, "put", full)
        problem(confirm(keeping.http, token), 503, "busy")
    good(confirm(keeping.http, token), 201)
    assert len(keeping.services.feedback.list()) == 1
    assert len(keeping.services.kept.pool()) == 1
