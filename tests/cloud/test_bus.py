"""Events that AWS alone may tell reach what the template's rules name, and nothing else."""

import time

import pytest

from infra.local.bus import Bus
from infra.local.lambdas import Function
from tests.cloud.conftest import Deployed, soon

pytestmark = pytest.mark.cloud
KIND = "ECS Task State Change"


@pytest.fixture
def bus(stack: Deployed) -> Bus:
    return Bus(*(stack.cloud.aws.client(name) for name in ("events", "lambda", "sqs")))


def cluster(stack: Deployed) -> str:
    (arn,) = stack.cloud.aws.client("ecs").list_clusters()["clusterArns"]
    return str(arn)


def quiet(stack: Deployed) -> Function:
    """The function that hears of ends, once those of other tests' trainings have come."""
    on_job_change, _ = stack.cloud.function("on_job_change")
    deadline, since = time.monotonic() + 120, time.monotonic()
    while time.monotonic() - since < 5:
        assert time.monotonic() < deadline, "trainings go on"
        running = stack.cloud.aws.client("ecs").list_tasks(cluster=cluster(stack), desiredStatus="RUNNING")
        if on_job_change.served() or running["taskArns"]:
            since = time.monotonic()
        time.sleep(0.5)
    return on_job_change


def test_the_end_of_a_task_reaches_its_function(stack: Deployed, bus: Bus) -> None:
    on_job_change = quiet(stack)
    bus.tell("aws.ecs", KIND, {"clusterArn": cluster(stack), "lastStatus": "STOPPED"})
    (served,) = soon(on_job_change.served, "on_job_change is not called", 30)
    assert not served.failed


@pytest.mark.parametrize(
    ("arn", "status"), [("arn:aws:ecs:us-east-1:000000000000:cluster/other", "STOPPED"), ("", "RUNNING")]
)
def test_that_of_another_cluster_or_no_end_does_not(stack: Deployed, bus: Bus, arn: str, status: str) -> None:
    on_job_change = quiet(stack)
    bus.tell("aws.ecs", KIND, {"clusterArn": arn or cluster(stack), "lastStatus": status})
    bus.tell("aws.ecs", KIND, {"clusterArn": cluster(stack), "lastStatus": "STOPPED"})
    served = soon(on_job_change.served, "on_job_change is not called", 30)
    time.sleep(3)  # in which a second call, had the first event been for it, would be served, too
    assert len(served + on_job_change.served()) == 1
