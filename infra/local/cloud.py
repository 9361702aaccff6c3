"""The whole stack on a local AWS: deployed from its own template, functions and tasks run as processes."""

import json
import os
import subprocess
import sys
from contextlib import ExitStack, suppress
from pathlib import Path

from infra.local import processes
from infra.local import template as templates
from infra.local.bus import Bus
from infra.local.deploying import deploy
from infra.local.embedded import Embedded
from infra.local.lambdas import Function
from infra.local.ministack import ROOT, Ministack, Unusable
from infra.local.rounds import Rounds
from infra.local.tasks import TaskRunner
from infra.local.told_by_aws import Gateway, ToldByAws
from infra.settings import Settings


class Cloud:
    """A deployment on a local AWS; a context manager deploys and ends it.

    home: folder of state and logs. settings: of the deployment; the endpoint is put in. instances: processes
    that serve the API at once. images: whoever has the images of functions and tasks; else they are
    processes of this Python. functions: by handler.
    """

    def __init__(
        self,
        home: Path,
        settings: Settings | None = None,
        *,
        aws: Ministack | None = None,
        instances: int = 1,
        images: processes.Images | None = None,
    ) -> None:
        self.home, self._instances, self._images = home, instances, images
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
            self._serve(stack)
            fitted = templates.fitted(self.template, {h: one.url for h, one in self.functions.items()})
            self.outputs = deploy(self.aws, self.settings.deployment, fitted)
            self._start()
            self.tasks = stack.enter_context(self._runner())
            figures = Embedded(self.aws.client("cloudwatch"), self.logs)
            stack.enter_context(Rounds("figures", figures.look, 1.0))
            stack.enter_context(Rounds("figures of AWS", self._told_by_aws().look, 1.0))
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

    def function(self, name: str) -> tuple[Function, str]:
        """A function by its name here, such as 'api', and its name on AWS. Raises KeyError."""
        for handler, logical in templates.handlers(self.template).items():
            if self.functions[handler].name == name:
                return self.functions[handler], self.resource(logical)
        raise KeyError(name)

    def role_of(self, name: str) -> str:
        """ARN of the role under which a function ('api'), or a training ('adapt', 'full'), runs."""
        with suppress(KeyError):
            asked = self.function(name)[1]
            told = self.aws.client("lambda").get_function_configuration(FunctionName=asked)
            return str(told["Role"])
        ecs = self.aws.client("ecs")
        for arn in ecs.list_task_definitions()["taskDefinitionArns"]:
            found = ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]
            if name.capitalize() in found["family"]:
                return str(found["taskRoleArn"])
        raise KeyError(name)

    def key_for(self, name: str) -> str:
        """Make a key that may do everything, as an operator with rights on the bucket does, in the place of
        one of that name from before."""
        self._malaria("keys", "remove", name)
        scopes = [f"--scope={scope}" for scope in ("read", "predict", "confirm", "operate")]
        done = self._malaria("keys", "add", name, *scopes)
        if done.returncode:
            raise Unusable(f"No key could be made: {done.stderr.strip()}")
        return done.stdout.strip()

    def _malaria(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The project's own command line, as a person with all rights runs it."""
        command = [sys.executable, "-m", "malaria.cli", "--target", self.settings.deployment, *arguments]
        given = {
            "PATH": os.defpath,
            "PYTHONPATH": str(ROOT / "src"),
            "MALARIA_HOME": str(self.home / "operator"),
            "AWS_ENDPOINT_URL": self.aws.endpoint,
            **self.aws.keys,
        }
        return subprocess.run(command, env=given, capture_output=True, text=True, check=False)

    def credentials(self, role_arn: str) -> dict[str, str]:
        """What a process that takes on a role finds in its environment."""
        told = self.aws.client("sts").assume_role(RoleArn=role_arn, RoleSessionName="local")["Credentials"]
        return {
            "AWS_ACCESS_KEY_ID": told["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": told["SecretAccessKey"],
            "AWS_SESSION_TOKEN": told["SessionToken"],
        }

    def _serve(self, stack: ExitStack) -> None:
        """Open the servers of the functions, at the ports of an earlier run: a version that was published
        keeps the address for ever."""
        kept = self.home / "ports.json"
        ports: dict[str, int] = json.loads(kept.read_text()) if kept.exists() else {}
        for handler in templates.handlers(self.template):
            name, port = handler.split(".")[1], ports.get(handler, 0)
            try:
                made = Function(name, handler, ROOT, self.logs, port=port)
            except OSError as error:
                raise Unusable(f"Port {port}, on which the function {name} ran before, is taken.") from error
            stack.callback(made.stop)
            self.functions[handler] = made
        kept.write_text(json.dumps({handler: made.port for handler, made in self.functions.items()}))

    def _start(self) -> None:
        """Start the processes of the functions, each in its own environment and under its own role."""
        lambdas = self.aws.client("lambda")
        for handler, logical in templates.handlers(self.template).items():
            function = self.functions[handler]
            told = lambdas.get_function_configuration(FunctionName=self.resource(logical))
            given = {**told["Environment"]["Variables"], **self.credentials(told["Role"])}
            launch = None
            if self._images:
                launch = self._images(templates.image_of(self.template["Resources"][logical]), "")
            else:
                home = self.home / "functions" / function.name
                home.mkdir(parents=True, exist_ok=True)
                given["MALARIA_HOME"] = str(home)  # each function has a disk of its own
            function.start(given, self._instances if function.name == "api" else 1, launch)

    def _told_by_aws(self) -> ToldByAws:
        clients, kinds = self.aws.client, dict[str, list[str]]()
        for name, one in self.template["Resources"].items():
            kinds.setdefault(one["Type"], []).append(name)
        (api,) = kinds["AWS::ApiGatewayV2::Api"]
        gateway = Gateway(self.resource(api), *self.function("api"))
        urls = [self.resource(name) for name in kinds["AWS::SQS::Queue"]]
        queues = {url.rpartition("/")[2]: url for url in urls}
        return ToldByAws(clients("cloudwatch"), clients("sqs"), gateway, queues)

    def _runner(self) -> TaskRunner:
        cluster = next(
            name for name, one in self.template["Resources"].items() if one["Type"] == "AWS::ECS::Cluster"
        )
        bus = Bus(*(self.aws.client(name) for name in ("events", "lambda", "sqs")))
        ecs, physical = self.aws.client("ecs"), self.resource(cluster)
        return TaskRunner(ecs, bus, physical, ROOT, self.logs, self.credentials, self._images)
