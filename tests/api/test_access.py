"""A server that asks for keys, and one behind a gateway that has checked tokens."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as Connection

from malaria.api.app import create_app
from malaria.domain import Scope
from malaria.keys import Keys
from tests.api.asking import good, problem
from tests.api.conftest import System, another, make
from tests.api.server import client

CHANGES = [
    ("POST", "/retrain"),
    ("POST", "/uploads"),
    ("POST", "/uploads/00000000000000000000000000000000"),
    ("DELETE", "/retrain/tasks/0000000000000000"),
    ("POST", "/models/x/promote"),
    ("POST", "/models/rollback"),
    ("POST", "/feedback"),
    ("POST", "/predict"),
    ("POST", "/predict/batch"),
]
READS = ["/model/info", "/models", "/retrain/tasks", "/metrics/quality", "/retrain/status/x"]


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, models_dir: Path) -> Iterator[System]:
    services, launcher = make(tmp_path_factory.mktemp("guarded"), models_dir, access="keys")
    with client(create_app(services)) as http:
        yield System(services, http, launcher)


@pytest.fixture(scope="module")
def texts(guarded: System) -> dict[str, str]:
    """A key for each scope, by its name."""
    keys = Keys(guarded.services.objects, guarded.services.clock)
    return {scope.value: keys.add(scope.value, [scope]) for scope in Scope}


def bearing(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


@pytest.mark.parametrize(("method", "path"), CHANGES)
def test_nothing_that_changes_or_computes_is_open(guarded: System, method: str, path: str) -> None:
    told = problem(guarded.http.request(method, path), 401, "unauthorized")
    assert "malaria keys add" in told["detail"]


@pytest.mark.parametrize("path", READS)
def test_reading_needs_a_key_too(guarded: System, texts: dict[str, str], path: str) -> None:
    answer = guarded.http.get(path)
    problem(answer, 401, "unauthorized")
    assert answer.headers["www-authenticate"] == "Bearer"
    for text in texts.values():
        assert guarded.http.get(path, headers=bearing(text)).status_code in (200, 404)


@pytest.mark.parametrize("path", ["/health", "/docs", "/openapi.json"])
def test_health_and_docs_are_open(guarded: System, path: str) -> None:
    assert guarded.http.get(path).status_code == 200


@pytest.mark.parametrize("header", ["Bearer malaria_nonsense", "Basic YTpi", "Bearer", "Bearer \xe9"])
def test_a_wrong_key_is_refused_everywhere(guarded: System, texts: dict[str, str], header: str) -> None:
    raw = {b"Authorization": header.encode("latin-1")}
    for path in ("/health", "/models"):
        told = problem(guarded.http.get(path, headers=raw), 401, "unauthorized")
        assert header.removeprefix("Bearer ") not in told["detail"] or header == "Bearer"


def test_a_key_does_what_its_scope_says_and_no_more(
    guarded: System, texts: dict[str, str], png: bytes
) -> None:
    files = {"file": ("cell.png", png, "image/png")}
    good(guarded.http.post("/predict", files=files, headers=bearing(texts["predict"])))
    for scope in ("read", "confirm", "operate"):
        told = problem(
            guarded.http.post("/predict", files=files, headers=bearing(texts[scope])), 403, "forbidden"
        )
        assert "'predict'" in told["detail"]
    told = problem(
        guarded.http.post(
            "/models/rollback", json={"actor": "a", "reason": "b"}, headers=bearing(texts["predict"])
        ),
        403,
        "forbidden",
    )
    assert "'operate'" in told["detail"]


def test_the_log_says_by_which_key(guarded: System, texts: dict[str, str]) -> None:
    path, asked = (
        f"/models/{another(guarded.services).version}/promote",
        {"actor": "ada", "reason": "a trial"},
    )
    answer = guarded.http.post(path, json=asked, headers=bearing(texts["operate"]))
    assert good(answer)["promotion"]["actor"] == "ada (key:operate)"


def test_a_stranger_is_refused_before_the_body_is_read(guarded: System) -> None:
    """The body is never sent: an answer comes all the same."""
    import socket

    host, port = guarded.http.base_url.host, guarded.http.base_url.port
    with socket.create_connection((host, port or 80), timeout=10) as line:
        line.sendall(
            f"POST /retrain HTTP/1.1\r\nHost: {host}\r\nContent-Type: multipart/form-data; boundary=x\r\n"
            "Content-Length: 100000000\r\n\r\n".encode()
        )
        assert line.recv(100).startswith(b"HTTP/1.1 401")


def test_pages_of_other_sites_may_ask_with_a_key(guarded: System, texts: dict[str, str], png: bytes) -> None:
    headers = {**bearing(texts["predict"]), "Origin": "https://page.example", "Sec-Fetch-Site": "cross-site"}
    good(
        guarded.http.post("/predict", files={"file": ("cell.png", png, "image/png")}, headers=headers),
    )


def test_the_description_tells_of_keys(guarded: System) -> None:
    told = good(guarded.http.get("/openapi.json"))
    assert told["components"]["securitySchemes"]["HTTPBearer"]["scheme"] == "bearer"
    assert {"401", "403"} <= set(told["paths"]["/models"]["get"]["responses"])
    assert "security" not in told["paths"]["/health"]["get"]


class Gateway:
    """Puts before the app what API Gateway tells of a token that it has checked."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Connection, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            claims = {
                name.decode().removeprefix("claim-"): value.decode()
                for name, value in scope["headers"]
                if name.startswith(b"claim-")
            }
            event: dict[str, Any] = {"requestContext": {"authorizer": {"jwt": {"claims": claims}}}}
            scope["aws.event"] = event if claims else {"requestContext": {}}
        await self._app(scope, receive, send)


@pytest.fixture(scope="module")
def gated(tmp_path_factory: pytest.TempPathFactory, models_dir: Path) -> Iterator[httpx.Client]:
    services, _ = make(tmp_path_factory.mktemp("gated"), models_dir, access="jwt")
    with client(Gateway(create_app(services))) as http:  # type: ignore[arg-type]
        yield http


@pytest.mark.parametrize("scope", ["predict", "openid malaria/predict", "malaria:predict"])
def test_claims_of_a_checked_token_open(gated: httpx.Client, png: bytes, scope: str) -> None:
    files = {"file": ("cell.png", png, "image/png")}
    good(gated.post("/predict", files=files, headers={"claim-sub": "u1", "claim-scope": scope}))
    problem(gated.post("/predict", files=files, headers={"claim-sub": "u1"}), 403, "forbidden")
    problem(gated.post("/predict", files=files), 401, "unauthorized")


def test_a_header_is_no_token_that_was_checked(gated: httpx.Client) -> None:
    problem(gated.get("/models", headers=bearing("anything")), 401, "unauthorized")


def test_status_tells_what_the_key_may_do(guarded: System, texts: dict[str, str]) -> None:
    assert guarded.http.get("/status").json()["access"] == {"mode": "keys", "scopes": []}
    for name, text in texts.items():
        told = guarded.http.get("/status", headers=bearing(text)).json()["access"]
        assert set(told["scopes"]) == {name, "read"}
    problem(guarded.http.get("/status", headers=bearing("nobody")), 401, "unauthorized")


def test_made_cells_are_for_those_who_may_predict(guarded: System, texts: dict[str, str]) -> None:
    problem(guarded.http.get("/predict/sample"), 401, "unauthorized")
    problem(guarded.http.get("/predict/sample", headers=bearing(texts["read"])), 403, "forbidden")
    few = guarded.http.get("/predict/sample?count=1", headers=bearing(texts["predict"]))
    assert few.status_code == 200
