"""The synthesised template, as far as ministack can hold it.

Alarms on a formula of metrics, of which ministack knows none, are left out, and what names them names NONE;
each function gets the address at which its calls are served. ministack asks for rights on the cluster where
ECS asks for rights on a task, or its definition, in that cluster, so the policies are told that way. Nothing
else is changed.
"""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from infra.local.ministack import ACCOUNT, REGION, ROOT, Unusable
from infra.settings import Settings

PROXY = "MINISTACK_LAMBDA_PROXY_URL"
NONE = f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:left-out"
"""ARN of an alarm that is not there."""


def synthesised(settings: Settings, out: Path) -> dict[str, Any]:
    """The template of a deployment, written below `out` by a process of its own: the CDK's Node.js goes with
    it. Raises Unusable, with what the CDK said."""
    command = [sys.executable, "-m", "infra.local.template", str(out), settings.model_dump_json()]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Unusable(f"The template could not be written:\n{done.stderr[-3000:]}")
    found: dict[str, Any] = json.loads((out / f"{settings.deployment}.template.json").read_text())
    return found


def _write(out: str, settings: str) -> None:
    from aws_cdk import App

    from infra.app import build
    from infra.context import of_file

    app = App(outdir=out, context=of_file())
    build(app, Settings.model_validate_json(settings))
    app.synth()


def fitted(template: Mapping[str, Any], functions: Mapping[str, str]) -> dict[str, Any]:
    """A copy that ministack can hold. functions: by handler, where their calls are posted."""
    made: dict[str, Any] = json.loads(json.dumps(template))
    resources = made["Resources"]
    for name in [name for name, one in resources.items() if _is_math(one)]:
        del resources[name]
    for one in resources.values():
        if one["Type"] == "AWS::Lambda::Function":
            handler = handler_of(one["Properties"])
            one["Properties"].setdefault("Environment", {}).setdefault("Variables", {})[PROXY] = functions[
                handler
            ]
        for statement in _statements(one):
            _on_the_cluster(statement)
    found: dict[str, Any] = _without(made, set(template["Resources"]) - set(resources))
    return found


def handlers(template: Mapping[str, Any]) -> dict[str, str]:
    """Logical names of the functions, by handler."""
    return {
        handler_of(one["Properties"]): name
        for name, one in template["Resources"].items()
        if one["Type"] == "AWS::Lambda::Function"
    }


def handler_of(properties: Mapping[str, Any]) -> str:
    return str(properties["ImageConfig"]["Command"][0])


def image_of(function: Mapping[str, Any]) -> str:
    """The address of a function's image, with what CloudFormation fills in still unfilled."""
    return str(function["Properties"]["Code"]["ImageUri"]["Fn::Sub"])


def _is_math(resource: Mapping[str, Any]) -> bool:
    return resource["Type"] == "AWS::CloudWatch::Alarm" and "Metrics" in resource["Properties"]


def _statements(resource: Mapping[str, Any]) -> list[dict[str, Any]]:
    if resource["Type"] != "AWS::IAM::Policy":
        return []
    found: list[dict[str, Any]] = resource["Properties"]["PolicyDocument"]["Statement"]
    return found


def _on_the_cluster(statement: dict[str, Any]) -> None:
    """Name the cluster as the resource where it is the condition."""
    here = statement.get("Condition", {}).get("ArnEquals", {}).get("ecs:cluster")
    if here is not None:
        del statement["Condition"]
        statement["Resource"] = here


def _without(node: Any, gone: set[str]) -> Any:
    """A piece of a template in which NONE stands for what is gone."""
    match node:
        case {"Fn::GetAtt": [str() as name, "Arn"]} if name in gone:
            return NONE
        case dict():
            return {key: _without(one, gone) for key, one in node.items()}
        case list():
            return [_without(one, gone) for one in node]
    return node


if __name__ == "__main__":
    _write(*sys.argv[1:])
