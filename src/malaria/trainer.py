"""The training entry point: run one job, here or in a container. `python -m training_job --job ID`."""

import argparse
import logging
import signal
import sys
import threading
from collections.abc import Sequence
from types import FrameType

from malaria import retrain, wiring
from malaria.errors import MalariaError
from malaria.services import Services

log = logging.getLogger("malaria.trainer")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a job to its end. Exit code 0: the job ended and its row says how; 1: it failed; 75: try later."""
    parser = argparse.ArgumentParser(prog="training_job", description="Run one retraining job.")
    parser.add_argument("--job", required=True, help="id of the job")
    parser.add_argument("--attempt", type=int, default=1, help="which try this is")
    args = parser.parse_args(argv)
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    stop = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    return run(wiring.local(), args.job, args.attempt, stop)


def run(services: Services, job_id: str, attempt: int, stop: threading.Event) -> int:
    try:
        return 0 if retrain.run(services, job_id, attempt, stop) else 75
    except MalariaError as error:
        log.error("job %s failed: %s", job_id, error)
        return 1
