"""What every history does: what was told comes back by steps and as a whole."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pytest
from moto.cloudwatch.models import Statistics

from malaria import metric_names as names
from malaria.adapters.aws_clients import Clients
from malaria.adapters.cloudwatch_history import GATEWAY, CloudWatchHistory
from malaria.adapters.sqlite_history import SqliteHistory
from malaria.errors import BadOptions, Busy
from malaria.history import LATENCY, REQUESTS, SERVER_ERRORS, UP, WINDOWS, Span
from malaria.metric_names import DIMENSION, NAMESPACE, Metric
from malaria.ports import History
from tests.contract.clock import SetClock

TOLD = (REQUESTS, SERVER_ERRORS, LATENCY, names.PICTURES, names.CONFIDENCE)


class Told(Protocol):
    def __call__(self, values: Mapping[Metric, float | Sequence[float]]) -> None: ...


class Teller:
    """Tells CloudWatch as the application, the gateway and the canary do."""

    def __init__(self, clients: Clients, clock: SetClock, deployment: str, api: str) -> None:
        self._clients, self._clock, self._deployment, self._api = clients, clock, deployment, api

    def tell(self, values: Mapping[Metric, float | Sequence[float]]) -> None:
        for metric, told in values.items():
            for value in [told] if isinstance(told, int | float) else told:
                self._put(metric, float(value))

    def _put(self, metric: Metric, value: float) -> None:
        gateway = metric in GATEWAY
        name = GATEWAY.get(metric, names.CANARY_OK.name if metric is UP else metric.name)
        dimension = ("ApiId", self._api) if gateway else (DIMENSION, self._deployment)
        datum: dict[str, Any] = {
            "MetricName": name,
            "Value": value,
            "Timestamp": self._clock.now(),
            "Dimensions": [{"Name": dimension[0], "Value": dimension[1]}],
        }
        self._clients.of("cloudwatch").put_metric_data(
            Namespace="AWS/ApiGateway" if gateway else NAMESPACE, MetricData=[datum]
        )


@pytest.fixture(autouse=True)
def quantiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of single values, which moto does not know, as CloudWatch tells them."""
    known = Statistics.get_statistics_for_type

    def told(self: Statistics, stat: str) -> Any:
        if not stat.startswith("p"):
            return known(self, stat)
        return float(np.quantile([one.value for one in self.metric_data], float(stat[1:]) / 100))

    monkeypatch.setattr(Statistics, "get_statistics_for_type", told)


@pytest.fixture(params=["sqlite", "cloudwatch"])
def history(request: pytest.FixtureRequest, tmp_path: Path, clock: SetClock) -> tuple[History, Told]:
    if request.param == "sqlite":
        kept = SqliteHistory(tmp_path / "history.sqlite", clock)
        return kept, kept.tell
    clients: Clients = request.getfixturevalue("clients")
    name = tmp_path.name
    return CloudWatchHistory(clients, name, lambda: f"api-{name}", canary=True), Teller(
        clients, clock, name, f"api-{name}"
    ).tell


def test_counts_are_added_up_by_steps(history: tuple[History, Told], clock: SetClock) -> None:
    read, tell = history
    span = Span.of("1h", clock.now())
    tell({REQUESTS: 1, SERVER_ERRORS: 0, names.PICTURES: 32})
    tell({REQUESTS: 1, SERVER_ERRORS: 1})
    clock.go(-180)
    tell({REQUESTS: 1, names.PICTURES: 1})
    found = read.read(TOLD, span)
    whole = found[REQUESTS].whole
    assert whole is not None
    assert whole.total == 3
    assert _totals(found[REQUESTS].steps) == {56: 1, 59: 2}
    assert _totals(found[names.PICTURES].steps) == {56: 1, 59: 32}
    assert _totals(found[SERVER_ERRORS].steps)[59] == 1
    assert found[LATENCY].whole is None
    assert set(found[names.CONFIDENCE].steps) == {None}


def test_what_lies_outside_is_not_counted(history: tuple[History, Told], clock: SetClock) -> None:
    read, tell = history
    span = Span.of("1h", clock.now())
    clock.go(-3600)
    tell({REQUESTS: 7})
    found = read.read([REQUESTS], span)
    assert found[REQUESTS].whole is None


def test_single_values_have_a_mean_and_quantiles(history: tuple[History, Told], clock: SetClock) -> None:
    read, tell = history
    span = Span.of("6h", clock.now())
    tell({LATENCY: [10.0, 20.0, 60.0]})
    whole = read.read([LATENCY], span)[LATENCY].whole
    assert whole is not None
    assert (whole.count, whole.mean) == (3, 30.0)
    assert whole.quantiles[0.5] == pytest.approx(20.0, rel=0.03)
    assert whole.quantiles[0.99] == pytest.approx(60.0, rel=0.03)


def test_the_share_of_the_time_it_was_there(history: tuple[History, Told], clock: SetClock) -> None:
    read, tell = history
    tell({UP: 1.0})
    found = read.read([UP], Span.of("1h", clock.now()))[UP]
    assert found.whole is None or 0 <= found.whole.mean <= 1


def _totals(steps: Sequence[Any]) -> dict[int, float]:
    return {place: step.total for place, step in enumerate(steps) if step is not None}


@pytest.mark.parametrize("window", WINDOWS)
def test_a_window_ends_with_the_step_of_now(window: str, clock: SetClock) -> None:
    clock.go(61.5)
    span = Span.of(window, clock.now())
    assert span.place(clock.now()) == span.steps - 1
    assert span.end - span.start == WINDOWS[window][0]
    assert span.start.timestamp() % span.step.total_seconds() == 0
    assert span.place(span.end) is None
    assert span.place(span.start - timedelta(microseconds=1)) is None


def test_another_window_is_refused(clock: SetClock) -> None:
    with pytest.raises(BadOptions, match="choose 1h, 6h, 24h, 7d, 30d"):
        Span.of("1w", clock.now())


def test_without_a_canary_nothing_is_known_of_being_there(clients: Clients, clock: SetClock) -> None:
    history = CloudWatchHistory(clients, "none", lambda: "api", canary=False)
    assert UP not in history.read([UP, REQUESTS], Span.of("1h", clock.now()))


def test_what_is_more_than_one_call_takes_is_asked_in_several(
    clients: Clients, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("malaria.adapters.cloudwatch_history.AT_ONCE", 3)
    Teller(clients, clock, "many", "api").tell({REQUESTS: 2, names.PICTURES: 5, names.REVIEW: 1})
    history = CloudWatchHistory(clients, "many", lambda: "api", canary=False)
    found = history.read([REQUESTS, names.PICTURES, names.REVIEW], Span.of("1h", clock.now()))
    assert [one.whole.total for one in found.values() if one.whole] == [2, 5, 1]


def test_cloudwatch_out_of_reach_is_busy(aws_environment: str, clock: SetClock) -> None:
    history = CloudWatchHistory(Clients("http://127.0.0.1:9", tries=1), "x", lambda: "api", canary=True)
    with pytest.raises(Busy, match="CloudWatch cannot be reached now"):
        history.read([REQUESTS], Span.of("1h", clock.now()))
