"""Limits for each caller, by key, token or address: told in every answer, refused with the time to wait."""

import io
import re
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as Connection

from malaria.api import limited
from malaria.api.app import create_app
from malaria.api.limited import Limited
from malaria.domain import Scope
from malaria.keys import Keys
from malaria.limits import Buckets
from malaria.settings import Settings
from tests.api.asking import good, predict, problem
from tests.api.conftest import System, make
from tests.api.server import client

Start = Callable[..., System]


@pytest.fixture
def start(tmp_path: Path, models_dir: Path) -> Iterator[Start]:
    """Start a server with settings; it ends with the test."""
    with ExitStack() as stack:

        def started(**settings: Any) -> System:
            services, launcher = make(tmp_path / "limited", models_dir, **settings)
            return System(services, stack.enter_context(client(create_app(services))), launcher)

        yield started


def bearing(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


def keys(system: System) -> Keys:
    return Keys(system.services.objects, system.services.clock)


def fields(answer: httpx.Response, name: str) -> dict[str, dict[str, int]]:
    """A structured field of items with whole numbers as parameters."""
    found = {}
    for item in answer.headers[name].split(","):
        policy, *parameters = item.strip().split(";")
        assert re.fullmatch(r'"[a-z]+"', policy)
        found[policy.strip('"')] = {key: int(value) for key, value in (p.split("=") for p in parameters)}
    return found


def refused(answer: httpx.Response, code: str) -> int:
    """The seconds to wait, after checking that the refusal says all that it must."""
    told = problem(answer, 429, code)
    wait = int(answer.headers["retry-after"])
    assert wait >= 1
    assert f"Ask again in {wait} s." in told["detail"]
    return wait


def test_without_a_limit_nothing_is_told_and_nothing_refused(http: httpx.Client, png: bytes) -> None:
    for answer in (http.get("/model/info"), predict(http, png)):
        good(answer)
        assert not [name for name in answer.headers if name.startswith("ratelimit")]


def test_a_key_beyond_its_requests_is_refused_and_others_are_not(start: Start) -> None:
    system = start(access="keys", requests_per_minute=3)
    one, other = (bearing(keys(system).add(name, [Scope.READ])) for name in ("one", "other"))
    for left in (2, 1, 0):
        answer = system.http.get("/model/info", headers=one)
        good(answer)
        assert fields(answer, "ratelimit-policy") == {"requests": {"q": 3, "w": 60}}
        assert fields(answer, "ratelimit")["requests"]["r"] == left
    answer = system.http.get("/model/info", headers=one)
    wait = refused(answer, "too-many-requests")
    told = fields(answer, "ratelimit")["requests"]
    assert told["r"] == 0
    assert wait >= told["t"] >= 1, "who may come back must find something"
    good(system.http.get("/model/info", headers=other))


def test_it_is_refused_before_the_body_is_read(start: Start) -> None:
    import socket

    system = start(access="keys", requests_per_minute=1)
    text = keys(system).add("one", [Scope.OPERATE])
    good(system.http.get("/model/info", headers=bearing(text)))
    host, port = system.http.base_url.host, system.http.base_url.port
    with socket.create_connection((host, port or 80), timeout=30) as line:
        line.sendall(
            f"POST /retrain HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {text}\r\n"
            "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 100000000\r\n\r\n".encode()
        )
        assert line.recv(100).startswith(b"HTTP/1.1 429")


def test_a_keys_own_limit_goes_before_the_settings(start: Start) -> None:
    system = start(access="keys", requests_per_minute=2)
    narrow = bearing(keys(system).add("narrow", [Scope.READ], requests_per_minute=1))
    free = bearing(keys(system).add("free", [Scope.READ], requests_per_minute=0))
    good(system.http.get("/models", headers=narrow))
    refused(system.http.get("/models", headers=narrow), "too-many-requests")
    for _ in range(5):
        answer = system.http.get("/models", headers=free)
        good(answer)
        assert "ratelimit" not in answer.headers


def test_strangers_are_refused_as_before_and_use_up_nobodys_share(start: Start) -> None:
    system = start(access="keys", requests_per_minute=1)
    text = keys(system).add("one", [Scope.READ])
    for _ in range(3):
        problem(system.http.get("/models", headers=bearing(text[:-1])), 401, "unauthorized")
        problem(system.http.get("/models"), 401, "unauthorized")
        good(system.http.get("/health"))
    good(system.http.get("/models", headers=bearing(text)))


def test_pictures_count_one_by_one_and_in_batches(start: Start, png: bytes) -> None:
    system = start(pictures_per_minute=5)
    answer = predict(system.http, png)
    good(answer)
    assert fields(answer, "ratelimit-policy") == {"pictures": {"q": 5, "w": 60}}
    assert fields(answer, "ratelimit")["pictures"]["r"] == 4
    three = [("files", (f"{n}.png", png, "image/png")) for n in range(3)]
    answer = system.http.post("/predict/batch", files=three)
    assert good(answer)["total"] == 3
    assert fields(answer, "ratelimit")["pictures"]["r"] == 1
    answer = system.http.post("/predict/batch", files=three)
    refused(answer, "too-many-pictures")
    assert "holds 3" in answer.json()["detail"] and "1 are left" in answer.json()["detail"]
    good(predict(system.http, png))
    refused(predict(system.http, png), "too-many-pictures")
    good(system.http.get("/models"))


def zipped(png: bytes, number: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("__MACOSX/._0.png", b"not a picture")
        for n in range(number):
            archive.writestr(f"cells/{n}.png", png)
    return out.getvalue()


def test_a_zip_counts_by_its_pictures_and_a_large_one_is_owed(start: Start, png: bytes) -> None:
    system = start(pictures_per_minute=4)
    answer = system.http.post(
        "/predict/batch", files={"files": ("cells.zip", zipped(png, 6), "application/zip")}
    )
    assert good(answer)["total"] == 6, "a batch larger than a minute's worth is taken from a full bucket"
    assert fields(answer, "ratelimit")["pictures"]["r"] == 0
    assert refused(predict(system.http, png), "too-many-pictures") > 30
    again = system.http.post(
        "/predict/batch", files={"files": ("cells.zip", zipped(png, 6), "application/zip")}
    )
    assert refused(again, "too-many-pictures") > 60


def test_where_access_is_open_addresses_count_and_health_is_always_told(start: Start) -> None:
    system = start(requests_per_minute=2)
    good(system.http.get("/models"))
    good(system.http.get("/model/info"))
    refused(system.http.get("/models"), "too-many-requests")
    for _ in range(4):
        good(system.http.get("/health"))
    # Uvicorn believes a proxy on the loopback address: another caller of it is another address.
    good(system.http.get("/models", headers={"X-Forwarded-For": "192.0.2.7"}))


class Gateway:
    """Puts before the app what API Gateway tells of a token that it has checked."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Connection, receive: Receive, send: Send) -> None:
        sub = dict(scope["headers"]).get(b"claim-sub", b"-").decode()
        claims = {"sub": sub, "scope": "read"}
        scope["aws.event"] = {"requestContext": {"authorizer": {"jwt": {"claims": claims}}}}
        await self._app(scope, receive, send)


def test_tokens_count_by_their_subject(tmp_path: Path, models_dir: Path) -> None:
    services, _ = make(tmp_path / "gated", models_dir, access="jwt", requests_per_minute=1)
    with client(Gateway(create_app(services))) as http:  # type: ignore[arg-type]
        good(http.get("/models", headers={"claim-sub": "u1"}))
        refused(http.get("/models", headers={"claim-sub": "u1"}), "too-many-requests")
        good(http.get("/models", headers={"claim-sub": "u2"}))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.7", "192.0.2.7", True),
        ("192.0.2.7", "192.0.2.8", False),
        ("192.0.2.7", "::ffff:192.0.2.7", True),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("fe80::1%eth0", "fe80::2%eth0", True),
        ("testclient", "testclient", True),
        (None, None, True),
    ],
)
def test_what_one_address_is(one: str | None, other: str | None, same: bool) -> None:
    told = [limited._address({"client": (host, 1) if host else None}) for host in (one, other)]
    assert (told[0] == told[1]) is same


def test_what_is_no_request_passes() -> None:
    passed: list[str] = []

    async def app(scope: Connection, receive: Receive, send: Send) -> None:
        passed.append(scope["type"])

    async def receive() -> Message:
        raise AssertionError("nothing is to be read")

    async def send(message: Message) -> None:
        raise AssertionError(f"nothing is to be said, and not {message}")

    anyio.run(Limited(app, Buckets(), Settings(requests_per_minute=1)), {"type": "lifespan"}, receive, send)
    assert passed == ["lifespan"]


def test_the_description_tells_of_limits(http: httpx.Client) -> None:
    paths = good(http.get("/openapi.json"))["paths"]
    assert "429" in paths["/predict"]["post"]["responses"]
    assert "429" not in paths["/health"]["get"]["responses"]
