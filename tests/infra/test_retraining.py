"""From an upload to a training and its end, as the templates wire it."""

import json

import pytest

from infra.queues import WORK_SECONDS
from tests.infra.conftest import Synthesise
from tests.infra.templates import Variant

DAY = 86400


def test_an_upload_below_its_prefix_goes_into_the_queue_and_nothing_else_does(variant: Variant) -> None:
    rule = variant.one("AWS::Events::Rule", "Uploaded")
    uploads = variant.id("AWS::S3::Bucket", "Uploads")
    assert rule["EventPattern"] == {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {"bucket": {"name": [{"Ref": uploads}]}, "object": {"key": [{"prefix": "incoming/"}]}},
    }
    [target] = rule["Targets"]
    assert target["Arn"] == {"Fn::GetAtt": [variant.id("AWS::SQS::Queue", "Work"), "Arn"]}


def test_what_cannot_be_done_waits_for_a_person(variant: Variant) -> None:
    queues = variant.of("AWS::SQS::Queue")
    kept = {name[6:-8]: queue["MessageRetentionPeriod"] for name, queue in queues.items()}
    assert kept == {"Work": 4 * DAY, "Dead": 14 * DAY, "Undelivered": 14 * DAY}
    work = variant.one("AWS::SQS::Queue", "Work")
    dead = {"Fn::GetAtt": [variant.id("AWS::SQS::Queue", "Dead"), "Arn"]}
    assert work["RedrivePolicy"] == {"deadLetterTargetArn": dead, "maxReceiveCount": 5}
    assert work["VisibilityTimeout"] >= 6 * variant.functions()["on_upload"]["Timeout"]


def test_every_target_of_a_rule_has_its_dead_letters(variant: Variant) -> None:
    undelivered = {"Fn::GetAtt": [variant.id("AWS::SQS::Queue", "Undelivered"), "Arn"]}
    rules = variant.of("AWS::Events::Rule")
    assert len(rules) == 3 + variant.settings.canary
    for rule in rules.values():
        for target in rule["Targets"]:
            assert target["DeadLetterConfig"] == {"Arn": undelivered}
    for name in ("on_job_change", "reconcile"):
        assert variant.functions()[name]["DeadLetterConfig"] == {"TargetArn": undelivered}


def test_one_bad_message_does_not_hold_back_its_batch(ecs: Variant) -> None:
    source = ecs.one("AWS::Lambda::EventSourceMapping")
    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert source["EventSourceArn"] == {"Fn::GetAtt": [ecs.id("AWS::SQS::Queue", "Work"), "Arn"]}


def test_the_end_of_a_task_of_this_cluster_is_told(ecs: Variant) -> None:
    pattern = ecs.one("AWS::Events::Rule", "Ended")["EventPattern"]
    cluster = {"Fn::GetAtt": [ecs.id("AWS::ECS::Cluster"), "Arn"]}
    assert pattern["detail-type"] == ["ECS Task State Change"]
    assert pattern["detail"] == {"clusterArn": [cluster], "lastStatus": ["STOPPED"]}


def test_the_end_of_a_sagemaker_job_is_told_whatever_it_was(sagemaker: Variant) -> None:
    pattern = sagemaker.one("AWS::Events::Rule", "Ended")["EventPattern"]
    assert pattern["detail"] == {
        "TrainingJobName": [{"prefix": "malaria-"}],
        "TrainingJobStatus": ["Completed", "Failed", "Stopped"],
    }


def test_what_was_lost_is_looked_for(ecs: Variant) -> None:
    assert ecs.one("AWS::Events::Rule", "Regularly")["ScheduleExpression"] == "rate(5 minutes)"


def test_a_function_that_copies_uploads_has_room_for_the_largest(variant: Variant) -> None:
    largest = variant.settings.application.max_upload_bytes / 2**20
    for name in ("on_upload", "on_job_change", "reconcile"):
        assert 2 * largest < variant.functions()[name]["EphemeralStorage"]["Size"] <= 10240
        assert variant.functions()[name]["Timeout"] == WORK_SECONDS


@pytest.mark.parametrize(("method", "extra", "cpu"), [("Adapt", "adapt", "1024"), ("Full", "train", "8192")])
def test_each_method_has_its_task(ecs: Variant, method: str, extra: str, cpu: str) -> None:
    task = ecs.one("AWS::ECS::TaskDefinition", method)
    assert task["Cpu"] == cpu
    assert task["RuntimePlatform"] == {"CpuArchitecture": "X86_64", "OperatingSystemFamily": "LINUX"}
    [container] = task["ContainerDefinitions"]
    assert container["StopTimeout"] == 120
    assert container["User"] not in ("", "0", "root")
    assert "Command" not in container, "the launcher says which job"
    assert container["LogConfiguration"]["Options"]["awslogs-stream-prefix"] == method.lower()
    assets = json.loads(next(ecs.path.parent.glob("*.assets.json")).read_text())["dockerImages"].values()
    builds = {json.dumps(one["source"].get("dockerBuildArgs", {})) for one in assets}
    assert json.dumps({"EXTRA": extra}) in builds


def test_trainings_take_nothing_in_and_need_no_nat(synthesised: Synthesise) -> None:
    for name in ("ecs", "ecs-web-arm64", "sagemaker-arm64"):
        variant = synthesised(name)
        assert not variant.of("AWS::EC2::NatGateway")
        group = variant.one("AWS::EC2::SecurityGroup", "Trainings")
        assert "SecurityGroupIngress" not in group
        gateways = [
            e for e in variant.of("AWS::EC2::VPCEndpoint").values() if e["VpcEndpointType"] == "Gateway"
        ]
        assert len(gateways) == 2


def test_a_private_network_has_no_way_out_but_endpoints(ecs: Variant, busy: Variant) -> None:
    assert len(ecs.of("AWS::EC2::InternetGateway")) == 1
    assert not busy.of("AWS::EC2::InternetGateway")
    inside = {
        str(e["ServiceName"]).rpartition(".")[2].strip("']}")
        for e in busy.of("AWS::EC2::VPCEndpoint").values()
        if e["VpcEndpointType"] == "Interface"
    }
    assert inside == {"api", "dkr", "logs"}
    for variant, public in ((ecs, "true"), (busy, "false")):
        assert variant.functions()["on_upload"]["Environment"]["Variables"]["MALARIA_AWS_PUBLIC_IP"] == public


def test_spare_capacity_is_used_only_where_asked(ecs: Variant, busy: Variant) -> None:
    assert not ecs.of("AWS::ECS::ClusterCapacityProviderAssociations")
    told = busy.one("AWS::ECS::ClusterCapacityProviderAssociations")
    assert set(told["CapacityProviders"]) == {"FARGATE", "FARGATE_SPOT"}


def test_sagemaker_has_a_role_and_images_and_no_cluster(sagemaker: Variant) -> None:
    assert not sagemaker.of("AWS::ECS::Cluster")
    told = sagemaker.functions()["on_upload"]["Environment"]["Variables"]
    assert told["MALARIA_AWS_TRAINING_ROLE"] == {
        "Fn::GetAtt": [sagemaker.id("AWS::IAM::Role", "JobRole"), "Arn"]
    }
    assert told["MALARIA_AWS_ADAPT_IMAGE"] != told["MALARIA_AWS_FULL_IMAGE"]
    assert told["MALARIA_AWS_LOG_GROUP"] == "/aws/sagemaker/TrainingJobs"
