"""The CDK's context where the CDK's own command line is not at work: cdk.json, and `-c name=value`."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

CDK_JSON = Path(__file__).parents[1] / "cdk.json"
PAGE = Path(__file__).parents[1] / "ui" / "dist"
"""Where the web page is built."""


def of_file() -> dict[str, Any]:
    """What cdk.json says."""
    told: dict[str, Any] = json.loads(CDK_JSON.read_text(encoding="utf-8"))["context"]
    return told


def given(typed: Iterable[str]) -> dict[str, str]:
    """`name=value` of the command line."""
    return dict(one.partition("=")[::2] for one in typed)
