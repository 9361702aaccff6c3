"""What stands before every route: request ids, security headers, host and origin checks, size limits.

Plain ASGI, because the size of a body must be counted while it arrives: Starlette reads all of a form before
a route sees it, and a Content-Length may lie or be absent.
"""

import json
import logging
import time
from collections.abc import Mapping, Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from malaria.api import context
from malaria.api.problems import internal, problem

log = logging.getLogger(__name__)
access_log = logging.getLogger("malaria.api.access")

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""blob: is a picture that a person has dropped, shown without being sent anywhere. Styles need no exception:
the page sets them through the object model, and its theme is a file."""
DATA_POLICY = "default-src 'none'; frame-ancestors 'none'"
WORKER, WORKER_POLICY = "/sw.js", f"{DATA_POLICY}; connect-src 'self'"
"""What keeps the page in the browser, and may ask this server for the page's files."""
FORM_OVERHEAD = 64 * 2**10
"""Bytes that boundaries, part headers and small fields may add to a form's files."""


class Correlate:
    """Give each request its id, its line in the log and its security headers; no error leaves unanswered.

    The line names the route's template, never a file: names of files may name patients.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        token = context.request_id.set(context.taken_or_made(Headers(scope=scope).get("x-request-id")))
        began, status = time.perf_counter(), 0

        async def sender(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _harden(MutableHeaders(scope=message), str(scope["path"]))
            await send(message)

        try:
            await self._app(scope, receive, sender)
        except Exception:
            log.exception("request %s met an unexpected error", context.request_id.get())
            if status:
                raise  # too late for an answer: the server breaks the connection, so the client sees it
            await internal(scope["path"])(scope, receive, sender)
        finally:
            access_log.info("%s", _line(scope, status, time.perf_counter() - began))
            context.request_id.reset(token)


def _harden(headers: MutableHeaders, path: str) -> None:
    headers["X-Request-ID"] = context.request_id.get()
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "no-referrer"
    headers["X-Frame-Options"] = "DENY"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    page = headers.get("content-type", "").startswith("text/html")
    other = WORKER_POLICY if path == WORKER else DATA_POLICY
    headers["Content-Security-Policy"] = PAGE_POLICY if page else other
    if not path.startswith("/docs/"):
        headers.setdefault("Cache-Control", "no-store")


def _line(scope: Scope, status: int, seconds: float) -> str:
    route = getattr(scope.get("route"), "path", None) or "-"
    told = {"id": context.request_id.get(), "method": scope["method"], "route": route, "status": status}
    return json.dumps({**told, "ms": round(1000 * seconds, 1)})


class HostGuard:
    """Answer only for the hosts that are meant, so that a foreign name pointed here gets nothing."""

    def __init__(self, app: ASGIApp, allowed: Sequence[str]) -> None:
        self._app = app
        self._allowed = {name.lower() for name in allowed}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and "*" not in self._allowed:
            host = _without_port(Headers(scope=scope).get("host", ""))
            if host not in self._allowed:
                refusal = problem(
                    421,
                    f"This server does not answer for the host {host[:100]!r}. "
                    "Its operator can add it to MALARIA_ALLOWED_HOSTS.",
                    path=scope["path"],
                )
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _without_port(host: str) -> str:
    host = host.strip().lower()
    end = host.rfind("]")
    colon = host.rfind(":")
    return host[:colon] if colon > end else host


class OriginGuard:
    """Refuse what a web page of another origin asks a browser to change or to compute here."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in SAFE_METHODS and _foreign(Headers(scope=scope)):
            refusal = problem(
                403,
                "A page of another site asked for this, and only pages of this server may. "
                "Programs need not send an Origin header.",
                path=scope["path"],
            )
            await refusal(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _foreign(headers: Headers) -> bool:
    origin = headers.get("origin")
    if origin is None:
        return headers.get("sec-fetch-site", "none") not in ("none", "same-origin")
    scheme, _, place = origin.lower().partition("://")
    usual = {"http": ":80", "https": ":443"}.get(scheme, "")
    return place.removesuffix(usual) != headers.get("host", "").lower().removesuffix(usual)


class BodyLimit:
    """Refuse a body larger than its route reads, at its Content-Length or at the first byte too many.

    limits: bytes for each (method, path), or for all directly below one ("/uploads/*"); `other` is for all
    the rest.
    """

    def __init__(self, app: ASGIApp, limits: Mapping[tuple[str, str], int], other: int = 2**20) -> None:
        self._app, self._limits, self._other = app, limits, other

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._limit(scope["method"], scope["path"].rstrip("/"))
        most = limit + FORM_OVERHEAD
        said = Headers(scope=scope).get("content-length", "")
        if said.isdecimal() and int(said) > most:
            refusal = problem(413, _too_large(limit, int(said)), path=scope["path"])
            await refusal(scope, receive, send)
            return
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > most:
                raise HTTPException(413, _too_large(limit, None))
            return message

        await self._app(scope, counted, send)

    def _limit(self, method: str, path: str) -> int:
        below = self._limits.get((method, f"{path.rpartition('/')[0]}/*"), self._other)
        return self._limits.get((method, path), below)


def _too_large(most: int, size: int | None) -> str:
    reads = f"{most / 2**20:.1f} MiB"
    if size is None:
        return f"The body is larger than the {reads} that are read here."
    return f"The body has {size / 2**20:.1f} MiB; at most {reads} are read here."
