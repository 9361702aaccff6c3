"""The words of the house to JSON and back."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from malaria import codec
from malaria.domain import JobState, ModelVersion, Promotion, Verdict
from malaria.errors import Damaged
from tests.contract.clock import SetClock
from tests.contract.test_jobs import full_job

VERSION = ModelVersion(
    version="20260301-abc",
    digest="d" * 64,
    network="mobilenet_v2",
    input_size=128,
    created=datetime(2026, 3, 1, 12, 0, 0, 5, tzinfo=UTC),
    size_bytes=9_000_000,
    threshold=0.4375,
    metrics={"gate": {"auc": 0.99, "confusion": {"tp": 1}, "intervals": {"auc": [0.9, 1.0]}}},
    lineage={"method": "adapt", "data": ["x"], "parent": None},
)
PROMOTION = Promotion(
    3, "v", "d" * 64, "accepted", "me", "it is better", datetime(2026, 3, 1, tzinfo=UTC), "p" * 64, "n"
)


def through_json(value: object) -> dict[str, object]:
    told: dict[str, object] = json.loads(json.dumps(codec.to_json(value), allow_nan=False))
    return told


def test_all_come_back_as_they_were() -> None:
    job = full_job(SetClock())
    assert codec.job_from_json(through_json(job)) == job
    assert codec.version_from_json(through_json(VERSION)) == VERSION
    assert codec.promotion_from_json(through_json(PROMOTION)) == PROMOTION


def test_enums_are_their_values_and_times_are_utc() -> None:
    told = through_json(replace(full_job(SetClock()), state=JobState.SUCCEEDED, verdict=Verdict.REJECTED))
    assert (told["state"], told["verdict"]) == ("succeeded", "rejected")
    assert told["started"] == "2026-03-01T12:00:00Z"
    assert codec.version_from_json(through_json(VERSION)).created.utcoffset() == UTC.utcoffset(None)


def test_rows_outlive_the_code_that_wrote_them() -> None:
    told = {**through_json(VERSION), "a_later_key": {"x": 1}}
    assert codec.version_from_json(told) == VERSION
    old = {key: told[key] for key in ("version", "digest", "network", "input_size", "created", "size_bytes")}
    assert codec.version_from_json(old).threshold == 0.5
    assert codec.version_from_json(old).metrics == {}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"created": "yesterday"}, "created"),
        ({"size_bytes": None}, "size_bytes"),
        ({"metrics": 3}, "metrics"),
    ],
)
def test_what_is_none_is_told_by_name(change: dict[str, object], said: str) -> None:
    with pytest.raises(Damaged, match=f"ModelVersion cannot be read: {said}"):
        codec.version_from_json({**through_json(VERSION), **change})
    with pytest.raises(Damaged):
        codec.job_from_json([])


def test_numbers_that_json_does_not_know_become_none() -> None:
    job = replace(full_job(SetClock()), receipt={"value": float("nan"), "bound": float("inf")})
    assert through_json(job)["receipt"] == {"value": None, "bound": None}
