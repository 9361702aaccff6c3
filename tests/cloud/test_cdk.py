"""The CDK's own command line deploys the stack, as `make deploy` has it do, and takes it away again."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local import template as templates
from infra.local.ministack import ACCOUNT, REGION, ROOT, Ministack
from infra.settings import Settings

pytestmark = pytest.mark.cloud
NAME = "by-cdk"


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ministack]:
    with Ministack(tmp_path_factory.mktemp("aws")) as started:
        yield started


@pytest.fixture(scope="module")
def assembly(aws: Ministack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the CDK wrote, with the template as far as ministack can hold it."""
    out = tmp_path_factory.mktemp("cdk") / "cdk.out"
    settings = Settings(
        deployment=NAME,
        endpoint=aws.endpoint,
        require_tls=False,
        keep_data=False,
        monthly_budget=0,
        web="off",
    )
    template = templates.synthesised(settings, out)
    addresses = dict.fromkeys(templates.handlers(template), "http://127.0.0.1:9/")
    (out / f"{NAME}.template.json").write_text(json.dumps(templates.fitted(template, addresses)))
    return out


def cdk(aws: Ministack, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command of the Makefile, pointed at the local AWS."""
    (command,) = re.findall(r"^CDK := (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    given = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "AWS_ENDPOINT_URL": aws.endpoint,
        "AWS_ENDPOINT_URL_S3": aws.endpoint,
        "AWS_EC2_METADATA_DISABLED": "true",
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "CI": "true",
        **aws.keys,
        **{name: value for name, value in os.environ.items() if name.lower().startswith("npm_config_")},
    }
    return subprocess.run(
        [*command.split(), *arguments], cwd=home, env=given, capture_output=True, text=True, check=False
    )


def test_it_is_deployed_told_and_destroyed(aws: Ministack, assembly: Path, tmp_path: Path) -> None:
    assert shutil.which("npx"), "Node.js with npx is needed"
    begun = cdk(aws, tmp_path, "bootstrap", f"aws://{ACCOUNT}/{REGION}")
    assert begun.returncode == 0, begun.stderr[-3000:]
    asked = ("--app", str(assembly), "--all")
    done = cdk(aws, tmp_path, "deploy", *asked, "--require-approval", "never", "--outputs-file", "told.json")
    assert done.returncode == 0, done.stderr[-3000:]
    told = (tmp_path / "told.json").read_text()
    assert "execute-api" in told
    (stack,) = aws.client("cloudformation").describe_stacks(StackName=NAME)["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE"

    same = cdk(aws, tmp_path, "diff", *asked)
    assert "no differences" in (same.stdout + same.stderr), same.stderr[-3000:]
    gone = cdk(aws, tmp_path, "destroy", *asked, "--force")
    assert gone.returncode == 0, gone.stderr[-3000:]
    assert not aws.client("dynamodb").list_tables()["TableNames"]
