"""What a deployment on AWS tells its parts, typed; read from the environment as MALARIA_AWS_<NAME>.

The stack in infra/ writes these; nobody sets them by hand. Each part gets those that it needs, so most may be
absent, and whoever needs one that is absent says its name.
"""

from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from malaria.errors import BadOptions

PREFIX = "MALARIA_AWS_"
INCOMING = "incoming/"
"""Below it an object in the bucket of uploads is an upload; whatever else lies there starts nothing."""
CONTAINER = "training"
"""Name of the container in the ECS tasks of the trainings: the launcher says what it runs."""


class AwsSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, populate_by_name=True)

    deployment: str = Field("malaria", description="Name of the deployment: starts names and metrics.")
    metered: bool = Field(
        False,
        description="Whether figures are written to the standard output, where CloudWatch reads them. For "
        "functions and tasks; a person at a command line would find them among the answers.",
    )
    endpoint: str | None = Field(
        None,
        validation_alias="AWS_ENDPOINT_URL",
        description="Of a local stand-in of AWS; None: AWS itself. Read as AWS_ENDPOINT_URL, as boto3 does.",
    )

    api_id: str | None = Field(None, description="Id of the HTTP API, under which AWS tells of requests.")
    canary: bool = Field(False, description="Whether the API provides a key for the canary.")
    canary_url: str | None = Field(None, description="Where the canary asks: the API's public address.")

    uploads_bucket: str | None = Field(None, description="Bucket of the uploads as they came.")
    models_bucket: str | None = Field(None, description="Bucket of shards, versions and promotions.")
    jobs_table: str | None = Field(None, description="DynamoDB table of the ledger of jobs.")
    feedback_table: str | None = Field(None, description="DynamoDB table of confirmed labels.")
    queue_url: str | None = Field(
        None, description="SQS queue that has the ledger looked at, and brings uploads."
    )

    dead_letters: str | None = Field(
        None, description="SQS queue of uploads that could not be taken in, for whoever sees to them."
    )
    undelivered: str | None = Field(None, description="SQS queue of events and calls that were lost.")
    lost_minutes: int = Field(
        10, ge=0, description="Minutes after which an upload that has no job was lost on its way."
    )

    trainer: Literal["ecs", "sagemaker"] = Field("ecs", description="Where trainings run.")
    max_runtime: int = Field(4 * 3600, ge=60, description="Seconds after which a training is stopped.")
    log_group: str = Field("/malaria/training", description="CloudWatch log group of the trainings.")
    subnets: tuple[str, ...] = Field((), description="Subnets of the trainings.")
    security_groups: tuple[str, ...] = Field((), description="Security groups of the trainings.")

    cluster: str | None = Field(None, description="ECS cluster of the trainings.")
    adapt_task: str | None = Field(None, description="ECS task definition for `adapt` and `auto`.")
    full_task: str | None = Field(None, description="ECS task definition for `full`.")
    public_ip: bool = Field(True, description="Whether tasks get a public address, to reach AWS without NAT.")
    spot: bool = Field(
        False, description="Whether first tries run on spare capacity, which may be taken away."
    )

    training_role: str | None = Field(None, description="Role that SageMaker jobs take on.")
    adapt_image: str | None = Field(None, description="Image of SageMaker jobs for `adapt` and `auto`.")
    full_image: str | None = Field(None, description="Image of SageMaker jobs for `full`.")
    adapt_instance: str = Field("ml.m5.large", description="Instance type of SageMaker jobs for `adapt`.")
    full_instance: str = Field("ml.m5.2xlarge", description="Instance type of SageMaker jobs for `full`.")
    volume_gb: int = Field(30, ge=1, description="Disk of a SageMaker job, GB.")

    def need(self, name: str) -> str:
        """A text setting that must be there. Raises BadOptions, naming its variable."""
        found = getattr(self, name)
        if not isinstance(found, str) or not found:
            raise BadOptions(f"{PREFIX}{name.upper()} is not set; the stack's outputs tell it.")
        return found
