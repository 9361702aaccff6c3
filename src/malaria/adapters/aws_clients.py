"""boto3's clients, made when they are first asked for: whoever only predicts never loads boto3."""

import os
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from malaria.errors import Busy

CONNECT, READ, TRIES = 3, 20, 5
"""Seconds to wait for a connection and for an answer; how often a request is sent in all, by default."""


class Clients:
    """One client for each service, shared by threads. endpoint: of a stand-in of AWS; None: AWS itself.
    tries: how often a request is sent in all."""

    def __init__(self, endpoint: str | None = None, *, tries: int = TRIES) -> None:
        self._endpoint, self._tries = endpoint, tries
        self._made: dict[str, Any] = {}
        self._lock = threading.Lock()

    def of(self, service: str) -> Any:
        """The client of a service, such as "dynamodb". Raises Busy where this process has no region yet."""
        with self._lock:  # boto3's sessions, unlike its clients, are not for several threads
            if service not in self._made:
                self._made[service] = self._make(service)
            return self._made[service]

    def close(self) -> None:
        """Close every connection; clients asked for later are new ones."""
        with self._lock:
            while self._made:
                self._made.popitem()[1].close()

    def _make(self, service: str) -> Any:
        import boto3
        from botocore.config import Config

        retries = {"mode": "standard", "total_max_attempts": self._tries}
        config = Config(
            connect_timeout=CONNECT,
            read_timeout=READ,
            retries=retries,
            max_pool_connections=25,
            # Left alone, the oldest regions sign as new buckets no longer take it, for a host of all regions.
            signature_version="s3v4" if service == "s3" else None,
            s3={"addressing_style": "path" if self._endpoint else "virtual"},
        )
        with told(f"The client of {service}"):
            return boto3.client(service, region_name=region(), endpoint_url=self._endpoint, config=config)


def region() -> str | None:
    """The region that function, task or person names; boto3 itself does not read AWS_REGION."""
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")


def session_of_person() -> Any:
    """A session of boto3 with what a person has set up: the environment, a profile, single sign-on.

    Raises Busy where they have nothing.
    """
    import boto3

    with told("The session"):
        session = boto3.Session(region_name=region())
        if session.get_credentials() is None:
            raise Busy("AWS does not know you: `aws sso login` or `aws configure`.")
    return session


@contextmanager
def told(what: str, *, but: Collection[str] = ()) -> Iterator[None]:
    """What boto3 raises, as Busy with its reason: throttled, out of reach, not allowed for now.

    but: codes of errors that the caller looks at itself. A request that AWS calls malformed passes too: it
        is a fault of ours, and no waiting mends it.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        if code(error) in {"ValidationException", *but}:
            raise
        raise Busy(f"{what} cannot be used now: {reason(error)}") from error
    except BotoCoreError as error:
        raise Busy(f"{what} cannot be reached now: {error}") from error


def code(error: Exception) -> str:
    """AWS's name of an error, such as "ThrottlingException"."""
    return str(getattr(error, "response", {}).get("Error", {}).get("Code", ""))


def reason(error: Exception) -> str:
    """An error of AWS in one line."""
    message = getattr(error, "response", {}).get("Error", {}).get("Message", "")
    return f"{code(error)}: {message}" if message else code(error)
