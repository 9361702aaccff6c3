"""What functions and tasks are told, by the names under which the application reads it."""

import json
from collections.abc import Sequence

from infra.settings import Settings
from malaria.settings_aws import PREFIX, AwsSettings

HOME = "/tmp/malaria"  # noqa: S108 - the one folder that a function may write to
"""Where functions and tasks keep what they need while they run."""

Told = str | bool | int | Sequence[str]


def environment(settings: Settings, **told: Told) -> dict[str, str]:
    """The environment of one function or task: what all are told, and what it alone needs.

    told: by the names of AwsSettings. Raises ValueError for a name that is none.
    """
    common: dict[str, Told] = {"deployment": settings.deployment, "metered": True}
    own = {_name(name): _text(value) for name, value in (common | told).items()}
    if settings.endpoint:
        own["AWS_ENDPOINT_URL"] = settings.endpoint
    given = {f"MALARIA_{name}": value for name, value in settings.environment.items()}
    return {"MALARIA_HOME": HOME, "MALARIA_ALLOWED_HOSTS": json.dumps(["*"]), **given, **own}


def _name(field: str) -> str:
    known = AwsSettings.model_fields.get(field)
    if known is None or known.validation_alias is not None:
        raise ValueError(f"{field} is no setting of AwsSettings that the stack may tell")
    return f"{PREFIX}{field.upper()}"


def _text(value: Told) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value if isinstance(value, bool | int) else list(value))
