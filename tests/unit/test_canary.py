"""The canary tells whatever is wrong with an answer, and its key is made once and may only predict."""

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from malaria import canary_key, predict, preprocess, shipped
from malaria import metric_names as names
from malaria.adapters import objects as stores
from malaria.adapters.meters import MemoryMeter
from malaria.canary import Canary, golden
from malaria.domain import Label, Scope
from malaria.keys import Keys, digest
from malaria.ports import ObjectStore
from tests.contract.clock import SetClock

Serve = Callable[[Callable[[str, bytes], tuple[int, bytes]]], str]
GOOD = {"model_version": "v1", "prediction": "Uninfected", "needs_review": True}


@pytest.fixture
def serve() -> Iterator[Serve]:
    """A deployment that answers as a test says, on a free port; gives its URL."""
    servers = []

    def start(answer: Callable[[str, bytes], tuple[int, bytes]]) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                status, content = answer(self.path, body)
                self.send_response(status)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST  # noqa: N815 - the names of http.server

            def log_message(self, *_: Any) -> None: ...

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def objects() -> ObjectStore:
    return stores.memory()


@pytest.fixture
def keys(objects: ObjectStore) -> Keys:
    return Keys(objects, SetClock())


def look(url: str, objects: ObjectStore, seconds: float = 5) -> tuple[bool, MemoryMeter]:
    meter = MemoryMeter()
    return Canary(url, objects, meter, seconds).look(), meter


@pytest.mark.parametrize(
    "answer",
    [
        (500, b"{}"),
        (401, b"{}"),
        (200, b"<html>"),
        (200, b"[]"),
        (200, json.dumps({**GOOD, "model_version": None}).encode()),
        (200, json.dumps({"model_version": "v1", "prediction": "Uninfected"}).encode()),
        (200, json.dumps({"model_version": "v1", "needs_review": False}).encode()),
        (200, json.dumps({**GOOD, "needs_review": False}).encode()),  # the parasitized one, too
    ],
)
def test_whatever_is_wrong_is_told_and_not_raised(
    serve: Serve, objects: ObjectStore, keys: Keys, answer: tuple[int, bytes]
) -> None:
    canary_key.provide(objects, keys)
    well, meter = look(serve(lambda _path, _body: answer), objects)
    assert not well
    assert meter.of(names.CANARY_OK) == [0.0]


def test_a_cell_that_a_person_is_asked_to_look_at_is_well_answered(
    serve: Serve, objects: ObjectStore, keys: Keys
) -> None:
    canary_key.provide(objects, keys)
    well, meter = look(serve(lambda _path, _body: (200, json.dumps(GOOD).encode())), objects)
    assert well
    assert len(meter.of(names.CANARY_TIME)) == 2


def test_where_nobody_listens_or_answers_it_is_told(serve: Serve, objects: ObjectStore, keys: Keys) -> None:
    canary_key.provide(objects, keys)
    assert look("http://127.0.0.1:9", objects)[1].of(names.CANARY_OK) == [0.0]
    ended = threading.Event()

    def never(_path: str, _body: bytes) -> tuple[int, bytes]:
        ended.wait(5)
        return 200, b"{}"

    assert look(serve(never), objects, seconds=0.2)[1].of(names.CANARY_OK) == [0.0]
    ended.set()


def test_where_no_api_has_started_yet_it_is_woken(serve: Serve, objects: ObjectStore, keys: Keys) -> None:
    asked = []

    def answer(path: str, _body: bytes) -> tuple[int, bytes]:
        asked.append(path)
        if path == "/health":
            canary_key.provide(objects, keys)
        return 200, json.dumps(GOOD).encode()

    assert look(serve(answer), objects)[0]
    assert asked == ["/health", "/predict", "/predict"]


def test_its_key_may_predict_and_nothing_else(objects: ObjectStore, keys: Keys) -> None:
    canary_key.provide(objects, keys)
    [key] = keys.all()
    assert (key.name, key.scopes) == ("canary", (Scope.PREDICT,))
    assert key.digest == digest(canary_key.read(objects))


def test_starts_at_the_same_moment_agree_on_one_key(objects: ObjectStore, keys: Keys) -> None:
    keys.add("laboratory", [Scope.READ])
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: canary_key.provide(objects, keys), range(16)))
    assert [key.name for key in keys.all()] == ["canary", "laboratory"]
    assert keys.all()[0].digest == digest(canary_key.read(objects))


def test_what_was_cut_short_or_withdrawn_is_made_good_and_else_nothing_is_written(
    objects: ObjectStore, keys: Keys
) -> None:
    objects.create(canary_key.OBJECT, b"malaria_of-a-process-that-was-killed")
    canary_key.provide(objects, keys)
    assert keys.all()[0].digest == digest("malaria_of-a-process-that-was-killed")
    rings = len(objects.list("private/keys/"))
    canary_key.provide(objects, keys)
    assert len(objects.list("private/keys/")) == rings
    objects.delete(canary_key.OBJECT)
    canary_key.provide(objects, keys)
    assert keys.all()[0].digest == digest(canary_key.read(objects))


def test_the_shipped_models_are_sure_of_its_cells(models_dir: Any) -> None:
    assert [cell.label for cell in golden()] == list(Label)
    for info in shipped.versions(models_dir):
        model = predict.Model.load(models_dir / info.version / "model.tflite", info, 1)
        for cell in golden():
            answer = predict.interpret(model.score(preprocess.pixels(cell.png(), info.input_size)), info)
            assert (answer.prediction, answer.review) == (cell.label.text, None), info.network
