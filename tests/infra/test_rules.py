"""The stack against rules that others wrote: AwsSolutions, CloudFormation's own schemas, and wildcards."""

import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.infra.conftest import VARIANTS, Synthesise
from tests.infra.templates import Variant, listed

COPIER = "CDKBucketDeployment"


def test_aws_solutions_finds_nothing_unexplained(variant: Variant) -> None:
    assert variant.findings == []


def test_aws_solutions_is_really_asked(cdk: None, tmp_path: Path) -> None:
    """A bucket that breaks its rules is found, so that silence above means something."""
    import json

    from aws_cdk import App, Stack, Validations
    from aws_cdk import aws_s3 as s3
    from cdk_nag import AwsSolutionsChecks

    app = App(outdir=str(tmp_path))
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    s3.Bucket(Stack(app, "Careless"), "Bucket")
    with pytest.raises(RuntimeError, match="Validation"):
        app.synth()
    [report] = json.loads((tmp_path / "validation-report.json").read_text())["pluginReports"]
    assert {"AwsSolutions-S1", "AwsSolutions-S10"} <= {found["ruleName"] for found in report["violations"]}


@pytest.mark.parametrize(
    "name",
    [
        "ecs-web-arm64",
        "sagemaker-web",
        pytest.param("ecs", marks=pytest.mark.slow),
        pytest.param("sagemaker-arm64", marks=pytest.mark.slow),
    ],
)
def test_cloudformation_will_read_the_template(synthesised: Synthesise, name: str) -> None:
    """Against CloudFormation's schemas, by cfn-lint. W3005: the CDK repeats what references say."""
    told = ["--ignore-checks", "W3005", "--regions", "eu-central-1"]
    command = [sysconfig.get_path("scripts") + "/cfn-lint", *told, "--template", str(synthesised(name).path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_wildcard_has_a_reason(variant: Variant) -> None:
    from infra import reasons

    name = variant.settings.deployment
    for policy, actions, resource in _rights(variant):
        if COPIER in policy:
            continue
        assert not any("*" in action for action in actions), f"{policy}: {actions}"
        if "*" in resource:
            assert reasons.reason_for(actions, resource, name), f"{policy}: {actions} on {resource}"


def test_every_wildcard_of_the_function_that_copies_the_page_has_a_reason(sagemaker: Variant) -> None:
    from infra.reasons import COPIER as RIGHTS

    page = sagemaker.id("AWS::S3::Bucket", "WebPage")
    found = set()
    for policy, actions, resource in _rights(sagemaker):
        if COPIER in policy:
            found |= {f"Action::{action}" for action in actions if "*" in action}
            found |= {f"Resource::{resource}"} if "*" in resource else set()
    assert found == {one.format(page=page) for one in RIGHTS}


def test_every_wildcard_in_a_buckets_policy_has_a_reason(variant: Variant) -> None:
    from infra.reasons import EMPTIER, flat

    for name, policy in variant.of("AWS::S3::BucketPolicy").items():
        bucket = f"<{policy['Bucket']['Ref']}.Arn>"
        for statement in policy["PolicyDocument"]["Statement"]:
            if statement["Effect"] != "Allow":
                continue
            wild = {action for action in listed(statement["Action"]) if "*" in action}
            assert wild == (set(EMPTIER) if "S3AutoDelete" in str(statement["Principal"]) else set()), name
            for one in map(flat, listed(statement["Resource"])):
                assert one == bucket or one.startswith(f"{bucket}/"), name


def test_no_reason_is_left_over(synthesised: Synthesise) -> None:
    from infra.reasons import RULES, WILDCARDS, reason_for

    variants = [synthesised(name) for name in VARIANTS]
    given = {
        reason_for(actions, resource, variant.settings.deployment)
        for variant in variants
        for policy, actions, resource in _rights(variant)
        if COPIER not in policy and "*" in resource
    }
    assert given == set(WILDCARDS.values())
    said = "".join((variant.path.parent / "manifest.json").read_text() for variant in variants)
    said += "".join(path.read_text() for v in variants for path in v.path.parent.glob("*.metadata.json"))
    assert [rule for rule in RULES if f"AwsSolutions-{rule}" not in said] == []


def test_nothing_trusts_everyone(variant: Variant) -> None:
    for name, one in variant.template["Resources"].items():
        for statement in _documents(one.get("Properties", {})):
            anyone = statement.get("Principal") in ("*", {"AWS": "*"})
            assert not (anyone and statement["Effect"] == "Allow"), name


def _rights(variant: Variant) -> Iterator[tuple[str, list[str], str]]:
    from infra.reasons import flat

    for policy, statement in variant.statements():
        assert statement["Effect"] == "Allow"
        for resource in listed(statement["Resource"]):
            yield policy, listed(statement["Action"]), flat(resource)


def _documents(told: Any) -> Iterator[dict[str, Any]]:
    if isinstance(told, dict):
        if "Effect" in told:
            yield told
        for value in told.values():
            yield from _documents(value)
    elif isinstance(told, list):
        for value in told:
            yield from _documents(value)
