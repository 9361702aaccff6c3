"""A template onto a local AWS: the stack is made, or brought up to date where it stands from before."""

import json
import time
from collections.abc import Mapping
from typing import Any

from infra.local.ministack import Ministack, Unusable

_BUCKET = "templates"
_BOOTSTRAP, _VERSION = "/cdk-bootstrap/hnb659fds/version", "31"
"""The CDK's bootstrap, whose number the template asks for."""
_PATIENCE = 60.0


def deploy(aws: Ministack, name: str, template: Mapping[str, Any]) -> dict[str, str]:
    """Deploy a stack; return its outputs. Raises Unusable, with what AWS said."""
    formation, s3 = aws.client("cloudformation"), aws.client("s3")
    if _BUCKET not in {one["Name"] for one in s3.list_buckets()["Buckets"]}:
        s3.create_bucket(Bucket=_BUCKET)
    s3.put_object(Bucket=_BUCKET, Key=f"{name}.json", Body=json.dumps(template).encode())
    aws.client("ssm").put_parameter(Name=_BOOTSTRAP, Value=_VERSION, Type="String", Overwrite=True)
    asked = {
        "StackName": name,
        "TemplateURL": f"{aws.endpoint}/{_BUCKET}/{name}.json",
        "Capabilities": ["CAPABILITY_IAM"],
    }
    if standing(formation, name) is None:
        formation.create_stack(**asked)
    else:
        _update(formation, asked)
    found = _settled(formation, name)
    if found["StackStatus"] not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        raise Unusable(f"The stack could not be deployed: {_why(formation, name)}")
    return {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", ())}


def _update(formation: Any, asked: Mapping[str, Any]) -> None:
    """Bring a stack up to date, which it may be already."""
    from botocore.exceptions import ClientError

    try:
        formation.update_stack(**asked)
    except ClientError as error:
        if "No updates" not in error.response["Error"]["Message"]:
            raise


def standing(formation: Any, name: str) -> Mapping[str, Any] | None:
    """The stack of a name, where there is one."""
    from botocore.exceptions import ClientError

    try:
        (found,) = formation.describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        return None
    return None if found["StackStatus"] == "DELETE_COMPLETE" else dict(found)


def _settled(formation: Any, name: str) -> Mapping[str, Any]:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        found = standing(formation, name)
        if found and not found["StackStatus"].endswith("IN_PROGRESS"):
            return found
        time.sleep(0.1)
    raise Unusable(f"The stack is not deployed after {_PATIENCE:g} s.")


def _why(formation: Any, name: str) -> str:
    events = formation.describe_stack_events(StackName=name)["StackEvents"]
    failed = [e for e in events if e["ResourceStatus"].endswith("FAILED")]
    return "; ".join(f"{e['LogicalResourceId']}: {e.get('ResourceStatusReason')}" for e in failed)
