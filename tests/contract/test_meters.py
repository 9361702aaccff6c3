"""What every meter does, and what CloudWatch reads of the one that writes its format."""

import io
import json
from typing import Any

import pytest

from malaria import metric_names as names
from malaria.adapters.meters import EmfMeter, MemoryMeter, NullMeter
from malaria.ports import Meter
from tests.contract.clock import SetClock


@pytest.fixture
def out() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def emf(out: io.StringIO, clock: SetClock) -> EmfMeter:
    return EmfMeter("hospital", clock, out)


@pytest.fixture(params=["null", "memory", "emf"])
def meter(request: pytest.FixtureRequest, emf: EmfMeter) -> Meter:
    made: dict[str, Meter] = {"null": NullMeter(), "memory": MemoryMeter(), "emf": emf}
    return made[request.param]


def lines(out: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_one_or_many_values_are_taken(meter: Meter) -> None:
    meter.tell({names.PICTURES: 2, names.CONFIDENCE: [0.9, 0.8]}, model_version="v")
    meter.tell({})
    meter.tell({names.CONFIDENCE: []})


def test_what_is_not_finite_fails_nothing(meter: Meter) -> None:
    meter.tell({names.FEATURE_DISTANCE: float("nan"), names.CONFIDENCE: [float("inf")]})


@pytest.mark.parametrize("taken", ["Pictures", "deployment", "_aws"])
def test_a_property_that_would_hide_a_figure_is_refused(meter: Meter, taken: str) -> None:
    with pytest.raises(ValueError, match=f"{taken} cannot name a property"):
        meter.tell({names.PICTURES: 1}, **{taken: "x"})


def test_memory_keeps_the_finite_values_in_order() -> None:
    meter = MemoryMeter()
    meter.tell({names.CONFIDENCE: [0.9, float("nan"), 0.8], names.REVIEW: float("nan")}, model_version="v")
    meter.tell({names.CONFIDENCE: 0.7})
    assert meter.of(names.CONFIDENCE) == [0.9, 0.8, 0.7]
    assert meter.told[0] == ({names.CONFIDENCE: [0.9, 0.8]}, {"model_version": "v"})


def test_a_line_is_of_the_embedded_metric_format(emf: EmfMeter, out: io.StringIO, clock: SetClock) -> None:
    emf.tell({names.PICTURES: 2, names.CONFIDENCE: [0.9, 0.8]}, model_version="v")
    [line] = lines(out)
    assert line == {
        "_aws": {
            "Timestamp": int(clock.now().timestamp() * 1000),
            "CloudWatchMetrics": [
                {
                    "Namespace": "Malaria",
                    "Dimensions": [["deployment"]],
                    "Metrics": [
                        {"Name": "Pictures", "Unit": "Count"},
                        {"Name": "Confidence", "Unit": "None"},
                    ],
                }
            ],
        },
        "deployment": "hospital",
        "model_version": "v",
        "Pictures": 2.0,
        "Confidence": [0.9, 0.8],
    }


def test_many_values_go_into_lines_of_a_hundred_and_each_is_told_once(
    emf: EmfMeter, out: io.StringIO
) -> None:
    values = [i / 1000 for i in range(250)]
    emf.tell({names.PICTURES: 250, names.CONFIDENCE: values})
    found = lines(out)
    assert [len(line["Confidence"]) for line in found] == [100, 100, 50]
    assert [v for line in found for v in line["Confidence"]] == values
    assert [line.get("Pictures") for line in found] == [250.0, None, None]
    for line in found:
        named = [one["Name"] for one in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]]
        assert all(name in line for name in named)


def test_nothing_is_written_where_nothing_is_told(emf: EmfMeter, out: io.StringIO) -> None:
    emf.tell({names.FEATURE_DISTANCE: [float("nan")], names.CONFIDENCE: []}, model_version="v")
    assert out.getvalue() == ""


def test_it_writes_where_standard_output_goes_at_the_time(
    clock: SetClock, capsys: pytest.CaptureFixture[str]
) -> None:
    EmfMeter("hospital", clock).tell({names.PICTURES: 1})
    assert json.loads(capsys.readouterr().out)["Pictures"] == 1.0
