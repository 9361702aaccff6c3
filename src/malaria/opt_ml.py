"""What SageMaker lays before a training, and where it looks for what went wrong: /opt/ml."""

import json
from pathlib import Path

from malaria.errors import BadOptions

ROOT = Path("/opt/ml")
TRAIN = "train"
"""The argument with which SageMaker runs a training image."""
_LONGEST = 1024
"""Characters of a failure's reason that SageMaker shows."""


def arguments(root: Path) -> list[str]:
    """The command line that stands for a training job's hyperparameters. Raises BadOptions."""
    path = root / "input" / "config" / "hyperparameters.json"
    try:
        told = json.loads(path.read_text())
        return ["--job", _text(told["job"]), "--attempt", _text(told["attempt"])]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadOptions(
            f"{path} does not tell a job and its attempt ({type(error).__name__}: {error})."
        ) from error


def tell_failure(root: Path, reason: str) -> None:
    """Leave the reason where SageMaker reads it, as far as it does."""
    path = root / "output" / "failure"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(reason[:_LONGEST])


def _text(value: object) -> str:
    """A hyperparameter, which some clients write as JSON once more."""
    text = str(value)
    return str(json.loads(text)) if text.startswith('"') else text
