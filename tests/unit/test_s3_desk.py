"""Forms that a bucket takes: put to a real S3 API, which checks what was signed."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import httpx
import pytest

from malaria.adapters.aws_clients import Clients
from malaria.adapters.s3_desk import S3Desk


@pytest.fixture
def client(aws_endpoint: str) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=aws_endpoint,
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )


def test_a_form_puts_the_file_under_its_key_and_no_other(client: Any) -> None:
    bucket = f"bucket-{uuid.uuid4().hex}"
    client.create_bucket(Bucket=bucket)
    form = S3Desk(lambda: client, lambda: bucket, "incoming/", 1000).form(
        "tickets/a.zip", datetime.now(UTC) + timedelta(hours=1)
    )
    assert form.max_bytes == 1000
    assert form.fields["key"] == "incoming/tickets/a.zip"
    answer = httpx.post(form.url, data=dict(form.fields), files={"file": ("x.zip", b"PK", "application/zip")})
    assert answer.status_code == 204, answer.text
    assert client.get_object(Bucket=bucket, Key="incoming/tickets/a.zip")["Body"].read() == b"PK"
    client.close()


def test_what_is_signed_bounds_key_type_size_and_time(client: Any) -> None:
    import base64
    import json

    until = datetime.now(UTC) + timedelta(minutes=30)
    form = S3Desk(lambda: client, lambda: "bucket", "incoming/", 1000).form("tickets/a.zip", until)
    policy = json.loads(base64.b64decode(form.fields["policy"]))
    assert ["content-length-range", 1, 1000] in policy["conditions"]
    assert {"key": "incoming/tickets/a.zip"} in policy["conditions"]
    assert {"Content-Type": "application/zip"} in policy["conditions"]
    ends = datetime.fromisoformat(policy["expiration"])
    assert abs(ends - until) < timedelta(seconds=5)
    client.close()


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1", "eu-central-1"])
def test_forms_are_signed_as_every_region_takes_them(region: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest regions' own default is the second version of the signature, and one host for all."""
    for name, value in (("REGION", region), ("ACCESS_KEY_ID", "testing"), ("SECRET_ACCESS_KEY", "testing")):
        monkeypatch.setenv(f"AWS_{name}", value)
    clients = Clients()
    until = datetime.now(UTC) + timedelta(minutes=30)
    form = S3Desk(lambda: clients.of("s3"), lambda: "bucket", "incoming/", 1000).form("a.zip", until)
    clients.close()
    assert form.fields["x-amz-algorithm"] == "AWS4-HMAC-SHA256"
    assert form.url.startswith("https://bucket.s3.")
    assert region in form.fields["x-amz-credential"]
