"""The description of the interface is whole and valid, and its page loads nothing from elsewhere."""

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
import pytest
from openapi_schema_validator import OAS30Validator
from openapi_spec_validator import validate

from malaria.api.app import create_app
from malaria.api.openapi import to_3_0
from tests.api.asking import PROBLEM, good, predict
from tests.api.conftest import make
from tests.api.server import client

ROUTES = {
    ("post", "/predict"),
    ("post", "/predict/batch"),
    ("get", "/predict/sample"),
    ("post", "/feedback"),
    ("get", "/metrics/quality"),
    ("get", "/metrics/summary"),
    ("get", "/health"),
    ("get", "/status"),
    ("get", "/model/info"),
    ("get", "/models"),
    ("get", "/models/{version}"),
    ("get", "/models/{version}/card"),
    ("get", "/models/{version}/map"),
    ("get", "/models/{version}/curves"),
    ("post", "/models/{version}/promote"),
    ("post", "/models/rollback"),
    ("post", "/retrain"),
    ("get", "/retrain/status/{task_id}"),
    ("get", "/retrain/status/{task_id}/receipt"),
    ("get", "/retrain/tasks"),
    ("delete", "/retrain/tasks/{task_id}"),
    ("post", "/uploads"),
    ("post", "/uploads/{upload_id}"),
    ("get", "/uploads/{upload_id}"),
}


@pytest.fixture(scope="module")
def described(http: httpx.Client) -> dict[str, Any]:
    told: dict[str, Any] = good(http.get("/openapi.json"))
    return told


def operations(described: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {(m, path): op for path, item in described["paths"].items() for m, op in item.items()}


def test_it_is_valid_and_of_the_version_that_the_page_reads(described: dict[str, Any]) -> None:
    assert described["openapi"] == "3.0.3"
    validate(described)


def test_every_route_is_there_with_a_word_for_people(described: dict[str, Any]) -> None:
    found = operations(described)
    assert set(found) == ROUTES
    assert all(op["summary"] and op["tags"] for op in found.values())
    tags = {tag["name"] for tag in described["tags"]}
    assert {tag for op in found.values() for tag in op["tags"]} == tags


def test_every_error_has_the_shape_of_a_problem(described: dict[str, Any]) -> None:
    for (method, path), op in operations(described).items():
        errors = {status: r for status, r in op["responses"].items() if int(status) >= 400}
        for status, response in errors.items():
            told = response["content"][PROBLEM]["schema"]
            assert told == {"$ref": "#/components/schemas/Problem"}, (path, status)
        if method == "post":
            assert {"403", "415", "422"} <= set(errors), path
    problem = described["components"]["schemas"]["Problem"]
    assert {"type", "title", "status", "detail", "instance", "code"} <= set(problem["required"])
    assert problem["example"]["code"]
    assert "HTTPValidationError" not in described["components"]["schemas"]


def test_uploads_are_described_as_files(described: dict[str, Any]) -> None:
    found = operations(described)

    def form(path: str) -> dict[str, Any]:
        schema = found["post", path]["requestBody"]["content"]["multipart/form-data"]["schema"]
        for name in re.findall(r"/([^/]+)$", schema.get("$ref", "")):
            schema = described["components"]["schemas"][name]
        properties: dict[str, Any] = schema["properties"]
        return properties

    assert form("/predict")["file"]["format"] == "binary"
    assert form("/predict/batch")["files"]["items"]["format"] == "binary"
    told = form("/retrain")
    assert told["file"]["format"] == "binary"
    assert (told["epochs"]["minimum"], told["epochs"]["maximum"]) == (1, 200)
    assert "text/csv" in found["post", "/predict/batch"]["responses"]["200"]["content"]


def test_a_card_is_described_as_text_and_as_json(described: dict[str, Any]) -> None:
    told = operations(described)["get", "/models/{version}/card"]["responses"]["200"]["content"]
    assert set(told) == {"text/markdown", "application/json"}
    assert told["text/markdown"]["example"].startswith("# Model card")


def test_answers_are_as_described(http: httpx.Client, described: dict[str, Any], png: bytes) -> None:
    answers = {
        "Predicted": predict(http, png, params={"explain": "true"}),
        "BatchAnswer": http.post("/predict/batch", files=[("files", ("a", png)), ("files", ("b", b""))]),
        "Health": http.get("/health"),
        "Status": http.get("/status"),
        "ServedModel": http.get("/model/info"),
        "ModelList": http.get("/models"),
        "QualityAnswer": http.get("/metrics/quality"),
        "ModelCard": http.get("/models/compact_cnn/card", headers={"accept": "application/json"}),
        "TaskList": http.get("/retrain/tasks"),
        "Problem": http.get("/nowhere"),
    }
    for name, answer in answers.items():
        root = {"allOf": [{"$ref": f"#/components/schemas/{name}"}], "components": described["components"]}
        OAS30Validator(root).validate(answer.json())
        assert set(answer.json()) <= set(described["components"]["schemas"][name]["properties"])


def test_examples_are_as_described(described: dict[str, Any]) -> None:
    shown = {n: s["example"] for n, s in described["components"]["schemas"].items() if "example" in s}
    assert {"Predicted", "BatchAnswer", "Accepted", "TaskBrief", "Task", "Problem"} <= set(shown)
    for name, example in shown.items():
        root = {"allOf": [{"$ref": f"#/components/schemas/{name}"}], "components": described["components"]}
        OAS30Validator(root).validate(example)
        known = described["components"]["schemas"][name]["properties"]
        assert set(example) <= set(known), name


def test_newer_words_are_turned_into_older_ones() -> None:
    new = {
        "properties": {
            "a": {
                "anyOf": [{"type": "number", "minimum": 0}, {"type": "null"}],
                "title": "A",
                "examples": [1],
            },
            "b": {"anyOf": [{"$ref": "#/x"}, {"type": "null"}]},
            "c": {"anyOf": [{"type": "string"}, {"type": "number"}, {"type": "null"}]},
            "d": {"type": "string", "const": "process"},
            "e": {"type": "string", "contentMediaType": "application/octet-stream"},
        }
    }
    assert to_3_0(new)["properties"] == {
        "a": {"type": "number", "minimum": 0, "nullable": True, "title": "A", "example": 1},
        "b": {"allOf": [{"$ref": "#/x"}], "nullable": True},
        "c": {"anyOf": [{"type": "string"}, {"type": "number"}], "nullable": True},
        "d": {"type": "string", "enum": ["process"]},
        "e": {"type": "string", "format": "binary"},
    }


class Loaded(HTMLParser):
    """What a page loads, and whether it holds scripts or styles of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.inline = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        self.addresses += [told[key] or "" for key in ("src", "href") if key in told]
        self.inline |= tag == "style" or (tag == "script" and "src" not in told) or "style" in told
        self.inline |= any(key.startswith("on") for key in told)


def test_the_page_loads_only_from_here(http: httpx.Client) -> None:
    page = http.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    loaded = Loaded()
    loaded.feed(page.text)
    assert not loaded.inline
    assert len(loaded.addresses) >= 4
    for address in loaded.addresses:
        assert "//" not in address
        assert http.get("/docs").url.join(address).host == page.url.host
        assert http.get(page.url.join(address)).status_code == 200, address
    script = http.get("/docs/page/docs.js")
    assert "javascript" in script.headers["content-type"]
    assert "//" not in re.sub(r"//[^\n]*", "", script.text).replace("https://", "BAD//")
    styles = http.get("/docs/assets/swagger-ui.css").text
    assert not re.search(r"(@import|url\()\s*['\"]?(https?:)?//", styles)


def test_the_front_is_the_docs_where_there_is_no_page(home: Path, models_dir: Path, tmp_path: Path) -> None:
    services, _ = make(home, models_dir, ui=tmp_path / "ui")
    with client(create_app(services)) as without:
        front = without.get("/")
        assert front.status_code in (302, 307)
        assert without.get(front.url.join(front.headers["location"])).status_code == 200


def test_every_answer_has_an_example_that_fits_its_schema(described: dict[str, Any]) -> None:
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            for status, told in operation["responses"].items():
                answer = told.get("content", {}).get("application/json")
                if not status.startswith("2") or answer is None:
                    continue
                name = answer["schema"]["$ref"].rsplit("/", 1)[1]
                schema = described["components"]["schemas"][name]
                assert "example" in schema, f"{method} {path}: {name} shows no example"
                whole = {**schema, "components": described["components"]}
                OAS30Validator(whole).validate(schema["example"])
