"""What is served, what could be, and changing it."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from malaria import synthetic
from malaria.domain import ModelVersion
from tests.api.asking import good, problem
from tests.api.conftest import System, another

WHY = {"actor": "ada", "reason": "to see it work"}


@pytest.fixture
def second(own: System) -> ModelVersion:
    """Another kept version: the same network with another operating point."""
    return another(own.services)


def test_the_served_model_tells_all_of_itself(own: System) -> None:
    info, promotion = own.services.served.model.info, own.services.served.promotion
    told = good(own.http.get("/model/info"))
    assert told["version"] == info.version
    assert told["digest"] == info.digest
    assert (told["network"], told["input_size"]) == (info.network, info.input_size)
    assert told["size_bytes"] == info.size_bytes > 1000
    assert set(told["labels"]) == {"Parasitized", "Uninfected"}
    assert told["metrics"] == dict(info.metrics)
    assert told["created"]
    assert len(told["promoted"]) == 1
    assert told["served"] is True
    assert told["promotion"]["number"] == promotion.number
    assert told["promotion"]["verdict"] == "shipped"


def test_promote_serves_the_version_at_once_and_writes_down_who_and_why(
    own: System, second: ModelVersion
) -> None:
    first = own.services.served.model.info.version
    told = good(own.http.post(f"/models/{second.version}/promote", json=WHY))
    assert told["served"] == second.version
    assert told["promotion"]["actor"] == "ada"
    assert told["promotion"]["reason"] == "to see it work"
    assert told["promotion"]["number"] == 2
    assert good(own.http.get("/health"))["model_version"] == second.version
    assert good(own.http.get("/model/info"))["threshold"] == 0.25

    listed = good(own.http.get("/models"))
    assert listed["served"] == second.version
    assert [entry["version"] for entry in listed["promotions"]] == [second.version, first]
    by_version = {model["version"]: model for model in listed["models"]}
    assert {v: m["served"] for v, m in by_version.items()} == {first: False, second.version: True}
    assert all(len(m["promoted"]) == 1 for m in by_version.values())
    assert by_version[second.version]["lineage"] == {"method": "adapt"}
    created = [model["created"] for model in listed["models"]]
    assert created == sorted(created, reverse=True)


def test_rollback_goes_back_and_a_second_one_does_not_bring_the_bad_model_again(
    own: System, second: ModelVersion
) -> None:
    first = own.services.served.model.info.version
    good(own.http.post(f"/models/{second.version}/promote", json=WHY))
    assert good(own.http.post("/models/rollback", json=WHY))["served"] == first
    problem(own.http.post("/models/rollback", json=WHY), 409, "conflict")
    assert (
        good(own.http.post("/models/rollback", json={**WHY, "to": second.version}))["served"]
        == second.version
    )
    assert len(good(own.http.get("/models", params={"limit": 2}))["promotions"]) == 2


def test_what_cannot_be_done_is_told(own: System, second: ModelVersion) -> None:
    served = own.services.served.model.info.version
    problem(own.http.post(f"/models/{served}/promote", json=WHY), 409, "conflict")
    problem(own.http.post("/models/rollback", json=WHY), 409, "conflict")
    problem(own.http.post("/models/rollback", json={**WHY, "to": second.version}), 409, "conflict")
    problem(own.http.post("/models/no-such/promote", json=WHY), 404, "unknown-version")
    problem(own.http.post("/models/..%2F..%2Fx/promote", json=WHY), 404, "not-found")
    problem(own.http.get("/models/no-such"), 404, "unknown-version")
    assert len(own.services.registry.history()) == 1
    assert good(own.http.get(f"/models/{second.version}"))["promoted"] == []


@pytest.mark.parametrize(
    "change",
    [
        {"actor": "ada"},
        {"actor": "ada", "reason": ""},
        {"actor": "ada", "reason": "   "},
        {"reason": "why"},
        {"actor": 7, "reason": "why"},
        {"actor": "ada", "reason": "x" * 1001},
        {"actor": "ada", "reason": "why", "too": "what"},
        [],
    ],
)
@pytest.mark.parametrize("address", ["/models/{}/promote", "/models/rollback"])
def test_who_and_why_must_be_said(shared: System, change: Any, address: str) -> None:
    served = shared.services.served.model.info.version
    problem(shared.http.post(address.format(served), json=change), 422, "invalid-request")
    assert len(shared.services.registry.history()) == 1


def test_a_body_that_is_not_json_is_told(http: httpx.Client) -> None:
    headers = {"content-type": "application/json"}
    broken = http.post("/models/rollback", content=b'{"actor": ', headers=headers)
    assert "not JSON" in problem(broken, 422, "invalid-request")["detail"]
    problem(http.post("/models/rollback", data=WHY), 415, "unsupported-media-type")


def test_a_promoted_model_that_cannot_be_loaded_leaves_the_one_before(
    own: System, second: ModelVersion, png: bytes
) -> None:
    first = own.services.served.model.info.version
    own.services.objects.put(f"models/{second.version}/model.tflite", b"bits rot")
    told = good(own.http.post(f"/models/{second.version}/promote", json=WHY))
    assert told["promotion"]["version"] == second.version
    assert told["served"] == first
    assert good(own.http.get("/health"))["status"] == "ok"


def test_a_card_is_markdown_or_json_as_accepted(shared: System, models_dir: Path) -> None:
    version = shared.services.served.model.info.version
    told = shared.http.get(f"/models/{version}/card")
    assert told.status_code == 200
    assert told.headers["content-type"] == "text/markdown; charset=utf-8"
    assert "Accept" in told.headers["vary"].split(", ")
    assert told.text == (models_dir / version / "card.md").read_text(), (
        "a deployment shows the committed card"
    )

    browser = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
    for headers in (browser, {"accept": "application/json;q=0.5, text/markdown"}, {"accept": "*/*"}):
        assert shared.http.get(f"/models/{version}/card", headers=headers).text == told.text
    found = good(shared.http.get(f"/models/{version}/card", headers={"accept": "application/json"}))
    by_name = {section["name"]: section for section in found["sections"]}
    assert found["version"] == version
    assert by_name["figures"]["values"]["sets"]["gate, all cells"]["cells"] == 2918
    assert all(f"## {section['title']}\n\n{section['text']}\n" in told.text for section in found["sections"])


def test_cards_of_what_only_ships_and_of_what_is_kept(own: System, second: ModelVersion) -> None:
    assert "# Model card: compact_cnn" in own.http.get("/models/compact_cnn/card").text
    kept = own.http.get(f"/models/{second.version}/card").text
    assert f"version {second.version}" in kept
    assert "probability of 0.25 on" in kept
    assert "This was not measured." in kept, "evaluations are of the version that they name"
    for version in ("no-such", "..", "x" * 101):
        problem(own.http.get(f"/models/{version}/card"), *MISSING.get(version, (404, "unknown-version")))
    own.services.objects.put(f"models/{second.version}/manifest.json", b"bits rot")
    problem(own.http.get(f"/models/{second.version}/card"), 500, "damaged")


def test_curves_are_made_from_what_a_version_remembers(own: System, second: ModelVersion) -> None:
    served = own.services.served.model.info
    told = good(own.http.get(f"/models/{served.version}/curves"))
    assert told["version"] == served.version
    assert {name: of["cells"] for name, of in told["sets"].items()} == {
        name: of["cells"] for name, of in served.metrics.items() if name in told["sets"]
    }
    assert len(told["sets"]["gate"]["roc"]) > 10
    assert good(own.http.get("/models/compact_cnn/curves"))["sets"]["gate"]["patients"]
    for version in ("no-such", "..", "x" * 101):
        problem(own.http.get(f"/models/{version}/curves"), *MISSING.get(version, (404, "unknown-version")))
    assert (
        "no feature memory"
        in problem(own.http.get(f"/models/{second.version}/curves"), 404, "not-found")["detail"]
    )


MISSING = {"..": (404, "not-found"), "x" * 101: (422, "invalid-request")}


@pytest.mark.parametrize("limit", ["0", "1001", "many"])
def test_limits_out_of_range(http: httpx.Client, limit: str) -> None:
    problem(http.get("/models", params={"limit": limit}), 422, "invalid-request")


def test_a_version_tells_what_it_learnt_from_as_a_map(shared: System) -> None:
    served = shared.services.served.model.info.version
    answer = good(shared.http.get(f"/models/{served}/map"))
    assert {point["label"] for point in answer["points"]} == {"Parasitized", "Uninfected"}
    base = next(one for one in answer["learnt"] if one["laboratory"] == "base")
    assert base["parasitized"] == sum(patient["parasitized"] for patient in base["patients"])
    assert len(base["patients"]) > 50
    assert "C" not in str(answer["learnt"]), "nobody is named"
    problem(shared.http.get("/models/20990101-00000000/map"), 404, "unknown-version")


def test_a_batch_says_where_cells_lie_on_the_map(shared: System) -> None:
    files = [("files", (cell.name, cell.png(), "image/png")) for cell in synthetic.generate(4, seed=1)]
    bare = good(shared.http.post("/predict/batch", files=files))["results"]
    placed = good(shared.http.post("/predict/batch", files=files, params={"place": "true"}))["results"]
    assert all("place" not in one for one in bare)
    assert all(len(one["place"]) == 2 for one in placed)
    assert [one["probabilities"] for one in placed] == [one["probabilities"] for one in bare]
