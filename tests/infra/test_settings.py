"""Settings of a deployment: typed, refused with a reason, and told under the names the application reads."""

import json

import pytest

from infra.environment import environment
from infra.settings import BadSettings, Settings, read


def test_defaults_need_nothing() -> None:
    assert read({"aws:cdk:enable-path-metadata": True, "@aws-cdk/core:checkSecretUsage": True}) == Settings()


def test_what_the_cdk_itself_tells_is_passed_over() -> None:
    told = {"acknowledged-issue-numbers": [1], "cli-telemetry": False, "availability-zones:account=1": ["a"]}
    assert read(told) == Settings()


def test_the_command_line_gives_text_and_cdk_json_gives_values() -> None:
    typed = read({"spot": "true", "log_days": "30", "origins": "https://a.example, https://b.example"})
    assert typed == read(
        {"spot": True, "log_days": 30, "origins": ["https://a.example", "https://b.example"]}
    )
    assert typed.origins == ("https://a.example", "https://b.example")
    told = {"KEEP_DAYS": "30", "RETRAIN_CONFIRMED": "200"}
    assert read({"environment": json.dumps(told)}).environment == told
    assert read({"environment": "KEEP_DAYS=30, RETRAIN_CONFIRMED=200"}).environment == told


@pytest.mark.parametrize(
    ("context", "told"),
    [
        ({"trainr": "ecs"}, "trainr: there is no such setting; did you mean trainer?"),
        ({"trainer": "lambda"}, "trainer: Input should be 'ecs' or 'sagemaker'"),
        ({"deployment": "Our Lab"}, "deployment: String should match pattern"),
        ({"log_days": "31"}, "logs cannot be kept for 31 days; the nearest that can be is 30"),
        ({"full_cpu": "3000"}, "full_cpu=3000: Fargate knows 1024, 2048"),
        ({"adapt_memory": "1"}, "adapt_memory=1: with adapt_cpu=1024 it must be 2 to 8 GB"),
        ({"require_tls": "false"}, "name its endpoint, too"),
        (
            {"reserved_concurrency": "2", "provisioned_concurrency": "3"},
            "provisioned_concurrency is more than",
        ),
        ({"alarm_email": "ana"}, "alarm_email: String should match pattern"),
        ({"environment": '{"KEEPDAYS": "30"}'}, "KEEPDAYS is no setting of the application"),
        ({"environment": '{"SIGNING_KEY": "x"}'}, "SIGNING_KEY is the stack's own, or a secret"),
        ({"environment": '{"KEEP_DAYS": "many"}'}, "valid integer"),
        ({"environment": "{KEEP_DAYS: 30}"}, "environment: {KEEP_DAYS: 30} is neither NAME=value"),
        ({"environment": "MAX_UPLOAD_BYTES=4294967297"}, "MAX_UPLOAD_BYTES is at most 4294967296"),
        ({"environment": "KEEP_DAYS"}, "environment: KEEP_DAYS is neither NAME=value"),
        ({"full_memory": "17"}, "full_memory=17: with full_cpu=8192 it must be 16 to 60 GB, in steps of 4"),
        ({"full_cpu": "16384", "full_memory": "33"}, "32 to 120 GB, in steps of 8"),
        ({"origins": "https://page.example/"}, "origins: https://page.example/ is no origin"),
        ({"origins": "page.example"}, "page.example is no origin"),
        ({"origins": "*"}, "* is no origin"),
        ({"TRAINER": "ecs"}, "TRAINER: there is no such setting; did you mean trainer?"),
        ({"log-days": "30"}, "log-days: there is no such setting; did you mean log_days?"),
        ({"maxRuntime": "900"}, "maxRuntime: there is no such setting; did you mean max_runtime?"),
        ({"alarm_drift": "inf"}, "alarm_drift: Input should be a finite number"),
    ],
)
def test_what_cannot_be_is_refused_in_words(context: dict[str, str], told: str) -> None:
    with pytest.raises(BadSettings) as refused:
        read(context)
    assert told in str(refused.value)


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(BadSettings) as refused:
        read({"trainer": "x", "log_days": "2"})
    assert len(str(refused.value).splitlines()) == 2


def test_every_setting_says_what_it_is() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_names_that_the_application_does_not_read_are_refused() -> None:
    with pytest.raises(ValueError, match="bucket_of_models is no setting"):
        environment(Settings(), bucket_of_models="x")
    with pytest.raises(ValueError, match="endpoint is no setting"):
        environment(Settings(), endpoint="http://127.0.0.1:1")


def test_the_application_reads_what_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    from malaria.settings import Settings as AppSettings
    from malaria.settings_aws import AwsSettings

    told = environment(
        Settings(deployment="hospital", environment={"KEEP_DAYS": "30"}),
        models_bucket="m",
        subnets=["a", "b"],
        public_ip=False,
        max_runtime=3600,
    )
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    aws, app = AwsSettings(), AppSettings()
    assert (aws.deployment, aws.models_bucket, aws.subnets) == ("hospital", "m", ("a", "b"))
    assert (aws.public_ip, aws.max_runtime) == (False, 3600)
    assert (app.keep_days, app.allowed_hosts) == (30, ("*",))
    assert str(app.home) == "/tmp/malaria"
