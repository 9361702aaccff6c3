"""Runs of training as tasks of ECS, on Fargate."""

import hashlib
import logging
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any

from malaria.adapters.aws_clients import Clients, code, reason, told
from malaria.domain import Method
from malaria.errors import Busy
from malaria.settings_aws import CONTAINER, AwsSettings

log = logging.getLogger(__name__)

_TASK = re.compile(r"arn:[^:]+:ecs:[^:]*:[^:]*:task/.+")
_ENDED = frozenset({"DEPROVISIONING", "STOPPED", "DELETED"})
"""States in which no container runs. Not STOPPING: its process is told to end, and may still write."""
_NO_SUCH_TASK = "InvalidParameterException"


class EcsLauncher:
    """A TrainingLauncher. A handle is a task's ARN.

    aws: names cluster, task definitions, network, and whether first tries go to spare capacity.
    looks: seconds between looks for a task that ECS does not know, or not yet: what it has just started it
        may not show for a moment.
    """

    def __init__(
        self, clients: Clients, aws: AwsSettings, *, looks: Sequence[float] = (0.5, 1.0, 2.0)
    ) -> None:
        self._clients, self._aws, self._looks = clients, aws, looks

    def launch(self, job_id: str, attempt: int, method: Method = Method.AUTO) -> str:
        """Start a task and return its ARN. ECS itself knows by a token what was started before.

        Where there is no spare capacity the task is started as others are: a laboratory waits for it. Asked
        again, it may be started both ways then; the lease lets one of the two work.
        """
        if self._aws.spot and attempt == 1:
            try:
                return self._run(self._task(job_id, attempt, method, spot=True))
            except Busy as error:
                log.warning("job %s does not get spare capacity, so it runs without: %s", job_id, error)
        return self._run(self._task(job_id, attempt, method))

    def _run(self, asked: Mapping[str, Any]) -> str:
        """Raises Busy where ECS cannot start it now."""
        from botocore.exceptions import ClientError

        try:
            with told("ECS", but=("ConflictException",)):
                answer = self._ecs.run_task(**asked)
        except ClientError as error:  # it was started before, in other circumstances
            return _standing(error)
        if answer.get("tasks"):
            return str(answer["tasks"][0]["taskArn"])
        why = ", ".join(_why(failure) for failure in answer.get("failures", ())) or "it does not say why"
        raise Busy(f"ECS cannot start the training now: {why}.")

    def alive(self, handle: str) -> bool:
        if not _TASK.fullmatch(handle):
            return False
        task = self._find(handle)
        return task is not None and task["lastStatus"] not in _ENDED

    def stop(self, handle: str) -> None:
        """What cannot be asked to stop now is logged: its process finds its row cancelled, and ends."""
        from botocore.exceptions import ClientError

        if not _TASK.fullmatch(handle):
            return
        try:
            with told("ECS", but=(_NO_SUCH_TASK,)):
                self._ecs.stop_task(
                    cluster=self._aws.need("cluster"), task=handle, reason="its job was cancelled"
                )
        except ClientError:
            return  # ECS no longer knows it
        except Busy:
            log.warning("task %s could not be asked to stop", handle, exc_info=True)

    def log(self, job_id: str) -> str:
        return f"job {job_id} in the CloudWatch log group {self._aws.log_group}, streams */{CONTAINER}/TASK"

    def _task(self, job_id: str, attempt: int, method: Method, *, spot: bool = False) -> dict[str, Any]:
        aws = self._aws
        command = ["--job", job_id, "--attempt", str(attempt)]
        network: dict[str, Any] = {
            "subnets": list(aws.subnets),
            "assignPublicIp": "ENABLED" if aws.public_ip else "DISABLED",
        }
        if aws.security_groups:
            network["securityGroups"] = list(aws.security_groups)
        where: dict[str, Any] = {"launchType": "FARGATE"}
        if spot:
            where = {"capacityProviderStrategy": [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]}
        return {
            **where,
            "cluster": aws.need("cluster"),
            "taskDefinition": aws.need("full_task" if method == Method.FULL else "adapt_task"),
            "count": 1,
            "clientToken": _token(aws.deployment, job_id, attempt, spot=spot),
            "startedBy": f"{job_id}/{attempt}"[:128],
            "networkConfiguration": {"awsvpcConfiguration": network},
            "overrides": {"containerOverrides": [{"name": CONTAINER, "command": command}]},
        }

    def _find(self, handle: str) -> dict[str, Any] | None:
        """A task as ECS shows it; None where it does not know it, an hour or so after its end."""
        from botocore.exceptions import ClientError

        for wait in (*self._looks, None):
            try:
                with told("ECS", but=(_NO_SUCH_TASK,)):
                    answer = self._ecs.describe_tasks(cluster=self._aws.need("cluster"), tasks=[handle])
            except ClientError:
                return None
            if answer["tasks"]:
                task: dict[str, Any] = answer["tasks"][0]
                return task
            other = [failure for failure in answer["failures"] if failure.get("reason") != "MISSING"]
            if other:
                raise Busy(f"ECS cannot tell of task {handle} now: {_why(other[0])}.")
            if wait is not None:
                time.sleep(wait)
        return None

    @property
    def _ecs(self) -> Any:
        return self._clients.of("ecs")


def _token(deployment: str, job_id: str, attempt: int, *, spot: bool) -> str:
    """64 characters, as many as ECS takes, that stand for this job and attempt of this deployment."""
    told = f"{deployment}/{job_id}/{attempt}" + ("/spot" if spot else "")
    return hashlib.sha256(told.encode()).hexdigest()


def _standing(error: Any) -> str:
    """The task that was started with the same token. Raises Busy where ECS does not name it."""
    if code(error) == "ConflictException":
        named = error.response.get("resourceIds") or ()
        if named:
            return str(named[0])
    raise Busy(f"ECS cannot start the training now: {reason(error)}") from error


def _why(failure: dict[str, Any]) -> str:
    return ": ".join(filter(None, (str(failure.get("reason", "")), str(failure.get("detail", "")))))
