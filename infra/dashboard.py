"""The dashboard that an operator pins: traffic, answers, drift, jobs, dead letters, and what costs."""

from collections.abc import Sequence

from aws_cdk import Aws, Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra import figures
from infra.alarms import Alarms
from infra.figures import HOUR, SOON, Figures
from infra.queues import Queues
from infra.retraining import Retraining
from infra.serving import Serving
from infra.settings import Settings
from infra.storage import Storage
from malaria import metric_names as names

WIDTH, THIRD, HEIGHT = 24, 8, 6


class Dashboard(Construct):
    def __init__(
        self,
        scope: Construct,
        name: str,
        settings: Settings,
        *,
        serving: Serving,
        retraining: Retraining,
        queues: Queues,
        storage: Storage,
        alarms: Alarms,
    ) -> None:
        super().__init__(scope, name)
        self._of = Figures(settings)
        # A name that an operator finds: the dashboards of all regions of an account stand in one list.
        self._board = cloudwatch.Dashboard(
            self,
            "Board",
            dashboard_name=f"{settings.deployment}-{Aws.REGION}",
            period_override=cloudwatch.PeriodOverride.AUTO,
        )
        self._board.add_widgets(cloudwatch.AlarmStatusWidget(title="Alarms", alarms=alarms.all, width=WIDTH))
        self._traffic(serving)
        self._answers()
        self._drift()
        if settings.canary:
            self._canary(settings)
        self._jobs(queues)
        self._process()
        self._costs(serving, retraining, storage)

    @property
    def name(self) -> str:
        return self._board.dashboard_name

    def _traffic(self, serving: Serving) -> None:
        api = serving.api
        self._row(
            "Traffic",
            Requests=[api.metric_count(period=SOON, statistic="Sum"), self._of.drawn(names.COLD_STARTS)],
            Latency=[api.metric_latency(period=SOON, statistic=of, label=of) for of in ("p50", "p95", "p99")],
            Errors=[
                api.metric_client_error(period=SOON, statistic="Sum"),
                api.metric_server_error(period=SOON, statistic="Sum"),
                figures.throttles(serving.function),
            ],
        )

    def _answers(self) -> None:
        of = self._of
        self._row(
            "Answers",
            Classes=[of.drawn(one) for one in (names.PARASITIZED, names.UNINFECTED, names.NOT_A_CELL)],
            Confidence=[of.drawn(names.CONFIDENCE, statistic) for statistic in ("p5", "p50")],
            Review=[of.share(one) for one in (names.REVIEW, names.LOW_CONFIDENCE, names.NOT_A_CELL)],
        )

    def _drift(self) -> None:
        of = self._of
        self._row(
            "Drift",
            Features=[of.drawn(names.FEATURE_DISTANCE, statistic, HOUR) for statistic in ("p50", "p90")],
            Looks=[of.drawn(names.IMAGE_DEVIATION, statistic, HOUR) for statistic in ("p50", "p90")],
            Network=[of.drawn(names.PREDICT_TIME, statistic) for statistic in ("p50", "p99")],
        )

    def _canary(self, settings: Settings) -> None:
        every = Duration.minutes(settings.canary_minutes)
        self._row(
            "Canary",
            Answered=[self._of.drawn(names.CANARY_OK, "Minimum", every)],
            Waited=[self._of.drawn(names.CANARY_TIME, statistic, HOUR) for statistic in ("p50", "Maximum")],
        )

    def _jobs(self, queues: Queues) -> None:
        of = self._of
        states = (names.JOBS_SUCCEEDED, names.JOBS_FAILED, names.PROMOTIONS)
        looks = (names.JOBS_QUEUED, names.JOBS_RUNNING, names.UNACCOUNTED_UPLOADS)
        self._row(
            "Jobs",
            Jobs=[*(of.drawn(one) for one in states), *(of.drawn(one, "Maximum") for one in looks)],
            Duration=[of.drawn(names.JOB_TIME, "Average", HOUR), of.drawn(names.JOB_TIME, "Maximum", HOUR)],
            Queues=[figures.waiting(one) for one in (queues.work, queues.dead, queues.undelivered)],
        )

    def _process(self) -> None:
        of = self._of
        self._row(
            "What it takes to answer",
            Memory=[of.drawn(names.MEMORY, statistic) for statistic in ("p50", "Maximum")],
            Processor=[of.drawn(names.CPU_TIME)],
        )

    def _costs(self, serving: Serving, retraining: Retraining, storage: Storage) -> None:
        functions = (serving.function, *retraining.functions)
        tables = (storage.jobs, storage.feedback)
        units = ("ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits")
        self._row(
            "What costs",
            Pictures=[self._of.drawn(names.PICTURES, over=HOUR)],
            Functions=[
                one.metric_duration(period=HOUR, statistic="Sum", label=one.node.id) for one in functions
            ],
            Tables=[figures.consumed(table, unit) for table in tables for unit in units],
        )

    def _row(self, title: str, **graphs: Sequence[cloudwatch.IMetric]) -> None:
        self._board.add_widgets(cloudwatch.TextWidget(markdown=f"## {title}", width=WIDTH, height=1))
        self._board.add_widgets(
            *(
                cloudwatch.GraphWidget(title=name, left=list(metrics), width=THIRD, height=HEIGHT)
                for name, metrics in graphs.items()
            )
        )
