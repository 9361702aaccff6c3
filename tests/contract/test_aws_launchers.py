"""What launchers ask of ECS and SageMaker, and what they make of the answers."""

import re

import pytest

from malaria.adapters.aws_clients import Clients
from malaria.adapters.ecs_launcher import EcsLauncher
from malaria.adapters.no_launcher import NoLauncher
from malaria.adapters.sagemaker_launcher import SageMakerLauncher
from malaria.domain import Method
from malaria.errors import BadOptions, Busy
from tests.contract.conftest import deployed
from tests.contract.fake_aws import FakeEcs, FakeSageMaker, Refused

Ecs = tuple[FakeEcs, Clients]
SageMaker = tuple[FakeSageMaker, Clients]


def test_a_task_is_told_its_job_and_its_place(fake_ecs: Ecs, ecs_launcher: EcsLauncher) -> None:
    ecs_launcher.launch("9f2c4e1ab07d3356", 2)
    (asked,) = fake_ecs[0].asked
    (override,) = asked["overrides"]["containerOverrides"]
    assert override == {"name": "training", "command": ["--job", "9f2c4e1ab07d3356", "--attempt", "2"]}
    assert asked["networkConfiguration"]["awsvpcConfiguration"] == {
        "subnets": ["subnet-1", "subnet-2"],
        "securityGroups": ["sg-1"],
        "assignPublicIp": "ENABLED",
    }
    assert (asked["cluster"], asked["count"], len(asked["clientToken"])) == ("trainings", 1, 64)


@pytest.mark.parametrize(
    ("method", "task"), [(Method.FULL, "full:1"), (Method.ADAPT, "adapt:1"), (Method.AUTO, "adapt:1")]
)
def test_the_method_picks_the_task(
    fake_ecs: Ecs, ecs_launcher: EcsLauncher, method: Method, task: str
) -> None:
    ecs_launcher.launch("job", 1, method)
    assert fake_ecs[0].asked[0]["taskDefinition"] == task


def test_only_the_first_try_is_left_to_spare_capacity(fake_ecs: Ecs) -> None:
    launcher = EcsLauncher(fake_ecs[1], deployed(spot=True))
    for attempt in (1, 2):
        launcher.launch("job", attempt)
    first, second = fake_ecs[0].asked
    assert first["capacityProviderStrategy"] == [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]
    assert "launchType" not in first
    assert (second["launchType"], "capacityProviderStrategy" in second) == ("FARGATE", False)


def test_deployments_do_not_share_tokens(fake_ecs: Ecs) -> None:
    launchers = [EcsLauncher(fake_ecs[1], deployed(deployment=name)) for name in ("one", "two")]
    assert launchers[0].launch("job", 1) != launchers[1].launch("job", 1)


def test_a_task_started_in_other_circumstances_is_only_named_again(fake_ecs: Ecs) -> None:
    """Between two tries a deployment has put a new task definition in place."""
    handle = EcsLauncher(fake_ecs[1], deployed()).launch("job", 1)
    assert EcsLauncher(fake_ecs[1], deployed(adapt_task="adapt:2")).launch("job", 1) == handle
    assert len(fake_ecs[0].tasks) == 1


def test_a_task_that_cannot_be_placed_is_busy_with_the_reason_and_starts_later(
    fake_ecs: Ecs, ecs_launcher: EcsLauncher
) -> None:
    fake_ecs[0].failures = [{"reason": "RESOURCE:FARGATE", "detail": "capacity is unavailable"}]
    with pytest.raises(Busy, match="RESOURCE:FARGATE: capacity is unavailable"):
        ecs_launcher.launch("job", 1)
    fake_ecs[0].failures = []
    assert ecs_launcher.alive(ecs_launcher.launch("job", 1))


def test_without_spare_capacity_a_task_runs_as_others_do(fake_ecs: Ecs) -> None:
    fake, launcher = fake_ecs[0], EcsLauncher(fake_ecs[1], deployed(spot=True))
    fake.spare = False
    handle = launcher.launch("job", 1)
    assert launcher.alive(handle)
    assert ["launchType" in sent for sent in fake.asked if "clientToken" in sent] == [False, True]
    assert launcher.launch("job", 1) == handle

    fake.failures = [{"reason": "RESOURCE:FARGATE"}]
    with pytest.raises(Busy, match="RESOURCE:FARGATE"):
        launcher.launch("other", 1)


def test_what_ecs_refuses_is_busy_with_the_reason(fake_ecs: Ecs, ecs_launcher: EcsLauncher) -> None:
    handle = ecs_launcher.launch("job", 1)
    for code in ("ThrottlingException", "ClusterNotFoundException", "AccessDeniedException"):
        fake_ecs[0].refuses = Refused(code, "the reason")
        with pytest.raises(Busy, match=f"{code}: the reason"):
            ecs_launcher.launch("other", 1)
        with pytest.raises(Busy, match=f"{code}: the reason"):
            ecs_launcher.alive(handle)
        ecs_launcher.stop(handle)  # it was not heard, and its process will find its row cancelled


@pytest.mark.parametrize(
    ("status", "alive"),
    [
        ("PROVISIONING", True),
        ("PENDING", True),
        ("ACTIVATING", True),
        ("RUNNING", True),
        ("DEACTIVATING", True),
        ("STOPPING", True),
        ("DEPROVISIONING", False),
        ("STOPPED", False),
        ("DELETED", False),
    ],
)
def test_a_task_lives_as_long_as_a_container_may_run(
    fake_ecs: Ecs, ecs_launcher: EcsLauncher, status: str, alive: bool
) -> None:
    handle = ecs_launcher.launch("job", 1)
    fake_ecs[0].tasks[handle]["lastStatus"] = status
    assert ecs_launcher.alive(handle) is alive


def test_a_task_that_ecs_does_not_show_yet_is_not_taken_for_dead(
    fake_ecs: Ecs, ecs_launcher: EcsLauncher
) -> None:
    handle = ecs_launcher.launch("job", 1)
    fake_ecs[0].hidden = 2
    assert ecs_launcher.alive(handle)
    del fake_ecs[0].tasks[handle]  # an hour after its end
    assert not ecs_launcher.alive(handle)


def test_a_training_job_is_told_all_that_it_needs(
    fake_sagemaker: SageMaker, sagemaker_launcher: SageMakerLauncher
) -> None:
    handle = sagemaker_launcher.launch("9f2c4e1ab07d3356", 2)
    (asked,) = fake_sagemaker[0].asked
    assert handle == "sagemaker:malaria-9f2c4e1ab07d3356-2"
    assert asked["HyperParameters"] == {"job": "9f2c4e1ab07d3356", "attempt": "2"}
    assert asked["Environment"] == {"MALARIA_AWS_JOBS_TABLE": "jobs"}
    assert asked["StoppingCondition"] == {"MaxRuntimeInSeconds": 4 * 3600}
    assert asked["VpcConfig"] == {"Subnets": ["subnet-1", "subnet-2"], "SecurityGroupIds": ["sg-1"]}
    assert asked["EnableManagedSpotTraining"] is False
    assert asked["OutputDataConfig"]["S3OutputPath"] == "s3://models/sagemaker/"
    assert asked["AlgorithmSpecification"]["TrainingImage"].endswith("adapt:1")
    assert asked["ResourceConfig"]["InstanceType"] == "ml.m5.large"


def test_the_method_picks_image_and_instance(
    fake_sagemaker: SageMaker, sagemaker_launcher: SageMakerLauncher
) -> None:
    sagemaker_launcher.launch("job", 1, Method.FULL)
    (asked,) = fake_sagemaker[0].asked
    assert asked["AlgorithmSpecification"]["TrainingImage"].endswith("full:1")
    assert asked["ResourceConfig"]["InstanceType"] == "ml.m5.2xlarge"


def test_only_the_first_training_job_is_left_to_spare_capacity(fake_sagemaker: SageMaker) -> None:
    launcher = SageMakerLauncher(fake_sagemaker[1], deployed(spot=True, subnets=()), {})
    for attempt in (1, 2):
        launcher.launch("job", attempt)
    first, second = fake_sagemaker[0].asked
    assert (first["EnableManagedSpotTraining"], second["EnableManagedSpotTraining"]) == (True, False)
    assert first["StoppingCondition"]["MaxWaitTimeInSeconds"] == 4 * 3600
    assert "VpcConfig" not in first


def test_no_instance_left_is_busy_with_the_reason_and_starts_later(
    fake_sagemaker: SageMaker, sagemaker_launcher: SageMakerLauncher
) -> None:
    for code in ("ResourceLimitExceeded", "ValidationException", "ThrottlingException"):
        fake_sagemaker[0].refuses = Refused(code, "the limit of ml.m5.large is 0")
        with pytest.raises(Busy, match=f"{code}: the limit of ml.m5.large is 0"):
            sagemaker_launcher.launch("job", 1)
    fake_sagemaker[0].refuses = None
    assert sagemaker_launcher.alive(sagemaker_launcher.launch("job", 1))


@pytest.mark.parametrize(
    ("status", "alive"),
    [("InProgress", True), ("Stopping", True), ("Completed", False), ("Failed", False), ("Stopped", False)],
)
def test_a_training_job_lives_until_it_has_ended(
    fake_sagemaker: SageMaker, sagemaker_launcher: SageMakerLauncher, status: str, alive: bool
) -> None:
    handle = sagemaker_launcher.launch("job", 1)
    fake_sagemaker[0].jobs[handle.removeprefix("sagemaker:")] = status
    assert sagemaker_launcher.alive(handle) is alive
    sagemaker_launcher.stop(handle)


def test_sagemaker_out_of_reach_tells_nothing(
    fake_sagemaker: SageMaker, sagemaker_launcher: SageMakerLauncher
) -> None:
    handle = sagemaker_launcher.launch("job", 1)
    fake_sagemaker[0].refuses = Refused("ThrottlingException", "slow down")
    with pytest.raises(Busy, match="slow down"):
        sagemaker_launcher.alive(handle)
    sagemaker_launcher.stop(handle)


@pytest.mark.parametrize("deployment", ["d", "a--b-", "a-lab_of.the north", "x" * 90])
def test_names_of_training_jobs_are_what_sagemaker_takes(fake_sagemaker: SageMaker, deployment: str) -> None:
    """botocore checks neither a name's pattern nor its length, so they are checked here. By how a name begins
    the stack's rights and rules know a job of the deployment."""
    launcher = SageMakerLauncher(fake_sagemaker[1], deployed(deployment=deployment), {})
    handles = {launcher.launch("9f2c4e1ab07d3356", attempt) for attempt in (1, 2, 13)}
    stem = launcher.log("9f2c4e1ab07d3356").rpartition(" ")[2].removesuffix("*")
    assert len(handles) == 3
    for handle in handles:
        name = handle.removeprefix("sagemaker:")
        assert re.fullmatch(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}", name)
        assert len(name) <= 63 and name.startswith(stem)
        assert name.startswith(f"{deployment}-") or not re.fullmatch(r"[a-z][a-z0-9-]{0,29}", deployment)


def test_the_log_is_named(ecs_launcher: EcsLauncher, sagemaker_launcher: SageMakerLauncher) -> None:
    assert "/malaria/training" in ecs_launcher.log("abc")
    assert "abc" in ecs_launcher.log("abc")
    name = sagemaker_launcher.launch("abc", 2).removeprefix("sagemaker:")
    told = sagemaker_launcher.log("abc")
    assert "/aws/sagemaker/TrainingJobs" in told
    stem = told.rpartition(" ")[2]
    assert stem.endswith("*") and name.startswith(stem[:-1])


def test_a_setting_that_is_absent_is_named(fake_ecs: Ecs) -> None:
    with pytest.raises(BadOptions, match="MALARIA_AWS_CLUSTER"):
        EcsLauncher(fake_ecs[1], deployed(cluster=None)).launch("job", 1)


def test_who_may_not_start_trainings_buries_none() -> None:
    launcher = NoLauncher("the log")
    with pytest.raises(Busy, match="may not start trainings"):
        launcher.launch("job", 1)
    assert launcher.alive("any")
    launcher.stop("any")
    assert "job" in launcher.log("job")
