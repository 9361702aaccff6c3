"""The web page on S3 behind CloudFront, with the API under the same origin."""

from pathlib import Path
from typing import cast

from aws_cdk import CfnResource, RemovalPolicy, Stack
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_deployment as deployment
from constructs import Construct, IConstruct

from infra import reasons
from infra.context import PAGE
from infra.logs import log_group
from infra.serving import Serving
from infra.settings import BadSettings, Settings

INDEX, ASSETS = "index.html", "assets"
HOME = "connect-src 'self'"
"""Of the page's Content-Security-Policy: whom it may ask."""
FOR_EVER, ANEW = "public, max-age=31536000, immutable", "no-cache"
"""How long browsers keep what is in ASSETS, whose names are made from the content, and the rest: as the API
has them do."""
EMPTIER = "Custom::S3AutoDeleteObjectsCustomResourceProvider"
"""What the CDK calls its function that empties a bucket before it is deleted."""
FALLBACK = Path(__file__).parent / "edge" / "page.js"
API_PATHS = (
    "/predict",
    "/predict/*",
    "/retrain",
    "/retrain/*",
    "/uploads",
    "/uploads/*",
    "/feedback",
    "/feedback/*",
    "/models",
    "/models/*",
    "/model/*",
    "/metrics/*",
    "/health",
    "/status",
    "/docs",
    "/docs/*",
    "/openapi.json",
)
"""What CloudFront sends to the API; the rest is the page."""


def wanted(settings: Settings, page: Path = PAGE) -> bool:
    """Whether there is a page to serve. Raises BadSettings where one is asked for and was not built."""
    built = (page / INDEX).is_file()
    if settings.web == "on" and not built:
        raise BadSettings(f"web: on, but {page / INDEX} does not exist; build the page first")
    return built and settings.web != "off"


class Web(Construct):
    def __init__(
        self,
        scope: Construct,
        name: str,
        settings: Settings,
        serving: Serving,
        uploads: s3.Bucket,
        page: Path,
    ) -> None:
        super().__init__(scope, name)
        self._bucket = self._files(settings)
        self.distribution = cloudfront.Distribution(
            self,
            "Distribution",
            comment=f"{settings.deployment}: the web page and its API",
            default_root_object="index.html",
            minimum_protocol_version=cloudfront.SecurityPolicyProtocol.TLS_V1_2_2021,
            price_class=cloudfront.PriceClass.PRICE_CLASS_ALL,
            default_behavior=self._page(),
            additional_behaviors=dict.fromkeys(API_PATHS, self._api(serving)),
        )
        reasons.accept(self.distribution, "CFR1", "CFR2", "CFR3", "CFR4", "CFR5")
        self._copy(page, uploads, settings)

    @property
    def url(self) -> str:
        return f"https://{self.distribution.distribution_domain_name}"

    def _files(self, settings: Settings) -> s3.Bucket:
        """Holds what can be built again, so it goes with the stack, and is emptied then by a function of the
        CDK. `retain_on_delete` of what copies would not do: it spares a bucket that still bears its tag."""
        bucket = s3.Bucket(
            self,
            "Page",
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=settings.require_tls,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            removal_policy=RemovalPolicy.DESTROY,
            auto_delete_objects=True,
        )
        reasons.accept(bucket, "S1")
        emptier = Stack.of(self).node.find_child(EMPTIER).node.find_child("Handler")
        log = log_group(self, "EmptyLog", settings)
        # no property of the bucket's tells it, and a log that AWS makes by itself is kept for ever
        cast(CfnResource, emptier).add_property_override("LoggingConfig.LogGroup", log.log_group_name)
        return bucket

    def _page(self) -> cloudfront.BehaviorOptions:
        return cloudfront.BehaviorOptions(
            origin=origins.S3BucketOrigin.with_origin_access_control(self._bucket),
            viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
            response_headers_policy=cloudfront.ResponseHeadersPolicy.SECURITY_HEADERS,
            function_associations=[self._fallback()],
        )

    def _api(self, serving: Serving) -> cloudfront.BehaviorOptions:
        return cloudfront.BehaviorOptions(
            origin=origins.HttpOrigin(serving.domain),
            viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.HTTPS_ONLY,
            allowed_methods=cloudfront.AllowedMethods.ALLOW_ALL,
            cache_policy=cloudfront.CachePolicy.CACHING_DISABLED,
            origin_request_policy=cloudfront.OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER,
        )

    def _fallback(self) -> cloudfront.FunctionAssociation:
        """Answers the page's own addresses with the page."""
        return cloudfront.FunctionAssociation(
            event_type=cloudfront.FunctionEventType.VIEWER_REQUEST,
            function=cloudfront.Function(
                self,
                "Fallback",
                code=cloudfront.FunctionCode.from_inline(FALLBACK.read_text(encoding="utf-8")),
                runtime=cloudfront.FunctionRuntime.JS_2_0,
            ),
        )

    def _copy(self, page: Path, uploads: s3.Bucket, settings: Settings) -> None:
        """The assets first, which the new index names. Those of pages before stay: tabs that are open, and
        browsers that kept an index, still ask for them."""
        log = log_group(self, "CopyLog", settings)
        assets = deployment.BucketDeployment(
            self,
            "Assets",
            sources=[deployment.Source.asset(str(page / ASSETS))],
            destination_bucket=self._bucket,
            destination_key_prefix=ASSETS,
            prune=False,
            cache_control=[deployment.CacheControl.from_string(FOR_EVER)],
            log_group=log,
        )
        rest = deployment.BucketDeployment(
            self,
            "Copy",
            sources=[
                deployment.Source.asset(str(page), exclude=[INDEX, ASSETS]),
                deployment.Source.data(INDEX, _index(page, uploads)),
            ],
            destination_bucket=self._bucket,
            exclude=[f"{ASSETS}/*"],  # neither copied nor pruned
            cache_control=[deployment.CacheControl.from_string(ANEW)],
            distribution=self.distribution,
            distribution_paths=["/index.html", "/sw.js", "/scheme.js"],
            log_group=log,
        )
        rest.node.add_dependency(assets)
        copier = cast(IConstruct, rest.handler_role).node.scope
        assert copier is not None
        own = cast(s3.CfnBucket, self._bucket.node.default_child)
        reasons.accept_copier(copier, Stack.of(self).get_logical_id(own))


def _index(page: Path, uploads: s3.Bucket) -> str:
    """The page's first file, whose policy lets it post to the bucket of uploads, too: a large ZIP goes there.

    Forms are signed for either of the bucket's names.
    """
    text = (page / INDEX).read_text(encoding="utf-8")
    if HOME not in text:
        raise BadSettings(f"{page / INDEX} has no {HOME}; build the page again")
    bucket = f"https://{uploads.bucket_domain_name} https://{uploads.bucket_regional_domain_name}"
    return text.replace(HOME, f"{HOME} {bucket}")
