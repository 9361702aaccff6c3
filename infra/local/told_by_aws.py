"""Figures that AWS tells of its own parts, and ministack does not: of the gateway, of an alias, of queues."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from infra.local.lambdas import Function, Served


@dataclass(frozen=True)
class Gateway:
    """An HTTP API by its id, the function behind it, its name on AWS, and the alias that is called."""

    api: str
    function: Function
    called: str
    alias: str = "live"


class ToldByAws:
    """Tells at each `look` what came since the last one. cloudwatch, sqs: boto3 clients. queues: URLs by
    name."""

    def __init__(self, cloudwatch: Any, sqs: Any, gateway: Gateway, queues: Mapping[str, str]) -> None:
        self._cloudwatch, self._sqs, self._gateway, self._queues = cloudwatch, sqs, gateway, queues

    def look(self) -> None:
        served = self._gateway.function.served()
        told = {
            "AWS/SQS": list(self._depths()),
            "AWS/ApiGateway": [datum for one in served for datum in self._of_the_gateway(one)],
            "AWS/Lambda": [datum for one in served for datum in self._of_the_alias(one)],
        }
        for namespace, data in told.items():
            if data:
                self._cloudwatch.put_metric_data(Namespace=namespace, MetricData=data)

    def _depths(self) -> Iterator[dict[str, Any]]:
        for name, url in self._queues.items():
            told = self._sqs.get_queue_attributes(
                QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"]
            )["Attributes"]
            depth = int(told["ApproximateNumberOfMessages"])
            yield _datum("ApproximateNumberOfMessagesVisible", depth, QueueName=name)

    def _of_the_gateway(self, one: Served) -> Iterator[dict[str, Any]]:
        api = {"ApiId": self._gateway.api}
        yield _datum("Count", 1, **api)
        yield _datum("Latency", one.seconds * 1000, "Milliseconds", **api)
        yield _datum("4xx", 400 <= one.status < 500, **api)
        yield _datum("5xx", one.status >= 500, **api)

    def _of_the_alias(self, one: Served) -> Iterator[dict[str, Any]]:
        name, alias = self._gateway.called, self._gateway.alias
        yield _datum("Errors", one.failed, FunctionName=name, Resource=f"{name}:{alias}")


def _datum(metric: str, value: float, unit: str = "Count", **dimensions: str) -> dict[str, Any]:
    return {
        "MetricName": metric,
        "Value": float(value),
        "Unit": unit,
        "Dimensions": [{"Name": name, "Value": told} for name, told in dimensions.items()],
    }
