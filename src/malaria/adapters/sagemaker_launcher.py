"""Runs of training as SageMaker training jobs."""

import logging
import re
from collections.abc import Mapping
from typing import Any

from malaria.adapters.aws_clients import Clients, code, reason, told
from malaria.domain import Method
from malaria.errors import Busy
from malaria.settings_aws import AwsSettings

log = logging.getLogger(__name__)

LOG_GROUP = "/aws/sagemaker/TrainingJobs"
_HANDLE = "sagemaker:"
_LONGEST, _DIGITS = 63, 3
"""Characters of a name, and those of it that are kept for the attempt."""
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9-]+")
_GOES_ON = frozenset({"InProgress", "Stopping"})
_NO_SUCH_JOB = ("ValidationException", "ResourceNotFound")
_STARTED = "ResourceInUse"


class SageMakerLauncher:
    """A TrainingLauncher. A handle is "sagemaker:" and the name of a training job, which is used once for
    ever.

    aws: names images, instances, role, network, and whether first tries go to spare capacity.
    environment: what the container is told; SageMaker has no other place for it.
    """

    def __init__(self, clients: Clients, aws: AwsSettings, environment: Mapping[str, str]) -> None:
        self._clients, self._aws, self._environment = clients, aws, dict(environment)

    def launch(self, job_id: str, attempt: int, method: Method = Method.AUTO) -> str:
        """Start a training job and return its handle; SageMaker itself knows by the name what was started
        before."""
        from botocore.exceptions import ClientError

        asked = self._asked(job_id, attempt, method)
        try:
            with told("SageMaker", but=(_STARTED,)):
                self._sagemaker.create_training_job(**asked)
        except ClientError as error:
            if (
                code(error) != _STARTED
            ):  # a role or an image that SageMaker cannot use, and that a person mends
                raise Busy(f"SageMaker cannot start the training now: {reason(error)}") from error
        return f"{_HANDLE}{asked['TrainingJobName']}"

    def alive(self, handle: str) -> bool:
        from botocore.exceptions import ClientError

        name = _named(handle)
        if name is None:
            return False
        try:
            with told("SageMaker", but=_NO_SUCH_JOB):
                found = self._sagemaker.describe_training_job(TrainingJobName=name)
        except ClientError:
            return False
        return found["TrainingJobStatus"] in _GOES_ON

    def stop(self, handle: str) -> None:
        """What cannot be asked to stop now is logged: its process finds its row cancelled, and ends."""
        from botocore.exceptions import ClientError

        name = _named(handle)
        if name is None:
            return
        try:
            with told("SageMaker", but=_NO_SUCH_JOB):  # it has ended, or is none of ours
                self._sagemaker.stop_training_job(TrainingJobName=name)
        except ClientError:
            return
        except Busy:
            log.warning("training job %s could not be asked to stop", name, exc_info=True)

    def log(self, job_id: str) -> str:
        stem = _name(self._aws.deployment, job_id, "")
        return f"the CloudWatch log group {LOG_GROUP}, streams {stem}*"

    def _asked(self, job_id: str, attempt: int, method: Method) -> dict[str, Any]:
        aws, full, spot = self._aws, method == Method.FULL, self._aws.spot and attempt == 1
        longest = {"MaxRuntimeInSeconds": aws.max_runtime}
        if spot:
            longest["MaxWaitTimeInSeconds"] = aws.max_runtime  # it includes the time that it runs
        asked: dict[str, Any] = {
            "TrainingJobName": _name(aws.deployment, job_id, str(attempt)),
            "AlgorithmSpecification": {
                "TrainingImage": aws.need("full_image" if full else "adapt_image"),
                "TrainingInputMode": "File",
            },
            "RoleArn": aws.need("training_role"),
            "HyperParameters": {"job": job_id, "attempt": str(attempt)},
            "Environment": self._environment,
            "OutputDataConfig": {"S3OutputPath": f"s3://{aws.need('models_bucket')}/sagemaker/"},
            "ResourceConfig": {
                "InstanceType": aws.full_instance if full else aws.adapt_instance,
                "InstanceCount": 1,
                "VolumeSizeInGB": aws.volume_gb,
            },
            "StoppingCondition": longest,
            "EnableManagedSpotTraining": spot,
            "Tags": [{"Key": "deployment", "Value": aws.deployment}, {"Key": "job", "Value": job_id}],
        }
        if aws.subnets:
            asked["VpcConfig"] = {
                "Subnets": list(aws.subnets),
                "SecurityGroupIds": list(aws.security_groups),
            }
        return asked

    @property
    def _sagemaker(self) -> Any:
        return self._clients.of("sagemaker")


def _named(handle: str) -> str | None:
    name = handle.removeprefix(_HANDLE)
    return name if handle.startswith(_HANDLE) and name else None


def _name(deployment: str, job_id: str, attempt: str) -> str:
    """A name as SageMaker takes it, no longer than 63; where it must be, the deployment's part is cut.
    Names of one job's attempts begin alike."""
    job = f"-{_NOT_IN_NAMES.sub('-', job_id)}-"
    owner = _NOT_IN_NAMES.sub("-", deployment).lstrip("-")[: _LONGEST - len(job) - _DIGITS]
    return f"{owner}{job}{attempt}"
