"""The whole stack on a local AWS: deployed from its own template, functions and tasks run as processes."""

import json
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from infra.local import template as templates
from infra.local.lambdas import Function
from infra.local.ministack import ROOT, Ministack, Unusable
from infra.local.tasks import TaskRunner
from infra.settings import Settings

_BOOTSTRAP = "/cdk-bootstrap/hnb659fds/version"
_VERSION = "31"
"""Of the CDK's bootstrap, whose number the template asks for."""
_PATIENCE = 60.0


class Cloud:
    """A deployment on a local AWS; a context manager deploys and ends it.

    home: folder of state and logs. settings: of the deployment; the endpoint is put in. instances: processes
    that serve the API at once.
    """

    def __init__(
        self,
        home: Path,
        settings: Settings | None = None,
        *,
        aws: Ministack | None = None,
        instances: int = 1,
    ) -> None:
        self.home, self._instances = home, instances
        self.aws = aws or Ministack(home / "aws")
        asked = (settings or Settings()).model_dump(exclude_unset=True)
        self.settings = Settings(
            **{
                **asked,
                "endpoint": self.aws.endpoint,
                "require_tls": False,
                "keep_data": False,
                "monthly_budget": 0,
                "web": "off",
            }
        )
        self.functions: dict[str, Function] = {}
        self.outputs: dict[str, str] = {}
        self._stack = ExitStack()

    @property
    def url(self) -> str:
        """Of the API, by a host that this machine itself resolves."""
        return self.outputs["ApiUrl"]

    @property
    def host(self) -> str:
        """Of `url`: whoever cannot resolve it asks the endpoint, with this in the header Host."""
        return self.url.partition("://")[2]

    def __enter__(self) -> "Cloud":
        with ExitStack() as stack:
            stack.enter_context(self.aws)
            self.logs = self.home / "logs"
            self.logs.mkdir(parents=True, exist_ok=True)
            self.template = templates.synthesised(self.settings, self.home / "cdk.out")
            for handler in templates.handlers(self.template):
                name = handler.split(".")[1]
                self.functions[name] = Function(name, handler, ROOT, self.logs)
                stack.callback(self.functions[name].stop)
            self._deploy()
            self._start()
            self.tasks = stack.enter_context(self._runner())
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def resource(self, logical: str) -> str:
        """The physical name of a resource of the stack."""
        found = self.aws.client("cloudformation").describe_stack_resource(
            StackName=self.settings.deployment, LogicalResourceId=logical
        )
        return str(found["StackResourceDetail"]["PhysicalResourceId"])

    def credentials(self, role_arn: str) -> dict[str, str]:
        """What a process that takes on a role finds in its environment."""
        told = self.aws.client("sts").assume_role(RoleArn=role_arn, RoleSessionName="local")["Credentials"]
        return {
            "AWS_ACCESS_KEY_ID": told["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": told["SecretAccessKey"],
            "AWS_SESSION_TOKEN": told["SessionToken"],
        }

    def _deploy(self) -> None:
        name, formation = self.settings.deployment, self.aws.client("cloudformation")
        fitted = templates.fitted(
            self.template,
            {
                handler: self.functions[handler.split(".")[1]].url
                for handler in templates.handlers(self.template)
            },
        )
        s3 = self.aws.client("s3")
        s3.create_bucket(Bucket="templates")
        s3.put_object(Bucket="templates", Key=f"{name}.json", Body=json.dumps(fitted).encode())
        self.aws.client("ssm").put_parameter(Name=_BOOTSTRAP, Value=_VERSION, Type="String", Overwrite=True)
        formation.create_stack(
            StackName=name,
            TemplateURL=f"{self.aws.endpoint}/templates/{name}.json",
            Capabilities=["CAPABILITY_IAM"],
        )
        found = self._settled(formation, name)
        if found["StackStatus"] != "CREATE_COMPLETE":
            raise Unusable(f"The stack could not be deployed: {_why(formation, name)}")
        self.outputs = {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", ())}

    def _settled(self, formation: Any, name: str) -> Mapping[str, Any]:
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            (found,) = formation.describe_stacks(StackName=name)["Stacks"]
            if not found["StackStatus"].endswith("IN_PROGRESS"):
                return dict(found)
            time.sleep(0.1)
        raise Unusable(f"The stack is not deployed after {_PATIENCE:g} s.")

    def _start(self) -> None:
        """Start the processes of the functions, each in its own environment and under its own role."""
        lambdas = self.aws.client("lambda")
        for handler, logical in templates.handlers(self.template).items():
            name = handler.split(".")[1]
            told = lambdas.get_function_configuration(FunctionName=self.resource(logical))
            home = self.home / "functions" / name
            home.mkdir(parents=True, exist_ok=True)
            given = {
                **told["Environment"]["Variables"],
                **self.credentials(told["Role"]),
                "MALARIA_HOME": str(home),  # each function has a disk of its own
            }
            self.functions[name].start(given, self._instances if name == "api" else 1)

    def _runner(self) -> TaskRunner:
        cluster = next(
            name for name, one in self.template["Resources"].items() if one["Type"] == "AWS::ECS::Cluster"
        )
        return TaskRunner(self.aws.client("ecs"), self.resource(cluster), ROOT, self.logs, self.credentials)


def _why(formation: Any, name: str) -> str:
    events = formation.describe_stack_events(StackName=name)["StackEvents"]
    failed = [e for e in events if e["ResourceStatus"].endswith("FAILED")]
    return "; ".join(f"{e['LogicalResourceId']}: {e.get('ResourceStatusReason')}" for e in failed)
