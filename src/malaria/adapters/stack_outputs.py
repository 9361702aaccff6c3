"""What a deployed stack tells of itself, as the settings of whoever works with it from elsewhere."""

import re

from malaria.adapters.aws_clients import Clients, told
from malaria.errors import NotFound
from malaria.settings_aws import AwsSettings

_NAMES = {"Queue": "queue_url"}
"""Outputs whose setting has another name than their own in small letters."""


def settings_of(deployment: str, endpoint: str | None = None) -> AwsSettings:
    """The settings that the stack of a deployment tells.

    Raises NotFound where there is no such stack, Busy where AWS cannot be reached or does not let one in.
    """
    from botocore.exceptions import ClientError

    clients = Clients(endpoint)
    try:
        with told("CloudFormation", but=("ValidationError",)):
            found = clients.of("cloudformation").describe_stacks(StackName=deployment)["Stacks"]
    except ClientError as error:
        raise NotFound(f"There is no stack {deployment} in this account and region.") from error
    finally:
        clients.close()
    outputs = {one["OutputKey"]: one["OutputValue"] for one in found[0].get("Outputs", ())}
    named = {_NAMES.get(key, re.sub(r"(?<!^)(?=[A-Z])", "_", key).lower()): outputs[key] for key in outputs}
    known = {name: value for name, value in named.items() if name in AwsSettings.model_fields}
    return AwsSettings(deployment=deployment, endpoint=endpoint, **known)
