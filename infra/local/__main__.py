"""`make cloud`: the stack on a local AWS, for a person to try. What it holds is kept between runs."""

import argparse
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from infra.context import given
from infra.local.cloud import Cloud
from infra.local.ministack import REGION, Ministack, Unusable
from infra.settings import BadSettings, Settings, read

KEY = "operator.key"
TEXT = """
The stack {name} runs on a local AWS. Its API: {url}

  curl -H 'Authorization: Bearer {key}' {url}/model/info
  curl -H 'Authorization: Bearer {key}' -F file=@cell.png {url}/predict

Where a system does not resolve names below .localhost, ask {endpoint} with the header 'Host: {host}'.

Whatever speaks to AWS speaks to this one with

  export AWS_ENDPOINT_URL={endpoint} AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_REGION={region}
  malaria --target {name} jobs list
  malaria --target {name} retrain site.zip
  aws s3 cp site.zip s3://{uploads}/incoming/

Logs: {logs}. Ctrl-C ends it; what it holds is kept in {home}.
"""


OWN = ("endpoint", "require_tls", "keep_data", "monthly_budget", "web")
"""Settings that cannot be chosen here."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run until Ctrl-C. Exit code 0: it ended so; 1: it cannot run; 2: settings that cannot be."""
    parser = argparse.ArgumentParser(prog="infra.local", description="The stack on a local AWS.")
    parser.add_argument("--home", type=Path, default=Path("cloud-home"), help="folder of state and logs")
    parser.add_argument("--port", type=int, default=4566, help="port of the local AWS")
    parser.add_argument("--instances", type=_some, default=2, help="processes that serve the API at once")
    parser.add_argument(
        "-c", "--context", action="append", default=[], metavar="NAME=VALUE", help="a setting"
    )
    args = parser.parse_args(argv)
    home = args.home.resolve()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)
    try:
        settings = _asked(given(args.context))
        aws = Ministack(home / "aws", port=args.port, keep=True)
        with Cloud(home, settings, aws=aws, instances=args.instances) as cloud:
            print(_told(cloud, home), flush=True)
            while True:
                signal.pause()
    except KeyboardInterrupt:
        print("Stopped; what it holds is kept.", flush=True)
    except BadSettings as error:
        print(error, file=sys.stderr)
        return 2
    except Unusable as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _end(*_: object) -> None:
    """Ctrl-C ends it, also while it starts; but what it holds is kept before that, whoever is impatient."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    print("Stopping; what it holds is being kept.", flush=True)
    raise KeyboardInterrupt


def _asked(typed: Mapping[str, Any]) -> Settings:
    """Raises BadSettings."""
    settings = read(typed)
    if own := [name for name in OWN if name in typed]:
        raise BadSettings(f"{', '.join(own)}: not to be chosen on a local AWS")
    if settings.trainer != "ecs":
        raise BadSettings(f"trainer: a local AWS has no {settings.trainer}; leave it out")
    return settings


def _some(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} would answer nobody: one or more")
    return number


def _told(cloud: Cloud, home: Path) -> str:
    return TEXT.format(
        name=cloud.settings.deployment,
        url=cloud.url,
        host=cloud.host,
        key=_key(cloud, home / KEY),
        endpoint=cloud.aws.endpoint,
        region=REGION,
        uploads=cloud.outputs["UploadsBucket"],
        logs=cloud.logs,
        home=home,
    )


def _key(cloud: Cloud, file: Path) -> str:
    """An operator's key, made in the first run and kept beside the state that it opens."""
    if not file.exists():
        text = cloud.key_for("local-operator")
        file.touch(mode=0o600)
        file.write_text(text)
    return file.read_text()


if __name__ == "__main__":
    sys.exit(main())
