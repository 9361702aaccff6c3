"""Whether an alarm of CloudWatch rings, by the rules of its documentation: statistic and dimensions, periods
that must all breach, silence, and formulas with IF.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html
"""

import operator
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

COMPARE = {
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanOrEqualToThreshold": operator.le,
}

Alarm = Mapping[str, Any]
Period = tuple[datetime, datetime]
Read = Callable[[Mapping[str, Any], str, Period], float | None]
"""A metric (Namespace, MetricName, Dimensions) by a statistic in a period; None: nothing was told."""


def rings(alarm: Alarm, read: Read, now: datetime) -> bool:
    """Whether an alarm, as a template or DescribeAlarms tells it, is in the state ALARM."""
    seconds = seconds_of(alarm)
    latest = datetime.fromtimestamp(now.timestamp() // seconds * seconds, UTC)
    periods = [
        (latest - timedelta(seconds=seconds * back), latest - timedelta(seconds=seconds * (back - 1)))
        for back in range(int(alarm["EvaluationPeriods"]))
    ]
    return all(_breaches(alarm, _value(alarm, read, period)) for period in periods)


def seconds_of(alarm: Alarm) -> int:
    """How long each of its periods is."""
    if "Period" in alarm:
        return int(alarm["Period"])
    return next(int(one["MetricStat"]["Period"]) for one in alarm["Metrics"] if "MetricStat" in one)


def _breaches(alarm: Alarm, value: float | None) -> bool:
    if value is None:
        return bool(alarm["TreatMissingData"] == "breaching")
    return bool(COMPARE[alarm["ComparisonOperator"]](value, float(alarm["Threshold"])))


def _value(alarm: Alarm, read: Read, period: Period) -> float | None:
    if "MetricName" in alarm:
        return read(alarm, alarm.get("Statistic") or alarm["ExtendedStatistic"], period)
    parts = {
        one["Id"]: read(one["MetricStat"]["Metric"], one["MetricStat"]["Stat"], period)
        for one in alarm["Metrics"]
        if "MetricStat" in one
    }
    (formula,) = [one["Expression"] for one in alarm["Metrics"] if "Expression" in one]
    if None in parts.values():
        return None
    try:  # the formula is our own template's, and its syntax happens to be Python's
        return float(eval(formula, {"__builtins__": {}, "IF": _if}, parts))
    except ZeroDivisionError:  # in the branch that IF does not take, which Python works out all the same
        return 0.0


def _if(condition: bool, yes: float, no: float) -> float:
    return yes if condition else no
