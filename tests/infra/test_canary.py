"""Who asks whether the API answers: what it may, when it is sent, and when none is."""

import pytest

from infra.canary import KEY
from infra.settings import Settings
from malaria import canary_key
from malaria.canary import SECONDS
from tests.infra.templates import Variant


def test_it_may_read_its_key_and_nothing_else_of_any_bucket(ecs: Variant) -> None:
    rights = ecs.rights("CanaryCanaryRole")
    models = ecs.id("AWS::S3::Bucket", "Models")
    reads = {one for one in rights if one[0].startswith("s3")}
    assert reads == {("s3:GetObject", f"<{models}.Arn>/{canary_key.OBJECT}")}
    assert {action.partition(":")[0] for action, _ in rights} == {"logs", "s3", "sqs"}
    undelivered = ecs.id("AWS::SQS::Queue", "Undelivered")
    assert {one for one in rights if one[0].startswith("sqs")} == {
        ("sqs:SendMessage", f"<{undelivered}.Arn>")
    }


def test_the_stack_and_the_application_mean_the_same_object() -> None:
    assert KEY == canary_key.OBJECT


def test_it_is_told_where_to_ask_and_the_api_that_it_is_let_in(variant: Variant) -> None:
    functions = variant.functions()
    told = functions["api"]["Environment"]["Variables"]
    assert told["MALARIA_AWS_CANARY"] == ("true" if variant.settings.canary else "false")
    if variant.settings.canary:
        url = functions["canary"]["Environment"]["Variables"]["MALARIA_AWS_CANARY_URL"]
        assert variant.id("AWS::ApiGatewayV2::Api", "Api") in str(url)
        assert functions["canary"]["Timeout"] > 3 * SECONDS, "three answers are waited for"


def test_it_is_sent_as_often_as_the_settings_say_and_the_alarm_looks_as_often(ecs: Variant) -> None:
    rule = ecs.one("AWS::Events::Rule", "Sent")
    assert rule["ScheduleExpression"] == f"rate({ecs.settings.canary_minutes} minutes)"
    [alarm] = [one for name, one in ecs.of("AWS::CloudWatch::Alarm").items() if name[6:-8] == "Canary"]
    assert alarm["MetricName"] == "CanaryOk"
    assert (alarm["Period"], alarm["Statistic"]) == (60 * ecs.settings.canary_minutes, "Minimum")
    assert alarm["EvaluationPeriods"] == 2
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("LessThanThreshold", 1)


@pytest.mark.parametrize(
    "settings",
    [
        {"canary_minutes": 0},
        {"jwt_issuer": "https://id.example", "jwt_audience": ("malaria",)},
        {"endpoint": "http://127.0.0.1:4566", "require_tls": False},
    ],
)
def test_none_is_sent_where_it_could_not_be_answered(settings: dict[str, object]) -> None:
    assert Settings().canary
    assert not Settings(**settings).canary  # type: ignore[arg-type]


def test_a_stack_without_one_has_nothing_of_it(local: Variant) -> None:
    assert "canary" not in local.functions()
    assert not [name for name in local.template["Resources"] if "Canary" in name]
