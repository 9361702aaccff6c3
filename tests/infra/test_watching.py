"""Dashboard, alarms and budget: what they show is what the application tells or AWS itself does."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from malaria import metric_names
from tests.infra.templates import Variant
from tests.ringing import rings

OURS = {metric.name for metric in metric_names.ALL}
RINGS_FOR = {
    *("ServerErrors", "Slow", "Crashes", "Throttled", "DeadLetters", "Undelivered", "Late", "JobFailed"),
    "Canary",
    *("OnUploadErrors", "OnJobChangeErrors", "ReconcileErrors", "Unaccounted", "Review", "Drift", "Looks"),
}


CANARY = {"Canary"}
OF_CANARY = {metric_names.CANARY_OK.name, metric_names.CANARY_TIME.name}


def _alarms(variant: Variant) -> dict[str, dict[str, Any]]:
    return {name[6:-8]: alarm for name, alarm in variant.of("AWS::CloudWatch::Alarm").items()}


def _drawn(variant: Variant) -> list[dict[str, Any]]:
    body = variant.one("AWS::CloudWatch::Dashboard")["DashboardBody"]["Fn::Join"][1]
    widgets: list[dict[str, Any]] = json.loads("".join(one if isinstance(one, str) else "X" for one in body))[
        "widgets"
    ]
    return widgets


def _of_alarm(alarm: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Namespace, name and dimensions of each metric that an alarm reads."""
    for stat in (
        [alarm]
        if "MetricName" in alarm
        else [m["MetricStat"]["Metric"] for m in alarm["Metrics"] if "MetricStat" in m]
    ):
        yield (
            stat["Namespace"],
            stat["MetricName"],
            {d["Name"]: d["Value"] for d in stat.get("Dimensions", ())},
        )


def test_an_operator_is_woken_for_what_matters(variant: Variant) -> None:
    alarms = _alarms(variant)
    assert alarms.keys() == (RINGS_FOR if variant.settings.canary else RINGS_FOR - CANARY)
    topic = {"Ref": variant.id("AWS::SNS::Topic")}
    for name, alarm in alarms.items():
        assert alarm["AlarmActions"] == [topic], name
        silence = "breaching" if name == "Canary" else "notBreaching"
        assert alarm["TreatMissingData"] == silence, name
        assert variant.settings.deployment in alarm["AlarmDescription"]


def test_alarms_read_this_deployments_own_figures(variant: Variant) -> None:
    for name, alarm in _alarms(variant).items():
        for namespace, metric, dimensions in _of_alarm(alarm):
            if namespace == metric_names.NAMESPACE:
                assert metric in OURS, name
                assert dimensions == {metric_names.DIMENSION: variant.settings.deployment}, name
            else:
                assert namespace.startswith("AWS/"), name
                assert dimensions, name


def test_one_dead_letter_and_one_lost_upload_are_enough(ecs: Variant) -> None:
    alarms = _alarms(ecs)
    for name in ("DeadLetters", "Undelivered", "Unaccounted", "JobFailed"):
        assert (alarms[name]["Threshold"], alarms[name]["ComparisonOperator"]) == (
            0,
            "GreaterThanThreshold",
        ), name


def test_a_share_of_few_pictures_rings_nothing(ecs: Variant) -> None:
    [share] = [m for m in _alarms(ecs)["Review"]["Metrics"] if "Expression" in m]
    assert share["Expression"] == "IF(pictures > 49, review / pictures, 0)"
    assert _alarms(ecs)["Review"]["Threshold"] == ecs.settings.alarm_review_share


def test_the_dashboard_draws_every_metric_of_the_application(variant: Variant) -> None:
    drawn = set()
    for widget in _drawn(variant):
        for metric in widget["properties"].get("metrics", ()):
            if metric[0] == metric_names.NAMESPACE:
                assert metric[2:4] == [metric_names.DIMENSION, variant.settings.deployment]
                drawn.add(metric[1])
    assert drawn == (OURS if variant.settings.canary else OURS - OF_CANARY)


def test_the_dashboard_shows_all_alarms(ecs: Variant) -> None:
    [status] = [w for w in _drawn(ecs) if w["type"] == "alarm"]
    assert len(status["properties"]["alarms"]) == len(RINGS_FOR)


def test_alarms_and_budget_may_speak_to_the_topic_and_nobody_else_may(ecs: Variant, local: Variant) -> None:
    def may(variant: Variant) -> set[str]:
        statements = variant.one("AWS::SNS::TopicPolicy")["PolicyDocument"]["Statement"]
        return {s["Principal"]["Service"] for s in statements if s["Effect"] == "Allow"}

    assert may(ecs) == {"cloudwatch.amazonaws.com", "budgets.amazonaws.com"}
    assert may(local) == {"cloudwatch.amazonaws.com"}


def test_a_person_hears_of_it_where_one_is_named(ecs: Variant, sagemaker: Variant) -> None:
    assert not ecs.of("AWS::SNS::Subscription")
    told = sagemaker.one("AWS::SNS::Subscription")
    assert (told["Protocol"], told["Endpoint"]) == ("email", "ana@laboratory.example")


def test_the_budget_is_told_of_before_and_after(ecs: Variant, local: Variant) -> None:
    assert not local.of("AWS::Budgets::Budget")
    budget = ecs.one("AWS::Budgets::Budget")
    assert budget["Budget"]["BudgetLimit"] == {"Amount": 100, "Unit": "USD"}
    kinds = {one["Notification"]["NotificationType"] for one in budget["NotificationsWithSubscribers"]}
    assert kinds == {"ACTUAL", "FORECASTED"}


def test_names_of_metrics_are_each_others_alone() -> None:
    assert len(OURS) == len(metric_names.ALL)
    units = {"Count", "Milliseconds", "Seconds", "Megabytes", "None"}
    assert {metric.unit for metric in metric_names.ALL} <= units
    assert all(metric.what.endswith(".") for metric in metric_names.ALL)


def _ring_for(alarm: dict[str, Any], *told: float | None) -> bool:
    """Whether an alarm rings where its metric was told so, the latest period first."""
    now = datetime(2026, 1, 1, 12, 2, tzinfo=UTC)
    values = iter(told)
    return rings(alarm, lambda *_: next(values), now)


def test_the_canary_rings_when_it_was_answered_wrongly_twice_or_is_silent(ecs: Variant) -> None:
    canary = _alarms(ecs)["Canary"]
    assert _ring_for(canary, 0.0, 0.0)
    assert _ring_for(canary, None, None)
    assert not _ring_for(canary, 0.0, 1.0)
    assert not _ring_for(canary, 1.0, 0.0)
    assert not _ring_for(canary, 1.0, 1.0)


def test_what_is_only_silent_rings_nothing_else(ecs: Variant) -> None:
    for name, alarm in _alarms(ecs).items():
        assert _ring_for(alarm, *[None] * 9) is (name == "Canary"), name
