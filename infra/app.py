"""`python -m infra.app` writes cdk.out/, with or without the CDK's own command line."""

import argparse
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra.context import given, of_file
from infra.settings import BadSettings, Settings, read

if TYPE_CHECKING:
    from aws_cdk import App

    from infra.stack import MalariaStack


OUT = "cdk.out"


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="infra.app", description="Write the CloudFormation templates.")
    parser.add_argument(
        "-c", "--context", action="append", default=[], metavar="NAME=VALUE", help="a setting"
    )
    typed = parser.parse_args(argv).context
    if shutil.which("node") is None:
        print("The CDK needs Node.js 20 or newer on PATH: https://nodejs.org/en/download", file=sys.stderr)
        return 1
    from aws_cdk import App  # here: importing it starts Node

    app = App() if _by_cli() else App(outdir=str(Path(OUT).resolve()), context={**of_file(), **given(typed)})
    try:
        build(app, read(app.node.get_all_context()))
    except BadSettings as error:
        print(error, file=sys.stderr)
        return 2
    try:
        assembly = app.synth()
    except RuntimeError as error:
        if "ValidationFailed" not in str(error):
            raise
        print("A rule is broken, as told above: mend it, or say why in infra/reasons.py.", file=sys.stderr)
        return 1
    if not _by_cli():
        print(f"Wrote {', '.join(stack.template_file for stack in assembly.stacks)} to {OUT}")
    return 0


def build(app: "App", settings: Settings, **more: Any) -> "MalariaStack":
    """Put the deployment's stack into the app, held against the rules of AwsSolutions when it is synthesised.

    more: as MalariaStack takes it. Raises BadSettings.
    """
    from aws_cdk import Validations
    from cdk_nag import AwsSolutionsChecks

    from infra.stack import MalariaStack

    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    return MalariaStack(app, settings, **more)


def _by_cli() -> bool:
    """Whether the CDK's command line runs this: it names the folder itself."""
    return "CDK_OUTDIR" in os.environ


if __name__ == "__main__":
    sys.exit(main())
