"""The API: one function of the image behind an HTTP API, reached through the alias `live`."""

import json

import pytest

from infra import preflight, serving
from tests.infra.templates import Variant

ARCHITECTURE = {"x86_64": "x86_64", "arm64": "arm64"}


def test_the_functions_share_one_image_and_differ_in_their_handler(variant: Variant) -> None:
    functions = variant.functions()
    assert functions.keys() == {"api", "on_upload", "on_job_change", "reconcile"} | (
        {"canary"} if variant.settings.canary else set()
    )
    for name, function in functions.items():
        assert function["ImageConfig"] == {"Command": [f"functions.{name}.handler.handler"]}
        assert function["Architectures"] == [variant.settings.architecture]
    assert len({json.dumps(f["Code"], sort_keys=True) for f in functions.values()}) == 1


def test_every_function_has_a_log_of_its_own_that_ends(variant: Variant) -> None:
    groups = [f["LoggingConfig"]["LogGroup"]["Ref"] for f in variant.functions().values()]
    assert len(set(groups)) == len(variant.functions())
    kept = {group["RetentionInDays"] for group in variant.of("AWS::Logs::LogGroup").values()}
    assert kept == {variant.settings.log_days}


def test_every_request_reaches_the_alias(ecs: Variant) -> None:
    alias = ecs.id("AWS::Lambda::Alias")
    assert ecs.one("AWS::Lambda::Alias")["Name"] == "live"
    integration = ecs.one("AWS::ApiGatewayV2::Integration")
    assert integration["IntegrationUri"] == {"Ref": alias}
    assert integration["PayloadFormatVersion"] == "2.0"
    assert ecs.one("AWS::ApiGatewayV2::Route")["RouteKey"] == "$default"
    api = [
        p for p in ecs.of("AWS::Lambda::Permission").values() if p["Principal"] == "apigateway.amazonaws.com"
    ]
    assert [one["FunctionName"] for one in api] == [{"Ref": alias}]


def test_the_stage_throttles_and_logs_without_telling_who_asked(ecs: Variant) -> None:
    stage = ecs.one("AWS::ApiGatewayV2::Stage")
    assert stage["DefaultRouteSettings"] == {"ThrottlingRateLimit": 100, "ThrottlingBurstLimit": 200}
    told = json.loads(stage["AccessLogSettings"]["Format"])
    assert {"requestId", "status", "ms", "path"} <= told.keys()
    assert not [
        value for value in told.values() if "sourceIp" in value or "identity" in value or "query" in value
    ]


def test_the_function_ends_before_the_gateway_gives_up(ecs: Variant) -> None:
    assert ecs.functions()["api"]["Timeout"] < 30


def test_concurrency_is_reserved_and_provisioned_only_where_asked(ecs: Variant, busy: Variant) -> None:
    assert "ReservedConcurrentExecutions" not in ecs.functions()["api"], "a new account cannot reserve any"
    assert "ProvisionedConcurrencyConfig" not in ecs.one("AWS::Lambda::Alias")
    assert busy.functions()["api"]["ReservedConcurrentExecutions"] == 50
    warm = busy.one("AWS::Lambda::Alias")["ProvisionedConcurrencyConfig"]
    assert warm == {"ProvisionedConcurrentExecutions": 2}


def test_the_live_functions_reservation_is_found_by_its_name_in_the_template(variant: Variant) -> None:
    told = variant.of("AWS::Lambda::Function")
    [found] = [one for name, one in told.items() if name.startswith(preflight.API)]
    assert found == variant.functions()["api"]


def test_browsers_of_named_origins_only_may_ask(ecs: Variant, busy: Variant) -> None:
    assert "CorsConfiguration" not in ecs.one("AWS::ApiGatewayV2::Api")
    cors = busy.one("AWS::ApiGatewayV2::Api")["CorsConfiguration"]
    assert cors["AllowOrigins"] == ["https://laboratory.example"]


def test_what_a_browser_asks_before_needs_no_token(tokens: Variant) -> None:
    """The gateway would ask for one on the route for everything; browsers send none with it."""
    assert "CorsConfiguration" in tokens.one("AWS::ApiGatewayV2::Api")
    routes = {one["RouteKey"]: one for one in tokens.of("AWS::ApiGatewayV2::Route").values()}
    asked = {key for key, one in routes.items() if one.get("AuthorizationType") == "JWT"}
    assert asked == {"$default"}
    assert routes.keys() - asked == {"OPTIONS /{proxy+}", *(f"GET {path}" for path in serving.OPEN_PATHS)}
    assert all("AuthorizerId" not in routes[key] for key in routes.keys() - asked)
    integrations = tokens.of("AWS::ApiGatewayV2::Integration").values()
    assert {str(one["IntegrationUri"]) for one in integrations} == {
        str({"Ref": tokens.id("AWS::Lambda::Alias")})
    }


def test_a_canary_release_goes_back_on_any_alarm_of_the_api(ecs: Variant, busy: Variant) -> None:
    assert not ecs.of("AWS::CodeDeploy::DeploymentGroup")
    group = busy.one("AWS::CodeDeploy::DeploymentGroup")
    assert group["DeploymentConfigName"] == "CodeDeployDefault.LambdaCanary10Percent5Minutes"
    assert "DEPLOYMENT_STOP_ON_ALARM" in group["AutoRollbackConfiguration"]["Events"]
    watched = {one["Name"]["Ref"] for one in group["AlarmConfiguration"]["Alarms"]}
    assert {name[6:-8] for name in watched} == {"ServerErrors", "Slow", "Crashes", "Throttled"}
    assert busy.raw("AWS::Lambda::Alias")[busy.id("AWS::Lambda::Alias")]["UpdatePolicy"]


def test_traces_are_made_only_where_asked(ecs: Variant, synthesised: "object") -> None:
    traced = synthesised("sagemaker-arm64")  # type: ignore[operator]
    assert {f["TracingConfig"]["Mode"] for f in traced.functions().values()} == {"Active"}
    assert all("TracingConfig" not in f for f in ecs.functions().values())


@pytest.mark.parametrize(
    "name", ["UploadsBucket", "ModelsBucket", "JobsTable", "FeedbackTable", "Queue", "Url"]
)
def test_the_outputs_name_what_a_person_needs(variant: Variant, name: str) -> None:
    assert variant.template["Outputs"][name]["Value"]


def test_the_url_is_the_pages_where_there_is_one(ecs: Variant, busy: Variant) -> None:
    assert "ServingApi" in str(ecs.template["Outputs"]["Url"])
    assert "Distribution" in str(busy.template["Outputs"]["Url"])
    assert "ServingApi" in str(busy.template["Outputs"]["ApiUrl"])


NAMES = {
    *("BucketName", "TableName", "FunctionName", "QueueName", "TopicName", "LogGroupName", "RoleName"),
    *("ClusterName", "Family", "AlarmName", "DashboardName", "DeploymentGroupName", "ApplicationName"),
}
"""Properties by which resources are named, where they are not named by CloudFormation."""


def test_nothing_has_a_name_that_two_deployments_would_share(variant: Variant) -> None:
    for name, one in variant.template["Resources"].items():
        told = one.get("Properties", {})
        fixed = {key: told[key] for key in NAMES & told.keys() if isinstance(told[key], str)}
        assert not [value for value in fixed.values() if variant.settings.deployment not in value], (
            name,
            fixed,
        )
