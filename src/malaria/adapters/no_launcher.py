"""The launcher of a process that may not start trainings, such as the API on AWS."""

from malaria.domain import Method
from malaria.errors import Busy


class NoLauncher:
    """A TrainingLauncher that starts nothing and buries nothing. where: where a person reads of a run."""

    def __init__(self, where: str) -> None:
        self._where = where

    def launch(self, job_id: str, attempt: int, method: Method = Method.AUTO) -> str:  # noqa: ARG002
        raise Busy("This process may not start trainings; the one that looks after the queue will.")

    def alive(self, handle: str) -> bool:  # noqa: ARG002
        """Nothing is known here against it."""
        return True

    def stop(self, handle: str) -> None:
        """Nothing: a process whose job was cancelled finds its row so, and ends by itself."""

    def log(self, job_id: str) -> str:
        return f"job {job_id} in {self._where}"
