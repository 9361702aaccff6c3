"""The container images: one for all functions, two for trainings. A synthesis only names them."""

from pathlib import Path

from aws_cdk import aws_ecr_assets as assets
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.settings import Settings

ROOT = Path(__file__).parents[1]
API = "functions/api/Dockerfile"
TRAINING = "training_job/Dockerfile"


def function_code(settings: Settings, handler: str) -> lambda_.DockerImageCode:
    """The image that all functions share. handler: of this one, 'functions.api.handler.handler'."""
    return lambda_.DockerImageCode.from_image_asset(
        str(ROOT),
        file=API,
        asset_name="api",
        platform=assets.Platform.LINUX_ARM64
        if settings.architecture == "arm64"
        else assets.Platform.LINUX_AMD64,
        cmd=[handler],
    )


def training(scope: Construct, name: str, extra: str) -> assets.DockerImageAsset:
    """An image for trainings. extra: 'adapt', without TensorFlow, or 'train'."""
    return assets.DockerImageAsset(
        scope,
        name,
        directory=str(ROOT),
        file=TRAINING,
        asset_name=f"training-{extra}",
        build_args={"EXTRA": extra},
        platform=assets.Platform.LINUX_AMD64,
    )
