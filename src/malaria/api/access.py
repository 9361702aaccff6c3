"""Who may do what.

`open`: whoever reaches the server may do everything; meant for the loopback address of a laptop.
`keys`: callers send a key as a bearer token.
`jwt`: the gateway before the server has checked a token, and tells its claims.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Request, Security
from fastapi.security import HTTPBearer
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as Connection

from malaria.api.problems import of_error
from malaria.domain import Scope
from malaria.errors import Forbidden, MalariaError, Unauthorized
from malaria.keys import Doorkeeper

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
HOW = "Send it as 'Authorization: Bearer KEY'; `malaria keys add` makes one."
CALLER = "malaria.caller"
_BEARER = HTTPBearer(auto_error=False, description="A key. A server on a laptop asks for none.")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. name: what the record of a job says where nobody was named. scopes: what they may do.

    requests_per_minute, pictures_per_minute: their own limits; None for those of the settings, 0 for none.
    """

    name: str
    scopes: frozenset[Scope]
    requests_per_minute: int | None = None
    pictures_per_minute: int | None = None

    def may(self, scope: Scope) -> bool:
        return scope in self.scopes or (scope is Scope.READ and bool(self.scopes))

    def on_behalf(self, actor: str) -> str:
        """Who did it, as they say, and by which key: what they say nobody has checked."""
        return f"{actor} ({self.name})" if self.name != ANYBODY.name else actor


ANYBODY = Caller("http", frozenset(Scope))
Identify = Callable[[Connection], Awaitable[Caller | None]]
"""Who asks; None where nobody is named. Raises Unauthorized where the name is not known."""


def identify(access: str, doorkeeper: Doorkeeper) -> Identify:
    """How callers are known, by the setting `access`."""

    async def anybody(_: Connection) -> Caller | None:
        return ANYBODY

    async def by_claims(connection: Connection) -> Caller | None:
        return _by_claims(connection)

    async def by_key(connection: Connection) -> Caller | None:
        return await run_in_threadpool(_by_key, connection, doorkeeper)  # it may ask the store

    return {"open": anybody, "jwt": by_claims, "keys": by_key}[access]


def _by_key(connection: Connection, doorkeeper: Doorkeeper) -> Caller | None:
    kind, _, text = Headers(scope=connection).get("authorization", "").partition(" ")
    if not kind:
        return None
    key = doorkeeper.holder(text.strip()) if kind.lower() == "bearer" else None
    if key is None:
        raise Unauthorized(f"The key is not known here, was withdrawn or has ended. {HOW}")
    return Caller(f"key:{key.name}", frozenset(key.scopes), key.requests_per_minute, key.pictures_per_minute)


def _by_claims(connection: Connection) -> Caller | None:
    """By the claims of a token that API Gateway has checked. Scopes may be written as "server/predict"."""
    at: Any = connection.get("aws.event")
    for name in ("requestContext", "authorizer", "jwt", "claims"):
        at = at.get(name) if isinstance(at, Mapping) else None
    if not isinstance(at, Mapping):
        return None
    asked = {word.replace(":", "/").rpartition("/")[2] for word in str(at.get("scope", "")).split()}
    return Caller(f"jwt:{at.get('sub', '-')}", frozenset(scope for scope in Scope if scope in asked))


class Door:
    """Find out who asks before a body is read: strangers cannot make the server read a gigabyte."""

    def __init__(self, app: ASGIApp, identify: Identify) -> None:
        self._app, self._identify = app, identify

    async def __call__(self, scope: Connection, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            try:
                caller = await self._identify(scope)
                if caller is None and scope["method"] not in SAFE_METHODS:
                    raise Unauthorized(f"A key is needed for this. {HOW}")
            except MalariaError as error:
                await of_error(error, scope["path"])(scope, receive, send)
                return
            scope[CALLER] = caller
        await self._app(scope, receive, send)


def authorize(scope: Scope) -> Callable[..., Caller]:
    """A dependency that names the caller, and refuses those without `scope`."""

    def check(request: Request, _: Annotated[Any, Security(_BEARER)]) -> Caller:
        caller: Caller | None = request.scope[CALLER]
        if caller is None:
            raise Unauthorized(f"A key is needed for this. {HOW}")
        if not caller.may(scope):
            raise Forbidden(f"This key may not {scope.value}; it would need the scope '{scope.value}'.")
        return caller

    return check
