"""The id of the request that is being answered, for logs and problems."""

import re
import uuid
from contextvars import ContextVar

request_id: ContextVar[str] = ContextVar("request_id", default="-")

_SAFE = re.compile(r"[A-Za-z0-9._=-]{1,128}")


def taken_or_made(offered: str | None) -> str:
    """The caller's own id where it is safe to log, else a fresh one."""
    return offered if offered and _SAFE.fullmatch(offered) else uuid.uuid4().hex
