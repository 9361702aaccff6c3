"""Where to ask, and with which key."""

import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

DEFAULT_URL = "http://127.0.0.1:8000"
KEY = "MALARIA_KEY"
"""Names the variable that holds the caller's key. Not an option: command lines are seen by others."""
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Target:
    """url: without a slash at its end. headers: sent with every request; the key is among them, so they are
    never shown."""

    url: str
    headers: Mapping[str, str] = field(repr=False)


def target(
    url: str | None,
    environment: Mapping[str, str],
    resolves: Callable[[str], bool] | None = None,
) -> Target:
    """What the user names, the default where they name nothing. environment: where the key is looked for.

    A host below .localhost, as the local AWS has, is asked at the loopback address where the system does not
    know that it lies there (RFC 6761). Raises ValueError for what is no URL.
    """
    named = (url or DEFAULT_URL).rstrip("/")
    parts = urlsplit(named)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{named!r} is no address of a server. Name one as http://HOST:PORT.")
    key, headers = environment.get(KEY, "").strip(), {}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    if parts.hostname.endswith(".localhost") and not (resolves or _resolves)(parts.hostname):
        headers["Host"] = parts.netloc
        port = f":{parts.port}" if parts.port else ""
        named = parts._replace(netloc=LOOPBACK + port).geturl()
    return Target(named, headers)


def _resolves(host: str) -> bool:
    try:
        socket.getaddrinfo(host, None)
    except OSError:
        return False
    return True
