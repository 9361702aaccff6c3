"""Limits for each caller: requests and pictures a minute, told in every answer.

A caller is known by its key or token; where everybody may ask, by the address that the request came from. The
fields are those of the IETF's draft "RateLimit header fields for HTTP": RateLimit-Policy says what is
allowed, RateLimit what is left of it.
"""

import ipaddress
import math
from collections.abc import Iterator
from dataclasses import dataclass

from fastapi import Request
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as Connection

from malaria.api.access import ANYBODY, CALLER, Caller
from malaria.api.problems import of_error
from malaria.errors import TooManyPictures, TooManyRequests
from malaria.limits import MINUTE, Buckets
from malaria.settings import Settings

ALLOWANCE = "malaria.allowance"
REQUESTS, PICTURES = "requests", "pictures"
FREE = ("/health",)
"""Answered without limit: whoever looks after the server must always hear whether it is well."""
NETWORK = 64
"""Bits of an IPv6 address that tell one connection from another; the rest its holder chooses."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What one caller may ask. requests, pictures: a minute; 0 for no limit."""

    who: str
    requests: int
    pictures: int
    buckets: Buckets

    def take_request(self) -> None:
        """Raises TooManyRequests, with the seconds to wait."""
        wait = self._take(REQUESTS, self.requests, 1)
        if wait:
            raise TooManyRequests(
                f"You may send {self.requests:,} requests a minute, and have sent them. "
                f"Ask again in {wait} s.",
                wait,
            )

    def take_pictures(self, number: int) -> None:
        """Raises TooManyPictures, with the seconds to wait; the request then costs no pictures."""
        wait = self._take(PICTURES, self.pictures, number)
        if wait:
            left = self.buckets.standing(self._name(PICTURES), self.pictures).left
            raise TooManyPictures(
                f"You may send {self.pictures:,} pictures a minute; {left:,} are left now, and this request "
                f"holds {number:,}. Ask again in {wait} s.",
                wait,
            )

    def headers(self) -> dict[str, str]:
        """What is allowed and what is left; nothing where there is no limit."""
        limits = [(name, most) for name, most in self._limits() if most]
        if not limits:
            return {}
        return {
            "RateLimit-Policy": ", ".join(f'"{name}";q={most};w={MINUTE:.0f}' for name, most in limits),
            "RateLimit": ", ".join(self._left(name, most) for name, most in limits),
        }

    def _limits(self) -> Iterator[tuple[str, int]]:
        yield REQUESTS, self.requests
        yield PICTURES, self.pictures

    def _left(self, name: str, most: int) -> str:
        standing = self.buckets.standing(self._name(name), most)
        return f'"{name}";r={standing.left};t={math.ceil(standing.wait)}'

    def _take(self, name: str, most: int, number: int) -> int:
        """0, or the whole seconds to wait."""
        return math.ceil(self.buckets.take(self._name(name), most, number)) if most else 0

    def _name(self, limit: str) -> str:
        return f"{limit} of {self.who}"


class Limited:
    """Give each request its caller's allowance, and refuse what is beyond it before a body is read."""

    def __init__(self, app: ASGIApp, buckets: Buckets, settings: Settings) -> None:
        self._app, self._buckets, self._settings = app, buckets, settings

    async def __call__(self, scope: Connection, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        allowance = scope[ALLOWANCE] = self._allowance(scope)

        async def telling(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(allowance.headers())
            await send(message)

        try:
            allowance.take_request()
        except TooManyRequests as error:
            await of_error(error, scope["path"])(scope, receive, telling)
            return
        await self._app(scope, receive, telling)

    def _allowance(self, scope: Connection) -> Allowance:
        caller: Caller | None = scope[CALLER]
        if caller is None or scope["path"] in FREE:  # without a key, only what is open and cheap is answered
            return Allowance("nobody", 0, 0, self._buckets)
        who = f"address:{_address(scope)}" if caller is ANYBODY else caller.name
        requests, pictures = caller.requests_per_minute, caller.pictures_per_minute
        return Allowance(
            who,
            self._settings.requests_per_minute if requests is None else requests,
            self._settings.pictures_per_minute if pictures is None else pictures,
            self._buckets,
        )


def _address(scope: Connection) -> str:
    """Whom the request came from, as the server or the gateway before the function saw it."""
    host = str((scope.get("client") or ("-", 0))[0])
    try:
        told = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if told.version == 4:
        return str(told)
    if told.ipv4_mapped:
        return str(told.ipv4_mapped)
    return str(ipaddress.ip_network((told, NETWORK), strict=False))


def allowance(request: Request) -> Allowance:
    """A dependency: what the caller may still ask."""
    found: Allowance = request.scope[ALLOWANCE]
    return found
