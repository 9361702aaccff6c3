"""docs/deployment.md and the workflows say what is true of the stack."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from infra import settings_table
from infra.context import given
from infra.settings import read
from tests.infra.templates import Variant
from tests.infra.test_watching import RINGS_FOR

WORKFLOWS = ("tests.yml", "deploy.yml")


@pytest.fixture(scope="module")
def text(root: Path) -> str:
    return (root / "docs" / "deployment.md").read_text()


def _targets(root: Path) -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (root / "Makefile").read_text(), re.M))


def _steps(root: Path, name: str) -> list[dict[str, Any]]:
    told = yaml.safe_load((root / ".github" / "workflows" / name).read_text())
    return [step for job in told["jobs"].values() for step in job["steps"]]


def test_the_table_of_settings_is_that_of_the_code(text: str) -> None:
    assert text == settings_table.written(text), "run `python -m infra.settings_table`"
    assert "| `trainer` | `ecs` |" in text


def test_every_alarm_is_explained_and_no_other(text: str) -> None:
    rows = re.findall(r"^\| (`[A-Z].*?`) \| .* \| .* \|$", text, re.M)
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} == RINGS_FOR


def test_the_outputs_it_names_are_there(text: str, ecs: Variant) -> None:
    named = set(re.findall(r"`([A-Z][a-z]+(?:[A-Z][a-z]+)*)`", text.partition("## Update")[0]))
    assert {"Url", "UploadsBucket", "DashboardName"} <= named
    assert named <= ecs.template["Outputs"].keys()
    assert "AlarmTopic" in ecs.template["Outputs"]


def test_every_command_it_gives_can_be_made(text: str, root: Path) -> None:
    asked = set(re.findall(r"\bmake ([a-z-]+)", text))
    assert {"deploy", "diff", "destroy", "bootstrap", "cost", "smoke", "synth"} <= asked
    assert asked <= _targets(root)


def test_settings_that_it_types_reach_the_stack_through_make_and_shell(text: str) -> None:
    """As it is written there: what a shell takes away of it, it takes away here."""
    typed = re.findall(r"`(?:make [a-z]+ ARGS=(?P<quote>[\"']))?(-c [^`]+?)(?(quote)(?P=quote))`", text)
    asked = [shlex.split(arguments) for _, arguments in typed]
    assert len(asked) >= 5
    for words in asked:
        read(given(word for word in words if word != "-c"))


def test_the_command_line_of_the_cdk_is_pinned_once(root: Path) -> None:
    pins = re.findall(r"aws-cdk@(\S+)", (root / "Makefile").read_text())
    assert len(pins) == 1
    major, minor, _ = pins[0].split(".")
    assert (int(major), int(minor)) >= (2, 1148), "the 3.0.0 that npm calls latest cannot be used"


@pytest.mark.parametrize("name", WORKFLOWS)
def test_workflows_make_what_the_makefile_has(root: Path, name: str) -> None:
    runs = " ".join(str(step.get("run", "")) for step in _steps(root, name))
    asked = set(re.findall(r"\bmake ([a-z-]+)", runs))
    assert asked
    assert asked <= _targets(root)


@pytest.mark.parametrize("name", WORKFLOWS)
def test_workflows_may_little_and_know_no_secret(root: Path, name: str) -> None:
    text = (root / ".github" / "workflows" / name).read_text()
    assert "secrets." not in text
    rights = yaml.safe_load(text)["permissions"]
    assert rights == {"contents": "read"} | ({"id-token": "write"} if name == "deploy.yml" else {})


def test_a_deployment_takes_on_a_role_and_is_asked_whether_it_answers(root: Path) -> None:
    steps = _steps(root, "deploy.yml")
    [login] = [s for s in steps if "configure-aws-credentials" in str(s.get("uses"))]
    assert login["with"].keys() == {"role-to-assume", "aws-region"}, "OIDC: no key is stored"
    runs = [str(step["run"]) for step in steps if "run" in step]
    assert [run.split()[1] for run in runs] == ["diff", "deploy", "smoke"]


def test_the_workflow_tests_what_needs_no_real_cells(root: Path) -> None:
    """In CI a test that is left out is a failure, and GitHub has no cells."""
    told = yaml.safe_load((root / ".github" / "workflows" / "tests.yml").read_text())["jobs"]["tests"]
    assert told["env"] == {"CI": "false"}
    runs = [step["run"] for step in told["steps"] if "run" in step]
    assert runs == ["make lint", "make test", 'make test ARGS="-m infra"']


def test_every_image_is_built_by_the_workflow(root: Path) -> None:
    told = yaml.safe_load((root / ".github" / "workflows" / "tests.yml").read_text())
    built = {(one["file"], one["extra"]) for one in told["jobs"]["images"]["strategy"]["matrix"]["include"]}
    assert built == {
        ("functions/api/Dockerfile", "lambda"),
        ("training_job/Dockerfile", "adapt"),
        ("training_job/Dockerfile", "train"),
    }
    for file, _ in built:
        assert (root / file).is_file()
