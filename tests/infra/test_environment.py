"""What functions and tasks are told, in every variant: names that the application reads, and no secret."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from malaria.settings import Settings as AppSettings
from malaria.settings_aws import PREFIX, AwsSettings
from tests.infra.templates import Variant

COMMON = {"MALARIA_HOME", "MALARIA_ALLOWED_HOSTS", "MALARIA_AWS_DEPLOYMENT"}


def _told(variant: Variant) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, function in variant.functions().items():
        yield name, function["Environment"]["Variables"]
    for name, task in variant.of("AWS::ECS::TaskDefinition").items():
        [container] = task["ContainerDefinitions"]
        yield name, {one["Name"]: one["Value"] for one in container["Environment"]}


def test_every_name_is_read_by_the_application(variant: Variant) -> None:
    for who, told in _told(variant):
        assert told.keys() >= COMMON, who
        for name in told:
            if name.startswith(PREFIX):
                assert name.removeprefix(PREFIX).lower() in AwsSettings.model_fields, (who, name)
            elif name == "AWS_ENDPOINT_URL":
                assert variant.settings.endpoint, who
            else:
                assert name.removeprefix("MALARIA_").lower() in AppSettings.model_fields, (who, name)


def test_every_value_is_one_that_the_application_takes(
    variant: Variant, monkeypatch: pytest.MonkeyPatch
) -> None:
    for who, told in _told(variant):
        for name, value in told.items():
            monkeypatch.setenv(name, value if isinstance(value, str) else _filled_in(value))
        aws = AwsSettings()
        assert aws.deployment == variant.settings.deployment, who
        assert aws.metered, who
        if who != "canary":  # which has nothing to do with trainings
            assert aws.trainer == variant.settings.trainer, who
        AppSettings()
        for name in told:
            monkeypatch.delenv(name)


LAUNCHING = {
    "ecs": ("CLUSTER", "ADAPT_TASK", "FULL_TASK", "SUBNETS", "SECURITY_GROUPS", "PUBLIC_IP", "SPOT"),
    "sagemaker": (
        *(
            "TRAINING_ROLE",
            "ADAPT_IMAGE",
            "FULL_IMAGE",
            "ADAPT_INSTANCE",
            "FULL_INSTANCE",
            "VOLUME_GB",
            "SPOT",
        ),
    ),
}


def test_whoever_launches_is_told_all_that_launching_needs(variant: Variant) -> None:
    needs = {f"{PREFIX}{one}" for one in (*LAUNCHING[variant.settings.trainer], "MAX_RUNTIME", "LOG_GROUP")}
    for name in ("on_upload", "on_job_change", "reconcile"):
        assert needs <= variant.functions()[name]["Environment"]["Variables"].keys()


def test_a_task_knows_its_bucket_its_ledger_and_its_end(ecs: Variant) -> None:
    for method in ("Adapt", "Full"):
        told = dict(_told(ecs))[ecs.id("AWS::ECS::TaskDefinition", method)]
        assert {f"{PREFIX}{one}" for one in ("MODELS_BUCKET", "JOBS_TABLE", "MAX_RUNTIME")} <= told.keys()


def test_settings_of_the_application_reach_functions_and_tasks(busy: Variant) -> None:
    for who, told in _told(busy):
        assert told["MALARIA_KEEP_DAYS"] == "30", who


def test_only_a_stand_in_has_an_address(ecs: Variant, local: Variant) -> None:
    assert all("AWS_ENDPOINT_URL" not in told for _, told in _told(ecs))
    assert {told["AWS_ENDPOINT_URL"] for _, told in _told(local)} == {"http://127.0.0.1:4566"}


def test_no_secret_is_told(variant: Variant) -> None:
    for who, told in _told(variant):
        assert not [name for name in told if "KEY" in name or "SECRET" in name or "PASSWORD" in name], who


def _filled_in(value: Any) -> str:
    """As CloudFormation would fill it in: each reference becomes a name."""
    match value:
        case {"Fn::Join": [between, parts]}:
            return str(between).join(p if isinstance(p, str) else "sub-1" for p in parts)
    return json.dumps(value)
