"""ECS and SageMaker as far as launchers ask them, over their wire protocol, in this process.

moto starts a second task for a token that was used before, and its training jobs are at once completed; what
is asked of a launcher rests on just these two. Real botocore speaks to these: it checks what it sends against
the services' models, and raises what they answer.
"""

import json
import threading
from collections.abc import Callable
from typing import Any

from botocore import xform_name

from tests.stand_in import WsgiAnswer

ACCOUNT = "123456789012"


class Refused(Exception):
    """An error of a service: its code, its message, and what else it tells."""

    def __init__(self, code: str, message: str, **more: Any) -> None:
        super().__init__(code)
        self.body = {"__type": code, "message": message, **more}


class FakeService:
    """A WSGI application; each operation is a method, named as boto3 names it and told what was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.refuses: Exception | None = None
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> WsgiAnswer:
        operation = environ["HTTP_X_AMZ_TARGET"].rpartition(".")[2]
        sent = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        status = "200 OK"
        try:
            with self._lock:
                answer = getattr(self, xform_name(operation))(sent)
        except Refused as error:
            status, answer = "400 Bad Request", error.body
        start_response(status, [("Content-Type", "application/x-amz-json-1.1")])
        return [json.dumps(answer).encode()]

    def _starts(self, sent: dict[str, Any]) -> None:
        if self.refuses is not None:
            raise self.refuses
        self.asked.append(sent)


class FakeEcs(FakeService):
    """Fargate of one cluster. failures: what RunTask answers instead of tasks. spare: whether there is spare
    capacity. hidden: looks for which a task that was just started is not shown yet."""

    def __init__(self) -> None:
        super().__init__()
        self.tasks: dict[str, dict[str, Any]] = {}
        self.failures: list[dict[str, str]] = []
        self.spare = True
        self.hidden = 0
        self._tokens: dict[str, tuple[dict[str, Any], str]] = {}

    def run_task(self, sent: dict[str, Any]) -> dict[str, Any]:
        before = self._tokens.get(sent["clientToken"])
        if before is not None:
            if before[0] != sent:
                raise Refused("ConflictException", "the token was used", resourceIds=[before[1]])
            return {"tasks": [self.tasks[before[1]]], "failures": []}
        self._starts(sent)
        if self.failures:
            return {"tasks": [], "failures": self.failures}
        if "capacityProviderStrategy" in sent and not self.spare:
            return {"tasks": [], "failures": [{"reason": "Capacity is unavailable at this time"}]}
        arn = f"arn:aws:ecs:us-east-1:{ACCOUNT}:task/{sent['cluster']}/{len(self.tasks):032x}"
        self.tasks[arn] = {"taskArn": arn, "lastStatus": "PROVISIONING", "desiredStatus": "RUNNING"}
        self._tokens[sent["clientToken"]] = (sent, arn)
        return {"tasks": [self.tasks[arn]], "failures": []}

    def describe_tasks(self, sent: dict[str, Any]) -> dict[str, Any]:
        if self.refuses is not None:
            raise self.refuses
        if self.hidden:
            self.hidden -= 1
            return _missing(sent["tasks"])
        known = [self.tasks[arn] for arn in sent["tasks"] if arn in self.tasks]
        return {**_missing(arn for arn in sent["tasks"] if arn not in self.tasks), "tasks": known}

    def stop_task(self, sent: dict[str, Any]) -> dict[str, Any]:
        if self.refuses is not None:
            raise self.refuses
        if sent["task"] not in self.tasks:
            raise Refused("InvalidParameterException", "The referenced task was not found.")
        self.tasks[sent["task"]]["lastStatus"] = "STOPPED"
        return {"task": self.tasks[sent["task"]]}


class FakeSageMaker(FakeService):
    """Training jobs, by name; a name is used once for ever."""

    def __init__(self) -> None:
        super().__init__()
        self.jobs: dict[str, str] = {}

    def create_training_job(self, sent: dict[str, Any]) -> dict[str, Any]:
        name = sent["TrainingJobName"]
        if name in self.jobs:
            raise Refused("ResourceInUse", "Training job names must be unique within an account")
        self._starts(sent)
        self.jobs[name] = "InProgress"
        return {"TrainingJobArn": f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:training-job/{name}"}

    def describe_training_job(self, sent: dict[str, Any]) -> dict[str, Any]:
        if self.refuses is not None:
            raise self.refuses
        return {"TrainingJobStatus": self._found(sent), "TrainingJobName": sent["TrainingJobName"]}

    def stop_training_job(self, sent: dict[str, Any]) -> dict[str, Any]:
        if self.refuses is not None:
            raise self.refuses
        if self._found(sent) != "InProgress":
            raise Refused("ValidationException", "The request was rejected because the job has ended.")
        self.jobs[sent["TrainingJobName"]] = "Stopped"
        return {}

    def _found(self, sent: dict[str, Any]) -> str:
        if sent["TrainingJobName"] not in self.jobs:
            raise Refused("ValidationException", "Requested resource not found.")
        return self.jobs[sent["TrainingJobName"]]


def _missing(arns: Any) -> dict[str, Any]:
    return {"tasks": [], "failures": [{"arn": arn, "reason": "MISSING"} for arn in arns]}
