"""Where trainings run: tasks on Fargate, or training jobs of SageMaker. Both run the same two images."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from aws_cdk import ArnFormat, Duration, Stack
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra import access, reasons
from infra.environment import Told, environment
from infra.images import training
from infra.logs import log_group
from infra.network import Network
from infra.settings import Settings
from infra.storage import Storage
from malaria.settings_aws import CONTAINER

STOP_SECONDS = 120
"""How long a task that is asked to stop may take; Fargate gives no more."""
NOBODY = "65534"
IMAGES = {"adapt": "adapt", "full": "train"}
"""Which extra of the project the image for a method has."""


class Trainer(Protocol):
    """What the functions that launch trainings need of where these run."""

    told: Mapping[str, Told]
    """Fields of AwsSettings, for whoever launches."""
    ended: Mapping[str, Any]
    """The pattern of the events by which AWS says that a training has ended."""

    def let_launch(self, who: iam.IGrantable) -> None:
        """Start trainings, and stop one whose job was cancelled while it was being started."""

    def let_see(self, who: iam.IGrantable) -> None:
        """See how trainings fare."""


class Fargate(Construct):
    """A cluster that holds nothing while nothing is trained, and a task for each method."""

    def __init__(self, scope: Construct, name: str, settings: Settings, storage: Storage) -> None:
        super().__init__(scope, name)
        network = Network(self, "Network", settings)
        self._cluster = ecs.Cluster(
            self, "Cluster", vpc=network.vpc, enable_fargate_capacity_providers=settings.spot
        )
        reasons.accept(self._cluster, "ECS4")
        self._log = log_group(self, "Log", settings)
        self._role = iam.Role(self, "TaskRole", assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com"))
        let_train(self._role, storage)
        told = dict(of_tasks(settings, storage), trainer="ecs", log_group=self._log.log_group_name)
        sizes = {
            "adapt": (settings.adapt_cpu, settings.adapt_memory),
            "full": (settings.full_cpu, settings.full_memory),
        }
        self._tasks = {
            method: self._task(method, settings, *size, environment(settings, **told))
            for method, size in sizes.items()
        }
        self.told: Mapping[str, Told] = {
            "log_group": self._log.log_group_name,
            "max_runtime": settings.max_runtime,
            "cluster": self._cluster.cluster_arn,
            "adapt_task": self._tasks["adapt"].task_definition_arn,
            "full_task": self._tasks["full"].task_definition_arn,
            "subnets": network.subnets,
            "security_groups": [network.group.security_group_id],
            "public_ip": network.public,
            "spot": settings.spot,
        }
        self.ended: Mapping[str, Any] = {
            "source": ["aws.ecs"],
            "detail_type": ["ECS Task State Change"],
            "detail": {"clusterArn": [self._cluster.cluster_arn], "lastStatus": ["STOPPED"]},
        }

    def let_launch(self, who: iam.IGrantable) -> None:
        """These two tasks, in this cluster; nothing elsewhere."""
        definitions = [one.task_definition_arn for one in self._tasks.values()]
        access.allow(who, ["ecs:RunTask"], definitions, self._here)
        access.allow(who, ["ecs:StopTask"], [self._anything_here], self._here)
        roles = [self._role, *(t.obtain_execution_role() for t in self._tasks.values())]
        access.hand_on(who, roles, "ecs-tasks.amazonaws.com")

    def let_see(self, who: iam.IGrantable) -> None:
        access.allow(who, ["ecs:DescribeTasks"], [self._anything_here], self._here)

    @property
    def _here(self) -> dict[str, dict[str, str]]:
        return {"ArnEquals": {"ecs:cluster": self._cluster.cluster_arn}}

    @property
    def _anything_here(self) -> str:
        name = f"{self._cluster.cluster_name}/*"
        return Stack.of(self).format_arn(service="ecs", resource="task", resource_name=name)

    def _task(
        self, method: str, settings: Settings, cpu: int, memory: int, told: dict[str, str]
    ) -> ecs.FargateTaskDefinition:
        task = ecs.FargateTaskDefinition(
            self,
            method.capitalize(),
            cpu=cpu,
            memory_limit_mib=memory * 1024,
            ephemeral_storage_gib=settings.task_disk,
            task_role=self._role,
            runtime_platform=ecs.RuntimePlatform(
                cpu_architecture=ecs.CpuArchitecture.X86_64,
                operating_system_family=ecs.OperatingSystemFamily.LINUX,
            ),
        )
        task.add_container(
            CONTAINER,
            image=ecs.ContainerImage.from_docker_image_asset(
                training(self, f"{method.capitalize()}Image", IMAGES[method])
            ),
            environment=told,
            logging=ecs.LogDrivers.aws_logs(stream_prefix=method, log_group=self._log),
            stop_timeout=Duration.seconds(STOP_SECONDS),
            user=NOBODY,
        )
        reasons.accept(task, "ECS2")
        reasons.wildcard(task.obtain_execution_role(), ["ecr:GetAuthorizationToken"], "*")
        return task


class SageMaker(Construct):
    """A role and two images; a job asks for a machine of its own."""

    LOG = "/aws/sagemaker/TrainingJobs"
    """Where SageMaker writes what every job of an account prints; nobody can choose another."""

    def __init__(self, scope: Construct, name: str, settings: Settings, storage: Storage) -> None:
        super().__init__(scope, name)
        self._deployment = settings.deployment
        self._role = iam.Role(self, "JobRole", assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com"))
        let_train(self._role, storage, writes=(access.SAGEMAKER,))
        log = Stack.of(self).format_arn(
            service="logs",
            resource="log-group",
            resource_name=f"{self.LOG}:*",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        access.allow(self._role, access.WRITE_LOG, [log])
        images = {
            method: training(self, f"{method.capitalize()}Image", extra) for method, extra in IMAGES.items()
        }
        for image in images.values():
            image.repository.grant_pull(self._role)
        reasons.wildcard(self._role, ["ecr:GetAuthorizationToken"], "*")
        network = Network(self, "Network", settings) if settings.network == "private" else None
        if network:
            access.allow(self._role, access.JOIN_NETWORK, ["*"])
        self.told: Mapping[str, Told] = {
            "log_group": self.LOG,
            "max_runtime": settings.max_runtime,
            "training_role": self._role.role_arn,
            "adapt_image": images["adapt"].image_uri,
            "full_image": images["full"].image_uri,
            "adapt_instance": settings.adapt_instance,
            "full_instance": settings.full_instance,
            "volume_gb": settings.volume_gb,
            "spot": settings.spot,
            **(
                {"subnets": network.subnets, "security_groups": [network.group.security_group_id]}
                if network
                else {}
            ),
        }
        self.ended: Mapping[str, Any] = {
            "source": ["aws.sagemaker"],
            "detail_type": ["SageMaker Training Job State Change"],
            "detail": {
                "TrainingJobName": [{"prefix": f"{settings.deployment}-"}],
                "TrainingJobStatus": ["Completed", "Failed", "Stopped"],
            },
        }

    def let_launch(self, who: iam.IGrantable) -> None:
        """Jobs of this deployment's name, which take on this role and no other."""
        verbs = ("CreateTrainingJob", "AddTags", "StopTrainingJob")
        access.allow(who, [f"sagemaker:{verb}" for verb in verbs], [self._jobs])
        access.hand_on(who, [self._role], "sagemaker.amazonaws.com")

    def let_see(self, who: iam.IGrantable) -> None:
        access.allow(who, ["sagemaker:DescribeTrainingJob"], [self._jobs])

    @property
    def _jobs(self) -> str:
        """An id has 16 characters: those of `lab` are not those of `lab-2`."""
        name = f"{self._deployment}-{'?' * 16}-*"
        return Stack.of(self).format_arn(service="sagemaker", resource="training-job", resource_name=name)


def of_tasks(settings: Settings, storage: Storage) -> dict[str, Told]:
    """What a training is told of the deployment."""
    return {
        "models_bucket": storage.models.bucket_name,
        "jobs_table": storage.jobs.table_name,
        "max_runtime": settings.max_runtime,
    }


def let_train(role: iam.Role, storage: Storage, writes: Sequence[str] = ()) -> None:
    """Let a training read uploads that wait, add datasets, versions and promotions, and tell the ledger."""
    everything = (access.VERSIONS, access.PROMOTIONS, access.DATASETS, access.LOOKS)
    kept = (*everything, access.CHECKPOINTS)
    access.objects(role, storage.models, read=(*kept, access.UPLOADS), write=(*kept, *writes))
    access.rows(role, storage.jobs, access.CHANGE_ROWS, indexes=True)


def make(scope: Construct, settings: Settings, storage: Storage) -> Trainer:
    if settings.trainer == "sagemaker":
        return SageMaker(scope, "SageMaker", settings, storage)
    return Fargate(scope, "Fargate", settings, storage)
