"""`python -m infra.app`: where it writes, and what it says when it cannot."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from infra import app
from infra.settings import Settings

ROOT = Path(__file__).parents[2]
FAST = ["-c", "aws:cdk:disable-asset-staging=true", "-c", "web=off"]


def test_it_writes_its_template_where_it_stands(
    cdk: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert app.main([*FAST, "-c", "deployment=hospital"]) == 0
    assert capsys.readouterr().out == "Wrote hospital.template.json to cdk.out\n"
    written = json.loads((tmp_path / "cdk.out" / "hospital.template.json").read_text())
    assert "Url" in written["Outputs"]


def test_a_rule_that_is_broken_stops_it(
    cdk: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from aws_cdk import aws_s3 as s3

    def careless(of: Any, settings: Settings) -> None:
        s3.Bucket(build(of, settings), "Careless")

    build = app.build
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(app, "build", careless)
    assert app.main(FAST) == 1
    assert "say why in infra/reasons.py" in capsys.readouterr().err


def test_a_setting_that_does_not_exist_is_told_in_one_line(
    cdk: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert app.main(["-c", "trainr=ecs"]) == 2
    assert capsys.readouterr().err == "trainr: there is no such setting; did you mean trainer?\n"


def test_without_node_one_line_says_what_to_install(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "infra.app"],
        cwd=ROOT,
        env={"PATH": str(tmp_path), "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "Node.js" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_the_stack_knows_neither_account_nor_region(variant: "object") -> None:
    """So that it synthesises without asking AWS anything."""
    manifest = json.loads((variant.path.parent / "manifest.json").read_text())  # type: ignore[attr-defined]
    [stack] = [one for one in manifest["artifacts"].values() if one["type"] == "aws:cloudformation:stack"]
    assert stack["environment"] == "aws://unknown-account/unknown-region"
    assert "missing" not in manifest


def test_make_deploys_after_it_has_checked(root: Path) -> None:
    """What make would run, in its order; nothing is run."""
    asked = [
        "make",
        "--no-print-directory",
        "--dry-run",
        "--assume-old=.venv/.all",
        "deploy",
        "ARGS=-c trainer=sagemaker",
    ]
    done = subprocess.run(asked, cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    check, deploy = done.stdout.strip().splitlines()[-2:]
    assert check.endswith("-m infra.preflight -c trainer=sagemaker")
    assert "aws-cdk@2." in deploy
    assert deploy.endswith("deploy --all -c trainer=sagemaker")
