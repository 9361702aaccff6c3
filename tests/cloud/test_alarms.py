"""Every alarm is made to ring once, by figures that the code itself told, or AWS would, and is heard."""

import io
import json
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from malaria import synthetic
from tests.cloud.conftest import Deployed, soon
from tests.ringing import Alarm, Period, rings, seconds_of

pytestmark = pytest.mark.cloud
ROOM = 20.0
"""Seconds of a period in which several errors surely fall."""
FED = {"Slow": 4000.0, "Late": 1000.0, "Throttled": 1.0}
"""What nothing here is slow, late or throttled enough to tell: the alarm's own metric is told so."""


@pytest.fixture(scope="module")
def alarms(stack: Deployed) -> dict[str, Alarm]:
    """Every alarm of the template, by its short name, as it stands in the deployment."""
    return {
        name.removeprefix("Alarms")[:-8]: resolved(one["Properties"], stack)
        for name, one in stack.cloud.template["Resources"].items()
        if one["Type"] == "AWS::CloudWatch::Alarm"
    }


def resolved(node: Any, stack: Deployed) -> Any:
    """A piece of a template with the physical names of what it refers to."""
    match node:
        case list():
            return [resolved(one, stack) for one in node]
        case {"Ref": name}:
            return stack.cloud.resource(name)
        case {"Fn::GetAtt": [name, "QueueName"]}:
            return stack.cloud.resource(name).rpartition("/")[2]
        case {"Fn::Join": [between, parts]}:
            return between.join(resolved(part, stack) for part in parts)
        case dict():
            return {key: resolved(one, stack) for key, one in node.items()}
    return node


class Watch:
    """CloudWatch as an alarm reads it."""

    def __init__(self, stack: Deployed, alarms: Mapping[str, Alarm]) -> None:
        self._cloudwatch, self._alarms = stack.cloud.aws.client("cloudwatch"), alarms
        self.heard: set[str] = set()

    def wait_for_room(self, name: str) -> None:
        """Until errors that are made now are counted in one of its periods, and not partly in the next."""
        seconds = seconds_of(self._alarms[name])
        left = seconds - time.time() % seconds
        if left < ROOM:
            time.sleep(left)

    def rings(self, name: str) -> bool:
        """Whether it rings, or did until the period that has just begun."""
        alarm, now = self._alarms[name], datetime.now(UTC)
        before = now - timedelta(seconds=seconds_of(alarm))
        return any(rings(alarm, self._read, when) for when in (now, before))

    def _read(self, metric: Mapping[str, Any], statistic: str, period: Period) -> float | None:
        extended = statistic.startswith("p")
        told = self._cloudwatch.get_metric_statistics(
            Namespace=metric["Namespace"],
            MetricName=metric["MetricName"],
            Dimensions=metric["Dimensions"],
            StartTime=period[0],
            EndTime=period[1],
            Period=int((period[1] - period[0]).total_seconds()),
            **({"ExtendedStatistics": [statistic]} if extended else {"Statistics": [statistic]}),
        )["Datapoints"]
        if not told:
            return None
        (point,) = told
        return float(point["ExtendedStatistics"][statistic] if extended else point[statistic])


@pytest.fixture(scope="module")
def watch(stack: Deployed, alarms: dict[str, Alarm]) -> Watch:
    return Watch(stack, alarms)


def heard(watch: Watch, name: str) -> None:
    soon(lambda: watch.rings(name), f"{name} does not ring", 60)
    watch.heard.add(name)


def fails(stack: Deployed, function: str) -> bool:
    """Have AWS, which counts it, call a function with what is no event; whether it failed."""
    name = stack.cloud.function(function)[1]
    return "FunctionError" in stack.cloud.aws.client("lambda").invoke(
        FunctionName=name, Payload=b'"no event"'
    )


def test_in_quiet_none_rings_but_by_what_other_tests_did(watch: Watch, alarms: dict[str, Alarm]) -> None:
    assert not {name for name in ("Drift", "Looks", "Review", *FED) if watch.rings(name)}


@pytest.mark.parametrize("name", FED)
def test_what_is_slow_late_or_throttled(
    stack: Deployed, watch: Watch, alarms: dict[str, Alarm], name: str
) -> None:
    alarm, cloudwatch = alarms[name], stack.cloud.aws.client("cloudwatch")
    for back in range(int(alarm["EvaluationPeriods"])):
        datum = {
            "MetricName": alarm["MetricName"],
            "Dimensions": alarm["Dimensions"],
            "Value": FED[name],
            "Timestamp": datetime.now(UTC) - timedelta(seconds=back * int(alarm["Period"])),
        }
        cloudwatch.put_metric_data(Namespace=alarm["Namespace"], MetricData=[datum])
    heard(watch, name)


def test_a_retraining_that_failed(stack: Deployed, watch: Watch, tmp_path: Path) -> None:
    (tmp_path / "no.zip").write_bytes(b"PK\x03\x04 and no more")
    stack.put(tmp_path / "no.zip", "alarmed.zip")
    heard(watch, "JobFailed")


def test_an_upload_whose_event_was_lost(stack: Deployed, watch: Watch, tmp_path: Path) -> None:
    with stack.losing_events():
        (tmp_path / "no.zip").write_bytes(b"PK\x03\x04 and no more, again")
        stack.put(tmp_path / "no.zip", "lost.zip")
        stack.call("reconcile", {"id": "tests"})
    heard(watch, "Unaccounted")
    assert stack.ended("lost.zip", 60)["state"] == "failed"


@pytest.mark.parametrize("queue", ["DeadLetters", "Undelivered"])
def test_what_could_not_be_delivered(stack: Deployed, watch: Watch, queue: str) -> None:
    assert not watch.rings(queue)
    stack.cloud.aws.client("sqs").send_message(QueueUrl=stack.cloud.outputs[queue], MessageBody="{}")
    heard(watch, queue)


@pytest.mark.parametrize(
    ("function", "name"),
    [
        ("on_upload", "OnUploadErrors"),
        ("on_job_change", "OnJobChangeErrors"),
        ("reconcile", "ReconcileErrors"),
    ],
)
def test_a_function_that_fails(stack: Deployed, watch: Watch, function: str, name: str) -> None:
    watch.wait_for_room(name)
    for _ in range(3):
        assert fails(stack, function)
    heard(watch, name)


def test_an_api_that_crashes(stack: Deployed, watch: Watch) -> None:
    watch.wait_for_room("ServerErrors")
    for _ in range(6):
        assert fails(stack, "api")
    heard(watch, "Crashes")
    heard(watch, "ServerErrors")


@pytest.fixture
def for_hours(stack: Deployed) -> Callable[[str, str], None]:
    """What a metric of ours was told last is told of the hours before, too."""
    cloudwatch = stack.cloud.aws.client("cloudwatch")

    def again(metric: str, statistic: str) -> None:
        now, hour = datetime.now(UTC), timedelta(hours=1)
        where = {
            "MetricName": metric,
            "Dimensions": [{"Name": "deployment", "Value": stack.cloud.settings.deployment}],
        }
        *_, point = cloudwatch.get_metric_statistics(
            Namespace="Malaria",
            **where,
            Period=3600,
            StartTime=now - hour,
            EndTime=now + hour,
            ExtendedStatistics=[statistic],
        )["Datapoints"]
        value = float(point["ExtendedStatistics"][statistic])
        data = [{**where, "Value": value, "Timestamp": now - back * hour} for back in range(4)]
        cloudwatch.put_metric_data(Namespace="Malaria", MetricData=data)

    return again


def test_pictures_unlike_those_learnt_from(
    stack: Deployed, watch: Watch, for_hours: Callable[[str, str], None]
) -> None:
    """Dark cells in false colours with lines, as a camera that is set wrongly and fails would take them."""
    files = [
        ("files", (f"{i}.png", _badly_taken(cell), "image/png"))
        for i, cell in enumerate(synthetic.generate(60, seed=77))
    ]
    stack.http.post("/predict/batch", files=files).raise_for_status()
    heard(watch, "Review")
    for name, metric, read in (("Drift", "FeatureDistance", "p90"), ("Looks", "ImageDeviation", "p50")):
        assert not watch.rings(name), "one hour is not enough"
        for_hours(metric, read)
        heard(watch, name)


def _badly_taken(cell: synthetic.SyntheticCell) -> bytes:
    hue, saturation, value = cell.image.point(lambda v: v * 0.45).convert("HSV").split()
    turned = Image.merge("HSV", (hue.point(lambda v: (v + 60) % 256), saturation, value))
    lined = np.array(turned.convert("RGB"))
    lined[::4] //= 2  # since stain and light are evened out, colours alone make no picture strange
    out = io.BytesIO()
    Image.fromarray(lined).save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def subscriber(stack: Deployed) -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """Who hears of alarms; gives what it heard since it last listened."""
    sqs, sns = stack.cloud.aws.client("sqs"), stack.cloud.aws.client("sns")
    url = sqs.create_queue(QueueName="heard")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topic = stack.cloud.outputs["AlarmTopic"]
    let = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [let]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, ReturnSubscriptionArn=True)

    def listen() -> list[dict[str, Any]]:
        heard = []
        while got := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for one in got:
                heard.append(json.loads(json.loads(one["Body"])["Message"]))
                sqs.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])
        return heard

    yield listen
    sqs.delete_queue(QueueUrl=url)


def test_whoever_subscribed_hears_of_each(
    stack: Deployed, subscriber: Callable[[], list[dict[str, Any]]]
) -> None:
    cloudwatch = stack.cloud.aws.client("cloudwatch")
    known = [one["AlarmName"] for one in cloudwatch.describe_alarms()["MetricAlarms"]]
    assert len(known) >= len(FED) + 10
    for name in known:
        for state in ("OK", "ALARM"):
            cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason="to hear it")
    told: set[str] = set()

    def all_heard() -> bool:
        told.update(one["AlarmName"] for one in subscriber() if one["NewStateValue"] == "ALARM")
        return told >= set(known)

    soon(all_heard, f"not heard: {set(known) - told}", 30)


def test_every_alarm_of_the_template_is_rung_here(
    alarms: dict[str, Alarm], watch: Watch, request: pytest.FixtureRequest
) -> None:
    run = {one.name.partition("[")[0] for one in request.session.items if one.path == request.path}
    if run != {name for name in vars(request.module) if name.startswith("test_")}:
        pytest.skip("what was rung is known where all tests of this file are run")
    assert watch.heard == set(alarms)
