"""The API: one function behind an HTTP API, reached through the alias `live`."""

import json
from collections.abc import Sequence
from typing import cast

from aws_cdk import Fn
from aws_cdk import aws_apigatewayv2 as gateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_codedeploy as codedeploy
from aws_cdk import aws_lambda as lambda_
from aws_cdk.aws_apigatewayv2_authorizers import HttpJwtAuthorizer
from aws_cdk.aws_apigatewayv2_integrations import HttpLambdaIntegration
from constructs import Construct

from infra import access, reasons
from infra.environment import environment
from infra.functions import function
from infra.logs import log_group
from infra.queues import Queues
from infra.settings import Settings
from infra.storage import Storage
from malaria.settings_aws import INCOMING, PREFIX

SECONDS = 29
"""An HTTP API waits 30 seconds for an answer; the function ends before, so that its log says why."""
LOGGED = {
    "requestId": "$context.requestId",
    "time": "$context.requestTime",
    "method": "$context.httpMethod",
    "path": "$context.path",
    "status": "$context.status",
    "bytes": "$context.responseLength",
    "ms": "$context.responseLatency",
    "integrationMs": "$context.integrationLatency",
    "error": "$context.integrationErrorMessage",
}
"""What the access log tells of a request: nothing of who asked."""


OPEN_PATHS = ("/health", "/docs", "/docs/{file+}", "/openapi.json")
"""What needs no token: whether it is well, and how to ask it."""


class Serving(Construct):
    def __init__(
        self, scope: Construct, name: str, settings: Settings, storage: Storage, queues: Queues
    ) -> None:
        super().__init__(scope, name)
        self._settings = settings
        self.function = self._function(storage, queues)
        self.alias = lambda_.Alias(
            self,
            "Live",
            alias_name="live",
            version=self.function.current_version,
            provisioned_concurrent_executions=settings.provisioned_concurrency or None,
        )
        self.api = gateway.HttpApi(
            self,
            "Api",
            api_name=settings.deployment,
            default_integration=HttpLambdaIntegration("Integration", self.alias),
            create_default_stage=False,
            cors_preflight=self._cors(),
            default_authorizer=self._authorizer(),
        )
        self._open_paths()
        self._stage()
        self._let_it_tell_of_itself()
        reasons.accept(self.api, "APIG4")

    @property
    def url(self) -> str:
        return self.api.api_endpoint

    @property
    def domain(self) -> str:
        """The host of `url`."""
        return Fn.select(2, Fn.split("/", self.api.api_endpoint))

    def roll_back_on(self, alarms: Sequence[cloudwatch.IAlarm]) -> None:
        """Give new code a tenth of the requests first, where the settings ask for it, and the old one back
        when one of these rings."""
        if self._settings.release != "canary":
            return
        release = codedeploy.LambdaDeploymentGroup(
            self,
            "Release",
            alias=self.alias,
            deployment_config=codedeploy.LambdaDeploymentConfig.CANARY_10_PERCENT_5_MINUTES,
            alarms=list(alarms),
        )
        reasons.accept(release, reasons.SHIFTS_AN_ALIAS)

    def _function(self, storage: Storage, queues: Queues) -> lambda_.DockerImageFunction:
        settings = self._settings
        made = function(
            self,
            "Function",
            settings,
            handler="functions.api.handler.handler",
            description="Answers pictures, takes uploads, tells of models and jobs",
            environment=environment(
                settings,
                uploads_bucket=storage.uploads.bucket_name,
                models_bucket=storage.models.bucket_name,
                jobs_table=storage.jobs.table_name,
                feedback_table=storage.feedback.table_name,
                queue_url=queues.work.queue_url,
                trainer=settings.trainer,
                canary=settings.canary,
            )
            | {"MALARIA_ACCESS": "jwt" if settings.jwt_issuer else "keys"},
            memory=settings.api_memory,
            seconds=SECONDS,
            reserved_concurrent_executions=settings.reserved_concurrency,
        )
        self._allow_objects(made, storage)
        access.allow(made, ["s3:PutObject"], [storage.uploads.arn_for_objects(f"{INCOMING}*")])
        access.rows(made, storage.jobs, access.CHANGE_ROWS, indexes=True)
        access.rows(made, storage.feedback, access.APPEND_ROWS)
        access.allow(made, ["sqs:SendMessage"], [queues.work.queue_arn])
        return made

    def _let_it_tell_of_itself(self) -> None:
        """What the API tells of requests it asks of CloudWatch, by the gateway's id."""
        told = environment(self._settings, api_id=self.api.api_id)
        name = f"{PREFIX}API_ID"
        self.function.add_environment(name, told[name])
        access.allow(self.function, ["cloudwatch:GetMetricData"], ["*"])

    def _allow_objects(self, to: lambda_.IFunction, storage: Storage) -> None:
        """Pictures are its matter only where the settings ask that they be kept."""
        wanted = self._settings.application
        kept = (access.KEPT,) if wanted.keep_days else ()
        pooled = kept if wanted.opens_retrainings else ()
        both = (access.VERSIONS, access.PROMOTIONS, access.PRIVATE, access.TICKETS)
        access.objects(
            to, storage.models, read=(*both, *pooled), write=(*both, access.UPLOADS, *kept), delete=pooled
        )

    def _authorizer(self) -> HttpJwtAuthorizer | None:
        """Lets in whose token the issuer has signed; keys are looked at by the function itself."""
        settings = self._settings
        if settings.jwt_issuer is None:
            return None
        return HttpJwtAuthorizer(
            "Tokens", settings.jwt_issuer, jwt_audience=list(settings.jwt_audience), authorizer_name="tokens"
        )

    def _open_paths(self) -> None:
        """What everybody may ask, where the gateway itself would ask for a token."""
        if self._settings.jwt_issuer is None:
            return
        for path in OPEN_PATHS:
            self._open(path, gateway.HttpMethod.GET, f"Open{path.strip('/').partition('/')[0].title()}")
        if self._settings.origins:  # what a browser asks before a page's request never bears its token
            self._open("/{proxy+}", gateway.HttpMethod.OPTIONS, "Preflight")

    def _open(self, path: str, method: gateway.HttpMethod, name: str) -> None:
        self.api.add_routes(
            path=path,
            methods=[method],
            integration=HttpLambdaIntegration(name, self.alias),
            authorizer=gateway.HttpNoneAuthorizer(),
        )

    def _cors(self) -> gateway.CorsPreflightOptions | None:
        if not self._settings.origins:
            return None
        return gateway.CorsPreflightOptions(
            allow_origins=list(self._settings.origins),
            allow_methods=[gateway.CorsHttpMethod.ANY],
            allow_headers=["authorization", "content-type", "x-request-id"],
        )

    def _stage(self) -> None:
        settings = self._settings
        group = log_group(self, "AccessLog", settings)
        stage = gateway.HttpStage(
            self,
            "Stage",
            http_api=self.api,
            stage_name="$default",
            auto_deploy=True,
            throttle=gateway.ThrottleSettings(
                rate_limit=settings.throttle_rate, burst_limit=settings.throttle_burst
            ),
        )
        cast(
            gateway.CfnStage, stage.node.default_child
        ).access_log_settings = gateway.CfnStage.AccessLogSettingsProperty(
            destination_arn=group.log_group_arn, format=json.dumps(LOGGED)
        )
