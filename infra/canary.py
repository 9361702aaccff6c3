"""The canary: a function that a schedule sends through the public address, with a key that may only predict.

Its key lies in one object, which the API makes and this function alone reads beside it: so neither a secret
stands in a template, nor does any other part learn how keys are made. A leaked one answers pictures, and
nothing more.
"""

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from constructs import Construct

from infra import access
from infra.environment import environment
from infra.functions import function
from infra.queues import Queues
from infra.serving import Serving
from infra.settings import Settings
from infra.storage import Storage

KEY = f"{access.PRIVATE}canary.key"
SECONDS = 150
"""Three answers are waited for, 30 seconds each at most; the call ends after that, so that it can tell."""


class Canary(Construct):
    def __init__(
        self,
        scope: Construct,
        name: str,
        settings: Settings,
        storage: Storage,
        serving: Serving,
        queues: Queues,
    ) -> None:
        super().__init__(scope, name)
        self.function = function(
            self,
            "Canary",
            settings,
            handler="functions.canary.handler.handler",
            description="Asks whether cells are answered",
            environment=environment(
                settings, models_bucket=storage.models.bucket_name, canary_url=serving.url
            ),
            memory=512,
            seconds=SECONDS,
            dead_letter_queue=queues.undelivered,
            retry_attempts=0,  # the next one comes soon, and one that is late says nothing of now
        )
        access.allow(self.function, ["s3:GetObject"], [storage.models.arn_for_objects(KEY)])
        target = targets.LambdaFunction(self.function, dead_letter_queue=queues.undelivered, retry_attempts=0)
        events.Rule(
            self,
            "Sent",
            description="Ask whether cells are answered",
            schedule=events.Schedule.rate(Duration.minutes(settings.canary_minutes)),
            targets=[target],
        )
