"""What a deployment costs: from one price file, and as its settings and its load say."""

import dataclasses
import tomllib
from datetime import date

import pytest

from infra import cost
from infra.settings import Settings

PRICE = cost.prices()
LOAD = cost.Load()


def _of(what: str, load: cost.Load = LOAD, **settings: object) -> float:
    return cost.estimate(Settings.model_validate(settings), load, PRICE)[what]


def test_the_prices_say_where_and_when_they_were_read() -> None:
    told = tomllib.loads(cost.PRICES.read_text())
    assert "https://aws.amazon.com/pricing/" in told["source"]
    assert isinstance(told["noted"], date)


def test_a_million_requests_cost_what_the_price_lists_say() -> None:
    """By hand: 1 GB for 100 ms a million times is 100,000 GB-seconds; and the requests themselves."""
    load = dataclasses.replace(LOAD, predictions=10**6, milliseconds=100, uploads=0)
    rest = dataclasses.replace(load, predictions=0)
    one = _of("functions", load, api_memory=1024) - _of("functions", rest, api_memory=1024)
    assert one == pytest.approx(100_000 * 0.0000166667 + 0.20)
    assert _of("API", load) == pytest.approx(1.00)


def test_a_training_on_fargate_costs_its_machine_and_its_time() -> None:
    load = dataclasses.replace(LOAD, uploads=15, adapt_minutes=4)  # an hour
    machine = 0.04048 + 4 * 0.004445 + 20 * 0.000111
    assert _of("trainings", load) == pytest.approx(machine + 0.005)
    assert _of("trainings", load, network="private") == pytest.approx(machine)
    assert _of("trainings", load, spot=True) < 0.5 * machine


def test_a_training_on_sagemaker_costs_its_instance() -> None:
    load = dataclasses.replace(LOAD, uploads=0, full_trainings=2, full_minutes=90)
    assert _of("trainings", load, trainer="sagemaker") == pytest.approx(3 * 0.461)


@pytest.mark.parametrize(
    ("what", "setting"),
    [
        ("functions", {"provisioned_concurrency": 2}),
        ("functions", {"api_memory": 3008}),
        ("network", {"network": "private"}),
        ("logs, metrics, alarms", {"log_days": 365}),
        ("queue and traces", {"xray": True}),
        ("trainings", {"full_memory": 60}),
    ],
)
def test_what_costs_more_is_told_to(what: str, setting: dict[str, object]) -> None:
    load = dataclasses.replace(LOAD, full_trainings=1)
    assert _of(what, load, **setting) > _of(what, load)


def test_arm_is_cheaper() -> None:
    assert _of("functions", architecture="arm64") < _of("functions")


def test_batches_make_a_million_predictions_cheaper() -> None:
    batch = dataclasses.replace(LOAD, per_request=50, milliseconds=600)
    assert cost.per_million(Settings(), batch, PRICE) < cost.per_million(Settings(), LOAD, PRICE) / 2


def test_the_estimate_is_printed_with_its_load_and_its_source(capsys: pytest.CaptureFixture[str]) -> None:
    assert cost.main(["--predictions", "1000000", "-c", "trainer=sagemaker"]) == 0
    told = capsys.readouterr().out
    assert "predictions 1e+06" in told
    assert "https://aws.amazon.com/pricing/" in told
    last = told.splitlines()[-1]
    assert last.startswith("a million predictions")
    assert 1 < float(last.split()[-1]) < 50


def test_an_instance_without_a_price_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--full-trainings", "1", "-c", "trainer=sagemaker", "-c", "full_instance=ml.unheard"]
    assert cost.main(asked) == 2
    assert "ml.unheard has no price in prices.toml" in capsys.readouterr().err


@pytest.mark.parametrize("asked", [["--per-request", "0"], ["--predictions", "-5"], ["--stored-gb", "nan"]])
def test_a_load_that_cannot_be_is_refused(asked: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cost.main(asked)
    assert ended.value.code == 2
    assert f"argument {asked[0]}" in capsys.readouterr().err
