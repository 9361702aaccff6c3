"""Ids of predictions that carry what was said, so that no store of predictions is needed.

A token is JSON, signed with HMAC-SHA-256 and written with URL-safe characters. Whoever holds one can read it;
nobody without the key can make or change one.
"""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from itsdangerous import BadData, URLSafeSerializer
from itsdangerous.encoding import base64_decode, base64_encode

from malaria.domain import Label, Said
from malaria.errors import BadPredictionId

FORMAT = 1
"""Of the payload; raised when older code could misread a newer one."""
LONGEST = 1000
"""Characters that a token has at most; those made today have about 200."""
_NONCE_BYTES = 12


def nonce() -> str:
    """96 random bits: no two of a billion answers share theirs."""
    return secrets.token_urlsafe(_NONCE_BYTES)


class Tokens:
    """Signs with the first key and accepts all of them. Safe to use from many threads."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._serializer = URLSafeSerializer(
            list(reversed(keys)),  # oldest first, as the library has it
            salt="malaria.prediction",
            signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"},
        )

    def sign(self, said: Said) -> str:
        """The token of an answer: about 200 letters, digits, `-`, `_` and `.`."""
        token: str = self._serializer.dumps(
            {
                "v": FORMAT,
                "m": said.version,
                "p": said.probability,
                "t": said.threshold,
                "s": None if said.label is None else int(said.label),
                "r": said.needs_review,
                "a": int(said.at.timestamp()),
                "f": f"{said.fingerprint:016x}",
                "n": said.nonce,
            }
        )
        return token

    def read(self, token: str) -> Said:
        """Raises BadPredictionId where it was not signed under one of the keys, or is of a newer format."""
        try:
            told = self._serializer.loads(token) if _as_given(token) else None
        except BadData:
            told = None
        if told is None:
            raise BadPredictionId(
                "This prediction_id was not signed by this server, or was changed or cut short. Send it as "
                "the answer gave it; ids signed under a key that was removed since are no longer known."
            )
        if told["v"] != FORMAT:
            raise BadPredictionId(
                f"This prediction_id is of format {told['v']}, and this server reads format {FORMAT}. "
                "Send it to a server of the version that gave it."
            )
        return _said(told)


def _as_given(token: str) -> bool:
    """Whether a token is spelt as one that was given: Base64 passes over what is no letter of it, and its
    last letter has bits that mean nothing, so one signature could be written in many ways. Raises BadData."""
    if not token.isascii() or len(token) > LONGEST:
        return False
    signature = token.rpartition(".")[2]
    return base64_encode(base64_decode(signature)) == signature.encode()


def _said(told: dict[str, Any]) -> Said:
    return Said(
        nonce=told["n"],
        version=told["m"],
        probability=told["p"],
        threshold=told["t"],
        label=None if told["s"] is None else Label(told["s"]),
        at=datetime.fromtimestamp(told["a"], UTC),
        fingerprint=int(told["f"], 16),
        needs_review=told["r"],
    )
