"""`make deploy` asks this first: what a deployment needs, and what to do where it is missing."""

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from infra.context import PAGE, given, of_file
from infra.settings import BadSettings, Settings, read

NODE = 20
UNRESERVED = 100
"""Concurrency of Lambda that an account must leave unreserved."""
API = "ServingFunction"
"""How the API's function is called in the template, but for what the CDK puts behind."""
BOOTSTRAP = "/cdk-bootstrap/hnb659fds/version"

Clients = Callable[[str], Any]


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="infra.preflight", description=__doc__)
    parser.add_argument(
        "-c", "--context", action="append", default=[], metavar="NAME=VALUE", help="a setting"
    )
    typed, _ = parser.parse_known_args(argv)
    try:
        settings = read({**of_file(), **given(typed.context)})
    except BadSettings as error:
        print(error, file=sys.stderr)
        return 2
    missing = [*of_machine(), *of_page(settings), *of_account(settings, _boto3)]
    for line in missing:
        print(line, file=sys.stderr)
    return 1 if missing else 0


def of_machine() -> Iterator[str]:
    """What this machine lacks: a line for each, with what to do."""
    if not _version_of_node() >= NODE:
        yield f"The CDK needs Node.js {NODE} or newer on PATH: https://nodejs.org/en/download"
    if shutil.which("docker") is None:
        yield "Docker builds the images, and is not on PATH: https://docs.docker.com/get-docker/"
    elif subprocess.run(["docker", "info"], capture_output=True, check=False).returncode:
        yield "Docker does not answer: start it, and see whether you may use it (`docker info`)."


def of_page(settings: Settings, page: Path = PAGE) -> Iterator[str]:
    """The page, where it should be and is not: a deployment without would take away one that stands."""
    if settings.web != "off" and not (page / "index.html").is_file():
        yield 'The web page is not built: `make ui` says why. Without it: `make deploy ARGS="-c web=off"`.'


def of_account(settings: Settings, clients: Clients) -> Iterator[str]:
    """What the account lacks. clients: makes a client of boto3 by its name.

    Credentials come first: without them nothing else can be asked.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        clients("sts").get_caller_identity()
    except (BotoCoreError, ClientError) as error:
        yield f"AWS does not know you ({error}): `aws sso login` or `aws configure`, and set AWS_REGION."
        return
    for check in (_bootstrapped, _service_role, _concurrency):
        try:
            yield from check(settings, clients)
        except (BotoCoreError, ClientError) as error:
            yield f"It could not be checked whether the account is ready: {error}"


def _bootstrapped(_settings: Settings, clients: Clients) -> Iterator[str]:
    client = clients("ssm")
    try:
        client.get_parameter(Name=BOOTSTRAP)
    except client.exceptions.ParameterNotFound:
        yield "The CDK has not been set up in this account and region: run `make bootstrap` once."


def _service_role(settings: Settings, clients: Clients) -> Iterator[str]:
    if settings.trainer != "ecs":
        return
    client = clients("iam")
    try:
        client.get_role(RoleName="AWSServiceRoleForECS")
    except client.exceptions.NoSuchEntityException:
        yield (
            "The account has never used ECS, whose service-linked role is missing. Make it once: "
            "`aws iam create-service-linked-role --aws-service-name ecs.amazonaws.com`."
        )


def _concurrency(settings: Settings, clients: Clients) -> Iterator[str]:
    asked = settings.reserved_concurrency
    if asked is None:
        return
    limits = clients("lambda").get_account_settings()["AccountLimit"]
    left = limits["UnreservedConcurrentExecutions"] - UNRESERVED
    if asked > left:
        left += _reserved_already(settings, clients)
    if asked > left:
        yield (
            f"reserved_concurrency={asked}, but the account may reserve {max(left, 0)}: it has "
            f"{limits['ConcurrentExecutions']}, of which {UNRESERVED} must stay free. Ask for more under "
            "Quotas, or leave the setting out."
        )


def _reserved_already(settings: Settings, clients: Clients) -> int:
    """What the function that stands has reserved, which an update gives back before it takes anew."""
    from botocore.exceptions import ClientError

    lambdas, reserved = clients("lambda"), 0
    pages = clients("cloudformation").get_paginator("list_stack_resources")
    try:
        for page in pages.paginate(StackName=settings.deployment):
            for one in page["StackResourceSummaries"]:
                if _is_api(one):
                    told = lambdas.get_function_concurrency(FunctionName=one["PhysicalResourceId"])
                    reserved += told.get("ReservedConcurrentExecutions", 0)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("ValidationError", "ResourceNotFoundException"):
            raise  # else there is no stack yet, or what is left of one has no function
    return reserved


def _is_api(resource: Mapping[str, Any]) -> bool:
    named = resource["LogicalResourceId"].startswith(API) and "PhysicalResourceId" in resource
    return named and resource["ResourceType"] == "AWS::Lambda::Function"


def _version_of_node() -> int:
    if shutil.which("node") is None:
        return 0
    told = subprocess.run(
        ["node", "--version"], capture_output=True, text=True, check=False
    ).stdout  # v22.1.0
    major = told.strip().removeprefix("v").partition(".")[0]
    return int(major) if major.isdigit() else 0


def _boto3(service: str) -> Any:
    """In the region where the CDK will deploy: it reads AWS_REGION first, which boto3 does not read."""
    import boto3

    return boto3.client(service, region_name=os.environ.get("AWS_REGION"))


if __name__ == "__main__":
    sys.exit(main())
