"""The tours against a real server, and what they say of one that is broken or absent."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from malaria.api.app import create_app
from malaria.domain import ModelVersion, Scope
from malaria.keys import Keys
from malaria.services import Services
from malaria.tours import bench, demo, latency, smoke
from tests.api.server import running
from tests.flow.server import RunningServer, start_server

NOBODY = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with start_server(tmp_path_factory.mktemp("tours") / "home") as running:
        yield running


class AlwaysFine(BaseHTTPRequestHandler):
    """Answers 200 and HTML to everything, as a web host does whose rewriting is wrong."""

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    do_POST = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def always_fine() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), AlwaysFine) as web:
        thread = threading.Thread(target=web.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{web.server_port}"
        web.shutdown()
        thread.join()


def test_smoke_passes_on_a_sound_server(server: RunningServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert smoke.main([server.url]) == 0, capsys.readouterr().out
    told = capsys.readouterr().out
    assert told.count("ok  ") == len(smoke.CHECKS)


@pytest.fixture
def guarded(services: Services) -> Iterator[str]:
    """A server that asks for keys."""
    settings = services.settings.model_copy(update={"access": "keys"})
    with running(create_app(replace(services, settings=settings))) as url:
        yield url


def test_smoke_asks_a_guarded_server_with_the_key(
    guarded: str, services: Services, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    key = Keys(services.objects, services.clock).add("smoke", [Scope.PREDICT])
    monkeypatch.setenv("MALARIA_KEY", key)
    assert smoke.main([guarded]) == 0, capsys.readouterr().out
    told = capsys.readouterr().out
    assert told.count("ok  ") == len(smoke.CHECKS)
    assert key not in told


def test_smoke_without_a_key_checks_what_strangers_see(
    guarded: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert smoke.main([guarded]) == 0, capsys.readouterr().out
    told = capsys.readouterr().out
    assert told.count("ok  ") == len(smoke.OF_STRANGERS)
    assert "set MALARIA_KEY" in told


def test_smoke_tells_of_a_door_that_stands_open(
    services: Services, capsys: pytest.CaptureFixture[str]
) -> None:
    """Only /model/info asks for a key here."""

    async def ajar(scope: Any, receive: Any, send: Any) -> None:
        await (shut if scope["path"] == "/model/info" else opened)(scope, receive, send)

    settings = services.settings.model_copy(update={"access": "keys"})
    opened, shut = create_app(services), create_app(replace(services, settings=settings))
    app: Any = ajar
    with running(app) as url:
        assert smoke.main([url]) == 1
    assert "GET /retrain/tasks is answered 200, not 401" in capsys.readouterr().out
    assert len(services.registry.history()) == 1


@pytest.mark.parametrize("tour", [smoke, demo, bench])
def test_what_is_no_address_is_told(tour: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        tour.main(["nowhere"])
    assert "'nowhere' is no address of a server" in capsys.readouterr().err


def test_smoke_changes_nothing(server: RunningServer) -> None:
    before = server.client.get("/retrain/tasks").json(), server.version()
    smoke.main([server.url])
    assert (server.client.get("/retrain/tasks").json(), server.version()) == before


def test_every_check_of_smoke_can_fail(always_fine: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert smoke.main([always_fine]) == 1
    assert capsys.readouterr().out.count("FAIL") == len(smoke.CHECKS)


def test_bench_prints_a_ratio_for_each_number_of_clients(
    server: RunningServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bench.main([server.url, "--requests", "16", "--clients", "1", "4"]) == 0
    assert capsys.readouterr().out.count(": 1") == 2


@pytest.mark.parametrize("tour", [smoke, demo, bench])
def test_an_absent_server_is_told_in_one_line(tour: object, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [NOBODY, "--requests", "10"] if tour is bench else [NOBODY]
    assert tour.main(arguments) == 1  # type: ignore[attr-defined]
    told = "".join(capsys.readouterr())
    assert "make serve" in told
    assert "Traceback" not in told


@pytest.mark.flow
def test_the_demo_walks_through_the_whole_loop(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with start_server(tmp_path / "home") as server:
        shipped = server.version()
        assert demo.main([server.url, "--seed", "5"]) == 0
        told = capsys.readouterr().out
        assert "Accepted." in told
        assert told.index("now served") < told.index("5. Roll back")
        assert server.version() == shipped
        [first, second] = server.client.get("/models").json()["promotions"][:2]
        assert (first["version"], first["actor"]) == (shipped, "demo")
        assert second["version"] != shipped


def test_latency_compares_files_at_their_own_sizes(
    models_dir: Path, shipped_info: ModelVersion, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = models_dir / shipped_info.version / "model.tflite"
    first, same = latency.latencies([file, file], runs=3)
    assert (first.size, first.file_bytes, first.ratio) == (shipped_info.input_size, file.stat().st_size, 1.0)
    assert 0.1 < same.ratio < 10
    assert first.seconds > 0
    assert latency.main([str(file), str(file), "--runs", "2", "--out", str(tmp_path / "out")]) == 0
    page = (tmp_path / "out" / "report.md").read_text()
    assert f"{shipped_info.version}/model.tflite" in page and shipped_info.digest in page
    assert str(tmp_path) not in page
    assert f"{file.stat().st_size:,}" in capsys.readouterr().out
    broken = tmp_path / "broken.tflite"
    broken.write_bytes(b"no model")
    assert latency.main([str(broken)]) == 1
    assert "cannot be run" in capsys.readouterr().err
