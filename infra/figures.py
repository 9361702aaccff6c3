"""The figures that the dashboard draws and the alarms watch: the application's own, and those of AWS."""

from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs

from infra.settings import Settings
from malaria.metric_names import DIMENSION, NAMESPACE, PICTURES, REVIEW, Metric

SOON, HOUR = Duration.minutes(5), Duration.hours(1)


@dataclass(frozen=True)
class Figures:
    settings: Settings

    def own(self, of: Metric, statistic: str = "Sum", over: Duration = SOON) -> cloudwatch.Metric:
        """A metric of the application, for an alarm. statistic: CloudWatch's word, such as "Sum" or "p50"."""
        return cloudwatch.Metric(
            namespace=NAMESPACE,
            metric_name=of.name,
            dimensions_map={DIMENSION: self.settings.deployment},
            statistic=statistic,
            period=over,
        )

    def drawn(self, of: Metric, statistic: str = "Sum", over: Duration = SOON) -> cloudwatch.IMetric:
        """The same for a graph, which says what each line is; an alarm that did would be a formula."""
        label = f"{of.name} {statistic}" if statistic != "Sum" else of.name
        return self.own(of, statistic, over).with_(label=label)

    def share(self, of: Metric, over: Duration = SOON, *, least: int = 0) -> cloudwatch.MathExpression:
        """Which share of the pictures it was, 0 to 1. least: 0 is told where fewer pictures were answered."""
        part = of.name.lower()  # a graph may have several, and each needs a name of its own
        return cloudwatch.MathExpression(
            expression=f"IF(pictures > {least}, {part} / pictures, 0)",
            using_metrics={part: self.own(of, over=over), "pictures": self.own(PICTURES, over=over)},
            period=over,
            label=f"{of.name} share",
        )

    def review_share(self) -> cloudwatch.MathExpression:
        """Over an hour of at least 50 pictures: of fewer a share says little."""
        return self.share(REVIEW, HOUR, least=49)


def waiting(queue: sqs.IQueue) -> cloudwatch.Metric:
    return queue.metric_approximate_number_of_messages_visible(period=SOON, statistic="Maximum")


def throttles(function: lambda_.IFunction) -> cloudwatch.Metric:
    return function.metric_throttles(period=SOON, statistic="Sum")


def consumed(table: dynamodb.ITableV2, what: str) -> cloudwatch.Metric:
    """what: 'ConsumedReadCapacityUnits' or 'ConsumedWriteCapacityUnits'."""
    return cloudwatch.Metric(
        namespace="AWS/DynamoDB",
        metric_name=what,
        dimensions_map={"TableName": table.table_name},
        statistic="Sum",
        period=HOUR,
    )
