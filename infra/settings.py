"""Every setting of a deployment, typed and documented; read from the CDK's context.

`-c name=value` on the command line, or "name": value under "context" in cdk.json (docs/deployment.md).
"""

import difflib
import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails

from infra import fargate
from malaria.settings import Settings as AppSettings

_DAYS, _YEARS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180), (1096, 1827, 2192, 2557, 2922, 3288, 3653)
LOG_DAYS = (*_DAYS, 365, 400, 545, 731, *_YEARS)
"""What CloudWatch Logs can keep a log for."""
LARGEST = 4 * 2**30
"""Bytes of an upload that a function can copy, with 10 GB of disk at most."""
_NOT_OURS = re.compile(r"[:@/]|^(?![a-z_]+$)")
_ORIGIN = re.compile(r"https?://[^/\s*?#@]+")
_OF_THE_STACK = ("access", "home", "allowed_hosts", "host", "port", "ui", "signing_key")


class BadSettings(Exception):
    """The context names what is no setting, or a value that cannot be."""


def _listed(value: object) -> object:
    """`a,b` of the command line, or a list of cdk.json."""
    return tuple(one.strip() for one in value.split(",") if one.strip()) if isinstance(value, str) else value


def _mapped(value: object) -> object:
    """`NAME=value,NAME=value` or JSON of the command line, or an object of cdk.json."""
    if not isinstance(value, str):
        return value
    try:
        if value.lstrip().startswith("{"):
            return json.loads(value)
        return dict(one.strip().split("=", 1) for one in value.split(",") if one.strip())
    except ValueError:
        raise ValueError(
            f"{value} is neither NAME=value,NAME=value nor JSON, whose quotation marks a shell may take away"
        ) from None


Listed = Annotated[tuple[str, ...], BeforeValidator(_listed)]


class Settings(BaseModel):
    """A deployment's settings. The defaults give a new account the whole system at rest for a few dollars."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    deployment: str = Field(
        "malaria",
        pattern=r"^[a-z][a-z0-9-]{0,29}$",
        description="Name of the deployment and its stack. Others may stand beside it in an account.",
    )

    trainer: Literal["ecs", "sagemaker"] = Field(
        "ecs", description="Where trainings run: Fargate tasks or SageMaker training jobs."
    )
    architecture: Literal["x86_64", "arm64"] = Field(
        "x86_64", description="Processor of the functions. Trainings run on x86_64."
    )
    web: Literal["auto", "on", "off"] = Field(
        "auto", description="The web page behind CloudFront; auto: where ui/dist has been built."
    )

    api_memory: int = Field(
        1769, ge=512, le=10240, description="Memory of the API's function, MB; 1769 is one processor."
    )
    reserved_concurrency: int | None = Field(
        None,
        ge=1,
        description="Most instances of the API at once, kept free for it; None: as many as the account has. "
        "A new account has 10, of which none can be reserved.",
    )
    provisioned_concurrency: int = Field(
        0, ge=0, description="Instances of the API kept warm, paid by the hour."
    )
    throttle_rate: int = Field(100, ge=1, description="Requests per second that the API takes over time.")
    throttle_burst: int = Field(200, ge=1, description="Requests that the API takes at once.")
    origins: Listed = Field((), description="Origins of pages elsewhere that browsers may send uploads from.")
    jwt_issuer: str | None = Field(
        None,
        pattern=r"^https://",
        description="Who signs the tokens that callers send, such as an address of Cognito; None: callers "
        "send keys (`malaria keys add`). The scopes of a token are those of keys.",
    )
    jwt_audience: Listed = Field((), description="Audiences of tokens that are let in; goes with jwt_issuer.")
    release: Literal["at-once", "canary"] = Field(
        "at-once",
        description="How new code takes over; canary: a tenth of the requests for five minutes, and back if "
        "an alarm rings.",
    )
    environment: Annotated[dict[str, str], BeforeValidator(_mapped)] = Field(
        {},
        description="Settings of the application (docs/operate.md) by name without MALARIA_: "
        "KEEP_DAYS=30,RETRAIN_CONFIRMED=200, or JSON. No secrets.",
    )

    network: Literal["public", "private"] = Field(
        "public",
        description="public: trainings have a public address and take nothing in; private: no way out but "
        "endpoints, paid by the hour. Neither needs a NAT gateway.",
    )
    spot: bool = Field(
        False,
        description="First tries run on spare capacity, cheaper and taken away at times; where there "
        "is none, they run without.",
    )
    max_runtime: int = Field(
        4 * 3600, ge=600, le=5 * 86400, description="Seconds after which a training is stopped."
    )
    adapt_cpu: int = Field(
        1024, description="CPU units of a Fargate task for `adapt`; 1024 is one processor."
    )
    adapt_memory: int = Field(4, description="Memory of that task, GB.")
    full_cpu: int = Field(8192, description="CPU units of a Fargate task for `full`.")
    full_memory: int = Field(32, description="Memory of that task, GB.")
    task_disk: int = Field(
        40, ge=21, le=200, description="Disk of a Fargate task, GB; it holds the image, too."
    )
    adapt_instance: str = Field(
        "ml.m5.large", pattern=r"^ml\.", description="Instance type of SageMaker jobs for `adapt`."
    )
    full_instance: str = Field(
        "ml.m5.2xlarge", pattern=r"^ml\.", description="Instance type of SageMaker jobs for `full`."
    )
    volume_gb: int = Field(30, ge=1, description="Disk of a SageMaker job, GB.")
    reconcile_minutes: int = Field(
        5, ge=1, le=1440, description="Minutes between two looks for what was lost on its way."
    )
    lost_minutes: int = Field(
        10,
        ge=0,
        le=1440,
        description="Minutes after which an upload that has no job was lost on its way: its event is told "
        "within seconds, if at all.",
    )

    canary_minutes: int = Field(
        5,
        ge=0,
        le=60,
        description="Minutes between two times that the API is asked for two known cells through its public "
        "address; 0: never. None is sent where callers send tokens, or on a stand-in of AWS.",
    )

    keep_data: bool = Field(
        True,
        description="Buckets and tables outlive the stack. False: they go with it, if the buckets are empty.",
    )
    raw_upload_days: int = Field(
        90, ge=7, description="Days for which uploads are kept as they came; their cells stay as datasets."
    )
    noncurrent_days: int = Field(
        90, ge=30, description="Days for which an object that was overwritten or deleted can be brought back."
    )
    log_days: int = Field(90, description="Days for which logs are kept.")

    alarm_email: str | None = Field(
        None,
        pattern=r"^[^@\s]+@[^@\s]+$",
        description="Who hears of alarms; confirms by a link in a first mail.",
    )
    alarm_latency_ms: int = Field(
        3000,
        ge=100,
        description="Slowest request in a hundred over 5 minutes, ms, beyond which an alarm rings.",
    )
    alarm_review_share: float = Field(
        0.3,
        gt=0,
        le=1,
        description="Share of pictures sent to a person, over an hour, beyond which one rings.",
    )
    alarm_drift: float = Field(
        1.0,
        gt=0,
        description="Distance from what the model learnt that one picture in ten exceeds, over three hours, "
        "beyond which one rings; 1 is what one in twenty of its own cells exceed.",
    )
    monthly_budget: int = Field(
        100,
        ge=0,
        description="US dollars a month that the ACCOUNT may cost before a mail is sent; 0: no budget.",
    )
    xray: bool = Field(False, description="X-Ray traces of the functions.")

    require_tls: bool = Field(
        True,
        description="Refuse plain HTTP; off only for a local stand-in of AWS, which speaks nothing else.",
    )
    endpoint: str | None = Field(
        None, pattern=r"^https?://", description="Address of a local stand-in of AWS; None: AWS itself."
    )

    @property
    def application(self) -> AppSettings:
        """The application's settings, as far as they are told here."""
        told = {name.lower(): value for name, value in self.environment.items()}
        return AppSettings(**told)  # type: ignore[arg-type]

    @property
    def canary(self) -> bool:
        """Whether one is sent: it has a key, and needs an address that can be reached from AWS."""
        return bool(self.canary_minutes) and self.jwt_issuer is None and self.endpoint is None

    @field_validator("log_days")
    @classmethod
    def _can_be_kept(cls, days: int) -> int:
        if days not in LOG_DAYS:
            nearest = min(LOG_DAYS, key=lambda known: abs(known - days))
            raise ValueError(f"logs cannot be kept for {days} days; the nearest that can be is {nearest}")
        return days

    @field_validator("origins")
    @classmethod
    def _are_origins(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        for one in given:
            if not _ORIGIN.fullmatch(one):
                raise ValueError(f"{one} is no origin; one is written https://page.example, without a path")
        return given

    @field_validator("environment")
    @classmethod
    def _known(cls, given: dict[str, str]) -> dict[str, str]:
        for name in given:
            if name in map(str.upper, _OF_THE_STACK):
                raise ValueError(f"{name} is the stack's own, or a secret, and cannot be set here")
            if name.lower() not in AppSettings.model_fields or not name.isupper():
                raise ValueError(f"{name} is no setting of the application; docs/operate.md lists them")
        told = AppSettings(**{name.lower(): value for name, value in given.items()})  # type: ignore[arg-type]
        if told.max_upload_bytes > LARGEST:
            raise ValueError(f"MAX_UPLOAD_BYTES is at most {LARGEST}: a function has disk for no more")
        return given

    @model_validator(mode="after")
    def _fits(self) -> "Settings":
        for told in (
            fargate.wrong("adapt", self.adapt_cpu, self.adapt_memory),
            fargate.wrong("full", self.full_cpu, self.full_memory),
        ):
            if told:
                raise ValueError(told)
        if self.reserved_concurrency and self.provisioned_concurrency > self.reserved_concurrency:
            raise ValueError("provisioned_concurrency is more than reserved_concurrency, which bounds it")
        if bool(self.jwt_issuer) != bool(self.jwt_audience):
            raise ValueError("jwt_issuer and jwt_audience go together")
        if self.endpoint is None and not self.require_tls:
            raise ValueError("require_tls=false is for a local stand-in of AWS: name its endpoint, too")
        return self


def read(context: Mapping[str, Any]) -> Settings:
    """The settings that a CDK context names. Keys of the CDK's own are passed over.

    Raises BadSettings, one line for each thing that is wrong.
    """
    ours = {key: value for key, value in context.items() if not _NOT_OURS.search(key)}
    wrong = [_no_setting(key) for key in ours if key not in Settings.model_fields]
    wrong += [_no_setting(key) for key in context.keys() - ours.keys() if _plain(key) in _PLAIN]
    if wrong:
        raise BadSettings("\n".join(wrong))
    try:
        return Settings(**ours)
    except ValidationError as error:
        raise BadSettings("\n".join(map(_line, error.errors()))) from None


def _line(error: ErrorDetails) -> str:
    where = ".".join(map(str, error["loc"])) or "settings"
    return f"{where}: {error['msg'].removeprefix('Value error, ')}"


def _no_setting(key: str) -> str:
    near = difflib.get_close_matches(_PLAIN.get(_plain(key), key), Settings.model_fields, 1)
    return f"{key}: there is no such setting" + (f"; did you mean {near[0]}?" if near else "")


def _plain(key: str) -> str:
    """A name without what people write otherwise: logDays, log-days and LOG_DAYS are one."""
    return re.sub(r"[\s_-]", "", key).lower()


_PLAIN = {_plain(name): name for name in Settings.model_fields}
