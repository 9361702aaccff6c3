"""Figures of a deployment on AWS, asked of CloudWatch: the application's own, the gateway's, the canary's."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from malaria import metric_names as names
from malaria.adapters.aws_clients import Clients, told
from malaria.history import (
    CLIENT_ERRORS,
    LATENCY,
    QUANTILES,
    REQUESTS,
    SERVER_ERRORS,
    UP,
    Course,
    Digest,
    Span,
    has_quantiles,
)
from malaria.metric_names import DIMENSION, NAMESPACE, Metric

GATEWAY = {REQUESTS: "Count", CLIENT_ERRORS: "4xx", SERVER_ERRORS: "5xx", LATENCY: "Latency"}
"""Names of what an HTTP API tells of itself."""
COUNT, SUM = "SampleCount", "Sum"
PERCENTILES = {f"p{100 * share:g}": share for share in QUANTILES}
AT_ONCE = 500
"""Queries that one call takes."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """One statistic of a metric, by steps or of all of the span."""

    metric: Metric
    stat: str
    whole: bool


class CloudWatchHistory:
    """A History. api: id of the HTTP API. canary: whether a canary tells if the deployment is there; where
    none does, nothing is known of UP."""

    def __init__(self, clients: Clients, deployment: str, api: Callable[[], str], *, canary: bool) -> None:
        self._clients, self._deployment, self._api, self._canary = clients, deployment, api, canary

    def read(self, metrics: Sequence[Metric], span: Span) -> Mapping[Metric, Course]:
        known = [metric for metric in metrics if metric is not UP or self._canary]
        asked = [
            _Asked(metric, stat, whole)
            for metric in known
            for stat in _stats(metric)
            for whole in (False, True)
        ]
        values = dict(self._values(asked, span))
        return {metric: _course(metric, values, span) for metric in known}

    def _values(self, asked: Sequence[_Asked], span: Span) -> Iterator[tuple[_Asked, dict[datetime, float]]]:
        client = self._clients.of("cloudwatch")
        for start in range(0, len(asked), AT_ONCE):
            part = asked[start : start + AT_ONCE]
            queries = [self._query(f"q{place}", one, span) for place, one in enumerate(part)]
            found: dict[str, dict[datetime, float]] = {query["Id"]: {} for query in queries}
            with told("CloudWatch"):
                pages = client.get_paginator("get_metric_data").paginate(
                    MetricDataQueries=queries, StartTime=span.start, EndTime=span.end
                )
                for result in (one for page in pages for one in page["MetricDataResults"]):
                    found[result["Id"]] |= dict(zip(result["Timestamps"], result["Values"], strict=True))
            yield from zip(part, found.values(), strict=True)

    def _query(self, name: str, one: _Asked, span: Span) -> dict[str, Any]:
        length = span.step * span.steps if one.whole else span.step
        return {
            "Id": name,
            "ReturnData": True,
            "MetricStat": {
                "Metric": self._named(one.metric),
                "Stat": one.stat,
                "Period": int(length.total_seconds()),
            },
        }

    def _named(self, metric: Metric) -> dict[str, Any]:
        if metric in GATEWAY:
            return _metric("AWS/ApiGateway", GATEWAY[metric], ApiId=self._api())
        name = names.CANARY_OK.name if metric is UP else metric.name
        return _metric(NAMESPACE, name, **{DIMENSION: self._deployment})


def _metric(namespace: str, name: str, **dimensions: str) -> dict[str, Any]:
    told = [{"Name": key, "Value": value} for key, value in dimensions.items()]
    return {"Namespace": namespace, "MetricName": name, "Dimensions": told}


def _stats(metric: Metric) -> tuple[str, ...]:
    return (COUNT, SUM, *PERCENTILES) if has_quantiles(metric) else (COUNT, SUM)


Values = Mapping[_Asked, Mapping[datetime, float]]


def _course(metric: Metric, values: Values, span: Span) -> Course:
    by_step: list[Digest | None] = [None] * span.steps
    told = {stat: values[_Asked(metric, stat, False)] for stat in _stats(metric)}
    for at in told[COUNT]:
        place = span.place(at)
        if place is not None:
            by_step[place] = _digest({stat: one.get(at) for stat, one in told.items()})
    whole = {stat: values[_Asked(metric, stat, True)] for stat in _stats(metric)}
    return Course(_together(whole), tuple(by_step))


def _digest(told: Mapping[str, float | None]) -> Digest | None:
    count = told[COUNT]
    if not count:
        return None
    quantiles = {share: value for stat, share in PERCENTILES.items() if (value := told.get(stat)) is not None}
    return Digest(count, told[SUM] or 0.0, quantiles)


def _together(told: Mapping[str, Mapping[datetime, float]]) -> Digest | None:
    """Of a whole span. CloudWatch may cut it in two where it begins at no multiple of its length; then a
    quantile is the mean of both, weighted by how many values each has."""
    parts = [_digest({stat: one.get(at) for stat, one in told.items()}) for at in sorted(told[COUNT])]
    known = [part for part in parts if part]
    count = sum(part.count for part in known)
    if not count:
        return None
    quantiles = {
        share: sum(part.count * part.quantiles[share] for part in known) / count
        for share in known[0].quantiles
        if all(share in part.quantiles for part in known)
    }
    return Digest(count, sum(part.total for part in known), quantiles)
