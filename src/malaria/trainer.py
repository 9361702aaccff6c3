"""The training entry point: run one job, here or in a container. `python -m training_job --job ID`.

On a laptop and under ECS the arguments, or MALARIA_JOB and MALARIA_ATTEMPT, say which job; under SageMaker
the one argument is `train`, and its hyperparameters do.
"""

import argparse
import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from malaria import opt_ml, retrain, wiring
from malaria.domain import JobState
from malaria.errors import MalariaError
from malaria.services import Services
from malaria.settings_aws import AwsSettings
from malaria.task_logs import Structured

log = logging.getLogger("malaria.trainer")

DONE, FAILED, LATER = 0, 1, 75
"""Exit codes: the job ended and its row says how; it failed and no row says so; another run is at work. To
SageMaker a job that failed is a failure, too: it shows a training job as its process ended."""
_TO_TELL = 120
"""Seconds before a platform would stop the training, in which the row is written."""


class Failure(Exception):
    """A training whose process has to say how it ended. code: of the process; its text is the reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


def main(argv: Sequence[str] | None = None, root: Path = opt_ml.ROOT) -> int:
    """Run a job to its end; one of the exit codes. root: where SageMaker tells of the job."""
    argv = sys.argv[1:] if argv is None else argv
    by_sagemaker = list(argv) == [opt_ml.TRAIN]
    try:
        _main(opt_ml.arguments(root) if by_sagemaker else argv, rows_suffice=not by_sagemaker)
    except Exception as error:
        known = isinstance(error, Failure | MalariaError)
        log.error("the training failed: %s", error, exc_info=not known)
        if by_sagemaker:
            opt_ml.tell_failure(root, str(error) if known else f"{type(error).__name__}; see the log.")
        return error.code if isinstance(error, Failure) else FAILED
    return DONE


def _main(argv: Sequence[str], *, rows_suffice: bool) -> None:
    args = _arguments(argv)
    _log_under(args.job)
    stop = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    services = wiring.by_environment()
    run(services, args.job, args.attempt, stop, _longest())
    if not rows_suffice and (ended := services.jobs.get(args.job)).state == JobState.FAILED:
        raise Failure(FAILED, ended.reason)


def run(
    services: Services, job_id: str, attempt: int, stop: threading.Event, longest: float | None = None
) -> None:
    """Run a job to its end. Raises Failure where it did not come to that."""
    if not retrain.run(services, job_id, attempt, stop, longest):
        raise Failure(LATER, f"Job {job_id} no longer waits, or another run is at work; nothing was done.")


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    job, attempt = os.environ.get("MALARIA_JOB"), int(os.environ.get("MALARIA_ATTEMPT", "1"))
    parser = argparse.ArgumentParser(prog="training_job", description="Run one retraining job.")
    parser.add_argument("--job", required=job is None, default=job, help="id of the job (MALARIA_JOB)")
    parser.add_argument("--attempt", type=int, default=attempt, help="which try this is (MALARIA_ATTEMPT)")
    return parser.parse_args(argv)


def _longest() -> float | None:
    """Seconds that a run may take: a little less than a platform would let it, so that its row says why."""
    if not wiring.deployed():
        return None
    allowed = AwsSettings().max_runtime
    return max(allowed - _TO_TELL, allowed / 2)


def _log_under(job_id: str) -> None:
    """Have every line name the job, by which the lines of many are told apart."""
    lines = logging.StreamHandler(sys.stderr)
    lines.setFormatter(Structured(job_id) if wiring.deployed() else logging.Formatter(_line(job_id)))
    logging.basicConfig(level=logging.INFO, handlers=[lines])


def _line(job_id: str) -> str:
    """How a line of the log reads on a laptop."""
    named = f"job {job_id}".replace("%", "%%")
    return f"%(asctime)s %(levelname)s {named} %(name)s %(message)s"
