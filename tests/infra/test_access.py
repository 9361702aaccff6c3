"""Who may do what: each role has the rights that its code needs, and none of the others'."""

import json

import pytest

from tests.infra.templates import Variant

ROLES = ("OnUploadRole", "OnJobChangeRole", "ReconcileRole")


def _on(rights: set[tuple[str, str]], family: str) -> set[tuple[str, str]]:
    return {(action, resource.partition(">")[2]) for action, resource in rights if action.startswith(family)}


def test_the_api_answers_and_starts_nothing(ecs: Variant) -> None:
    rights = ecs.rights("ServingFunctionRole")
    families = {action.partition(":")[0] for action, _ in rights}
    assert families == {"logs", "s3", "dynamodb", "sqs", "cloudwatch"}
    assert {action for action, _ in rights if action.startswith("sqs")} == {"sqs:SendMessage"}
    assert [one for one in rights if one[0].startswith("cloudwatch")] == [("cloudwatch:GetMetricData", "*")]
    uploads = ecs.id("AWS::S3::Bucket", "Uploads")
    assert {one for one in rights if uploads in one[1]} == {("s3:PutObject", f"<{uploads}.Arn>/incoming/*")}


def test_the_api_deletes_nothing_but_pictures_that_it_was_to_keep(ecs: Variant, busy: Variant) -> None:
    kept = {("s3:GetObject", "/kept/*"), ("s3:PutObject", "/kept/*"), ("s3:DeleteObject", "/kept/*")}
    assert kept <= _on(busy.rights("ServingFunctionRole"), "s3")
    assert _on(busy.rights("ServingFunctionRole"), "s3:Delete") == {("s3:DeleteObject", "/kept/*")}
    assert not [end for _, end in _on(ecs.rights("ServingFunctionRole"), "s3") if "kept" in end]


@pytest.mark.parametrize("role", [*ROLES, "TaskRole"])
def test_only_the_api_reads_keys(ecs: Variant, role: str) -> None:
    assert ("s3:GetObject", "/private/*") in _on(ecs.rights("ServingFunctionRole"), "s3")
    rights = ecs.rights(role)
    assert rights
    assert not [one for one in rights if "private" in one[1]]
    assert not [one for one in _on(rights, "s3:GetObject") if one[1] in ("/*", "*")]


@pytest.mark.parametrize("role", ["OnUploadRole", "ReconcileRole"])
def test_who_takes_uploads_in_reads_them_by_version_and_cannot_change_them(ecs: Variant, role: str) -> None:
    uploads = ecs.id("AWS::S3::Bucket", "Uploads")
    rights = {(action, end.partition(">")[2]) for action, end in ecs.rights(role) if uploads in end}
    looks_round = {("s3:ListBucketVersions", "")} if role == "ReconcileRole" else set()
    assert rights - looks_round == {
        ("s3:ListBucket", ""),
        ("s3:GetObject", "/incoming/*"),
        ("s3:GetObjectVersion", "/incoming/*"),
    }
    assert looks_round <= rights


@pytest.mark.parametrize("role", ROLES)
def test_functions_launch_these_two_tasks_in_this_cluster_only(ecs: Variant, role: str) -> None:
    cluster = {"ArnEquals": {"ecs:cluster": {"Fn::GetAtt": [ecs.id("AWS::ECS::Cluster"), "Arn"]}}}
    found = {str(s["Action"]): s for _, s in ecs.statements(role) if "ecs:" in str(s["Action"])}
    sees = {"ecs:DescribeTasks"} if role != "OnUploadRole" else set()
    assert found.keys() == {"ecs:RunTask", "ecs:StopTask"} | sees
    assert all(statement["Condition"] == cluster for statement in found.values())
    tasks = {one["Ref"] for one in found["ecs:RunTask"]["Resource"]}
    assert tasks == set(ecs.of("AWS::ECS::TaskDefinition"))


@pytest.mark.parametrize("role", ROLES)
def test_functions_hand_on_the_roles_of_trainings_to_ecs_only(ecs: Variant, role: str) -> None:
    [passed] = [s for _, s in ecs.statements(role) if s["Action"] == "iam:PassRole"]
    assert passed["Condition"] == {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}
    handed = {one["Fn::GetAtt"][0] for one in passed["Resource"]}
    told = ecs.of("AWS::ECS::TaskDefinition").values()
    assert handed == {
        task[key]["Fn::GetAtt"][0] for task in told for key in ("TaskRoleArn", "ExecutionRoleArn")
    }


@pytest.mark.parametrize("role", ROLES)
def test_functions_launch_sagemaker_jobs_of_this_deployment_only(sagemaker: Variant, role: str) -> None:
    rights = {one for one in sagemaker.rights(role) if one[0].startswith("sagemaker")}
    sees = {"DescribeTrainingJob"} if role != "OnUploadRole" else set()
    asked = {action.partition(":")[2] for action, _ in rights}
    assert asked == {"CreateTrainingJob", "AddTags", "StopTrainingJob"} | sees
    assert {resource.rpartition(":")[2] for _, resource in rights} == {f"training-job/malaria-{'?' * 16}-*"}
    [passed] = [s for _, s in sagemaker.statements(role) if s["Action"] == "iam:PassRole"]
    assert passed["Condition"] == {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    assert passed["Resource"] == {"Fn::GetAtt": [sagemaker.id("AWS::IAM::Role", "JobRole"), "Arn"]}


@pytest.mark.parametrize("role", ROLES)
def test_functions_can_never_launch_where_they_are_not_told_to(
    ecs: Variant, sagemaker: Variant, role: str
) -> None:
    assert not [one for one in ecs.rights(role) if one[0].startswith("sagemaker")]
    assert not [one for one in sagemaker.rights(role) if one[0].startswith("ecs")]


@pytest.mark.parametrize(("variant_of", "role"), [("ecs", "TaskRole"), ("sagemaker", "JobRole")])
def test_a_training_adds_versions_and_deletes_nothing(
    variant_of: str, role: str, request: pytest.FixtureRequest
) -> None:
    variant: Variant = request.getfixturevalue(variant_of)
    rights = variant.rights(role)
    assert not [one for one in rights if "Delete" in one[0]]
    models = variant.id("AWS::S3::Bucket", "Models")
    buckets = {end.partition(".")[0].strip("<") for action, end in rights if action.startswith("s3:")}
    assert buckets == {models}
    writes = {end for action, end in _on(rights, "s3:PutObject")}
    own = {"/sagemaker/*"} if role == "JobRole" else set()
    assert writes == {"/models/*", "/promotions/*", "/datasets/*", "/gate-looks/*", "/checkpoints/*"} | own
    jobs, feedback = (variant.id("AWS::DynamoDB::GlobalTable", name) for name in ("Jobs", "Feedback"))
    tables = {end for action, end in rights if action.startswith("dynamodb")}
    assert any(jobs in end for end in tables)
    assert not any(feedback in end for end in tables)


def test_feedback_is_the_apis_to_write_and_read_by_who_retrains_on_it(ecs: Variant, busy: Variant) -> None:
    def may(variant: Variant, role: str) -> set[str]:
        feedback = variant.id("AWS::DynamoDB::GlobalTable", "Feedback")
        return {action for action, end in variant.rights(role) if feedback in end}

    assert "dynamodb:PutItem" in may(ecs, "ServingFunctionRole")
    assert may(busy, "ReconcileRole") == {"dynamodb:Scan"}
    assert may(ecs, "ReconcileRole") == set()
    assert may(ecs, "OnUploadRole") == may(ecs, "OnJobChangeRole") == set()


def test_what_has_ended_is_seen_to_without_reading_any_object(ecs: Variant) -> None:
    families = {action.partition(":")[0] for action, _ in ecs.rights("OnJobChangeRole")}
    assert families == {"logs", "dynamodb", "sqs", "ecs", "iam"}


@pytest.mark.parametrize("role", ROLES)
def test_only_a_training_and_the_api_change_what_is_served(ecs: Variant, role: str) -> None:
    writes = {end for action, end in _on(ecs.rights(role), "s3:PutObject")}
    assert writes <= {"/uploads/*", "/kept/*"}


def test_no_row_is_ever_deleted(variant: Variant) -> None:
    assert not [s for _, s in variant.statements() if "dynamodb:DeleteItem" in str(s["Action"])]


def test_a_right_with_a_wildcard_and_no_reason_stops_the_synthesis(cdk: None) -> None:
    from aws_cdk import App, Stack
    from aws_cdk import aws_iam as iam

    from infra import access

    role = iam.Role(Stack(App(), "Careless"), "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    with pytest.raises(ValueError, match=r"everything/\* has a wildcard"):
        access.allow(role, ["s3:GetObject"], ["arn:aws:s3:::everything/*"])


def test_policies_and_variables_fit_into_what_aws_allows(variant: Variant) -> None:
    """10,240 characters of policies for a role, 4 KB of variables for a function; names come later."""
    for name, policy in variant.of("AWS::IAM::Policy").items():
        assert len(json.dumps(policy["PolicyDocument"], separators=(",", ":"))) < 9000, name
    for name, function in variant.functions().items():
        assert len(json.dumps(function["Environment"]["Variables"])) < 3500, name
