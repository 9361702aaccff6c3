"""Ids of predictions: what they carry comes back, and nobody without the key can make or change one."""

import base64
import json
import secrets
import zlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import URLSafeSerializer

from malaria.domain import Label, Said
from malaria.errors import BadPredictionId
from malaria.tokens import LONGEST, Tokens, nonce

KEY, OLDER, FOREIGN = (secrets.token_hex(32) for _ in range(3))
SAID = Said(
    nonce="n" * 16,
    version="20261125-05ce9190",
    probability=0.9834123849868774,
    threshold=0.3,
    label=Label.PARASITIZED,
    at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    fingerprint=2**64 - 1,
    needs_review=True,
)


def payload(token: str) -> dict[str, object]:
    """What anyone can read in a token."""
    packed = token.rpartition(".")[0].removeprefix(".")
    raw = base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4))
    told: dict[str, object] = json.loads(zlib.decompress(raw) if token.startswith(".") else raw)
    return told


@given(
    probability=st.floats(0, 1),
    threshold=st.floats(0, 1),
    label=st.sampled_from([None, *Label]),
    seconds=st.integers(0, 2**33),
    fingerprint=st.integers(0, 2**64 - 1),
    version=st.text(min_size=1, max_size=60),
    review=st.booleans(),
)
def test_what_was_said_comes_back_exactly(
    probability: float,
    threshold: float,
    label: Label | None,
    seconds: int,
    fingerprint: int,
    version: str,
    review: bool,
) -> None:
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    said = Said(nonce(), version, probability, threshold, label, at, fingerprint, review)
    token = Tokens([KEY]).sign(said)
    assert Tokens([KEY]).read(token) == said


def test_time_is_kept_to_the_second_in_utc() -> None:
    east = timezone(timedelta(hours=3))
    said = replace(SAID, at=datetime(2026, 1, 2, 6, 4, 5, 987654, tzinfo=east))
    assert Tokens([KEY]).read(Tokens([KEY]).sign(said)) == SAID


def test_it_carries_what_was_said_and_nothing_else() -> None:
    token = Tokens([KEY]).sign(SAID)
    assert payload(token) == {
        "v": 1,
        "m": SAID.version,
        "p": SAID.probability,
        "t": 0.3,
        "s": 1,
        "r": True,
        "a": int(SAID.at.timestamp()),
        "f": "f" * 16,
        "n": SAID.nonce,
    }
    assert set(token) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")
    assert len(token) < 250


def test_the_signature_is_an_hmac_of_sha_256() -> None:
    signature = Tokens([KEY]).sign(SAID).rpartition(".")[2]
    assert len(base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))) == 32


def test_no_letter_of_a_token_can_be_changed() -> None:
    tokens = Tokens([KEY])
    token = tokens.sign(SAID)
    for i, letter in enumerate(token):
        for other in {"A", "B", "."} - {letter}:
            with pytest.raises(BadPredictionId):
                tokens.read(token[:i] + other + token[i + 1 :])
    for cut in range(len(token)):
        with pytest.raises(BadPredictionId):
            tokens.read(token[:cut])


def test_a_signature_is_written_in_one_way() -> None:
    tokens = Tokens([KEY])
    token = tokens.sign(SAID)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    alike = letters[letters.index(token[-1]) ^ 1]  # the last two bits of 43 letters mean nothing
    for changed in (token[:-1] + alike, token[:-5] + "!" + token[-5:], token + "\n", token + "="):
        with pytest.raises(BadPredictionId):
            tokens.read(changed)


@pytest.mark.parametrize(
    "token",
    ["", ".", "c8c6ff4b-b78e-475f-99b5-b9210a675a03", "é" * 20, "\ud800", "a.b", "x" * (LONGEST + 1), "\n\0"],
)
def test_what_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(BadPredictionId, match="was not signed by this server") as told:
        Tokens([KEY]).read(token)
    assert (told.value.status, told.value.code) == (422, "bad-prediction-id")


def test_a_token_signed_elsewhere_or_for_another_purpose_is_refused() -> None:
    foreign = [Tokens([FOREIGN]).sign(SAID), URLSafeSerializer(KEY).dumps({"v": 1})]
    for token in foreign:
        with pytest.raises(BadPredictionId):
            Tokens([KEY]).read(token)


def test_a_new_key_signs_and_the_ones_before_are_still_accepted() -> None:
    before = Tokens([OLDER]).sign(SAID)
    turned = Tokens([KEY, OLDER])
    assert turned.read(before) == SAID
    after = turned.sign(SAID)
    assert Tokens([KEY]).read(after) == SAID
    with pytest.raises(BadPredictionId):
        Tokens([OLDER]).read(after)
    with pytest.raises(BadPredictionId):  # the older key has been removed
        Tokens([KEY]).read(before)


def test_a_token_of_a_newer_format_says_so() -> None:
    newer = Tokens([KEY])._serializer.dumps({"v": 2})
    with pytest.raises(BadPredictionId, match="format 2"):
        Tokens([KEY]).read(newer)


def test_nonces_differ() -> None:
    assert len({nonce() for _ in range(10_000)}) == 10_000
