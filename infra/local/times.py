"""How long it takes from an upload in the bucket to the model that is served, on a local AWS.

`python -m infra.local.times docs/results/cloud` deploys the stack, puts the cells of a made laboratory into
the bucket, and reads when what happened from the job's row and from what the API serves. Each round is
rolled back before the next. Processes start here in the place of images, so what AWS takes to place and
load them is not in it.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import httpx

from infra.local.cloud import Cloud
from infra.local.ministack import Ministack, Unusable
from malaria import synthetic
from malaria.report import Made, Table, write
from malaria.tours import asking, demo
from malaria.tours.demo import Stuck

STEPS = {
    "row": "the job's row is written",
    "running": "the training runs",
    "published": "the verdict is given, the model kept and promoted",
    "served": "the API answers by it",
}
"""What is waited for after the object is in the bucket, in order."""
_PATIENCE = 900.0


def once(http: httpx.Client, put: Callable[[str], None], name: str) -> dict[str, float]:
    """Seconds from when `put` has put the upload of that name to each of STEPS, by the name of the step.

    Raises Stuck where the job does not end within a quarter of an hour, or its model is not accepted.
    """
    before = _served(http)
    put(name)
    begun = datetime.now(UTC)
    job = _until(lambda: _ended(http, name), f"the job of {name} has not ended")
    if job["verdict"] != "accepted":
        raise Stuck(f"The new model was not accepted ({job['reason']}), so nothing can be timed to its end.")
    _until(lambda: _served(http) == job["version"], f"{job['version']} is not served")
    now = datetime.now(UTC)
    asking.read(http.post("/models/rollback", json={"actor": "times", "reason": "the round is over"}))
    _until(lambda: _served(http) == before, f"{before} is not served again")
    when = {
        "row": datetime.fromisoformat(job["created"]),
        "running": datetime.fromisoformat(job["started"]),
        "published": datetime.fromisoformat(job["finished"]),
        "served": now,
    }
    return {step: (when[step] - begun).total_seconds() for step in STEPS}


def _put(cloud: Cloud, archive: bytes, name: str) -> None:
    bucket = cloud.outputs["UploadsBucket"]
    cloud.aws.client("s3").put_object(Bucket=bucket, Key=f"incoming/{name}", Body=archive)


def _served(http: httpx.Client) -> str:
    return str(asking.read(http.get("/model/info"))["version"])


def _ended(http: httpx.Client, name: str) -> dict[str, Any] | None:
    tasks = asking.read(http.get("/retrain/tasks"))["tasks"]
    return next((dict(task) for task in tasks if task["name"] == name and task["finished"]), None)


def _until(look: Callable[[], Any], otherwise: str) -> Any:
    deadline = time.monotonic() + _PATIENCE
    while not (found := look()):
        if time.monotonic() > deadline:
            raise Stuck(f"After {_PATIENCE:.0f} s {otherwise}.")
        time.sleep(0.25)
    return found


def measured(rounds: int, count: int, seed: int, say: Callable[[str], None]) -> list[dict[str, float]]:
    """That many rounds on a deployment of their own, each with fresh cells, told as they end. Raises
    Unusable and Stuck."""
    found: list[dict[str, float]] = []
    with (
        tempfile.TemporaryDirectory() as home,
        Cloud(Path(home), aws=Ministack(Path(home) / "aws", enforce=True)) as cloud,
    ):
        headers = {"Host": cloud.host, "Authorization": f"Bearer {cloud.key_for('times')}"}
        with httpx.Client(base_url=cloud.aws.endpoint, headers=headers, timeout=60) as http:
            for at in range(rounds):
                archive = demo.upload(list(synthetic.generate(count, seed=seed + at)))
                found.append(once(http, partial(_put, cloud, archive), f"round-{at + 1}.zip"))
                told = ", ".join(f"{step} {seconds:.1f} s" for step, seconds in found[-1].items())
                say(f"round {at + 1} of {rounds}: {told}")
    return found


def table(found: Sequence[dict[str, float]]) -> Table:
    """Medians over the rounds, with the shortest and the longest."""
    rows: list[list[object]] = []
    for step, what in STEPS.items():
        seconds = [one[step] for one in found]
        rows.append([what, f"{median(seconds):.1f}", f"{min(seconds):.1f} to {max(seconds):.1f}"])
    note = (
        "A warm API looks for a new promotion every 20 s. What AWS takes to place a task and to load images "
        "is not in it."
    )
    return Table("Seconds after the object is in the bucket", ["", "median", "all rounds"], rows, note)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="infra.local.times", description="From upload to served model, timed."
    )
    parser.add_argument("out", type=Path, help="folder of report.json and report.md")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cells", type=int, default=480, help="how many cells are uploaded each time")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args(argv)
    try:
        found = measured(args.rounds, args.cells, args.seed, print)
    except (Unusable, Stuck) as error:
        print(error, file=sys.stderr)
        return 1
    chosen = f"--rounds {args.rounds} --cells {args.cells} --seed {args.seed}"
    made = Made(
        f"python -m infra.local.times {args.out} {chosen}",
        {},
        args.seed,
        datetime.now(UTC).replace(microsecond=0),
        further={"cores here": os.cpu_count(), "cells of each upload": args.cells},
    )
    write(
        args.out,
        "From an upload to the served model, on a local AWS",
        made,
        {"rounds": found},
        [table(found)],
        None,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
