"""Policies are enforced here: what a role may not do is refused, and what it may do is done."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.cloud.conftest import Deployed, client_of

pytestmark = pytest.mark.cloud
Outputs = dict[str, str]


def get(key: str, bucket: str = "ModelsBucket") -> Callable[[Any, Outputs], Any]:
    return lambda s3, told: s3.get_object(Bucket=told[bucket], Key=key)


def put(key: str, bucket: str = "ModelsBucket") -> Callable[[Any, Outputs], Any]:
    return lambda s3, told: s3.put_object(Bucket=told[bucket], Key=key, Body=b"x")


def scan(table: str) -> Callable[[Any, Outputs], Any]:
    return lambda dynamodb, told: dynamodb.scan(TableName=told[table])


def run_task(ecs: Any, told: Outputs) -> Any:
    return ecs.run_task(cluster="any", taskDefinition="any", count=1)


REFUSED = [
    ("api", "ecs", run_task),
    ("api", "s3", get("incoming/site.zip", "UploadsBucket")),
    ("api", "s3", put("datasets/x")),
    ("on_upload", "s3", get("private/signing.keys")),
    ("on_upload", "s3", put("promotions/99999990.json")),
    ("on_upload", "s3", put("incoming/x", "UploadsBucket")),
    ("on_upload", "dynamodb", scan("FeedbackTable")),
    ("on_job_change", "s3", get("promotions/99999998.json")),
    ("on_job_change", "s3", put("uploads/x")),
    ("reconcile", "s3", put("promotions/99999990.json")),
    ("reconcile", "s3", get("private/signing.keys")),
    ("adapt", "s3", get("private/signing.keys")),
    ("adapt", "s3", put("private/x")),
    ("adapt", "s3", get("incoming/x", "UploadsBucket")),
    ("adapt", "dynamodb", scan("FeedbackTable")),
    ("adapt", "ecs", run_task),
]
ALLOWED = [
    ("api", "s3", get("promotions/99999998.json")),
    ("api", "dynamodb", scan("FeedbackTable")),
    ("on_upload", "s3", put("uploads/x")),
    ("reconcile", "dynamodb", scan("FeedbackTable")),
    ("adapt", "s3", get("promotions/99999998.json")),
    ("adapt", "s3", put("gate-looks/x")),
]


@pytest.mark.parametrize(
    ("role", "service", "ask"), REFUSED, ids=[f"{r}-{i}" for i, (r, *_) in enumerate(REFUSED)]
)
def test_what_a_role_may_not_do_is_refused(
    stack: Deployed, role: str, service: str, ask: Callable[[Any, Outputs], Any]
) -> None:
    with pytest.raises(ClientError) as refusal:
        ask(client_of(stack.cloud, role, service), stack.cloud.outputs)
    assert "AccessDenied" in refusal.value.response["Error"]["Code"]


@pytest.mark.parametrize(
    ("role", "service", "ask"), ALLOWED, ids=[f"{r}-{i}" for i, (r, *_) in enumerate(ALLOWED)]
)
def test_what_a_role_may_do_is_done(
    stack: Deployed, role: str, service: str, ask: Callable[[Any, Outputs], Any]
) -> None:
    stack.http.get("/model/info").raise_for_status()  # the API has promoted what ships by then
    ask(client_of(stack.cloud, role, service), stack.cloud.outputs)


def test_whoever_nobody_knows_may_do_nothing(stack: Deployed) -> None:
    import httpx

    bucket = stack.cloud.outputs["ModelsBucket"]
    answer = httpx.get(f"{stack.cloud.aws.endpoint}/{bucket}/private/signing.keys", timeout=30)
    assert answer.status_code == 403
