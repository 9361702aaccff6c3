"""Servers to be asked: watched ones, and such as answer wrongly, slowly or not at all."""

import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as Connection

from malaria.api.problems import problem
from malaria.api.turnstile import Turnstile
from malaria.services import Services

T = TypeVar("T")


class Watched:
    """Counts what a server has answered, by path and status."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.answers: Counter[tuple[str, int]] = Counter()

    async def __call__(self, scope: Connection, receive: Receive, send: Send) -> None:
        async def counting(message: Message) -> None:
            await send(message)
            if message["type"] == "http.response.start":
                self.answers[scope["path"], message["status"]] += 1

        await self._app(scope, receive, counting)

    def count(self, path: str, status: int = 200) -> int:
        return self.answers[path, status]

    def seen(self, *paths: str, refused: int = 0) -> bool:
        """Whether each of these was answered twice, and so many questions were refused."""
        bad = sum(many for (_, status), many in self.answers.items() if 400 <= status < 500)
        return all(self.count(path) >= 2 for path in paths) and bad >= refused


class Changing:
    """Changes the JSON of some answers on their way out."""

    def __init__(
        self, app: ASGIApp, paths: tuple[str, ...], change: Callable[[dict[str, Any]], object]
    ) -> None:
        self._app, self._paths, self._change = app, paths, change

    async def __call__(self, scope: Connection, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] not in self._paths:
            await self._app(scope, receive, send)
            return
        start: Message = {}

        async def changed(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
                return
            assert not message.get("more_body")
            body = message["body"]
            if start["status"] == 200:
                told = json.loads(body)
                self._change(told)
                body = json.dumps(told).encode()
            kept = [(name, value) for name, value in start["headers"] if name != b"content-length"]
            length = (b"content-length", str(len(body)).encode())
            await send({**start, "headers": [*kept, length]})
            await send({**message, "body": body})

        plain = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]
        await self._app({**scope, "headers": plain}, receive, changed)


class Pages:
    """Puts a page in the place of errors, as a gateway may do."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Connection, receive: Receive, send: Send) -> None:
        async def paged(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] >= 400:
                headers = [(name, value) for name, value in message["headers"] if name != b"content-type"]
                message = {**message, "headers": [*headers, (b"content-type", b"text/html")]}
            await send(message)

        await self._app(scope, receive, paged)


def nonsense(app: ASGIApp) -> ASGIApp:
    """A server that answers every kind of user wrongly, each in another way."""
    app = Changing(app, ("/predict",), lambda told: told.update(prediction="Maybe"))
    app = Changing(app, ("/predict/batch",), lambda told: told.update(model_version="20990101-nobodys"))
    app = Changing(app, ("/status",), lambda told: told.update(model_loaded=False))
    app = Changing(app, ("/retrain/tasks",), lambda told: told.update(tasks=None))
    return Pages(app)


class Slow(Turnstile):
    """The real turnstile, before work that takes its time."""

    async def run(self, work: Callable[[], T]) -> T:
        def slowly() -> T:
            time.sleep(0.4)
            return work()

        return await super().run(slowly)


def narrow(app: Any) -> ASGIApp:
    """One prediction at once, and nobody may wait."""
    app.state.malaria = replace(app.state.malaria, singles=Slow(1, 0, "predictions"))
    return app  # type: ignore[no-any-return]


class Refusing:
    """Refuses every prediction; `seen` are the times."""

    def __init__(self, app: ASGIApp, headers: dict[str, str], seen: list[float]) -> None:
        self._app, self._headers, self._seen = app, headers, seen

    async def __call__(self, scope: Connection, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != "/predict":
            await self._app(scope, receive, send)
            return
        self._seen.append(time.monotonic())
        answer = problem(503, "Busy. Try again.", path="/predict", headers=self._headers)
        if not self._headers:
            del answer.headers["retry-after"]
        await answer(scope, receive, send)


@dataclass
class Served:
    url: str
    services: Services
    watched: Watched


Serve = Callable[..., Served]
