"""What `make deploy` checks first: each thing that is missing is told in a line that says what to do."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from infra import preflight
from infra.settings import Settings

SERVICES = ("sts", "ssm", "iam", "lambda", "cloudformation")


class Account:
    """Clients that answer as a ready account does, unless a test says otherwise. Nothing is sent."""

    def __init__(self) -> None:
        made = {"region_name": "eu-central-1", "aws_access_key_id": "x", "aws_secret_access_key": "x"}
        self._clients = {name: boto3.client(name, **made) for name in SERVICES}
        self._stubs = {name: Stubber(client) for name, client in self._clients.items()}
        for stub in self._stubs.values():
            stub.activate()

    def answers(self, service: str, call: str, answer: dict[str, Any]) -> None:
        self._stubs[service].add_response(call, answer)

    def refuses(self, service: str, call: str, code: str) -> None:
        self._stubs[service].add_client_error(call, code)

    def __call__(self, service: str) -> Any:
        return self._clients[service]

    def is_ready(self) -> None:
        self.answers("sts", "get_caller_identity", {"Account": "123456789012"})
        self.answers("ssm", "get_parameter", {"Parameter": {"Value": "21"}})
        role = {"Path": "/", "RoleName": "AWSServiceRoleForECS", "RoleId": "A" * 16, "CreateDate": 0}
        self.answers("iam", "get_role", {"Role": {**role, "Arn": "arn:aws:iam::123456789012:role/r"}})


@pytest.fixture
def account() -> Account:
    return Account()


def _told(settings: Settings, account: Account) -> list[str]:
    lines: Iterator[str] = preflight.of_account(settings, account)
    return list(lines)


def test_a_ready_account_has_nothing_missing(account: Account) -> None:
    account.is_ready()
    assert _told(Settings(), account) == []


def test_without_credentials_nothing_else_is_asked(account: Account) -> None:
    account.refuses("sts", "get_caller_identity", "ExpiredToken")
    [line] = _told(Settings(), account)
    assert "ExpiredToken" in line
    assert "aws sso login" in line


def test_an_account_that_is_new_is_told_both_things_to_do(account: Account) -> None:
    account.answers("sts", "get_caller_identity", {"Account": "123456789012"})
    account.refuses("ssm", "get_parameter", "ParameterNotFound")
    account.refuses("iam", "get_role", "NoSuchEntity")
    cdk, ecs = _told(Settings(), account)
    assert "make bootstrap" in cdk
    assert "create-service-linked-role --aws-service-name ecs.amazonaws.com" in ecs


def test_what_may_not_be_asked_is_told_and_the_rest_is_asked(account: Account) -> None:
    account.answers("sts", "get_caller_identity", {"Account": "123456789012"})
    account.refuses("ssm", "get_parameter", "AccessDeniedException")
    account.refuses("iam", "get_role", "NoSuchEntity")
    first, second = _told(Settings(), account)
    assert "could not be checked" in first
    assert "service-linked role" in second


def test_sagemaker_needs_no_role_of_ecs(account: Account) -> None:
    account.answers("sts", "get_caller_identity", {"Account": "123456789012"})
    account.answers("ssm", "get_parameter", {"Parameter": {"Value": "21"}})
    assert _told(Settings(trainer="sagemaker"), account) == []


@pytest.mark.parametrize(("quota", "asked", "fine"), [(10, 5, False), (1000, 50, True), (1000, 901, False)])
def test_concurrency_is_reserved_only_where_the_account_has_it(
    account: Account, quota: int, asked: int, fine: bool
) -> None:
    account.is_ready()
    limit = {"ConcurrentExecutions": quota, "UnreservedConcurrentExecutions": quota}
    account.answers("lambda", "get_account_settings", {"AccountLimit": limit})
    account.refuses("cloudformation", "list_stack_resources", "ValidationError")  # there is no stack yet
    told = _told(Settings(reserved_concurrency=asked), account)
    assert (told == []) is fine
    if not fine:
        assert f"may reserve {max(quota - 100, 0)}" in told[0]


def _resource(name: str, kind: str, physical: str | None) -> dict[str, Any]:
    told = {"LogicalResourceId": name, "ResourceType": kind, "ResourceStatus": "CREATE_COMPLETE"}
    return {**told, "LastUpdatedTimestamp": 0, **({"PhysicalResourceId": physical} if physical else {})}


@pytest.mark.parametrize(("asked", "fine"), [(50, True), (120, True), (121, False)])
def test_what_stands_gives_its_reservation_back_before_it_takes_another(
    account: Account, asked: int, fine: bool
) -> None:
    """Of 250, 50 are reserved by the function that is updated, and 30 by somebody else's. Of the 220 that are
    left without the first, 100 must stay unreserved."""
    account.is_ready()
    limit = {"ConcurrentExecutions": 250, "UnreservedConcurrentExecutions": 170}
    account.answers("lambda", "get_account_settings", {"AccountLimit": limit})
    resources = [
        _resource("ServingFunctionRole1A", "AWS::IAM::Role", "malaria-role"),
        _resource("RetrainingReconcile2B", "AWS::Lambda::Function", "malaria-reconcile"),
        _resource("ServingFunction3C", "AWS::Lambda::Function", "malaria-api"),
        _resource("ServingFunction4D", "AWS::Lambda::Function", None),
    ]
    account.answers("cloudformation", "list_stack_resources", {"StackResourceSummaries": resources})
    account.answers("lambda", "get_function_concurrency", {"ReservedConcurrentExecutions": 50})
    told = _told(Settings(reserved_concurrency=asked), account)
    assert (told == []) is fine
    if not fine:
        assert "may reserve 120" in told[0]


def test_a_function_without_a_reservation_gives_none_back(account: Account) -> None:
    account.is_ready()
    limit = {"ConcurrentExecutions": 150, "UnreservedConcurrentExecutions": 150}
    account.answers("lambda", "get_account_settings", {"AccountLimit": limit})
    api = _resource("ServingFunction3C", "AWS::Lambda::Function", "malaria-api")
    account.answers("cloudformation", "list_stack_resources", {"StackResourceSummaries": [api]})
    account.answers("lambda", "get_function_concurrency", {})
    [line] = _told(Settings(reserved_concurrency=60), account)
    assert "may reserve 50" in line


def test_a_bare_machine_is_told_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    node, docker = preflight.of_machine()
    assert "nodejs.org" in node
    assert "docs.docker.com" in docker


def test_an_old_node_and_a_docker_that_sleeps_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, script in {"node": "echo v18.19.0", "docker": "exit 1"}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    node, docker = preflight.of_machine()
    assert "Node.js 20" in node
    assert "does not answer" in docker


def test_a_machine_that_has_both_lacks_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, script in {"node": "echo v22.3.0", "docker": "exit 0"}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert list(preflight.of_machine()) == []


def test_the_region_is_that_of_the_environment_as_the_page_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    assert preflight._boto3("ssm").meta.region_name == "eu-central-1"
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    assert preflight._boto3("ssm").meta.region_name == "eu-central-1"


def test_a_page_that_is_not_built_is_asked_for_unless_none_is_wanted(tmp_path: Path) -> None:
    (line,) = preflight.of_page(Settings(), tmp_path)
    assert "make ui" in line and "web=off" in line
    assert list(preflight.of_page(Settings(web="off"), tmp_path)) == []
    (tmp_path / "index.html").touch()
    assert list(preflight.of_page(Settings(), tmp_path)) == []
