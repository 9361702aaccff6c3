"""What the synthesised template promises about data that must not be lost."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
TLS_ONLY = {"Bool": {"aws:SecureTransport": "false"}}


@pytest.fixture(scope="session")
def template() -> Any:
    if shutil.which("node") is None:
        pytest.skip("the CDK needs Node.js on PATH")
    from aws_cdk import App
    from aws_cdk.assertions import Template

    from infra.stack import MalariaStack

    return Template.from_stack(MalariaStack(App(), "Malaria"))


def test_every_bucket_is_versioned_encrypted_private_and_kept(template: Any) -> None:
    buckets = template.find_resources("AWS::S3::Bucket")
    assert len(buckets) == 2
    for bucket in buckets.values():
        told = bucket["Properties"]
        assert told["VersioningConfiguration"] == {"Status": "Enabled"}
        assert told["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert all(told["PublicAccessBlockConfiguration"].values())
        assert len(told["PublicAccessBlockConfiguration"]) == 4
        assert bucket["DeletionPolicy"] == bucket["UpdateReplacePolicy"] == "Retain"


def test_every_bucket_refuses_plain_http(template: Any) -> None:
    policies = template.find_resources("AWS::S3::BucketPolicy").values()
    guarded = {
        p["Properties"]["Bucket"]["Ref"]
        for p in policies
        for s in p["Properties"]["PolicyDocument"]["Statement"]
        if s["Effect"] == "Deny" and s["Action"] == "s3:*" and s["Condition"] == TLS_ONLY
    }
    assert guarded == set(template.find_resources("AWS::S3::Bucket"))


def test_no_current_object_ever_expires(template: Any) -> None:
    for bucket in template.find_resources("AWS::S3::Bucket").values():
        for rule in bucket["Properties"]["LifecycleConfiguration"]["Rules"]:
            assert "ExpirationInDays" not in rule
            assert rule["NoncurrentVersionExpiration"]["NoncurrentDays"] >= 30


def test_the_ledger_is_paid_by_use_recoverable_and_kept(template: Any) -> None:
    [table] = template.find_resources("AWS::DynamoDB::GlobalTable").values()
    told = table["Properties"]
    assert told["BillingMode"] == "PAY_PER_REQUEST"
    assert "TimeToLiveSpecification" not in told, "a row that expires looks like an upload that was lost"
    assert table["DeletionPolicy"] == table["UpdateReplacePolicy"] == "Retain"
    for replica in told["Replicas"]:
        assert replica["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    keys = {
        i["IndexName"]: [k["AttributeName"] for k in i["KeySchema"]] for i in told["GlobalSecondaryIndexes"]
    }
    assert keys == {"by-time": ["kind", "created"], "by-state": ["state", "created"]}


def test_a_local_stand_in_may_speak_plain_http(template: Any) -> None:
    from aws_cdk import App
    from aws_cdk.assertions import Template

    from infra.stack import MalariaStack

    local = Template.from_stack(MalariaStack(App(), "Local", require_tls=False))
    assert local.find_resources("AWS::S3::BucketPolicy") == {}


def test_the_app_writes_its_template_where_it_stands(tmp_path: Path, template: Any) -> None:
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", "infra.app"],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    written = json.loads((tmp_path / "cdk.out" / "Malaria.template.json").read_text())
    assert written["Resources"].keys() >= template.to_json()["Resources"].keys()


def test_without_node_one_line_says_what_to_install(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "infra.app"],
        cwd=ROOT,
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "Node.js" in done.stderr
    assert len(done.stderr.splitlines()) == 1
