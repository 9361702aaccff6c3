"""`python -m infra.app` writes cdk.out/, with or without the CDK's own command line."""

import shutil
import sys


def main() -> int:
    if shutil.which("node") is None:
        print("The CDK needs Node.js 20 or newer on PATH: https://nodejs.org/en/download", file=sys.stderr)
        return 1
    from aws_cdk import App  # here: importing it starts Node

    from infra.stack import MalariaStack

    app = App(outdir=None if _by_cli() else "cdk.out")
    MalariaStack(app, "Malaria", description="Malaria cells: storage of uploads, models and jobs")
    assembly = app.synth()
    print(f"Wrote {', '.join(stack.template_file for stack in assembly.stacks)} to {assembly.directory}")
    return 0


def _by_cli() -> bool:
    """Whether the CDK's command line runs this: it names the folder itself."""
    import os

    return "CDK_OUTDIR" in os.environ


if __name__ == "__main__":
    sys.exit(main())
