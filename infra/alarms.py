"""What an operator is woken for: alarms to one topic, and a budget."""

from collections.abc import Sequence

from aws_cdk import Aws, Duration
from aws_cdk import aws_budgets as budgets
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk.aws_sns_subscriptions import EmailSubscription
from constructs import Construct

from infra import figures, reasons
from infra.figures import HOUR, SOON, Figures
from infra.queues import Queues
from infra.serving import Serving
from infra.settings import Settings
from malaria import metric_names as names

LATE_SECONDS = 900
"""How old the oldest message of the queue may grow."""


class Alarms(Construct):
    """release: those that speak against new code, and roll it back where the settings ask for a canary."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        settings: Settings,
        serving: Serving,
        queues: Queues,
        others: Sequence[lambda_.IFunction],
    ) -> None:
        super().__init__(scope, name)
        self._settings, self._of = settings, Figures(settings)
        self.topic = sns.Topic(self, "Topic", enforce_ssl=settings.require_tls)
        reasons.accept(self.topic, "SNS2")
        self.topic.add_to_resource_policy(self._may_publish("cloudwatch.amazonaws.com"))
        if settings.alarm_email:
            self.topic.add_subscription(EmailSubscription(settings.alarm_email))
        self.all: list[cloudwatch.Alarm] = []
        self.release = self._of_serving(serving)
        self._of_queues(queues)
        self._of_functions(others)
        self._of_jobs()
        self._of_answers()
        if settings.canary:
            self._of_canary()
        if settings.monthly_budget:
            self._budget(settings.monthly_budget)

    def _of_serving(self, serving: Serving) -> list[cloudwatch.Alarm]:
        errors = serving.api.metric_server_error(period=SOON, statistic="Sum")
        slow = serving.api.metric_latency(period=SOON, statistic="p99")
        return [
            self._alarm("ServerErrors", errors, 5, "The API answered 5xx more than 5 times in 5 minutes."),
            self._alarm(
                "Slow",
                slow,
                self._settings.alarm_latency_ms,
                "One request in a hundred took too long.",
                periods=3,
            ),
            self._alarm(
                "Crashes", serving.alias.metric_errors(period=SOON), 0, "The API's function crashed."
            ),
            self._alarm("Throttled", figures.throttles(serving.function), 0, "Lambda turned requests away."),
        ]

    def _of_queues(self, queues: Queues) -> None:
        self._alarm("DeadLetters", figures.waiting(queues.dead), 0, "Uploads could not be taken in.")
        self._alarm("Undelivered", figures.waiting(queues.undelivered), 0, "Events could not be delivered.")
        age = queues.work.metric_approximate_age_of_oldest_message(period=SOON, statistic="Maximum")
        self._alarm("Late", age, LATE_SECONDS, "An upload waits to be taken in for over 15 minutes.")

    def _of_functions(self, others: Sequence[lambda_.IFunction]) -> None:
        for one in others:
            errors = one.metric_errors(period=SOON, statistic="Sum")
            self._alarm(
                f"{one.node.id}Errors", errors, 2, f"{one.node.id} failed more than twice in 5 minutes."
            )

    def _of_jobs(self) -> None:
        lost = self._of.own(names.UNACCOUNTED_UPLOADS, "Maximum")
        self._alarm(
            "JobFailed", self._of.own(names.JOBS_FAILED), 0, "A retraining failed; its receipt says why."
        )
        self._alarm("Unaccounted", lost, 0, "An upload lies in its bucket and no job knows of it.")

    def _of_answers(self) -> None:
        settings, far = self._settings, self._of.own(names.FEATURE_DISTANCE, "p90", HOUR)
        share = self._of.review_share()
        self._alarm("Review", share, settings.alarm_review_share, "Many pictures are sent to a person.")
        self._alarm("Drift", far, settings.alarm_drift, "Pictures are unlike those learnt from.", periods=3)
        looks = self._of.own(names.IMAGE_DEVIATION, "p50", HOUR)
        self._alarm("Looks", looks, 3, "Brightness or colour is unlike that learnt from.", periods=3)

    def _of_canary(self) -> None:
        """Here silence is an alarm: a canary that is not sent, or fails itself, tells of nothing. So it needs
        none of its own errors, of which one call in five minutes would never make enough."""
        every = Duration.minutes(self._settings.canary_minutes)
        alarm = cloudwatch.Alarm(
            self,
            "Canary",
            metric=self._of.own(names.CANARY_OK, "Minimum", every),
            threshold=1,
            comparison_operator=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            evaluation_periods=2,
            treat_missing_data=cloudwatch.TreatMissingData.BREACHING,
            alarm_description=f"{self._settings.deployment}: Known cells were not answered twice.",
        )
        self._ring(alarm)

    def _alarm(
        self, name: str, metric: cloudwatch.IMetric, above: float, what: str, *, periods: int = 1
    ) -> cloudwatch.Alarm:
        """Rings when the metric is above a value for that many periods; silence is no alarm."""
        alarm = cloudwatch.Alarm(
            self,
            name,
            metric=metric,
            threshold=above,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            evaluation_periods=periods,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            alarm_description=f"{self._settings.deployment}: {what}",
        )
        return self._ring(alarm)

    def _ring(self, alarm: cloudwatch.Alarm) -> cloudwatch.Alarm:
        alarm.add_alarm_action(actions.SnsAction(self.topic))
        self.all.append(alarm)
        return alarm

    def _budget(self, dollars: int) -> None:
        """Of the whole account: costs by deployment need a tag that only the account's owner can activate."""
        self.topic.add_to_resource_policy(self._may_publish("budgets.amazonaws.com"))
        mailed = budgets.CfnBudget.SubscriberProperty(subscription_type="SNS", address=self.topic.topic_arn)
        budgets.CfnBudget(
            self,
            "Budget",
            budget=budgets.CfnBudget.BudgetDataProperty(
                budget_type="COST",
                time_unit="MONTHLY",
                budget_limit=budgets.CfnBudget.SpendProperty(amount=dollars, unit="USD"),
            ),
            notifications_with_subscribers=[
                budgets.CfnBudget.NotificationWithSubscribersProperty(
                    notification=budgets.CfnBudget.NotificationProperty(
                        comparison_operator="GREATER_THAN", notification_type=kind, threshold=100
                    ),
                    subscribers=[mailed],
                )
                for kind in ("ACTUAL", "FORECASTED")
            ],
        )

    def _may_publish(self, service: str) -> iam.PolicyStatement:
        return iam.PolicyStatement(
            principals=[iam.ServicePrincipal(service)],
            actions=["sns:Publish"],
            resources=[self.topic.topic_arn],
            conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
        )
