"""Logs of a training in a container of AWS: one JSON object a line, as those of the functions are."""

import json
import logging
from datetime import UTC, datetime
from typing import Any


class Structured(logging.Formatter):
    """Lines under the id of the job, by which those of functions and trainings are found together."""

    def __init__(self, job_id: str) -> None:
        super().__init__()
        self._job_id = job_id

    def format(self, record: logging.LogRecord) -> str:
        told: dict[str, Any] = {
            "level": record.levelname,
            "location": record.name,
            "message": record.getMessage(),
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "service": "training",
            "job": self._job_id,
            "correlation_id": self._job_id,
        }
        if record.exc_info:
            told["exception"] = self.formatException(record.exc_info)
        return json.dumps(told)
