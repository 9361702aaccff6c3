"""Figures that functions and tasks tell in their logs become metrics, as CloudWatch makes them of its
embedded metric format; ministack keeps metrics, but reads no logs for them.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

_AT_ONCE = 500
"""Of the values that one call may bring."""


class Embedded:
    """Reads what is new in the logs of a folder at each `look`, and tells the metrics of it.

    cloudwatch: a boto3 client.
    """

    def __init__(self, cloudwatch: Any, logs: Path) -> None:
        self._cloudwatch, self._logs = cloudwatch, logs
        self._read: dict[Path, int] = {}

    def look(self) -> None:
        for path in sorted(self._logs.glob("*.log")):
            for line in self._new_lines(path):
                for namespace, data in found(line):
                    self._tell(namespace, data)

    def _new_lines(self, path: Path) -> list[bytes]:
        """The whole lines that were added since the last look."""
        with path.open("rb") as file:
            file.seek(self._read.get(path, 0))
            new = file.read()
        whole = new[: new.rfind(b"\n") + 1]
        self._read[path] = self._read.get(path, 0) + len(whole)
        return whole.splitlines()

    def _tell(self, namespace: str, data: list[dict[str, Any]]) -> None:
        for start in range(0, len(data), _AT_ONCE):
            self._cloudwatch.put_metric_data(Namespace=namespace, MetricData=data[start : start + _AT_ONCE])


def found(line: bytes) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The namespaces of a log line, each with its values as PutMetricData takes them; nothing for any other
    line."""
    if b'"_aws"' not in line:
        return
    try:
        told = json.loads(line)
        directives = told["_aws"]["CloudWatchMetrics"]
    except (ValueError, KeyError, TypeError):
        return
    for directive in directives:
        yield (
            directive["Namespace"],
            [
                datum
                for metric in directive["Metrics"]
                for names in directive["Dimensions"]
                for datum in _data(told, metric, names)
            ],
        )


def _data(
    told: Mapping[str, Any], metric: Mapping[str, str], dimensions: list[str]
) -> Iterator[dict[str, Any]]:
    values = told.get(metric["Name"], ())
    for value in values if isinstance(values, list) else [values]:
        yield {
            "MetricName": metric["Name"],
            "Unit": metric.get("Unit", "None"),
            "Value": value,
            "Timestamp": told["_aws"]["Timestamp"] / 1000,
            "Dimensions": [{"Name": name, "Value": str(told[name])} for name in dimensions],
        }
